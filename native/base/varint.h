// Kafka's variable-length integers: seven bits a byte, low bits first; signed ones are zigzag coded.
// Records use the signed forms ("varint", "varlong"), flexible protocol versions the unsigned 32-bit form.
//
// Readers take [p, end) and return the byte after the number, or nullptr if it does not end within the range or within
// 5 (32-bit) or 10 (64-bit) bytes. Like Kafka they take over-long forms and ignore bits beyond the width.
// Writers need room for kMaxVarint32Bytes or kMaxVarint64Bytes and return the byte after what they wrote.
//
// Thread: any. Owns: nothing. After error: *out is unspecified.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace sluice {

inline constexpr size_t kMaxVarint32Bytes = 5;
inline constexpr size_t kMaxVarint64Bytes = 10;

constexpr uint32_t ZigzagEncode32(int32_t v) { return (static_cast<uint32_t>(v) << 1) ^ static_cast<uint32_t>(v >> 31); }
constexpr uint64_t ZigzagEncode64(int64_t v) { return (static_cast<uint64_t>(v) << 1) ^ static_cast<uint64_t>(v >> 63); }
constexpr int32_t ZigzagDecode32(uint32_t v) { return static_cast<int32_t>((v >> 1) ^ (0u - (v & 1))); }
constexpr int64_t ZigzagDecode64(uint64_t v) { return static_cast<int64_t>((v >> 1) ^ (uint64_t{0} - (v & 1))); }

namespace varint_detail {
template <class U, int kMaxBytes>
inline const uint8_t* ReadLong(const uint8_t* p, const uint8_t* end, U* out) {
  U value = 0;
  for (int i = 0; i < kMaxBytes; ++i) {
    if (p == end) return nullptr;
    const uint8_t byte = *p++;
    value |= static_cast<U>(byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      *out = value;
      return p;
    }
  }
  return nullptr;
}
}  // namespace varint_detail

inline const uint8_t* ReadUnsignedVarint(const uint8_t* p, const uint8_t* end, uint32_t* out) {
  if (p != end && *p < 0x80) {
    *out = *p;
    return p + 1;
  }
  return varint_detail::ReadLong<uint32_t, 5>(p, end, out);
}

inline const uint8_t* ReadUnsignedVarlong(const uint8_t* p, const uint8_t* end, uint64_t* out) {
  if (p != end && *p < 0x80) {
    *out = *p;
    return p + 1;
  }
  return varint_detail::ReadLong<uint64_t, 10>(p, end, out);
}

inline const uint8_t* ReadVarint(const uint8_t* p, const uint8_t* end, int32_t* out) {
  uint32_t raw = 0;
  p = ReadUnsignedVarint(p, end, &raw);
  *out = ZigzagDecode32(raw);
  return p;
}

inline const uint8_t* ReadVarlong(const uint8_t* p, const uint8_t* end, int64_t* out) {
  uint64_t raw = 0;
  p = ReadUnsignedVarlong(p, end, &raw);
  *out = ZigzagDecode64(raw);
  return p;
}

inline uint8_t* WriteUnsignedVarlong(uint8_t* p, uint64_t v) {
  while (v >= 0x80) {
    *p++ = static_cast<uint8_t>(v | 0x80);
    v >>= 7;
  }
  *p++ = static_cast<uint8_t>(v);
  return p;
}
inline uint8_t* WriteUnsignedVarint(uint8_t* p, uint32_t v) { return WriteUnsignedVarlong(p, v); }
inline uint8_t* WriteVarint(uint8_t* p, int32_t v) { return WriteUnsignedVarlong(p, ZigzagEncode32(v)); }
inline uint8_t* WriteVarlong(uint8_t* p, int64_t v) { return WriteUnsignedVarlong(p, ZigzagEncode64(v)); }

// Bytes that the writer of the same name uses.
constexpr size_t UnsignedVarlongSize(uint64_t v) { return (static_cast<size_t>(std::bit_width(v | 1)) + 6) / 7; }
constexpr size_t UnsignedVarintSize(uint32_t v) { return UnsignedVarlongSize(v); }
constexpr size_t VarintSize(int32_t v) { return UnsignedVarlongSize(ZigzagEncode32(v)); }
constexpr size_t VarlongSize(int64_t v) { return UnsignedVarlongSize(ZigzagEncode64(v)); }

static_assert(UnsignedVarintSize(UINT32_MAX) == kMaxVarint32Bytes);
static_assert(UnsignedVarlongSize(UINT64_MAX) == kMaxVarint64Bytes);

}  // namespace sluice
