// What the broker writes into a batch it accepts, in place.
//
// Base offset and leader epoch lie before what the CRC covers; timestamps lie within it, so changing them computes it anew.
// Thread: any. Owns: nothing. After error: cannot fail; the bytes are a parsed batch (BatchView checks its length).
#pragma once

#include "base/bytes.h"
#include "base/types.h"

namespace sluice::batch {

void StampOffset(MutableBytes batch, Offset base, LeaderEpoch epoch);

// Sets the timestamp type and the maximum timestamp; returns whether anything had to change. With LogAppendTime every record's time is `max`.
bool StampTimestamps(MutableBytes batch, bool log_append_time, TimestampMs max);

// Producer fields, for batches built before the producer was known.
void StampProducer(MutableBytes batch, ProducerId id, ProducerEpoch epoch, int32_t base_sequence);

// Computes the CRC of the bytes as they are and stores it.
void StampCrc(MutableBytes batch);

}  // namespace sluice::batch
