#include "log/cleaner_filter.h"

#include <algorithm>

#include "base/endian.h"
#include "base/varint.h"
#include "batch/builder.h"
#include "batch/stamp.h"
#include "log/saturate.h"

namespace sluice::log {
namespace {

constexpr size_t kKeepBuffer = 1 << 20;   // what stays allocated after a large batch

bool IsLastOf(const LastOfProducers& producers, const BatchHead& head) {
  if (!head.has_producer()) return false;
  auto at = producers.find(head.producer.v);
  if (at == producers.end()) return false;
  if (at->second.last_data.v >= 0) return head.last() == at->second.last_data;
  return head.control() && head.producer_epoch == at->second.epoch;
}

// Header and nothing else: keeps offsets, sequence and times of a batch whose records are gone.
void AppendEmpty(const batch::BatchView& batch, Buffer* out) {
  const size_t start = out->size();
  out->Resize(start + batch::kHeaderBytes);
  const int kept = batch::kLogAppendTimeBit | batch::kTransactionalBit | batch::kControlBit;
  batch::WriteBatchHeader(out->data() + start, {.base_offset = batch.base_offset(),
                                                .total_bytes = static_cast<int64_t>(batch::kHeaderBytes),
                                                .leader_epoch = batch.leader_epoch(),
                                                .attributes = static_cast<int16_t>(batch.attributes() & kept),
                                                .last_offset_delta = batch.last_offset_delta(),
                                                .base_timestamp = kNoTimestamp,
                                                .max_timestamp = batch.max_timestamp(),
                                                .producer_id = batch.producer_id(),
                                                .producer_epoch = batch.producer_epoch(),
                                                .base_sequence = batch.base_sequence(),
                                                .record_count = 0});
  batch::StampCrc(out->mutable_bytes().subspan(start));
}

// Where a record's key begins: behind length, attributes and the two deltas, which a walker has checked.
Bytes BehindDeltas(Bytes raw) {
  const uint8_t* p = raw.data();
  const uint8_t* const end = p + raw.size();
  int32_t number;
  int64_t wide;
  p = ReadVarint(p, end, &number) + 1;
  p = ReadVarlong(p, end, &wide);
  p = ReadVarint(p, end, &number);
  return {p, static_cast<size_t>(end - p)};
}

}  // namespace

Result<Bytes> CleanerFilter::Plain(const batch::BatchView& batch) {
  if (!batch.compressed()) return batch.records();
  plain_.Trim(kKeepBuffer);
  SLUICE_TRY(batch::Decompress(&decompressor_, batch.codec(), batch.records(), kDefaultMaxDecompressedBytes, &plain_));
  return plain_.bytes();
}

Result<ControlKind> CleanerFilter::KindOf(const batch::BatchView& batch) {
  if (batch.record_count() == 0) return ControlKind::kNone;
  if (batch.compressed()) return Status::Error(Code::kCorrupt, "compressed control batch");
  batch::RecordWalker walker(batch.records(), batch.record_count());
  batch::RecordView record;
  if (walker.Next(&record) != batch::RecordWalker::Step::kRecord) return walker.status();
  if (record.key.size() < 4) return Status::Error(Code::kCorrupt, "control record without a type");
  const int16_t type = LoadI16(record.key.bytes().data() + 2);
  return type == batch::kControlAbort ? ControlKind::kAbort : type == batch::kControlCommit ? ControlKind::kCommit : ControlKind::kOther;
}

Status CleanerFilter::Filter(const batch::BatchView& batch, const BatchHead& head, const FilterRules& rules, CleanerTxns* txns, Buffer* out,
                             FilterOutcome* outcome) {
  const bool past_horizon = batch.has_delete_horizon() && batch.base_timestamp() <= rules.now;
  bool discard_records, marker_of_nothing = false;
  if (head.control()) {
    Result<ControlKind> kind = KindOf(batch);
    if (!kind.ok()) return kind.status();
    const CleanerTxns::Marker marker = txns->OnControl(head, *kind);
    outcome->aborted = marker.keep;
    marker_of_nothing = marker.discardable;
    discard_records = marker.discardable && past_horizon;
  } else {
    discard_records = txns->OnBatch(head);
  }
  Verdict verdict = discard_records ? Verdict::kDelete : Verdict::kDeleteEmpty;
  if (IsLastOf(*rules.producers, head) || head.end() == rules.upper) verdict = Verdict::kRetainEmpty;
  outcome->records_read += batch.record_count();
  if (verdict == Verdict::kDelete) return Status::Ok();
  if (discard_records) {
    AppendEmpty(batch, out);
    return Status::Ok();
  }

  Result<Bytes> records = Plain(batch);
  if (!records.ok()) return records.status();
  batch::RecordWalker walker(*records, batch.record_count());
  batch::RecordView record;
  batch::RecordWalker::Step step;
  kept_.assign(static_cast<size_t>(std::max(batch.record_count(), 0)), false);
  int32_t count = 0;
  bool tombstones = false;
  while ((step = walker.Next(&record)) == batch::RecordWalker::Step::kRecord) {
    const Offset offset = head.base + record.offset_delta;
    bool keep = true;
    if (!head.control() && offset <= rules.map->latest()) {
      keep = !record.key.is_null() && offset >= rules.map->Get(record.key.bytes()) && (!record.value.is_null() || !past_horizon);
    }
    if (!keep) continue;
    kept_[static_cast<size_t>(walker.index() - 1)] = true;
    ++count;
    tombstones |= record.value.is_null();
  }
  if (step == batch::RecordWalker::Step::kBad) return Status::Error(Code::kCorrupt, walker.status().what());
  outcome->records_kept += count;
  if (count == 0) {
    if (verdict == Verdict::kRetainEmpty) AppendEmpty(batch, out);
    return Status::Ok();
  }
  const bool set_horizon = (tombstones || marker_of_nothing) && !batch.has_delete_horizon();
  if (count == batch.record_count() && !set_horizon) {
    out->Append(batch.bytes());
    return Status::Ok();
  }
  const TimestampMs horizon = set_horizon ? TimestampMs(SaturatingAdd(rules.now.v, rules.delete_retention_ms))
                                          : batch.has_delete_horizon() ? batch.base_timestamp() : kNoTimestamp;
  return Rewrite(batch, *records, kept_, count, horizon, out);
}

// The records that are kept, with their times counted from a new base: the horizon where there is one, else the first one's own.
Status CleanerFilter::Rewrite(const batch::BatchView& batch, Bytes records, const std::vector<bool>& kept, int32_t count, TimestampMs horizon, Buffer* out) {
  made_.Trim(kKeepBuffer);
  TimestampMs base = horizon, max = kNoTimestamp;
  bool based = horizon.v >= 0;
  batch::RecordWalker walker(records, batch.record_count());
  batch::RecordView record;
  while (walker.Next(&record) == batch::RecordWalker::Step::kRecord) {
    if (!kept[static_cast<size_t>(walker.index() - 1)]) continue;
    const TimestampMs time = batch.log_append_time() ? batch.max_timestamp() : TimestampMs(SaturatingAdd(batch.base_timestamp().v, record.timestamp_delta));
    if (!based) base = time;
    based = true;
    max = std::max(max, time);
    const Bytes rest = BehindDeltas(record.raw);
    const int64_t delta = SaturatingSub(time.v, base.v);
    const size_t body = 1 + VarlongSize(delta) + VarintSize(record.offset_delta) + rest.size();
    if (body > static_cast<size_t>(INT32_MAX)) return Status::Error(Code::kTooLarge, "a record of more than 2 GiB");
    uint8_t* p = made_.Room(kMaxVarint32Bytes + body);
    p = WriteVarint(p, static_cast<int32_t>(body));
    *p++ = static_cast<uint8_t>(record.attributes);
    p = WriteVarlong(p, delta);
    p = WriteVarint(p, record.offset_delta);
    std::memcpy(p, rest.data(), rest.size());
    made_.SetEnd(p + rest.size());
  }
  const size_t start = out->size();
  out->Resize(start + batch::kHeaderBytes);
  if (batch.compressed()) {
    const Status compressed = compressor_.Compress(batch.codec(), batch::kDefaultLevel, made_.bytes(), out);
    if (!compressed.ok()) {
      out->Resize(start);
      return compressed;
    }
  } else {
    out->Append(made_.bytes());
  }
  const int64_t size = static_cast<int64_t>(out->size() - start);
  if (size > kMaxBatchBytes) {
    out->Resize(start);
    return Status::Error(Code::kTooLarge, "a batch of more than 2 GiB");
  }
  const int attributes = (batch.attributes() & ~batch::kDeleteHorizonBit) | (horizon.v >= 0 ? batch::kDeleteHorizonBit : 0);
  batch::WriteBatchHeader(out->data() + start, {.base_offset = batch.base_offset(),
                                                .total_bytes = size,
                                                .leader_epoch = batch.leader_epoch(),
                                                .attributes = static_cast<int16_t>(attributes),
                                                .last_offset_delta = batch.last_offset_delta(),
                                                .base_timestamp = base,
                                                .max_timestamp = batch.log_append_time() ? batch.max_timestamp() : max,
                                                .producer_id = batch.producer_id(),
                                                .producer_epoch = batch.producer_epoch(),
                                                .base_sequence = batch.base_sequence(),
                                                .record_count = count});
  batch::StampCrc(out->mutable_bytes().subspan(start));
  return Status::Ok();
}

}  // namespace sluice::log
