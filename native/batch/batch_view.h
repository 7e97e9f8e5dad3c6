// BatchView: typed reading of one record batch that lies complete in memory. A view, as cheap as a span.
//
// ParseBatch is the only way to one from bytes that came from outside: it checks lengths and format, nothing more (validate.h does).
// Thread: any. Owns: nothing; whoever made the bytes keeps them. After error: no view.
#pragma once

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/endian.h"
#include "base/limits.h"
#include "base/result.h"
#include "base/types.h"
#include "batch/batch_format.h"
#include "batch/codec.h"

namespace sluice::batch {

class BatchView {
 public:
  BatchView() = default;
  // `bytes` is exactly one batch whose lengths have been checked.
  explicit BatchView(Bytes bytes) : bytes_(bytes) {
    SLUICE_ASSERT_OP(bytes.size(), >=, kHeaderBytes);
    SLUICE_ASSERT_OP(bytes.size(), ==, kLengthOverhead + LoadU32(bytes.data() + kBatchLengthAt));
  }

  Bytes bytes() const { return bytes_; }
  size_t size() const { return bytes_.size(); }
  Bytes records() const { return bytes_.subspan(kRecordsAt); }  // compressed if codec() says so

  Offset base_offset() const { return Offset(LoadI64(at(kBaseOffsetAt))); }
  // Of a client's batch these two may be anything until validated; the sum wraps instead of overflowing.
  Offset last_offset() const {
    return Offset(static_cast<int64_t>(static_cast<uint64_t>(base_offset().v) + static_cast<uint64_t>(int64_t{last_offset_delta()})));
  }
  Offset next_offset() const { return Offset(static_cast<int64_t>(static_cast<uint64_t>(last_offset().v) + 1)); }
  LeaderEpoch leader_epoch() const { return LeaderEpoch(LoadI32(at(kLeaderEpochAt))); }
  int8_t magic() const { return static_cast<int8_t>(*at(kMagicAt)); }
  uint32_t stored_crc() const { return LoadU32(at(kCrcAt)); }
  uint32_t computed_crc() const { return Crc32c(bytes_.subspan(kAttributesAt)); }
  bool crc_ok() const { return stored_crc() == computed_crc(); }
  int16_t attributes() const { return LoadI16(at(kAttributesAt)); }
  int32_t last_offset_delta() const { return LoadI32(at(kLastOffsetDeltaAt)); }
  // With the delete-horizon bit this field holds the horizon, and the records' deltas still count from it.
  TimestampMs base_timestamp() const { return TimestampMs(LoadI64(at(kBaseTimestampAt))); }
  TimestampMs max_timestamp() const { return TimestampMs(LoadI64(at(kMaxTimestampAt))); }
  ProducerId producer_id() const { return ProducerId(LoadI64(at(kProducerIdAt))); }
  ProducerEpoch producer_epoch() const { return ProducerEpoch(LoadI16(at(kProducerEpochAt))); }
  int32_t base_sequence() const { return LoadI32(at(kBaseSequenceAt)); }
  int32_t last_sequence() const;  // -1 without a sequence; wraps from 2^31-1 to 0
  int32_t record_count() const { return LoadI32(at(kRecordCountAt)); }

  int codec_id() const { return attributes() & kCodecMask; }  // 5 to 7 mean nothing
  Codec codec() const { return static_cast<Codec>(codec_id()); }
  bool compressed() const { return codec_id() != 0; }
  bool log_append_time() const { return (attributes() & kLogAppendTimeBit) != 0; }
  bool transactional() const { return (attributes() & kTransactionalBit) != 0; }
  bool control() const { return (attributes() & kControlBit) != 0; }
  bool has_delete_horizon() const { return (attributes() & kDeleteHorizonBit) != 0; }
  bool has_producer() const { return producer_id() > kNoProducer; }

 private:
  const uint8_t* at(size_t position) const { return bytes_.data() + position; }
  Bytes bytes_;
};

// Adds to a sequence number as Kafka does: they run from 0 to 2^31-1 and begin again.
int32_t SequencePlus(int32_t sequence, int32_t increment);

struct BatchLimits {
  int64_t max_bytes = kMaxBatchBytes;  // of a whole batch
};

// The whole size of the batch that begins with `first`, of which kLengthOverhead bytes must be there.
// kCorrupt when the length can be no batch's; kTooLarge beyond the limit.
Result<int64_t> PeekBatchSize(Bytes first, const BatchLimits& limits = {});

// The batch at the start of `bytes`; more may follow it. kCorrupt: cut short, or a length or magic that no version has;
// kUnsupportedFormat: formats 0 and 1; kTooLarge.
Result<BatchView> ParseBatch(Bytes bytes, const BatchLimits& limits = {});

// Walks consecutive batches in a buffer. A batch that is not all there ends the walk: partial_bytes() says how much of it is.
class BatchIterator {
 public:
  enum class Step : uint8_t { kBatch, kEnd, kBad };
  explicit BatchIterator(Bytes bytes, const BatchLimits& limits = {}) : rest_(bytes), size_(bytes.size()), limits_(limits) {}

  Step Next(BatchView* out);
  size_t position() const { return size_ - rest_.size(); }  // where the next batch begins, or where it stopped
  size_t partial_bytes() const { return rest_.size(); }     // after kEnd: bytes of an incomplete batch
  const Status& status() const { return status_; }          // after kBad: what ParseBatch said

 private:
  Bytes rest_;
  size_t size_;
  BatchLimits limits_;
  Status status_;
};

}  // namespace sluice::batch
