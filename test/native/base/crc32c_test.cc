#include "base/crc32c.h"

#include <gtest/gtest.h>

#include <numeric>
#include <random>
#include <string>
#include <vector>

namespace sluice {
namespace {

Bytes AsBytes(const std::string& s) { return {reinterpret_cast<const uint8_t*>(s.data()), s.size()}; }

// RFC 3720, B.4, and the classic check value of the catalogue of CRC algorithms.
TEST(Crc32c, KnownValues) {
  EXPECT_EQ(Crc32c({}), 0u);
  EXPECT_EQ(Crc32c(AsBytes("123456789")), 0xe3069283u);
  EXPECT_EQ(Crc32c(std::vector<uint8_t>(32, 0x00)), 0x8a9136aau);
  EXPECT_EQ(Crc32c(std::vector<uint8_t>(32, 0xff)), 0x62a8ab43u);
  std::vector<uint8_t> up(32);
  std::iota(up.begin(), up.end(), 0);
  EXPECT_EQ(Crc32c(up), 0x46dd794eu);
  EXPECT_EQ(Crc32cExtendPortable(0, up), 0x46dd794eu);
}

// Bit by bit, straight from the polynomial: slow and independent of both implementations.
uint32_t Slow(Bytes bytes) {
  uint32_t crc = ~0u;
  for (uint8_t b : bytes) {
    crc ^= b;
    for (int i = 0; i < 8; ++i) crc = (crc >> 1) ^ ((crc & 1) ? 0x82f63b78u : 0u);
  }
  return ~crc;
}

TEST(Crc32c, BothImplementationsAgreeAtEveryLengthAndAlignment) {
  std::mt19937 random(7);
  std::vector<uint8_t> data(40000);
  for (uint8_t& b : data) b = static_cast<uint8_t>(random());
  std::vector<size_t> lengths;
  for (size_t n = 0; n < 900; ++n) lengths.push_back(n);
  for (size_t n : {6143, 6144, 6145, 12287, 12288, 12345, 30001, 39990}) lengths.push_back(n);
  for (size_t n : lengths) {
    const Bytes part(data.data() + n % 9, n);
    const uint32_t want = Slow(part);
    ASSERT_EQ(Crc32cExtendPortable(0, part), want) << n;
    if (Crc32cHardwareSupported()) {
      ASSERT_EQ(Crc32cExtendHardware(0, part), want) << n;
    }
  }
}

TEST(Crc32c, ExtendJoinsAtEveryCut) {
  std::vector<uint8_t> data(7000);
  std::iota(data.begin(), data.end(), 3);
  const uint32_t want = Crc32c(data);
  for (size_t cut = 0; cut <= data.size(); cut += 61) {
    const Bytes all(data);
    EXPECT_EQ(Crc32cExtend(Crc32c(all.first(cut)), all.subspan(cut)), want) << cut;
    EXPECT_EQ(Crc32cExtendPortable(Crc32cExtendPortable(0, all.first(cut)), all.subspan(cut)), want) << cut;
  }
}

}  // namespace
}  // namespace sluice
