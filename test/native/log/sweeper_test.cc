#include "log/sweeper.h"

#include <gtest/gtest.h>

#include "support/sim_disk.h"
#include "support/sim_env.h"

namespace sluice::log {
namespace {

using test::SimClock;
using test::SimDisk;
using test::SimEnv;

constexpr int64_t kTickUs = 100000;
constexpr int64_t kMiB = 1 << 20;

class SweeperTest : public ::testing::Test {
 protected:
  void Add(int64_t bytes) {
    const std::string path = "/data/" + std::to_string(added_++) + ".log.deleted";
    ASSERT_TRUE(disk_.Open(path, io::OpenMode::kCreate).ok());
    sweeper_.Add(path, bytes);
  }
  // After so many ticks of the timer.
  int LeftAfter(int ticks, bool hurry = false) {
    for (int i = 0; i < ticks; ++i) {
      clock_.now_us += kTickUs;
      sweeper_.OnTimer(hurry);
      env_.RunAll();
    }
    return static_cast<int>(disk_.List("/data")->size());
  }
  void SetUp() override { ASSERT_TRUE(disk_.MakeDirs("/data").ok()); }

  std::mt19937_64 random_{1};
  SimDisk disk_;
  SimClock clock_;
  SimEnv env_{&disk_, &clock_, random_};
  Sweeper sweeper_{env_.env};
  int added_ = 0;
};

TEST_F(SweeperTest, LittleGoesFileByFileAtItsLeastRate) {
  LeftAfter(1);
  for (int i = 0; i < 4; ++i) Add(32 * kMiB);   // a second's worth each
  EXPECT_EQ(LeftAfter(1), 3);
  EXPECT_EQ(LeftAfter(8), 3);
  EXPECT_EQ(LeftAfter(3), 2);
  EXPECT_EQ(LeftAfter(10), 1);
  EXPECT_EQ(LeftAfter(10), 0);
}

TEST_F(SweeperTest, MuchGoesFasterAndNotAllAtOnce) {
  LeftAfter(1);
  for (int i = 0; i < 64; ++i) Add(64 * kMiB);
  int before = 64;
  for (int i = 0; i < 40; ++i) {
    const int left = LeftAfter(1);
    EXPECT_LE(before - left, 2) << "tick " << i;
    before = left;
  }
  EXPECT_LE(before, 64 / 2);   // the rate falls with what is left
  EXPECT_GT(before, 0);
}

TEST_F(SweeperTest, WhoWaitsForTheSpaceGetsItAtOnce) {
  for (int i = 0; i < 8; ++i) Add(1000 * kMiB);
  EXPECT_EQ(LeftAfter(1, true), 0);
}

TEST_F(SweeperTest, NothingIsSavedUpWhileThereIsNothingToDo) {
  LeftAfter(1000);
  for (int i = 0; i < 8; ++i) Add(100 * kMiB);
  EXPECT_EQ(LeftAfter(1), 7);
}

TEST_F(SweeperTest, AnEndTakesAllThatIsLeft) {
  for (int i = 0; i < 8; ++i) Add(100 * kMiB);
  sweeper_.Finish();
  EXPECT_EQ(LeftAfter(0), 0);
  EXPECT_TRUE(env_.reporter.lines.empty());
}

}  // namespace
}  // namespace sluice::log
