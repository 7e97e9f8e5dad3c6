#include "base/crc32c.h"

#include <array>
#include <bit>
#include <cstring>

#include "base/assert.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace sluice {
namespace {

constexpr uint32_t kPolynomial = 0x82f63b78;  // reflected: bit 31 is x^0

// Multiplies a reflected polynomial by x.
constexpr uint32_t TimesX(uint32_t a) { return (a >> 1) ^ ((a & 1) ? kPolynomial : 0); }

// table[k][b]: what byte b adds to the checksum when k zero bytes follow it.
using Tables = std::array<std::array<uint32_t, 256>, 8>;
constexpr Tables MakeTables() {
  Tables t{};
  for (uint32_t b = 0; b < 256; ++b) {
    uint32_t crc = b;
    for (int i = 0; i < 8; ++i) crc = TimesX(crc);
    t[0][b] = crc;
  }
  for (size_t k = 1; k < 8; ++k) {
    for (uint32_t b = 0; b < 256; ++b) t[k][b] = (t[k - 1][b] >> 8) ^ t[0][t[k - 1][b] & 0xff];
  }
  return t;
}
constexpr Tables kTables = MakeTables();

uint64_t LoadLittle64(const uint8_t* p) {
  uint64_t v;
  std::memcpy(&v, p, sizeof v);
  if constexpr (std::endian::native == std::endian::big) v = __builtin_bswap64(v);
  return v;
}

}  // namespace

uint32_t Crc32cExtendPortable(uint32_t crc, Bytes bytes) {
  const uint8_t* p = bytes.data();
  size_t left = bytes.size();
  uint32_t c = ~crc;
  while (left >= 8) {
    const uint64_t w = LoadLittle64(p) ^ c;
    c = kTables[7][w & 0xff] ^ kTables[6][(w >> 8) & 0xff] ^ kTables[5][(w >> 16) & 0xff] ^ kTables[4][(w >> 24) & 0xff] ^
        kTables[3][(w >> 32) & 0xff] ^ kTables[2][(w >> 40) & 0xff] ^ kTables[1][(w >> 48) & 0xff] ^ kTables[0][w >> 56];
    p += 8;
    left -= 8;
  }
  while (left-- > 0) c = (c >> 8) ^ kTables[0][(c ^ *p++) & 0xff];
  return ~c;
}

#if defined(__x86_64__)
namespace {

// x^n modulo the polynomial, reflected.
constexpr uint32_t PowerOfX(uint64_t n) {
  uint32_t a = 0x80000000;
  for (uint64_t i = 0; i < n; ++i) a = TimesX(a);
  return a;
}

// Moving a checksum over `bytes` zero bytes multiplies it by x^(8*bytes). The carry-less product of two reflected 32-bit words, read as a
// reflected 64-bit word, carries one extra x, and the crc32 instruction brings x^32: so the constant is x^(8*bytes - 33).
constexpr uint32_t ShiftConstant(uint64_t bytes) { return PowerOfX(8 * bytes - 33); }

// Three independent streams of this many bytes hide the three cycles that one crc32 takes.
constexpr size_t kLongStream = 2048;
constexpr size_t kShortStream = 128;
static_assert(kLongStream % 8 == 0 && kShortStream % 8 == 0);

__attribute__((target("sse4.2,pclmul"))) inline uint64_t Shifted(uint64_t crc, uint32_t constant) {
  const __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128(static_cast<long long>(crc)),
                                               _mm_cvtsi32_si128(static_cast<int>(constant)), 0x00);
  return _mm_crc32_u64(0, static_cast<uint64_t>(_mm_cvtsi128_si64(product)));
}

template <size_t kStream>
__attribute__((target("sse4.2,pclmul"))) inline uint64_t ThreeStreams(uint64_t c, const uint8_t* p) {
  constexpr uint32_t kShiftOne = ShiftConstant(kStream);
  constexpr uint32_t kShiftTwo = ShiftConstant(2 * kStream);
  uint64_t c1 = 0;
  uint64_t c2 = 0;
  for (const uint8_t* stop = p + kStream; p != stop; p += 8) {
    c = _mm_crc32_u64(c, LoadLittle64(p));
    c1 = _mm_crc32_u64(c1, LoadLittle64(p + kStream));
    c2 = _mm_crc32_u64(c2, LoadLittle64(p + 2 * kStream));
  }
  return Shifted(c, kShiftTwo) ^ Shifted(c1, kShiftOne) ^ c2;
}

}  // namespace

bool Crc32cHardwareSupported() {
  static const bool supported = [] {
    __builtin_cpu_init();
    return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul");
  }();
  return supported;
}

__attribute__((target("sse4.2,pclmul"))) uint32_t Crc32cExtendHardware(uint32_t crc, Bytes bytes) {
  const uint8_t* p = bytes.data();
  size_t left = bytes.size();
  uint64_t c = ~crc;
  while (left >= 3 * kLongStream) {
    c = ThreeStreams<kLongStream>(c, p);
    p += 3 * kLongStream;
    left -= 3 * kLongStream;
  }
  while (left >= 3 * kShortStream) {
    c = ThreeStreams<kShortStream>(c, p);
    p += 3 * kShortStream;
    left -= 3 * kShortStream;
  }
  while (left >= 8) {
    c = _mm_crc32_u64(c, LoadLittle64(p));
    p += 8;
    left -= 8;
  }
  uint32_t c32 = static_cast<uint32_t>(c);
  while (left-- > 0) c32 = _mm_crc32_u8(c32, *p++);
  return ~c32;
}

#else

bool Crc32cHardwareSupported() { return false; }
uint32_t Crc32cExtendHardware(uint32_t crc, Bytes bytes) {
  SLUICE_ASSERT(Crc32cHardwareSupported());
  return Crc32cExtendPortable(crc, bytes);
}

#endif

uint32_t Crc32cExtend(uint32_t crc, Bytes bytes) {
  return Crc32cHardwareSupported() ? Crc32cExtendHardware(crc, bytes) : Crc32cExtendPortable(crc, bytes);
}

}  // namespace sluice
