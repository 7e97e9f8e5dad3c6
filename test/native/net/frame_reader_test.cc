#include "net/frame_reader.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <random>

#include "base/endian.h"

namespace sluice::net {
namespace {

std::vector<uint8_t> FrameOf(size_t size, uint8_t fill) {
  std::vector<uint8_t> bytes(4 + size, fill);
  StoreI32(bytes.data(), static_cast<int32_t>(size));
  return bytes;
}

// Any cutting of any stream of frames gives the same frames.
TEST(FrameReader, AnyCuttingGivesTheSameFrames) {
  const char* text = std::getenv("SLUICE_SEED");
  const uint64_t seed = text != nullptr ? std::strtoull(text, nullptr, 10) : std::random_device()();
  SCOPED_TRACE("SLUICE_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  Budget budget(64 << 20);
  ChunkPool pool(budget);
  for (int round = 0; round < 60; ++round) {
    std::vector<size_t> sizes;
    std::vector<uint8_t> stream;
    for (int i = 0; i < 30; ++i) {
      const size_t kind = random() % 10;
      const size_t size = 1 + random() % (kind < 6 ? 300 : (kind < 9 ? 40000 : 2000000));
      sizes.push_back(size);
      const std::vector<uint8_t> frame = FrameOf(size, static_cast<uint8_t>(i));
      stream.insert(stream.end(), frame.begin(), frame.end());
    }
    FrameReader reader(pool);
    std::vector<Frame> kept;
    size_t sent = 0, got = 0;
    while (got < sizes.size()) {
      Frame frame;
      if (random() % 8 == 0) reader.Shrink();   // as where the connection is held
      const FrameReader::Step step = reader.Next(INT32_MAX, &frame);
      ASSERT_NE(step, FrameReader::Step::kBad);
      if (step == FrameReader::Step::kFrame) {
        ASSERT_EQ(frame.bytes.size(), sizes[got]);
        for (uint8_t byte : frame.bytes) ASSERT_EQ(byte, static_cast<uint8_t>(got));
        if (random() % 3 == 0) kept.push_back(frame);
        ++got;
        continue;
      }
      MutableBytes room = reader.Room();
      ASSERT_FALSE(room.empty());
      const size_t piece = std::min({room.size(), stream.size() - sent, size_t{1} + random() % (random() % 2 == 0 ? 50 : 200000)});
      std::memcpy(room.data(), stream.data() + sent, piece);
      reader.Filled(piece);
      sent += piece;
      if (random() % 4 == 0 && sent < stream.size()) {
        // As after EAGAIN: only behind a Next that said kMore.
        Frame more;
        while (reader.Next(INT32_MAX, &more) == FrameReader::Step::kFrame) {
          ASSERT_EQ(more.bytes.size(), sizes[got]);
          ++got;
        }
        reader.Rest();
      }
      // Memory follows what has arrived.
      ASSERT_LE(reader.held(), std::max(kGrowth * reader.pending_bytes() + kMaxReadChunk, size_t{4000000}));
    }
    EXPECT_TRUE(reader.empty());
    for (const Frame& frame : kept) {
      for (uint8_t byte : frame.bytes) ASSERT_EQ(byte, frame.bytes[0]) << "a kept frame was overwritten";
    }
  }
  EXPECT_EQ(budget.used(), 0);
}

TEST(FrameReader, ALargeFrameIsOneRunAndCostsWhatHasArrived) {
  Budget budget(256 << 20);
  ChunkPool pool(budget);
  FrameReader reader(pool);
  const size_t size = 50 << 20;
  uint8_t prefix[4];
  StoreI32(prefix, static_cast<int32_t>(size));
  Frame frame;
  ASSERT_EQ(reader.Next(INT32_MAX, &frame), FrameReader::Step::kMore);
  MutableBytes room = reader.Room();
  std::memcpy(room.data(), prefix, 4);
  reader.Filled(4);
  size_t arrived = 4;
  while (reader.Next(INT32_MAX, &frame) == FrameReader::Step::kMore) {
    room = reader.Room();
    ASSERT_FALSE(room.empty());
    const size_t piece = std::min<size_t>(room.size(), 100000);
    std::memset(room.data(), 7, piece);
    reader.Filled(piece);
    arrived += piece;
    ASSERT_LE(budget.used(), static_cast<int64_t>(std::max(2 * kGrowth * arrived, 2 * kReadChunk)));
  }
  EXPECT_EQ(frame.bytes.size(), size);
  EXPECT_EQ(arrived, size + 4) << "a large frame is not read beyond";
}

TEST(FrameReader, ImpossibleSizes) {
  Budget budget(1 << 20);
  ChunkPool pool(budget);
  for (int32_t size : {0, -1, INT32_MIN, 1001, INT32_MAX}) {
    FrameReader reader(pool);
    MutableBytes room = reader.Room();
    StoreI32(room.data(), size);
    reader.Filled(4);
    Frame frame;
    EXPECT_EQ(reader.Next(1000, &frame), FrameReader::Step::kBad);
    EXPECT_EQ(reader.bad_size(), size);
  }
}

TEST(FrameReader, GivesMemoryBackAtRest) {
  Budget budget(1 << 20);
  ChunkPool pool(budget);
  FrameReader reader(pool);
  MutableBytes room = reader.Room();
  const std::vector<uint8_t> frame = FrameOf(100, 1);
  std::memcpy(room.data(), frame.data(), frame.size());
  room[frame.size()] = 0;
  reader.Filled(frame.size() + 1);
  {
    Frame out;
    ASSERT_EQ(reader.Next(1000, &out), FrameReader::Step::kFrame);
    ASSERT_EQ(reader.Next(1000, &out), FrameReader::Step::kMore);
  }
  reader.Rest();
  EXPECT_EQ(budget.used(), static_cast<int64_t>(kMinChunk));
}

TEST(Budget, ReserveAndFinisher) {
  Budget budget(1 << 20);
  int a = 0, b = 0;
  const int64_t plain = (1 << 20) - (1 << 20) / kReserveShare;
  using enum Budget::Taken;
  EXPECT_EQ(budget.Take(plain, Need::kPlain, &a), kOfTotal);
  EXPECT_EQ(budget.Take(1, Need::kPlain, &a), kNo);
  EXPECT_EQ(budget.Take(1000, Need::kSmall, &b), kOfTotal);
  EXPECT_EQ(budget.Take(10 << 20, Need::kFinish, &a), kBeside);
  EXPECT_EQ(budget.Take(10 << 20, Need::kFinish, &b), kNo);
  EXPECT_EQ(budget.Take(1000, Need::kSmall, &b), kOfTotal) << "the finisher must not take the reserve";
  budget.EndFinish(&b);
  EXPECT_EQ(budget.Take(10 << 20, Need::kFinish, &b), kNo);
  budget.EndFinish(&a);
  EXPECT_EQ(budget.Take(1, Need::kSmall, &b), kOfTotal) << "a frame that is being worked on must not take it either";
  EXPECT_EQ(budget.Take(10 << 20, Need::kFinish, &b), kNo) << "one frame beside the total, not one after the other";
  EXPECT_FALSE(budget.Take(plain, Need::kPlain, &b) != kNo);
  budget.GiveBeside(10 << 20);
  EXPECT_EQ(budget.Take(10 << 20, Need::kFinish, &b), kBeside);
}

}  // namespace
}  // namespace sluice::net
