#include "addon/record_copy.h"

#include <memory>

#include "addon/convert.h"
#include "batch/batch_view.h"
#include "batch/record.h"

namespace sluice::addon {
namespace {

constexpr int64_t kMaxUnpackedBytes = 256 << 20;  // of one batch, decompressed

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

// A part of the one JavaScript buffer that holds all bytes of a read.
Napi::Value Part(Napi::Env env, const std::vector<uint8_t>& bytes, const Piece& piece) {
  if (piece.length < 0) return env.Null();
  return Napi::Buffer<uint8_t>::Copy(env, bytes.data() + piece.at, static_cast<size_t>(piece.length));
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
  batch::BatchIterator iterator(batches);
  batch::BatchView batch;
  Buffer plain;
  while (iterator.Next(&batch) == batch::BatchIterator::Step::kBatch) {
    auto damaged = [&](const std::string& what) {
      return Status::Error(Code::kCorrupt, "batch at offset " + std::to_string(batch.base_offset().v) + ": " + what);
    };
    if (!batch.crc_ok()) return damaged("the CRC does not match");
    if (batch.next_offset() > out->next) out->next = batch.next_offset();
    if (batch.control()) continue;
    Bytes records = batch.records();
    if (batch.compressed()) {
      plain.Clear();
      Status status = batch::Decompress(batch.codec(), records, kMaxUnpackedBytes, &plain);
      if (!status.ok()) return damaged(status.ToString());
      records = plain.bytes();
    }
    batch::RecordWalker walker(records, batch.record_count());
    batch::RecordView view;
    batch::RecordWalker::Step step;
    while ((step = walker.Next(&view)) == batch::RecordWalker::Step::kRecord) {
      Offset offset = batch.base_offset() + view.offset_delta;
      if (offset < from) continue;
      UnpackedRecords::Record record;
      record.offset = offset;
      record.timestamp = batch.log_append_time() ? batch.max_timestamp() : batch.base_timestamp() + view.timestamp_delta;
      if (!view.key.is_null()) record.key = Add(&out->bytes, view.key.bytes());
      if (!view.value.is_null()) record.value = Add(&out->bytes, view.value.bytes());
      record.first_header = out->headers.size();
      batch::HeaderIterator headers(view);
      batch::HeaderView header;
      while (headers.Next(&header)) {
        RecordCopy::Header copy;
        copy.key = Add(&out->bytes, header.key);
        if (!header.value.is_null()) copy.value = Add(&out->bytes, header.value.bytes());
        out->headers.push_back(copy);
        ++record.headers;
      }
      out->records.push_back(record);
    }
    if (step == batch::RecordWalker::Step::kBad) return damaged(walker.status().ToString());
  }
  return Status::Ok();
}

Napi::Value RecordsToJs(Napi::Env env, const UnpackedRecords& records) {
  Napi::Array out = Napi::Array::New(env, records.records.size());
  for (size_t i = 0; i < records.records.size(); ++i) {
    const UnpackedRecords::Record& record = records.records[i];
    Napi::Object item = Napi::Object::New(env);
    item.Set("offset", OffsetToJs(env, record.offset));
    item.Set("timestampMs", Napi::Number::New(env, static_cast<double>(record.timestamp.v)));
    item.Set("key", Part(env, records.bytes, record.key));
    item.Set("value", Part(env, records.bytes, record.value));
    Napi::Array headers = Napi::Array::New(env, record.headers);
    for (size_t h = 0; h < record.headers; ++h) {
      const RecordCopy::Header& header = records.headers[record.first_header + h];
      Napi::Object one = Napi::Object::New(env);
      one.Set("key", Napi::String::New(env, reinterpret_cast<const char*>(records.bytes.data() + header.key.at), static_cast<size_t>(header.key.length)));
      one.Set("value", Part(env, records.bytes, header.value));
      headers.Set(static_cast<uint32_t>(h), one);
    }
    item.Set("headers", headers);
    out.Set(static_cast<uint32_t>(i), item);
  }
  return out;
}

}  // namespace sluice::addon
