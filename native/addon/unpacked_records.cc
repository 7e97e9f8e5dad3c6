#include "addon/unpacked_records.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "addon/convert.h"
#include "batch/batch_format.h"
#include "batch/batch_view.h"
#include "batch/record.h"

namespace sluice::addon {
namespace {

constexpr int64_t kMaxUnpackedBytes = 512 << 20;  // of one batch, decompressed: as large as one may be made
constexpr size_t kEnoughBytes = 64 << 20;         // of one read, decompressed; what is left is for the next
static_assert(kMaxUnpackedBytes + static_cast<int64_t>(kEnoughBytes) < INT32_MAX, "positions in a read are 32 bits wide");
constexpr size_t kRecordNumbers = 6;              // in the table

// The records of one batch, at a place of the bytes that go up.
struct Section {
  batch::BatchView batch;
  size_t begin, end;
};

bool AnyCompressed(Bytes batches) {
  batch::BatchIterator iterator(batches);
  batch::BatchView batch;
  while (iterator.Next(&batch) == batch::BatchIterator::Step::kBatch) {
    if (batch.compressed()) return true;
  }
  return false;
}

// Adds position and length of a part of `bytes`.
template <class T>
void AddPart(Numbers<T>* out, const uint8_t* bytes, const batch::NullableBytes& part) {
  out->Add(part.is_null() ? T{0} : static_cast<T>(part.bytes().data() - bytes));
  out->Add(part.is_null() ? T{-1} : static_cast<T>(part.size()));
}

Status AddRecords(const Section& section, const uint8_t* bytes, UnpackedRecords* out) {
  const batch::BatchView& batch = section.batch;
  batch::RecordWalker walker(Bytes(bytes + section.begin, section.end - section.begin), batch.record_count());
  batch::RecordView record;
  batch::RecordWalker::Step step;
  while ((step = walker.Next(&record)) == batch::RecordWalker::Step::kRecord) {
    const Offset offset = batch.base_offset() + record.offset_delta;
    if (offset < out->base) continue;
    const int32_t index = static_cast<int32_t>(out->table.size() / kRecordNumbers);
    out->table.Add(static_cast<double>(offset.v - out->base.v));
    out->table.Add(static_cast<double>(batch.log_append_time() ? batch.max_timestamp().v : batch.base_timestamp().v + record.timestamp_delta));
    AddPart(&out->table, bytes, record.key);
    AddPart(&out->table, bytes, record.value);
    batch::HeaderIterator headers(record);
    batch::HeaderView header;
    while (headers.Next(&header)) {
      out->headers.Add(index);
      AddPart(&out->headers, bytes, header.key);
      AddPart(&out->headers, bytes, header.value);
    }
  }
  return step == batch::RecordWalker::Step::kBad ? walker.status() : Status::Ok();
}

template <class Array, class T>
Array ToTypedArray(Napi::Env env, Numbers<T> numbers, const std::shared_ptr<BufferPool>& pool) {
  // A worker that is being terminated makes no array.
  const size_t count = numbers.size();
  Buffer memory = numbers.Take();
  if (memory.size() >= kWorthHandingOver) {
    const Napi::Value bytes = BytesToJs(env, std::move(memory), pool);
    if (bytes.IsEmpty()) return Array();
    const Napi::Uint8Array view = bytes.As<Napi::Uint8Array>();
    return Array::New(env, count, view.ArrayBuffer(), view.ByteOffset());
  }
  Array out = Array::New(env, count);
  if (count > 0 && out.Data() != nullptr) std::memcpy(out.Data(), memory.data(), memory.size());
  return out;
}

}  // namespace

Status Unpack(Buffer* batches, BufferPool& pool, UnpackedRecords* out, size_t* bad_at) {
  // Decompressed sections first, one behind the other; positions hold once the bytes no longer move.
  const bool is_copied = AnyCompressed(batches->bytes());
  std::vector<Section> sections;
  batch::BatchIterator iterator(batches->bytes());
  batch::BatchView batch;
  Buffer plain;
  size_t records = 0;
  const auto damaged = [batches, bad_at](const batch::BatchView& where, const std::string& what) {
    *bad_at = static_cast<size_t>(where.bytes().data() - batches->data());
    return Status::Error(Code::kCorrupt, "batch of offset " + std::to_string(where.base_offset().v) + ": " + what);
  };
  while (out->bytes.size() < kEnoughBytes && iterator.Next(&batch) == batch::BatchIterator::Step::kBatch) {
    if (!batch.crc_ok()) return damaged(batch, "the CRC does not match");
    if (batch.next_offset() > out->next) out->next = batch.next_offset();
    if (batch.control() || batch.next_offset() <= out->base) continue;
    Bytes section = batch.records();
    if (batch.compressed()) {
      plain.Clear();
      Status status = batch::Decompress(batch.codec(), section, kMaxUnpackedBytes, &plain);
      if (!status.ok()) return damaged(batch, status.ToString());
      section = plain.bytes();
    }
    const size_t begin = is_copied ? out->bytes.size() : static_cast<size_t>(section.data() - batches->data());
    if (is_copied) out->bytes.Append(section);
    sections.push_back({batch, begin, begin + section.size()});
    records += std::min(static_cast<size_t>(std::max(batch.record_count(), 0)), section.size() / batch::kMinRecordBytes);
  }
  out->table = Numbers<double>(pool, records * kRecordNumbers);
  for (const Section& section : sections) {
    Status status = AddRecords(section, is_copied ? out->bytes.data() : batches->data(), out);
    if (!status.ok()) return damaged(section.batch, status.ToString());
  }
  if (!is_copied) out->bytes = std::move(*batches);
  return Status::Ok();
}

void UnpackedToJs(UnpackedRecords records, const std::shared_ptr<BufferPool>& pool, Napi::Object out) {
  const Napi::Env env = out.Env();
  out.Set("baseOffset", OffsetToJs(env, records.base));
  out.Set("nextOffset", OffsetToJs(env, records.next));
  out.Set("bytes", BytesToJs(env, std::move(records.bytes), pool));
  out.Set("table", ToTypedArray<Napi::Float64Array>(env, std::move(records.table), pool));
  out.Set("headers", ToTypedArray<Napi::Int32Array>(env, std::move(records.headers), pool));
}

}  // namespace sluice::addon
