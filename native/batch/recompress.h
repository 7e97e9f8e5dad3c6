// Rewrites a batch with another codec, as Kafka does for a topic whose compression.type is not `producer`.
//
// Thread: any; meant for the pool. Owns: nothing. After error: *out is as it was.
#pragma once

#include "batch/batch_view.h"

namespace sluice::batch {

struct RecompressTarget {
  Codec codec = Codec::kNone;
  int level = kDefaultLevel;
  int64_t max_decompressed_bytes = kDefaultMaxDecompressedBytes;
  int32_t max_record_bytes = kNoRecordLimit;          // max.decompressed.message.bytes
  int64_t max_batch_bytes = kDefaultMaxMessageBytes;  // max.message.bytes holds for the result too
};

// Kafka leaves a batch that already has the codec as it is (whatever its level), and control batches uncompressed.
bool NeedsRecompression(const BatchView& batch, Codec target);

// Appends to *out the batch with the same records and header but for length, codec and CRC. The batch has passed
// ValidateForAppend; what comes out of a compressed one is checked here. Nothing is stamped. kCorrupt, kInvalidRecord, kTooLarge, kInvalid (level).
Status Recompress(const BatchView& batch, const RecompressTarget& target, Decompressor* decompressor, Compressor* compressor, Buffer* out);

}  // namespace sluice::batch
