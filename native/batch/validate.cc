#include "batch/validate.h"

#include <algorithm>

#include "batch/record.h"
#include "batch/stream_walk.h"

namespace sluice::batch {
namespace {

Status InvalidRecord(std::string what) { return Status::Error(Code::kInvalidRecord, std::move(what)); }

// Java's longs wrap, and so must these: a timestamp may be any 64-bit number.
int64_t WrappingAdd(int64_t a, int64_t b) { return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b)); }
int64_t WrappingSub(int64_t a, int64_t b) { return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b)); }

bool OutOfTime(int64_t timestamp, const AppendRules& rules) {
  const int64_t age = WrappingSub(rules.now.v, timestamp);
  return age > rules.timestamp_before_max_ms || WrappingSub(0, age) > rules.timestamp_after_max_ms;
}

// Judges records one by one and gathers what is wrong with them.
class RecordJudge {
 public:
  RecordJudge(const BatchView& batch, const AppendRules& rules, ValidationDetail* detail)
      : rules_(rules),
        detail_(detail),
        base_timestamp_(batch.base_timestamp().v),
        batch_timestamp_(batch.max_timestamp().v),
        log_append_time_(batch.log_append_time()) {}

  // False when the batch must not be looked at any further.
  bool Record(int32_t index, int64_t timestamp_delta, int32_t offset_delta, bool has_key) {
    if (offset_delta != index) {
      bad_offset_ = index;
      return false;
    }
    const int64_t timestamp = log_append_time_ ? batch_timestamp_ : WrappingAdd(base_timestamp_, timestamp_delta);
    max_timestamp_ = std::max(max_timestamp_, timestamp);
    if (rules_.compacted && !has_key) {
      Add(index, "a record of a compacted topic needs a key");
    } else {
      Time(index, timestamp);
    }
    return true;
  }

  // The verdict on one time, in Kafka's order: the type of timestamp only counts where the time itself is not judged.
  void Time(int32_t index, int64_t timestamp) {
    if (!rules_.log_append_time && timestamp != kNoTimestamp.v) {
      if (OutOfTime(timestamp, rules_)) {
        bad_time_ = true;
        Add(index, "timestamp " + std::to_string(timestamp) + " is outside of [" +
                       std::to_string(WrappingSub(rules_.now.v, rules_.timestamp_before_max_ms)) + ", " +
                       std::to_string(WrappingAdd(rules_.now.v, rules_.timestamp_after_max_ms)) + "]");
      }
    } else if (log_append_time_) {
      bad_time_ = true;
      Add(index, "a producer must not set the timestamp type LogAppendTime");
    }
  }

  int64_t max_timestamp() const { return max_timestamp_; }

  Status Verdict() const {
    if (bad_offset_ >= 0) return InvalidRecord("record " + std::to_string(bad_offset_) + " of the batch has another offset than its place");
    if (detail_->error_count == 0) return Status::Ok();
    const std::string count = std::to_string(detail_->error_count);
    if (bad_time_) return Status::Error(Code::kInvalidTimestamp, "timestamps or keys of " + count + " records are not allowed");
    return InvalidRecord(count + " records have no key, which a compacted topic needs");
  }

 private:
  void Add(int32_t index, std::string message) {
    ++detail_->error_count;
    if (detail_->errors.size() < static_cast<size_t>(kMaxRecordErrors)) detail_->errors.push_back({index, std::move(message)});
  }

  const AppendRules& rules_;
  ValidationDetail* const detail_;
  const int64_t base_timestamp_;
  const int64_t batch_timestamp_;
  const bool log_append_time_;
  int64_t max_timestamp_ = kNoTimestamp.v;
  int32_t bad_offset_ = -1;
  bool bad_time_ = false;
};

Status CheckHeader(const BatchView& batch, const AppendRules& rules) {
  const bool client = rules.origin == Origin::kClient;
  if (client && batch.base_offset() != Offset(0)) {
    return InvalidRecord("base offset of a produced batch is " + std::to_string(batch.base_offset().v) + ", not 0");
  }
  if (static_cast<int64_t>(batch.size()) > rules.max_message_bytes) {
    return Status::Error(Code::kTooLarge, "record batch of " + std::to_string(batch.size()) + " bytes is beyond max.message.bytes, " +
                                              std::to_string(rules.max_message_bytes));
  }
  if (batch.magic() != kMagic) return InvalidRecord("record batch is not of format 2");
  if (!batch.crc_ok()) {
    return Status::Error(Code::kCorrupt, "record batch has CRC " + std::to_string(batch.computed_crc()) + ", its header says " +
                                             std::to_string(batch.stored_crc()));
  }
  const int32_t count = batch.record_count();
  if (count <= 0) return InvalidRecord("record batch declares " + std::to_string(count) + " records");
  if (batch.last_offset_delta() != count - 1) {
    return InvalidRecord("record batch of " + std::to_string(count) + " records has last offset delta " +
                         std::to_string(batch.last_offset_delta()));
  }
  if (client && batch.control()) return InvalidRecord("a producer must not write control records");
  if (client && batch.has_producer() && (batch.base_sequence() < 0 || batch.producer_epoch().v < 0)) {
    return InvalidRecord("record batch of producer " + std::to_string(batch.producer_id().v) + " has sequence " +
                         std::to_string(batch.base_sequence()) + " and epoch " + std::to_string(batch.producer_epoch().v));
  }
  if (client && batch.transactional() && !batch.has_producer()) return InvalidRecord("transactional record batch has no producer id");
  if (batch.codec_id() >= kCodecCount) {
    return Status::Error(Code::kUnsupportedFormat, "there is no compression codec " + std::to_string(batch.codec_id()));
  }
  if (batch.codec() == Codec::kZstd && !rules.zstd_allowed) {
    return Status::Error(Code::kUnsupportedFormat, "zstd needs Produce version 7 or newer");
  }
  return Status::Ok();
}

// Whether the header alone cannot tell that all records pass.
bool DecompressionNeeded(const BatchView& batch, const AppendRules& rules) {
  if (rules.compacted || rules.always_look_inside || rules.max_record_bytes < kNoRecordLimit) return true;
  if (rules.log_append_time || batch.log_append_time()) return false;  // no record's own time counts
  if (rules.timestamp_before_max_ms != INT64_MAX) return true;         // the header knows no smallest time
  const int64_t max = batch.max_timestamp().v;
  return batch.base_timestamp().v > max || (max != kNoTimestamp.v && OutOfTime(max, rules));
}

}  // namespace

Result<BatchView> ParseProduced(Bytes records) {
  BatchIterator batches(records);
  BatchView first, second;
  BatchIterator::Step step = batches.Next(&first);
  if (step == BatchIterator::Step::kBatch) {
    step = batches.Next(&second);
    if (step == BatchIterator::Step::kEnd) return first;
    if (step == BatchIterator::Step::kBatch) return InvalidRecord("a produced partition has more than one record batch");
  }
  if (step == BatchIterator::Step::kEnd) return InvalidRecord("a produced partition has no whole record batch");
  const Status& bad = batches.status();
  return bad.code() == Code::kUnsupportedFormat ? InvalidRecord(bad.what()) : bad;
}

Status ValidateForAppend(const BatchView& batch, const AppendRules& rules, ValidationDetail* detail) {
  detail->Clear();
  SLUICE_TRY(CheckHeader(batch, rules));
  RecordJudge judge(batch, rules, detail);
  if (batch.compressed()) {
    if (!LooksLike(batch.codec(), batch.records())) {
      return Status::Error(Code::kCorrupt, std::string("compressed records are not ") + CodecName(batch.codec()));
    }
    detail->max_timestamp = rules.log_append_time ? rules.now : batch.max_timestamp();
    detail->decompression_needed = DecompressionNeeded(batch, rules);
    if (!detail->decompression_needed && batch.log_append_time()) {
      const int32_t listed = std::min(batch.record_count(), kMaxRecordErrors);
      for (int32_t i = 0; i < listed; ++i) judge.Time(i, batch.max_timestamp().v);
      if (detail->error_count > 0) detail->error_count = batch.record_count();
    }
    return judge.Verdict();
  }
  RecordWalker walker(batch.records(), batch.record_count());
  RecordView record;
  RecordWalker::Step step;
  while ((step = walker.Next(&record)) == RecordWalker::Step::kRecord) {
    if (!judge.Record(walker.index() - 1, record.timestamp_delta, record.offset_delta, !record.key.is_null())) return judge.Verdict();
  }
  if (step == RecordWalker::Step::kBad) return walker.status();
  detail->max_timestamp = rules.log_append_time ? rules.now : TimestampMs(judge.max_timestamp());
  return judge.Verdict();
}

Status ValidateCompressedRecords(const BatchView& batch, const AppendRules& rules, Decompressor* decompressor, ValidationDetail* detail) {
  detail->Clear();
  RecordJudge judge(batch, rules, detail);
  decompressor->Start(batch.codec(), batch.records(), rules.max_decompressed_bytes);
  StreamWalker walker(decompressor, batch.record_count(), rules.max_record_bytes);
  RecordOutline record;
  StreamWalker::Step step;
  while ((step = walker.Next(&record)) == StreamWalker::Step::kRecord) {
    if (!judge.Record(walker.index() - 1, record.timestamp_delta, record.offset_delta, record.has_key)) return judge.Verdict();
  }
  if (step == StreamWalker::Step::kBad) return walker.status();
  detail->max_timestamp = rules.log_append_time ? rules.now : TimestampMs(judge.max_timestamp());
  return judge.Verdict();
}

}  // namespace sluice::batch
