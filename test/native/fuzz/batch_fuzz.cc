// Fuzzes everything that reads record batches. The first byte chooses what the rest is given to; what is refused is fine, what crashes,
// hangs, grows without bound or accepts nonsense is not.
#include <cstdint>
#include <vector>

#include "batch/batch_view.h"
#include "batch/builder.h"
#include "batch/record.h"
#include "batch/recompress.h"
#include "batch/stamp.h"
#include "batch/validate.h"
#include "fuzz_support.h"

namespace sluice::batch {
namespace {

constexpr int64_t kLimit = 1 << 20;

void Iterate(Bytes input) {
  BatchIterator batches(input);
  BatchView batch;
  BatchIterator::Step step;
  size_t total = 0;
  while ((step = batches.Next(&batch)) == BatchIterator::Step::kBatch) {
    total += batch.size();
    (void)batch.crc_ok();
    (void)batch.last_offset();
    (void)batch.last_sequence();
  }
  Require(batches.position() == total && total + batches.partial_bytes() == input.size());
}

void Walk(Bytes input) {
  if (input.size() < 4) return;
  RecordWalker walker(input.subspan(4), LoadI32(input.data()));
  RecordView record;
  while (walker.Next(&record) == RecordWalker::Step::kRecord) {
    HeaderIterator headers(record);
    HeaderView header;
    int32_t n = 0;
    while (headers.Next(&header)) ++n;
    Require(n == record.header_count);
  }
}

void Unpack(Codec codec, Bytes input) {
  static Decompressor decompressor;
  Buffer out;
  const Status status = Decompress(&decompressor, codec, input, kLimit, &out);
  Require(static_cast<int64_t>(out.size()) <= kLimit);
  if (!status.ok()) Require(out.empty());
}

// The input is a batch whose CRC and length are made right first, so that the fuzzer reaches what lies behind them.
void Validate(Bytes input, uint8_t choice) {
  static Decompressor decompressor;
  static Compressor compressor;
  if (input.size() < kHeaderBytes) return;
  std::vector<uint8_t> bytes(input.begin(), input.end());
  StoreI64(bytes.data() + kBaseOffsetAt, 0);
  StoreI32(bytes.data() + kBatchLengthAt, static_cast<int32_t>(bytes.size() - kLengthOverhead));
  bytes[kMagicAt] = static_cast<uint8_t>(kMagic);
  StampCrc(bytes);
  Result<BatchView> batch = ParseProduced(bytes);
  Require(batch.ok());
  AppendRules rules;
  rules.compacted = (choice & 1) != 0;
  rules.log_append_time = (choice & 2) != 0;
  rules.always_look_inside = true;
  rules.timestamp_before_max_ms = (choice & 4) != 0 ? 1000 : INT64_MAX;
  rules.timestamp_after_max_ms = (choice & 8) != 0 ? 1000 : INT64_MAX;
  rules.now = TimestampMs(1700000000000);
  rules.max_decompressed_bytes = kLimit;
  ValidationDetail detail;
  Status status = ValidateForAppend(*batch, rules, &detail);
  if (status.ok() && detail.decompression_needed) status = ValidateCompressedRecords(*batch, rules, &decompressor, &detail);
  Buffer other;
  const Codec target = static_cast<Codec>((choice >> 4) % kCodecCount);
  const Status recompressed = Recompress(*batch, {.codec = target, .max_decompressed_bytes = kLimit}, &decompressor, &compressor, &other);
  if (!status.ok()) return;
  // What was accepted can be rewritten (or has become too large), stamped and read again.
  Require(recompressed.ok() || recompressed.code() == Code::kTooLarge);
  if (!recompressed.ok()) return;
  StampTimestamps(other.mutable_bytes(), rules.log_append_time, detail.max_timestamp);
  const BatchView again(other.bytes());
  Require(again.crc_ok() && again.max_timestamp() == detail.max_timestamp && again.record_count() == batch->record_count());
  Buffer plain;
  Require(Decompress(&decompressor, again.codec(), again.records(), kLimit + 1, &plain).ok());
  RecordWalker walker(plain.bytes(), again.record_count());
  RecordView record;
  RecordWalker::Step step;
  while ((step = walker.Next(&record)) == RecordWalker::Step::kRecord) {
  }
  Require(step == RecordWalker::Step::kEnd);
}

}  // namespace
}  // namespace sluice::batch

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice;
  using namespace sluice::batch;
  if (size < 2) return 0;
  const Bytes rest(data + 2, size - 2);
  switch (data[0] % 8) {
    case 0: Iterate(rest); break;
    case 1: Walk(rest); break;
    case 2: Unpack(static_cast<Codec>(data[1] % (kCodecCount + 1)), rest); break;
    default: Validate(rest, data[1]); break;
  }
  return 0;
}
