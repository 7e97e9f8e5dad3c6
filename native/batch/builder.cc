#include "batch/builder.h"

#include <algorithm>
#include <cstring>

#include "base/endian.h"
#include "batch/stamp.h"

namespace sluice::batch {
namespace {

size_t NullableSize(const NullableBytes& bytes) {
  return bytes.is_null() ? 1 : VarintSize(static_cast<int32_t>(bytes.size())) + bytes.size();
}

uint8_t* WriteNullable(uint8_t* p, const NullableBytes& bytes) {
  if (bytes.is_null()) return WriteVarint(p, -1);
  p = WriteVarint(p, static_cast<int32_t>(bytes.size()));
  if (bytes.size() > 0) std::memcpy(p, bytes.bytes().data(), bytes.size());
  return p + bytes.size();
}

// What a record's length counts. Saturates far beyond any batch rather than wrap.
size_t BodySize(int64_t timestamp_delta, int32_t offset_delta, const RecordInput& record) {
  size_t size = 1 + VarlongSize(timestamp_delta) + VarintSize(offset_delta) + NullableSize(record.key) +
                NullableSize(record.value) + VarintSize(static_cast<int32_t>(record.headers.size()));
  for (const HeaderView& header : record.headers) size += NullableSize(header.key) + NullableSize(header.value);
  return size;
}

int64_t Delta(TimestampMs timestamp, TimestampMs base) {
  return static_cast<int64_t>(static_cast<uint64_t>(timestamp.v) - static_cast<uint64_t>(base.v));
}

constexpr size_t kKeptBytes = 16 << 20;  // of one large batch, for the next

}  // namespace

void WriteBatchHeader(uint8_t* to, const HeaderFields& f) {
  StoreI64(to + kBaseOffsetAt, f.base_offset.v);
  StoreI32(to + kBatchLengthAt, static_cast<int32_t>(f.total_bytes - static_cast<int64_t>(kLengthOverhead)));
  StoreI32(to + kLeaderEpochAt, f.leader_epoch.v);
  to[kMagicAt] = static_cast<uint8_t>(kMagic);
  StoreU32(to + kCrcAt, 0);
  StoreI16(to + kAttributesAt, f.attributes);
  StoreI32(to + kLastOffsetDeltaAt, f.last_offset_delta);
  StoreI64(to + kBaseTimestampAt, f.base_timestamp.v);
  StoreI64(to + kMaxTimestampAt, f.max_timestamp.v);
  StoreI64(to + kProducerIdAt, f.producer_id.v);
  StoreI16(to + kProducerEpochAt, f.producer_epoch.v);
  StoreI32(to + kBaseSequenceAt, f.base_sequence);
  StoreI32(to + kRecordCountAt, f.record_count);
}

void BatchBuilder::Start(const BatchOptions& options) {
  options_ = options;
  batch_.Trim(kKeptBytes);
  compressed_.Trim(kKeptBytes);
  batch_.Resize(kHeaderBytes);
  base_timestamp_ = max_timestamp_ = kNoTimestamp;
  count_ = 0;
  last_delta_ = -1;
}

size_t BatchBuilder::records_bytes() const { return batch_.size() - std::min(batch_.size(), kHeaderBytes); }

size_t BatchBuilder::SizeOf(const RecordInput& record) const {
  const size_t body = BodySize(count_ == 0 ? 0 : Delta(record.timestamp, base_timestamp_), last_delta_ + 1, record);
  return UnsignedVarlongSize(static_cast<uint64_t>(body) << 1) + body;
}

Status BatchBuilder::AppendAt(int32_t offset_delta, const RecordInput& record) {
  if (record.timestamp.v < -1) return Status::Error(Code::kInvalid, "a record's timestamp is below -1");
  if (offset_delta <= last_delta_) return Status::Error(Code::kInvalid, "a record's offset does not follow the last");
  const TimestampMs base = count_ == 0 ? record.timestamp : base_timestamp_;
  const int64_t timestamp_delta = Delta(record.timestamp, base);
  const size_t body = BodySize(timestamp_delta, offset_delta, record);
  const size_t size = batch_.size() + UnsignedVarlongSize(static_cast<uint64_t>(body) << 1) + body;
  if (size > static_cast<size_t>(std::min(options_.max_bytes, kMaxBatchBytes))) {
    return Status::Error(Code::kTooLarge, "the batch would have more than " + std::to_string(options_.max_bytes) + " bytes");
  }
  uint8_t* p = batch_.Room(body + kMaxVarint32Bytes);
  p = WriteVarint(p, static_cast<int32_t>(body));
  *p++ = 0;
  p = WriteVarlong(p, timestamp_delta);
  p = WriteVarint(p, offset_delta);
  p = WriteNullable(p, record.key);
  p = WriteNullable(p, record.value);
  p = WriteVarint(p, static_cast<int32_t>(record.headers.size()));
  for (const HeaderView& header : record.headers) {
    p = WriteNullable(p, header.key);
    p = WriteNullable(p, header.value);
  }
  batch_.SetEnd(p);
  base_timestamp_ = base;
  max_timestamp_ = std::max(max_timestamp_, record.timestamp);
  last_delta_ = offset_delta;
  ++count_;
  return Status::Ok();
}

Result<Bytes> BatchBuilder::Finish() {
  if (count_ == 0) return Status::Error(Code::kInvalid, "a batch needs a record");
  Buffer* done = &batch_;
  if (options_.codec != Codec::kNone) {
    compressed_.Resize(kHeaderBytes);
    SLUICE_TRY(compressor_.Compress(options_.codec, options_.level, batch_.bytes().subspan(kHeaderBytes), &compressed_));
    done = &compressed_;
  }
  if (static_cast<int64_t>(done->size()) > options_.max_bytes) {
    return Status::Error(Code::kTooLarge, "the batch has " + std::to_string(done->size()) + " bytes, more than " +
                                              std::to_string(options_.max_bytes));
  }
  const int attributes = static_cast<int>(options_.codec) | (options_.log_append_time ? kLogAppendTimeBit : 0) |
                         (options_.transactional ? kTransactionalBit : 0) | (options_.control ? kControlBit : 0);
  WriteBatchHeader(done->data(), {.base_offset = options_.base_offset,
                                  .total_bytes = static_cast<int64_t>(done->size()),
                                  .leader_epoch = options_.leader_epoch,
                                  .attributes = static_cast<int16_t>(attributes),
                                  .last_offset_delta = last_delta_,
                                  .base_timestamp = base_timestamp_,
                                  .max_timestamp = options_.log_append_time ? options_.append_time : max_timestamp_,
                                  .producer_id = options_.producer_id,
                                  .producer_epoch = options_.producer_epoch,
                                  .base_sequence = options_.base_sequence,
                                  .record_count = count_});
  StampCrc(done->mutable_bytes());
  return done->bytes();
}

}  // namespace sluice::batch
