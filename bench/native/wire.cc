#include "wire.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "base/crc32c.h"

namespace sluice::bench {
namespace {

constexpr size_t kBatchHeader = 61;
constexpr size_t kCrcAt = 17;
constexpr size_t kAttributesAt = 21;

uint64_t Next(uint64_t* state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

}  // namespace

void Writer::Varint(int64_t value) {
  uint64_t v = (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
  while (v >= 0x80) {
    out_.push_back(static_cast<uint8_t>(v | 0x80));
    v >>= 7;
  }
  out_.push_back(static_cast<uint8_t>(v));
}

void Writer::PatchI32(size_t at, int32_t value) {
  for (int i = 0; i < 4; ++i) out_[at + i] = static_cast<uint8_t>(static_cast<uint32_t>(value) >> (8 * (3 - i)));
}

void Writer::Begin(int16_t key, int16_t version) {
  I32(0);
  I16(key);
  I16(version);
  I32(0);
  String("sluice-load");
}

std::vector<uint8_t> Writer::End() {
  PatchI32(0, static_cast<int32_t>(out_.size()) - 4);
  return Take();
}

std::string_view Reader::String() {
  const int16_t length = I16();
  if (length < 0) return {};
  const Bytes bytes = Raw(length);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Bytes Reader::Raw(int64_t length) {
  if (length < 0 || static_cast<uint64_t>(length) > in_.size() - at_) {
    ok_ = false;
    at_ = in_.size();
    return {};
  }
  const Bytes bytes = in_.subspan(at_, static_cast<size_t>(length));
  at_ += static_cast<size_t>(length);
  return bytes;
}

std::vector<uint8_t> BuildBatch(int records, int record_size, uint64_t seed, int64_t first_key) {
  uint64_t state = seed * 0x9E3779B97F4A7C15ull + 1;
  const int64_t now = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  Writer out;
  out.I64(0);   // base offset
  out.I32(0);   // length, patched
  out.I32(-1);  // leader epoch
  out.I8(2);    // magic
  out.I32(0);   // CRC, patched
  out.I16(0);   // attributes
  out.I32(records - 1);
  out.I64(now);
  out.I64(now);
  out.I64(-1);  // producer id
  out.I16(-1);
  out.I32(-1);
  out.I32(records);
  std::vector<uint8_t> value(static_cast<size_t>(record_size));
  for (int i = 0; i < records; ++i) {
    for (size_t at = 0; at < value.size(); at += 8) {
      const uint64_t random = Next(&state);
      std::memcpy(value.data() + at, &random, std::min<size_t>(8, value.size() - at));
    }
    Writer record;
    record.I8(0);
    record.Varint(0);
    record.Varint(i);
    if (first_key < 0) {
      record.Varint(-1);
    } else {
      const std::string key = std::to_string(1'000'000'000 + first_key + i);
      record.Varint(static_cast<int64_t>(key.size()));
      record.Raw({reinterpret_cast<const uint8_t*>(key.data()), key.size()});
    }
    record.Varint(record_size);
    record.Raw(value);
    record.Varint(0);  // no headers
    const std::vector<uint8_t> body = record.Take();
    out.Varint(static_cast<int64_t>(body.size()));
    out.Raw(body);
  }
  out.PatchI32(8, static_cast<int32_t>(out.size() - 12));
  std::vector<uint8_t> batch = out.Take();
  const uint32_t crc = Crc32c(Bytes(batch).subspan(kAttributesAt));
  for (int i = 0; i < 4; ++i) batch[kCrcAt + i] = static_cast<uint8_t>(crc >> (8 * (3 - i)));
  return batch;
}

std::vector<uint8_t> ProduceRequest(std::string_view topic, const std::vector<int32_t>& partitions, Bytes batch, int16_t acks) {
  Writer out;
  out.Begin(kProduce, kProduceVersion);
  out.NullString();  // transactional id
  out.I16(acks);
  out.I32(30000);
  out.I32(1);
  out.String(topic);
  out.I32(static_cast<int32_t>(partitions.size()));
  for (const int32_t partition : partitions) {
    out.I32(partition);
    out.I32(static_cast<int32_t>(batch.size()));
    out.Raw(batch);
  }
  return out.End();
}

std::vector<uint8_t> FetchRequest(std::string_view topic, const std::vector<FetchPosition>& positions, int32_t max_wait_ms, int32_t min_bytes,
                                  int32_t max_bytes, int32_t partition_max_bytes) {
  Writer out;
  out.Begin(kFetch, kFetchVersion);
  out.I32(-1);  // replica
  out.I32(max_wait_ms);
  out.I32(min_bytes);
  out.I32(max_bytes);
  out.I8(0);    // isolation level
  out.I32(0);   // no session
  out.I32(-1);
  out.I32(1);
  out.String(topic);
  out.I32(static_cast<int32_t>(positions.size()));
  for (const FetchPosition& each : positions) {
    out.I32(each.partition);
    out.I32(-1);  // leader epoch
    out.I64(each.offset);
    out.I64(-1);  // log start
    out.I32(partition_max_bytes);
  }
  out.I32(0);  // nothing forgotten
  out.String("");
  return out.End();
}

}  // namespace sluice::bench
