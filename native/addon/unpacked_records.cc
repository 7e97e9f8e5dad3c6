#include "addon/unpacked_records.h"

#include <cstring>

#include "addon/convert.h"
#include "batch/batch_view.h"
#include "batch/record.h"

namespace sluice::addon {
namespace {

constexpr int64_t kMaxUnpackedBytes = 256 << 20;  // of one batch, decompressed
constexpr size_t kEnoughBytes = 64 << 20;         // of one read, decompressed; what is left is for the next
static_assert(kMaxUnpackedBytes + static_cast<int64_t>(kEnoughBytes) < INT32_MAX, "positions in a read are 32 bits wide");

// Adds position and length of a part of `bytes`.
template <class T>
void AddPart(std::vector<T>* out, const std::vector<uint8_t>& bytes, const batch::NullableBytes& part) {
  out->push_back(part.is_null() ? T{0} : static_cast<T>(part.bytes().data() - bytes.data()));
  out->push_back(part.is_null() ? T{-1} : static_cast<T>(part.size()));
}

template <class Array, class T>
Array ToTypedArray(Napi::Env env, const std::vector<T>& values) {
  Array out = Array::New(env, values.size());
  // A worker that is being terminated makes no array.
  if (!values.empty() && out.Data() != nullptr) std::memcpy(out.Data(), values.data(), values.size() * sizeof(T));
  return out;
}

}  // namespace

Status Unpack(Bytes batches, Offset from, UnpackedRecords* out, size_t* bad_at) {
  // Records sections first, one behind the other; positions hold once the bytes no longer move.
  struct Section {
    batch::BatchView batch;
    size_t begin, end;
  };
  std::vector<Section> sections;
  batch::BatchIterator iterator(batches);
  batch::BatchView batch;
  Buffer plain;
  const auto damaged = [batches, bad_at](const batch::BatchView& where, const std::string& what) {
    *bad_at = static_cast<size_t>(where.bytes().data() - batches.data());
    return Status::Error(Code::kCorrupt, "batch of offset " + std::to_string(where.base_offset().v) + ": " + what);
  };
  out->bytes.reserve(batches.size());
  while (out->bytes.size() < kEnoughBytes && iterator.Next(&batch) == batch::BatchIterator::Step::kBatch) {
    if (!batch.crc_ok()) return damaged(batch, "the CRC does not match");
    if (batch.next_offset() > out->next) out->next = batch.next_offset();
    if (batch.control() || batch.next_offset() <= from) continue;
    Bytes records = batch.records();
    if (batch.compressed()) {
      plain.Clear();
      Status status = batch::Decompress(batch.codec(), records, kMaxUnpackedBytes, &plain);
      if (!status.ok()) return damaged(batch, status.ToString());
      records = plain.bytes();
    }
    const size_t begin = out->bytes.size();
    out->bytes.insert(out->bytes.end(), records.begin(), records.end());
    sections.push_back({batch, begin, out->bytes.size()});
  }
  for (const Section& section : sections) {
    const batch::BatchView& view = section.batch;
    batch::RecordWalker walker(Bytes(out->bytes.data() + section.begin, section.end - section.begin), view.record_count());
    batch::RecordView record;
    batch::RecordWalker::Step step;
    while ((step = walker.Next(&record)) == batch::RecordWalker::Step::kRecord) {
      const Offset offset = view.base_offset() + record.offset_delta;
      if (offset < from) continue;
      const int32_t index = static_cast<int32_t>(out->table.size() / 6);
      out->table.push_back(static_cast<double>(offset.v - out->base.v));
      out->table.push_back(static_cast<double>(view.log_append_time() ? view.max_timestamp().v : view.base_timestamp().v + record.timestamp_delta));
      AddPart(&out->table, out->bytes, record.key);
      AddPart(&out->table, out->bytes, record.value);
      batch::HeaderIterator headers(record);
      batch::HeaderView header;
      while (headers.Next(&header)) {
        out->headers.push_back(index);
        AddPart(&out->headers, out->bytes, header.key);
        AddPart(&out->headers, out->bytes, header.value);
      }
    }
    if (step == batch::RecordWalker::Step::kBad) return damaged(view, walker.status().ToString());
  }
  return Status::Ok();
}

void UnpackedToJs(const UnpackedRecords& records, Napi::Object out) {
  const Napi::Env env = out.Env();
  out.Set("baseOffset", OffsetToJs(env, records.base));
  out.Set("nextOffset", OffsetToJs(env, records.next));
  out.Set("bytes", Napi::Buffer<uint8_t>::Copy(env, records.bytes.data(), records.bytes.size()));
  out.Set("table", ToTypedArray<Napi::Float64Array>(env, records.table));
  out.Set("headers", ToTypedArray<Napi::Int32Array>(env, records.headers));
}

}  // namespace sluice::addon
