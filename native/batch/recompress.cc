#include "batch/recompress.h"

#include "batch/record.h"
#include "batch/stamp.h"

namespace sluice::batch {
namespace {

// Records that nobody has seen yet must not go into the log as records.
Status CheckRecords(Bytes records, int32_t count, int32_t max_record_bytes) {
  RecordWalker walker(records, count);
  RecordView record;
  RecordWalker::Step step;
  while ((step = walker.Next(&record)) == RecordWalker::Step::kRecord) {
    if (record.offset_delta != walker.index() - 1) {
      return Status::Error(Code::kInvalidRecord, "record " + std::to_string(walker.index() - 1) + " of the batch has another offset than its place");
    }
    if (record.raw.size() > static_cast<size_t>(max_record_bytes) &&
        record.raw.size() - VarintSize(static_cast<int32_t>(record.raw.size())) > static_cast<size_t>(max_record_bytes)) {
      return Status::Error(Code::kInvalidRecord, "record " + std::to_string(walker.index() - 1) +
                                                     " of the batch is larger than max.decompressed.message.bytes");
    }
  }
  return step == RecordWalker::Step::kBad ? walker.status() : Status::Ok();
}

}  // namespace

bool NeedsRecompression(const BatchView& batch, Codec target) {
  if (batch.control() && !batch.compressed()) return false;
  return batch.codec() != target;
}

Status Recompress(const BatchView& batch, const RecompressTarget& target, Decompressor* decompressor, Compressor* compressor, Buffer* out) {
  const size_t start = out->size();
  Buffer plain;
  Bytes records = batch.records();
  if (batch.compressed()) {
    SLUICE_TRY(Decompress(decompressor, batch.codec(), records, target.max_decompressed_bytes, &plain));
    records = plain.bytes();
    SLUICE_TRY(CheckRecords(records, batch.record_count(), target.max_record_bytes));
  }
  out->Append(batch.bytes().first(kHeaderBytes));
  Status status = compressor->Compress(target.codec, target.level, records, out);
  const int64_t size = static_cast<int64_t>(out->size() - start);
  if (status.ok() && size > target.max_batch_bytes) {
    status = Status::Error(Code::kTooLarge, "record batch of " + std::to_string(size) + " bytes after compression with " +
                                                CodecName(target.codec) + " is beyond max.message.bytes");
  }
  if (!status.ok()) {
    out->Resize(start);
    return status;
  }
  const MutableBytes made = out->mutable_bytes().subspan(start);
  StoreI32(made.data() + kBatchLengthAt, static_cast<int32_t>(size - static_cast<int64_t>(kLengthOverhead)));
  const int attributes = (batch.attributes() & ~kCodecMask) | static_cast<int>(target.codec);
  StoreI16(made.data() + kAttributesAt, static_cast<int16_t>(attributes));
  StampCrc(made);
  return Status::Ok();
}

}  // namespace sluice::batch
