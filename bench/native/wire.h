// As much of Kafka's protocol as a load generator needs, in non-flexible versions: requests are built once and sent many times,
// answers are walked in place.
//
// Thread: any. Owns: nothing but the returned buffers. After error: a Reader that ran past its end stays at the end, `ok` false.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace sluice::bench {

constexpr int16_t kProduce = 0, kFetch = 1, kListOffsets = 2, kMetadata = 3, kApiVersions = 18, kCreateTopics = 19, kDeleteTopics = 20;
constexpr int16_t kProduceVersion = 7, kFetchVersion = 11, kListOffsetsVersion = 2, kMetadataVersion = 4, kCreateTopicsVersion = 2,
                  kDeleteTopicsVersion = 1;

// Frame length, key, version, correlation id: what differs from one sending of a prepared request to the next is the last of them.
constexpr size_t kRequestPrefix = 12;

inline int32_t ReadI32(const uint8_t* at) {
  return static_cast<int32_t>(static_cast<uint32_t>(at[0]) << 24 | static_cast<uint32_t>(at[1]) << 16 | static_cast<uint32_t>(at[2]) << 8 | at[3]);
}
inline int64_t ReadI64(const uint8_t* at) {
  return static_cast<int64_t>(static_cast<uint64_t>(static_cast<uint32_t>(ReadI32(at))) << 32 | static_cast<uint32_t>(ReadI32(at + 4)));
}

class Writer {
 public:
  void I8(int8_t v) { out_.push_back(static_cast<uint8_t>(v)); }
  void I16(int16_t v) { Put(static_cast<uint16_t>(v), 2); }
  void I32(int32_t v) { Put(static_cast<uint32_t>(v), 4); }
  void I64(int64_t v) { Put(static_cast<uint64_t>(v), 8); }
  void String(std::string_view s) {
    I16(static_cast<int16_t>(s.size()));
    out_.insert(out_.end(), s.begin(), s.end());
  }
  void NullString() { I16(-1); }
  void Raw(Bytes bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }
  void Varint(int64_t value);
  void PatchI32(size_t at, int32_t value);
  size_t size() const { return out_.size(); }
  std::vector<uint8_t> Take() { return std::move(out_); }

  // Begins a frame: the prefix (length and correlation id to be patched) and the client id.
  void Begin(int16_t key, int16_t version);
  // Ends it: writes the length.
  std::vector<uint8_t> End();

 private:
  void Put(uint64_t v, int bytes) {
    for (int i = bytes - 1; i >= 0; --i) out_.push_back(static_cast<uint8_t>(v >> (8 * i)));
  }
  std::vector<uint8_t> out_;
};

class Reader {
 public:
  explicit Reader(Bytes in) : in_(in) {}
  int8_t I8() { return static_cast<int8_t>(Get(1)); }
  int16_t I16() { return static_cast<int16_t>(Get(2)); }
  int32_t I32() { return static_cast<int32_t>(Get(4)); }
  int64_t I64() { return static_cast<int64_t>(Get(8)); }
  std::string_view String();
  // A view of `length` bytes.
  Bytes Raw(int64_t length);
  bool ok() const { return ok_; }
  size_t position() const { return at_; }

 private:
  uint64_t Get(size_t bytes) {
    if (in_.size() - at_ < bytes) {
      ok_ = false;
      at_ = in_.size();
      return 0;
    }
    uint64_t v = 0;
    for (size_t i = 0; i < bytes; ++i) v = (v << 8) | in_[at_ + i];
    at_ += bytes;
    return v;
  }
  Bytes in_;
  size_t at_ = 0;
  bool ok_ = true;
};

// One record batch of version 2, without compression, its CRC computed; the base offset is 0, as producers send it. Keys are numbers of ten digits,
// from `first_key` on; none when that is negative.
std::vector<uint8_t> BuildBatch(int records, int record_size, uint64_t seed, int64_t first_key = -1);

std::vector<uint8_t> ProduceRequest(std::string_view topic, const std::vector<int32_t>& partitions, Bytes batch, int16_t acks);

struct FetchPosition {
  int32_t partition;
  int64_t offset;
};
std::vector<uint8_t> FetchRequest(std::string_view topic, const std::vector<FetchPosition>& positions, int32_t max_wait_ms, int32_t min_bytes,
                                  int32_t max_bytes, int32_t partition_max_bytes);

}  // namespace sluice::bench
