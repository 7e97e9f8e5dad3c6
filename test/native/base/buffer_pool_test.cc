#include "base/buffer_pool.h"

#include <gtest/gtest.h>

#include <cstring>
#include <thread>
#include <vector>

namespace sluice {
namespace {

constexpr size_t kSize = 1 << 20;

TEST(BufferPool, GivesWhatCameBackToTheNextOfItsSize) {
  BufferPool pool;
  Buffer first = pool.Take(kSize);
  EXPECT_EQ(first.size(), kSize);
  const uint8_t* memory = first.data();
  pool.Give(std::move(first));
  EXPECT_NE(pool.Take(4 * kSize).data(), memory) << "too small";
  EXPECT_NE(pool.Take(kSize / 4).data(), memory) << "far too large";
  Buffer again = pool.Take(kSize - 100);
  EXPECT_EQ(again.data(), memory);
  EXPECT_EQ(again.size(), kSize - 100);
  EXPECT_NE(pool.Take(kSize).data(), memory) << "in use";
}

TEST(BufferPool, KeepsWhatItMayAndNoSmallOnes) {
  BufferPool pool;
  std::vector<Buffer> many(BufferPool::kMostKept / kSize + 5);
  for (Buffer& each : many) each = pool.Take(kSize);
  for (Buffer& each : many) pool.Give(std::move(each));
  EXPECT_EQ(pool.kept_bytes(), BufferPool::kMostKept);
  BufferPool of_small;
  of_small.Give(of_small.Take(BufferPool::kLeastBytes - 1));
  EXPECT_EQ(of_small.kept_bytes(), 0u);
}

TEST(BufferPool, LetsGoOfWhatNobodyHasNeeded) {
  BufferPool pool;
  std::vector<Buffer> both(2);
  for (Buffer& each : both) each = pool.Take(kSize);
  for (Buffer& each : both) pool.Give(std::move(each));
  pool.Trim();
  EXPECT_EQ(pool.kept_bytes(), 2 * kSize) << "it has only just come";
  pool.Give(pool.Take(kSize));
  pool.Trim();
  EXPECT_EQ(pool.kept_bytes(), kSize) << "one was needed";
  pool.Trim();
  EXPECT_EQ(pool.kept_bytes(), 0u);
}

TEST(BufferPool, IsSharedByThreads) {
  BufferPool pool;
  const auto use = [&pool](uint8_t mark) {
    for (int i = 0; i < 200; ++i) {
      Buffer mine = pool.Take(kSize / 8);
      std::memset(mine.data(), mark, mine.size());
      if (i % 50 == 0) pool.Trim();
      EXPECT_EQ(mine.data()[mine.size() - 1], mark);
      pool.Give(std::move(mine));
    }
  };
  std::thread other(use, 1);
  use(2);
  other.join();
}

}  // namespace
}  // namespace sluice
