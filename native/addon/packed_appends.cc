#include "addon/packed_appends.h"

#include <cmath>
#include <cstring>

#include "base/varint.h"

namespace sluice::addon {
namespace {

constexpr size_t kAppendBytes = 16, kRecordBytes = 20, kHeaderBytes = 8;
constexpr uint32_t kControl = 0x100;
constexpr size_t kGroupBytes = 1 << 20;   // appends are not joined beyond this
// What a record's own numbers take in a batch at most: length, attributes, time, offset, and the lengths of key, value and header list.
constexpr size_t kRecordOverhead = 5 + 1 + 10 + 5 + 5 + 5 + 5;
constexpr size_t kHeaderOverhead = 5 + 5;

template <class T>
T Get(const uint8_t* p) {
  static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "typed arrays are in the processor's order");
  T value;
  std::memcpy(&value, p, sizeof(value));
  return value;
}

// Takes pieces off the front; nothing is given once something did not fit.
class Cursor {
 public:
  explicit Cursor(Bytes bytes) : rest_(bytes) {}
  const uint8_t* Take(size_t bytes) {
    if (bytes > rest_.size()) {
      ok_ = false;
      return nullptr;
    }
    const uint8_t* at = rest_.data();
    rest_ = rest_.subspan(bytes);
    return at;
  }
  batch::NullableBytes TakeNullable(int32_t length) {
    if (length < 0) {
      ok_ &= length == -1;
      return {};
    }
    const uint8_t* at = Take(static_cast<size_t>(length));
    return at == nullptr ? batch::NullableBytes() : batch::NullableBytes(Bytes(at, static_cast<size_t>(length)));
  }
  size_t left() const { return rest_.size(); }
  bool ok() const { return ok_; }

 private:
  Bytes rest_;
  bool ok_ = true;
};

struct PackedRecord {
  double timestamp = 0;
  batch::NullableBytes key, value;
  uint32_t headers = 0;
};

bool TakeRecord(Cursor& cursor, PackedRecord* out) {
  const uint8_t* fixed = cursor.Take(kRecordBytes);
  if (fixed == nullptr) return false;
  out->timestamp = Get<double>(fixed);
  out->headers = Get<uint32_t>(fixed + 16);
  out->key = cursor.TakeNullable(Get<int32_t>(fixed + 8));
  out->value = cursor.TakeNullable(Get<int32_t>(fixed + 12));
  return cursor.ok();
}

bool TakeHeader(Cursor& cursor, batch::HeaderView* out) {
  const uint8_t* fixed = cursor.Take(kHeaderBytes);
  if (fixed == nullptr) return false;
  const int32_t key = Get<int32_t>(fixed);
  if (key < 0) return false;
  out->key = cursor.TakeNullable(key).bytes();
  out->value = cursor.TakeNullable(Get<int32_t>(fixed + 4));
  return cursor.ok();
}

}  // namespace

Result<std::shared_ptr<PackedAppends>> PackedAppends::Parse(std::vector<uint8_t> bytes, size_t count) {
  auto packed = std::make_shared<PackedAppends>();
  packed->bytes_ = std::move(bytes);
  const size_t size = packed->bytes_.size();
  Cursor cursor(packed->bytes_);
  const Status bad = Status::Error(Code::kInvalid, "packed appends contradict themselves");
  for (size_t i = 0; i < count; ++i) {
    AppendGroup append;
    append.first = i;
    append.count = 1;
    append.begin = size - cursor.left();
    const uint8_t* fixed = cursor.Take(kAppendBytes);
    if (fixed == nullptr) return bad;
    append.partition = Get<int32_t>(fixed);
    const uint32_t kind = Get<uint32_t>(fixed + 4), codec = kind & ~kControl;
    if (codec > static_cast<uint32_t>(batch::Codec::kZstd)) return bad;
    append.control = (kind & kControl) != 0;
    append.codec = static_cast<batch::Codec>(codec);
    append.level = Get<int32_t>(fixed + 8);
    PackedRecord record;
    batch::HeaderView header;
    for (uint32_t records = Get<uint32_t>(fixed + 12); records > 0; --records) {
      if (!TakeRecord(cursor, &record)) return bad;
      append.most += kRecordOverhead + record.key.size() + record.value.size();
      for (uint32_t headers = record.headers; headers > 0; --headers) {
        if (!TakeHeader(cursor, &header)) return bad;
        append.most += kHeaderOverhead + header.key.size() + header.value.size();
      }
    }
    append.end = size - cursor.left();
    packed->appends_.push_back(append);
  }
  if (cursor.left() > 0) return bad;
  return packed;
}

void PackedAppends::Submit(const std::shared_ptr<PackedAppends>& self, Engine& engine, const TopicId& topic, Done done) {
  const TimestampMs now(engine.clock().WallMs());
  const std::vector<AppendGroup>& appends = self->appends_;
  for (size_t next = 0; next < appends.size();) {
    AppendGroup group = appends[next++];
    const TopicIdPartition id{topic, group.partition};
    const log::Log* log = engine.Find(id);
    const int64_t max_bytes = log == nullptr ? 0 : log->config().max_message_bytes;
    const size_t limit = std::min(kGroupBytes, static_cast<size_t>(max_bytes));
    for (; next < appends.size(); ++next) {
      const AppendGroup& more = appends[next];
      const bool fits = group.most + more.most + batch::kHeaderBytes <= limit;
      if (!fits || !more.SameKind(group)) break;
      ++group.count;
      group.end = more.end;
      group.most += more.most;
    }
    if (log == nullptr) {
      done(group.first, group.count, Status::Error(Code::kNotFound, "no such partition"));
      continue;
    }
    engine.BuildAndAppend(id, group.codec != batch::Codec::kNone, [self, group, max_bytes, now] { return self->Build(group, max_bytes, now); },
                          [done, group](const Result<log::AppendResult>& result) { done(group.first, group.count, result); });
  }
}

Result<std::vector<uint8_t>> PackedAppends::Build(const AppendGroup& group, int64_t max_bytes, TimestampMs now) const {
  if (!batch::LevelIsValid(group.codec, group.level)) {
    return Status::Error(Code::kInvalid, "compressionLevel " + std::to_string(group.level) + " is outside the range of this compression");
  }
  // One builder a thread: its buffers grow once.
  thread_local batch::BatchBuilder builder;
  thread_local std::vector<batch::HeaderView> headers;
  batch::BatchOptions options;
  options.codec = group.codec;
  options.level = group.level;
  options.control = group.control;
  options.max_bytes = max_bytes;
  builder.Start(options);
  Cursor cursor(Bytes(bytes_.data() + group.begin, group.end - group.begin));
  while (cursor.left() > 0) {
    for (uint32_t records = Get<uint32_t>(cursor.Take(kAppendBytes) + 12); records > 0; --records) {
      PackedRecord record;
      SLUICE_ASSERT(TakeRecord(cursor, &record));
      headers.resize(record.headers);
      for (batch::HeaderView& header : headers) SLUICE_ASSERT(TakeHeader(cursor, &header));
      batch::RecordInput input;
      input.key = record.key;
      input.value = record.value;
      input.timestamp = std::isnan(record.timestamp) ? now : TimestampMs(static_cast<int64_t>(record.timestamp));
      input.headers = headers;
      SLUICE_TRY(builder.Append(input));
    }
  }
  Result<Bytes> built = builder.Finish();
  if (!built.ok()) return built.status();
  return std::vector<uint8_t>(built->begin(), built->end());
}

}  // namespace sluice::addon
