#include "base/varint.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "base/endian.h"

namespace sluice {
namespace {

std::vector<uint8_t> Signed32(int32_t v) {
  std::vector<uint8_t> out(kMaxVarint32Bytes);
  out.resize(static_cast<size_t>(WriteVarint(out.data(), v) - out.data()));
  return out;
}
std::vector<uint8_t> Signed64(int64_t v) {
  std::vector<uint8_t> out(kMaxVarint64Bytes);
  out.resize(static_cast<size_t>(WriteVarlong(out.data(), v) - out.data()));
  return out;
}
using V = std::vector<uint8_t>;

// Expected bytes as in Kafka's own tests of its ByteUtils.
TEST(Varint, KafkaBytes) {
  EXPECT_EQ(Signed32(0), (V{0x00}));
  EXPECT_EQ(Signed32(-1), (V{0x01}));
  EXPECT_EQ(Signed32(1), (V{0x02}));
  EXPECT_EQ(Signed32(63), (V{0x7e}));
  EXPECT_EQ(Signed32(-64), (V{0x7f}));
  EXPECT_EQ(Signed32(64), (V{0x80, 0x01}));
  EXPECT_EQ(Signed32(-65), (V{0x81, 0x01}));
  EXPECT_EQ(Signed32(8191), (V{0xfe, 0x7f}));
  EXPECT_EQ(Signed32(-8192), (V{0xff, 0x7f}));
  EXPECT_EQ(Signed32(8192), (V{0x80, 0x80, 0x01}));
  EXPECT_EQ(Signed32(INT32_MAX), (V{0xfe, 0xff, 0xff, 0xff, 0x0f}));
  EXPECT_EQ(Signed32(INT32_MIN), (V{0xff, 0xff, 0xff, 0xff, 0x0f}));
  EXPECT_EQ(Signed64(INT64_MAX), (V{0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}));
  EXPECT_EQ(Signed64(INT64_MIN), (V{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}));
  V out(kMaxVarint32Bytes);
  out.resize(static_cast<size_t>(WriteUnsignedVarint(out.data(), 300) - out.data()));
  EXPECT_EQ(out, (V{0xac, 0x02}));
}

TEST(Varint, RoundTripSizesAndEveryTruncation) {
  std::mt19937_64 random(11);
  for (int i = 0; i < 20000; ++i) {
    const int64_t wide = static_cast<int64_t>(random() >> (random() % 64)) * ((i & 1) ? 1 : -1);
    const int32_t narrow = static_cast<int32_t>(wide);
    const V w = Signed64(wide);
    const V n = Signed32(narrow);
    ASSERT_EQ(w.size(), VarlongSize(wide));
    ASSERT_EQ(n.size(), VarintSize(narrow));
    int64_t wide_out = 0;
    int32_t narrow_out = 0;
    ASSERT_EQ(ReadVarlong(w.data(), w.data() + w.size(), &wide_out), w.data() + w.size());
    ASSERT_EQ(ReadVarint(n.data(), n.data() + n.size(), &narrow_out), n.data() + n.size());
    ASSERT_EQ(wide_out, wide);
    ASSERT_EQ(narrow_out, narrow);
    for (size_t cut = 0; cut < w.size(); ++cut) ASSERT_EQ(ReadVarlong(w.data(), w.data() + cut, &wide_out), nullptr);
    for (size_t cut = 0; cut < n.size(); ++cut) ASSERT_EQ(ReadVarint(n.data(), n.data() + cut, &narrow_out), nullptr);
  }
}

TEST(Varint, EndlessNumbersAreRefused) {
  const V endless(20, 0x80);
  int32_t narrow = 0;
  int64_t wide = 0;
  EXPECT_EQ(ReadVarint(endless.data(), endless.data() + endless.size(), &narrow), nullptr);
  EXPECT_EQ(ReadVarlong(endless.data(), endless.data() + endless.size(), &wide), nullptr);
  V padded(4, 0x80);  // zero, written in five bytes: over-long but legal in Kafka
  padded.push_back(0);
  narrow = 1;
  EXPECT_EQ(ReadVarint(padded.data(), padded.data() + 5, &narrow), padded.data() + 5);
  EXPECT_EQ(narrow, 0);
}

TEST(Endian, BigEndianBytes) {
  uint8_t out[8] = {};
  StoreI16(out, -2);
  EXPECT_EQ(V(out, out + 2), (V{0xff, 0xfe}));
  StoreU32(out, 0x01020304u);
  EXPECT_EQ(V(out, out + 4), (V{1, 2, 3, 4}));
  StoreI64(out, 0x0102030405060708);
  EXPECT_EQ(V(out, out + 8), (V{1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(LoadI64(out), 0x0102030405060708);
  EXPECT_EQ(LoadU16(out + 1), 0x0203);
  EXPECT_EQ(LoadI32(out + 3), 0x04050607);
}

}  // namespace
}  // namespace sluice
