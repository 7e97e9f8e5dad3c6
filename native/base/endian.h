// Big-endian loads and stores at any alignment: Kafka's wire and disk order.
//
// Thread: any. Owns: nothing. After error: cannot fail; the caller has checked that the bytes are there.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace sluice {

namespace endian_detail {
template <class U>
constexpr U Swap(U value) {
  if constexpr (std::endian::native == std::endian::big || sizeof(U) == 1) return value;
  else if constexpr (sizeof(U) == 2) return __builtin_bswap16(value);
  else if constexpr (sizeof(U) == 4) return __builtin_bswap32(value);
  else return __builtin_bswap64(value);
}
}  // namespace endian_detail

template <class T>
inline T LoadBigEndian(const void* from) {
  static_assert(std::is_integral_v<T>, "only integers have an order of bytes here");
  std::make_unsigned_t<T> raw;
  std::memcpy(&raw, from, sizeof raw);
  return static_cast<T>(endian_detail::Swap(raw));
}

template <class T>
inline void StoreBigEndian(void* to, T value) {
  static_assert(std::is_integral_v<T>, "only integers have an order of bytes here");
  const auto raw = endian_detail::Swap(static_cast<std::make_unsigned_t<T>>(value));
  std::memcpy(to, &raw, sizeof raw);
}

inline int16_t LoadI16(const void* p) { return LoadBigEndian<int16_t>(p); }
inline int32_t LoadI32(const void* p) { return LoadBigEndian<int32_t>(p); }
inline int64_t LoadI64(const void* p) { return LoadBigEndian<int64_t>(p); }
inline uint16_t LoadU16(const void* p) { return LoadBigEndian<uint16_t>(p); }
inline uint32_t LoadU32(const void* p) { return LoadBigEndian<uint32_t>(p); }
inline uint64_t LoadU64(const void* p) { return LoadBigEndian<uint64_t>(p); }
inline void StoreI16(void* p, int16_t v) { StoreBigEndian(p, v); }
inline void StoreI32(void* p, int32_t v) { StoreBigEndian(p, v); }
inline void StoreI64(void* p, int64_t v) { StoreBigEndian(p, v); }
inline void StoreU16(void* p, uint16_t v) { StoreBigEndian(p, v); }
inline void StoreU32(void* p, uint32_t v) { StoreBigEndian(p, v); }
inline void StoreU64(void* p, uint64_t v) { StoreBigEndian(p, v); }

}  // namespace sluice
