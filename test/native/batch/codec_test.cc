#include "batch/codec.h"

#include <gtest/gtest.h>
#include <snappy-c.h>
#include <zstd.h>

#include <string>
#include <vector>

#include "base/endian.h"
#include "base/varint.h"
#include "random_batches.h"

namespace sluice::batch {
namespace {

using Data = std::vector<uint8_t>;
constexpr Codec kAll[] = {Codec::kNone, Codec::kGzip, Codec::kSnappy, Codec::kLz4, Codec::kZstd};
constexpr Codec kReal[] = {Codec::kGzip, Codec::kSnappy, Codec::kLz4, Codec::kZstd};

Data AsData(const Buffer& buffer) { return Data(buffer.bytes().begin(), buffer.bytes().end()); }
Data Packed(Codec codec, Bytes in, int level = kDefaultLevel) {
  Buffer out;
  const Status status = Compress(codec, level, in, &out);
  EXPECT_TRUE(status.ok()) << status.ToString();
  return AsData(out);
}

TEST(Codec, Names) {
  for (Codec codec : kAll) EXPECT_EQ(CodecByName(CodecName(codec)), codec);
  EXPECT_FALSE(CodecByName("producer").has_value());
  EXPECT_FALSE(CodecByName("LZ4").has_value());
  EXPECT_STREQ(CodecName(static_cast<Codec>(5)), "unknown");
}

TEST(Codec, SizesAroundEveryBlockBoundary) {
  RandomRecords random(5);
  for (Codec codec : kAll) {
    for (size_t size : {0, 1, 2, 100, 32767, 32768, 32769, 65535, 65536, 65537, 131072, 200001}) {
      for (bool noisy : {false, true}) {
        SCOPED_TRACE(std::string(CodecName(codec)) + " " + std::to_string(size));
        Data in(size);
        for (uint8_t& b : in) b = noisy ? static_cast<uint8_t>(random.Below(256)) : 'x';
        const Data packed = Packed(codec, in);
        Buffer out;
        out.Append(Data{1, 2, 3});  // appended to, not replaced
        ASSERT_TRUE(Decompress(codec, packed, static_cast<int64_t>(size), &out).ok());
        ASSERT_EQ(out.size(), size + 3);
        EXPECT_TRUE(std::equal(in.begin(), in.end(), out.data() + 3));
        if (size > 0) {
          EXPECT_EQ(Decompress(codec, packed, static_cast<int64_t>(size) - 1, &out).code(), Code::kTooLarge);
          EXPECT_EQ(out.size(), size + 3) << "a failure takes back what it added";
        }
      }
    }
  }
}

TEST(Codec, ReadsInPiecesOfAnySize) {
  RandomRecords random(TestSeed());
  SCOPED_TRACE("SLUICE_SEED=" + std::to_string(TestSeed()));
  Data in(150000);
  for (uint8_t& b : in) b = static_cast<uint8_t>('a' + random.Below(4));
  Decompressor decompressor;
  for (Codec codec : kAll) {
    const Data packed = Packed(codec, in);
    for (int round = 0; round < 5; ++round) {
      decompressor.Start(codec, packed, 1 << 20);
      Data out;
      Data piece(50000);
      for (;;) {
        const size_t room = 1 + random.Below(round == 0 ? 3 : piece.size());
        Result<size_t> got = decompressor.Read({piece.data(), room});
        ASSERT_TRUE(got.ok()) << got.status().ToString();
        if (*got == 0) break;
        ASSERT_LE(*got, room);
        out.insert(out.end(), piece.begin(), piece.begin() + static_cast<long>(*got));
        if (round == 4 && out.size() > 70000) break;  // left in the middle: the next Start begins anew
      }
      if (round != 4) {
        EXPECT_EQ(out, in) << CodecName(codec);
      }
    }
  }
}

TEST(Codec, EveryTruncationIsNoticed) {
  Data in(5000);
  for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<uint8_t>(i * i >> 5);
  Decompressor decompressor;
  for (Codec codec : kReal) {
    const Data packed = Packed(codec, in);
    for (size_t cut = 0; cut < packed.size(); ++cut) {
      if (codec == Codec::kSnappy && cut == 16) continue;  // the framing has no end mark: no block at all is a whole, empty stream
      Buffer out;
      EXPECT_EQ(Decompress(&decompressor, codec, Bytes(packed).first(cut), 1 << 20, &out).code(), Code::kCorrupt)
          << CodecName(codec) << " cut at " << cut << " of " << packed.size();
    }
  }
}

TEST(Codec, BytesAfterTheEndAreRefused) {
  Decompressor decompressor;
  for (Codec codec : kReal) {
    Data packed = Packed(codec, Data(1000, 'q'));
    packed.insert(packed.end(), {0x99, 0x98, 0x97, 0x96, 0x95});
    Buffer out;
    EXPECT_EQ(Decompress(&decompressor, codec, packed, 1 << 20, &out).code(), Code::kCorrupt) << CodecName(codec);
  }
}

// Concatenation is legal in gzip, zstd and snappy-java's framing.
TEST(Codec, JoinedStreams) {
  for (Codec codec : {Codec::kGzip, Codec::kZstd, Codec::kSnappy}) {
    Data packed = Packed(codec, Data(1000, 'a'));
    const Data second = Packed(codec, Data(500, 'b'));
    packed.insert(packed.end(), second.begin(), second.end());
    Buffer out;
    ASSERT_TRUE(Decompress(codec, packed, 1500, &out).ok()) << CodecName(codec);
    Data want(1000, 'a');
    want.insert(want.end(), 500, 'b');
    EXPECT_EQ(AsData(out), want);
  }
}

TEST(Codec, RawSnappyIsRead) {
  const std::string text(50000, 'z');
  std::string packed(snappy_max_compressed_length(text.size()), 0);
  size_t size = packed.size();
  ASSERT_EQ(snappy_compress(text.data(), text.size(), packed.data(), &size), SNAPPY_OK);
  Buffer out;
  ASSERT_TRUE(Decompress(Codec::kSnappy, {reinterpret_cast<const uint8_t*>(packed.data()), size}, 50000, &out).ok());
  EXPECT_EQ(std::string(out.bytes().begin(), out.bytes().end()), text);
  EXPECT_EQ(Decompress(Codec::kSnappy, {reinterpret_cast<const uint8_t*>(packed.data()), size}, 49999, &out).code(), Code::kTooLarge);
}

TEST(Codec, SnappyThatLiesAboutItsSize) {
  for (uint64_t claim : {uint64_t{1} << 20, uint64_t{UINT32_MAX}}) {
    Data raw(kMaxVarint64Bytes);
    raw.resize(static_cast<size_t>(WriteUnsignedVarlong(raw.data(), claim) - raw.data()));
    raw.insert(raw.end(), {0x00, 'x'});
    Buffer out;
    const Status status = Decompress(Codec::kSnappy, raw, INT64_MAX, &out);
    EXPECT_EQ(status.code(), Code::kCorrupt);
    EXPECT_EQ(status.what(), "snappy block declares more than it can hold") << "refused before room is made for it";
  }
  Data framed = {0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0, 0, 0, 0, 1, 0, 0, 0, 1, 0x7f, 0xff, 0xff, 0xff, 1};
  Buffer out;
  EXPECT_EQ(Decompress(Codec::kSnappy, framed, INT64_MAX, &out).code(), Code::kCorrupt);
}

// A small input that would become huge costs the limit, not its size.
TEST(Codec, BombsStopAtTheLimit) {
  const Data zeros(64 << 20, 0);
  constexpr int64_t kLimit = 1 << 20;
  for (Codec codec : kReal) {
    const Data bomb = Packed(codec, zeros);
    EXPECT_LT(bomb.size(), zeros.size() / 15) << CodecName(codec);
    Buffer out;
    Decompressor decompressor;
    EXPECT_EQ(Decompress(&decompressor, codec, bomb, kLimit, &out).code(), Code::kTooLarge) << CodecName(codec);
    EXPECT_EQ(out.size(), 0u);
    EXPECT_LE(out.capacity(), static_cast<size_t>(2 * kLimit)) << CodecName(codec);
    // Reading by hand: never a byte more than the limit.
    decompressor.Start(codec, bomb, kLimit);
    int64_t total = 0;
    Data piece(10000);
    for (;;) {
      Result<size_t> got = decompressor.Read(piece);
      if (!got.ok()) {
        EXPECT_EQ(got.code(), Code::kTooLarge);
        break;
      }
      ASSERT_GT(*got, 0u);
      total += static_cast<int64_t>(*got);
    }
    EXPECT_EQ(total, kLimit);
  }
}

// A zstd frame may declare a window of 2 GiB: refused, since no Kafka client reads it either.
TEST(Codec, ZstdWindowBeyondTheBoundIsRefused) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ASSERT_FALSE(ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, 28)));
  Data packed(1000);
  ZSTD_outBuffer out = {packed.data(), packed.size(), 0};
  Data in(100, 'w');
  ZSTD_inBuffer from = {in.data(), in.size(), 0};
  ASSERT_FALSE(ZSTD_isError(ZSTD_compressStream2(context, &out, &from, ZSTD_e_flush)));  // size not known: the window is declared in full
  ASSERT_EQ(ZSTD_compressStream2(context, &out, &from, ZSTD_e_end), 0u);
  ZSTD_freeCCtx(context);
  Buffer plain;
  EXPECT_EQ(Decompress(Codec::kZstd, Bytes(packed).first(out.pos), 1 << 20, &plain).code(), Code::kCorrupt);
}

TEST(Codec, LevelsAsKafkaHasThem) {
  EXPECT_TRUE(LevelIsValid(Codec::kGzip, -1));
  EXPECT_TRUE(LevelIsValid(Codec::kGzip, 9));
  EXPECT_FALSE(LevelIsValid(Codec::kGzip, 0));
  EXPECT_FALSE(LevelIsValid(Codec::kGzip, 10));
  EXPECT_FALSE(LevelIsValid(Codec::kLz4, 0));
  EXPECT_TRUE(LevelIsValid(Codec::kLz4, 17));
  EXPECT_FALSE(LevelIsValid(Codec::kLz4, 18));
  EXPECT_TRUE(LevelIsValid(Codec::kZstd, -131072));
  EXPECT_FALSE(LevelIsValid(Codec::kZstd, -131073));
  EXPECT_FALSE(LevelIsValid(Codec::kZstd, 23));
  const Data in = [] {
    Data d(100000);
    uint32_t x = 1;
    for (uint8_t& b : d) b = static_cast<uint8_t>("abcdefgh"[(x = x * 1664525 + 1013904223) >> 29]);
    return d;
  }();
  Compressor compressor;
  for (Codec codec : kReal) {
    size_t sizes[2] = {};
    const LevelRange range = LevelsOf(codec);
    int n = 0;
    for (int level : {std::max(range.min, -100), range.max}) {
      Buffer packed, out;
      ASSERT_TRUE(compressor.Compress(codec, level, in, &packed).ok()) << CodecName(codec) << level;
      sizes[n++] = packed.size();
      ASSERT_TRUE(Decompress(codec, packed.bytes(), static_cast<int64_t>(in.size()), &out).ok());
      EXPECT_EQ(AsData(out), in);
    }
    if (codec != Codec::kSnappy) {
      EXPECT_LT(sizes[1], sizes[0]) << "the strongest level makes it smaller: " << CodecName(codec);
    }
    Buffer packed;
    packed.Append(Data{7});
    EXPECT_EQ(compressor.Compress(codec, 99, in, &packed).code(), Code::kInvalid);
    EXPECT_EQ(packed.size(), 1u);
  }
  Buffer packed;
  EXPECT_EQ(compressor.Compress(static_cast<Codec>(6), kDefaultLevel, in, &packed).code(), Code::kUnsupportedFormat);
  EXPECT_EQ(Decompress(static_cast<Codec>(6), in, 100, &packed).code(), Code::kUnsupportedFormat);
}

TEST(Codec, LooksLikeTellsCodecsApart) {
  const Data in(100, 'l');
  for (Codec real : {Codec::kGzip, Codec::kLz4, Codec::kZstd}) {
    for (Codec label : {Codec::kGzip, Codec::kLz4, Codec::kZstd}) EXPECT_EQ(LooksLike(label, Packed(real, in)), real == label);
  }
  Data linked = Packed(Codec::kLz4, in);
  linked[4] &= 0xdf;  // blocks that depend on each other: Kafka's clients cannot read them
  EXPECT_FALSE(LooksLike(Codec::kLz4, linked));
  EXPECT_FALSE(LooksLike(Codec::kGzip, {}));
}

}  // namespace
}  // namespace sluice::batch
