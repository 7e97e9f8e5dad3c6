#include "addon/record_copy.h"

#include <cstring>
#include <memory>

#include "addon/convert.h"
#include "batch/batch_view.h"
#include "batch/record.h"

namespace sluice::addon {
namespace {

constexpr int64_t kMaxUnpackedBytes = 256 << 20;  // of one batch, decompressed
constexpr size_t kEnoughBytes = 64 << 20;         // of one read, decompressed; what is left is for the next
static_assert(kMaxUnpackedBytes + static_cast<int64_t>(kEnoughBytes) < INT32_MAX, "positions in a read are 32 bits wide");

Piece Add(std::vector<uint8_t>* bytes, Bytes what) {
  Piece piece{bytes->size(), static_cast<int64_t>(what.size())};
  bytes->insert(bytes->end(), what.begin(), what.end());
  return piece;
}

bool AddNullable(Napi::Value value, const char* what, std::vector<uint8_t>* bytes, Piece* out) {
  if (value.IsNull() || value.IsUndefined()) return true;
  Bytes view;
  if (!ToBytes(value, what, &view)) return false;
  *out = Add(bytes, view);
  return true;
}

batch::NullableBytes View(const std::vector<uint8_t>& bytes, const Piece& piece) {
  if (piece.length < 0) return {};
  return batch::NullableBytes(Bytes(bytes.data() + piece.at, static_cast<size_t>(piece.length)));
}

// Adds position and length of a part of `bytes`.
template <class T>
void AddPart(std::vector<T>* out, const std::vector<uint8_t>& bytes, const batch::NullableBytes& part) {
  out->push_back(part.is_null() ? T{0} : static_cast<T>(part.bytes().data() - bytes.data()));
  out->push_back(part.is_null() ? T{-1} : static_cast<T>(part.size()));
}

template <class Array, class T>
Array ToTypedArray(Napi::Env env, const std::vector<T>& values) {
  Array out = Array::New(env, values.size());
  if (!values.empty()) std::memcpy(out.Data(), values.data(), values.size() * sizeof(T));
  return out;
}

}  // namespace

bool CopyRecords(Napi::Value value, RecordCopy* out) {
  if (!value.IsArray()) return ThrowType(value.Env(), "records must be an array");
  Napi::Array list = value.As<Napi::Array>();
  const uint32_t count = list.Length();
  if (count == 0) return ThrowType(value.Env(), "records must hold at least one record");
  out->records.resize(count);
  for (uint32_t i = 0; i < count; ++i) {
    Napi::Value item = list.Get(i);
    if (!item.IsObject()) return ThrowType(value.Env(), "a record must be { key, value, timestampMs?, headers? }");
    Napi::Object o = item.As<Napi::Object>();
    RecordCopy::Record& record = out->records[i];
    if (!AddNullable(o.Get("key"), "key", &out->bytes, &record.key) || !AddNullable(o.Get("value"), "value", &out->bytes, &record.value)) return false;
    Napi::Value timestamp = o.Get("timestampMs");
    if (!timestamp.IsUndefined()) {
      int64_t ms = 0;
      if (!ToInt64(timestamp, "timestampMs", &ms)) return false;
      record.timestamp = TimestampMs(ms);
    }
    Napi::Value headers = o.Get("headers");
    if (headers.IsUndefined()) continue;
    if (!headers.IsArray()) return ThrowType(value.Env(), "headers must be an array of { key, value }");
    Napi::Array header_list = headers.As<Napi::Array>();
    record.first_header = out->headers.size();
    record.headers = header_list.Length();
    for (uint32_t h = 0; h < header_list.Length(); ++h) {
      Napi::Value header = header_list.Get(h);
      std::string key;
      if (!header.IsObject() || !ToString(header.As<Napi::Object>().Get("key"), "header key", &key)) {
        return header.IsObject() ? false : ThrowType(value.Env(), "a header must be { key, value }");
      }
      RecordCopy::Header copy;
      copy.key = Add(&out->bytes, Bytes(reinterpret_cast<const uint8_t*>(key.data()), key.size()));
      if (!AddNullable(header.As<Napi::Object>().Get("value"), "header value", &out->bytes, &copy.value)) return false;
      out->headers.push_back(copy);
    }
  }
  return true;
}

bool ToBatchOptions(Napi::Value value, batch::BatchOptions* out) {
  if (value.IsUndefined()) return true;
  if (!value.IsObject()) return ThrowType(value.Env(), "append options must be an object");
  Napi::Object o = value.As<Napi::Object>();
  if (Napi::Value codec = o.Get("compression"); !codec.IsUndefined()) {
    std::string name;
    if (!ToString(codec, "compression", &name)) return false;
    if (!ToCodec(name, &out->codec)) return ThrowType(value.Env(), "compression must be none, gzip, snappy, lz4 or zstd, not '" + name + "'");
  }
  if (Napi::Value level = o.Get("compressionLevel"); !level.IsUndefined()) {
    int64_t number = 0;
    if (!ToInt64(level, "compressionLevel", &number)) return false;
    if (!batch::LevelIsValid(out->codec, static_cast<int>(number))) {
      return ThrowType(value.Env(), "compressionLevel " + std::to_string(number) + " is outside the range of this compression");
    }
    out->level = static_cast<int>(number);
  }
  out->control = o.Get("control").ToBoolean().Value();
  return true;
}

Result<std::vector<uint8_t>> BuildBatch(const RecordCopy& records, const batch::BatchOptions& options) {
  // One builder a thread: its buffers grow once.
  thread_local batch::BatchBuilder builder;
  thread_local std::vector<batch::HeaderView> headers;
  builder.Start(options);
  for (const RecordCopy::Record& record : records.records) {
    headers.clear();
    for (size_t i = 0; i < record.headers; ++i) {
      const RecordCopy::Header& header = records.headers[record.first_header + i];
      headers.push_back({View(records.bytes, header.key).bytes(), View(records.bytes, header.value)});
    }
    batch::RecordInput input;
    input.key = View(records.bytes, record.key);
    input.value = View(records.bytes, record.value);
    input.timestamp = record.timestamp.value_or(records.now);
    input.headers = headers;
    SLUICE_TRY(builder.Append(input));
  }
  Result<Bytes> built = builder.Finish();
  if (!built.ok()) return built.status();
  return std::vector<uint8_t>(built->begin(), built->end());
}

Status Unpack(Bytes batches, Offset from, UnpackedRecords* out) {
  // Records sections first, one behind the other; positions hold once the bytes no longer move.
  struct Section {
    batch::BatchView batch;
    size_t begin, end;
  };
  std::vector<Section> sections;
  batch::BatchIterator iterator(batches);
  batch::BatchView batch;
  Buffer plain;
  const auto damaged = [](const batch::BatchView& where, const std::string& what) {
    return Status::Error(Code::kCorrupt, "batch at offset " + std::to_string(where.base_offset().v) + ": " + what);
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
