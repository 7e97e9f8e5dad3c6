// The header of a batch as it lies in a segment file: what indexes, scans and producer state need, without the records.
//
// Thread: any. Owns: nothing. After error: no header; whoever scans stops there.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "base/types.h"
#include "batch/batch_format.h"

namespace sluice::log {

struct BatchHead {
  Offset base;
  int64_t size = 0;  // of the whole batch
  LeaderEpoch epoch;
  uint32_t crc = 0;
  int16_t attributes = 0;
  int32_t last_delta = 0;
  TimestampMs max_timestamp;
  ProducerId producer;
  ProducerEpoch producer_epoch;
  int32_t base_sequence = -1;

  Offset last() const { return base + last_delta; }
  Offset end() const { return base + last_delta + 1; }
  bool control() const { return (attributes & batch::kControlBit) != 0; }
  bool transactional() const { return (attributes & batch::kTransactionalBit) != 0; }
  bool has_producer() const { return producer > kNoProducer; }
  int32_t last_sequence() const;
};

// `first` is the batch's first batch::kHeaderBytes; `room` is how many bytes of the file follow from its start. kCorrupt when it cannot be a batch
// or does not fit, kUnsupportedFormat for formats 0 and 1.
Result<BatchHead> ParseBatchHead(Bytes first, int64_t room);

}  // namespace sluice::log
