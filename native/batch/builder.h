// Builds one record batch. Reused for batch after batch it allocates nothing once its buffers have grown.
//
// Thread: that of its owner. Owns: its buffers and compression contexts; Finish hands out a view that the next Start ends.
// After error: Start begins anew.
#pragma once

#include <span>

#include "base/buffer.h"
#include "base/result.h"
#include "base/types.h"
#include "batch/codec.h"
#include "batch/record.h"

namespace sluice::batch {

struct BatchOptions {
  Codec codec = Codec::kNone;
  int level = kDefaultLevel;
  Offset base_offset{0};
  LeaderEpoch leader_epoch{-1};
  ProducerId producer_id{-1};
  ProducerEpoch producer_epoch{-1};
  int32_t base_sequence = -1;
  bool transactional = false;
  bool control = false;
  // Set: LogAppendTime with this time for all records; else each record's own time counts.
  bool log_append_time = false;
  TimestampMs append_time{-1};
  int64_t max_bytes = kMaxBatchBytes;  // of the records before compression, and of the finished batch
};

struct RecordInput {
  NullableBytes key;
  NullableBytes value;
  TimestampMs timestamp{-1};            // -1 or more
  std::span<const HeaderView> headers;
};

class BatchBuilder {
 public:
  void Start(const BatchOptions& options);

  // Adds a record with the next offset. kTooLarge when the batch cannot take it (it stays as it was); kInvalid for a timestamp below -1.
  Status Append(const RecordInput& record) { return AppendAt(last_delta_ + 1, record); }
  // With an offset of its own, larger than the last (compacted batches have gaps).
  Status AppendAt(int32_t offset_delta, const RecordInput& record);
  // Bytes that Append would add.
  size_t SizeOf(const RecordInput& record) const;

  int32_t count() const { return count_; }
  size_t records_bytes() const;  // before compression

  // The finished batch, CRC and all. At least one record is there. kTooLarge when it is beyond max_bytes.
  Result<Bytes> Finish();

 private:
  BatchOptions options_;
  Buffer batch_;       // header and records
  Buffer compressed_;  // header and compressed records
  Compressor compressor_;
  TimestampMs base_timestamp_{-1};
  TimestampMs max_timestamp_{-1};
  int32_t count_ = 0;
  int32_t last_delta_ = -1;
};

// Writes the 61 bytes before the records, but for the CRC, which StampCrc adds when the records are there.
struct HeaderFields {
  Offset base_offset{0};
  int64_t total_bytes = 0;
  LeaderEpoch leader_epoch{-1};
  int16_t attributes = 0;
  int32_t last_offset_delta = 0;
  TimestampMs base_timestamp{-1};
  TimestampMs max_timestamp{-1};
  ProducerId producer_id{-1};
  ProducerEpoch producer_epoch{-1};
  int32_t base_sequence = -1;
  int32_t record_count = 0;
};
void WriteBatchHeader(uint8_t* to, const HeaderFields& fields);

}  // namespace sluice::batch
