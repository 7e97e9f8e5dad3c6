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
  // Nobody reads it unless somebody is given.
  void Add(int64_t bytes, std::weak_ptr<const void> reader = {}) {
    const std::string path = "/data/" + std::to_string(added_++) + ".log.deleted";
    Result<std::unique_ptr<io::File>> file = disk_.Open(path, io::OpenMode::kCreate);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->Truncate(bytes).ok());
    sweeper_.Add(path, bytes, std::move(reader));
  }
  // Of the first file.
  int64_t SizeAfter(int ticks) {
    LeftAfter(ticks);
    Result<int64_t> size = disk_.FileSize("/data/0.log.deleted");
    return size.ok() ? *size : -1;
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
  const auto reader = std::make_shared<int>();
  for (int i = 0; i < 4; ++i) Add(32 * kMiB, reader);   // a second's worth each
  EXPECT_EQ(LeftAfter(1), 3);
  EXPECT_EQ(LeftAfter(8), 3);
  EXPECT_EQ(LeftAfter(3), 2);
  EXPECT_EQ(LeftAfter(10), 1);
  EXPECT_EQ(LeftAfter(10), 0);
}

TEST_F(SweeperTest, MuchGoesFasterAndNotAllAtOnce) {
  LeftAfter(1);
  const auto reader = std::make_shared<int>();
  for (int i = 0; i < 64; ++i) Add(64 * kMiB, reader);
  int before = 64;
  for (int i = 0; i < 62; ++i) {
    const int left = LeftAfter(1);
    EXPECT_LE(before - left, 2) << "tick " << i;
    if (i < 55) EXPECT_GT(left, 0) << "tick " << i;
    before = left;
  }
  EXPECT_EQ(before, 0);   // it does not get slower as less is left
}

TEST_F(SweeperTest, ABurstIsForgottenWhenItIsGone) {
  LeftAfter(1);
  const auto reader = std::make_shared<int>();
  for (int i = 0; i < 64; ++i) Add(64 * kMiB, reader);
  LeftAfter(70);
  for (int i = 0; i < 4; ++i) Add(32 * kMiB, reader);
  EXPECT_EQ(LeftAfter(9), 3);
}

TEST_F(SweeperTest, WhoWaitsForTheSpaceGetsItAtOnce) {
  for (int i = 0; i < 8; ++i) Add(1000 * kMiB);
  EXPECT_EQ(LeftAfter(1, true), 0);
}

TEST_F(SweeperTest, NothingIsSavedUpWhileThereIsNothingToDo) {
  LeftAfter(1000);
  const auto reader = std::make_shared<int>();
  for (int i = 0; i < 8; ++i) Add(100 * kMiB, reader);
  EXPECT_EQ(LeftAfter(1), 7);
}

TEST_F(SweeperTest, ALargeFileThatNobodyReadsIsCutDownPieceByPiece) {
  LeftAfter(1);
  Add(32 * kMiB);
  std::vector<int64_t> sizes;
  for (int i = 0; i < 20; ++i) {
    const int64_t size = SizeAfter(1);
    if (sizes.empty() || sizes.back() != size) sizes.push_back(size);
  }
  EXPECT_EQ(sizes, (std::vector<int64_t>{24 * kMiB, 16 * kMiB, 8 * kMiB, -1}));
}

TEST_F(SweeperTest, WhatSomebodyReadsStaysWhole) {
  LeftAfter(1);
  auto reader = std::make_shared<int>();
  Add(100 * kMiB);
  Add(100 * kMiB, reader);
  std::vector<std::string> cut;
  disk_.on_change = [&](const std::string& what) {
    if (what.starts_with("truncate")) cut.push_back(what);
  };
  EXPECT_EQ(LeftAfter(100), 0);
  EXPECT_FALSE(cut.empty());
  for (const std::string& what : cut) EXPECT_EQ(what, "truncate /data/0.log.deleted");
}

TEST_F(SweeperTest, ItsNewNameIsDurableBeforeItIsCut) {
  LeftAfter(1);
  Add(24 * kMiB);
  std::vector<std::string> changes;
  disk_.on_change = [&](const std::string& what) { changes.push_back(what); };
  EXPECT_EQ(LeftAfter(20), 0);
  EXPECT_EQ(changes, (std::vector<std::string>{"syncdir /data", "truncate /data/0.log.deleted", "truncate /data/0.log.deleted", "remove /data/0.log.deleted"}));
}

TEST_F(SweeperTest, WhereTheNameCannotBeMadeDurableItIsNotCut) {
  LeftAfter(1);
  Add(64 * kMiB);
  disk_.faults.push_back({"syncdir", "/data", Status::FromErrno(EIO, "sync")});
  bool is_cut = false;
  disk_.on_change = [&](const std::string& what) { is_cut |= what.starts_with("truncate"); };
  EXPECT_EQ(LeftAfter(20), 0);
  EXPECT_FALSE(is_cut);
  ASSERT_EQ(env_.reporter.lines.size(), 1u);
  EXPECT_NE(env_.reporter.lines[0].find("/data/0.log.deleted cannot be cut down"), std::string::npos);
}

TEST_F(SweeperTest, AFolderThatIsRenamedTakesItsFilesAlong) {
  LeftAfter(1);
  Add(64 * kMiB);
  Add(64 * kMiB);
  sweeper_.Forget("/dat");
  EXPECT_LT(SizeAfter(1), 64 * kMiB);
  const int64_t left = SizeAfter(0);
  sweeper_.Forget("/data");
  EXPECT_EQ(SizeAfter(100), left);
  EXPECT_EQ(LeftAfter(0), 2);
}

class SweptFolderTest : public SweeperTest {
 protected:
  void AddFolder(const std::vector<Sweeper::Folder::Content>& files, bool is_read) {
    ASSERT_TRUE(disk_.MakeDirs(kFolder).ok());
    for (const Sweeper::Folder::Content& content : files) {
      Result<std::unique_ptr<io::File>> file = disk_.Open(std::string(kFolder) + "/" + content.name, io::OpenMode::kCreate);
      ASSERT_TRUE(file.ok());
      ASSERT_TRUE((*file)->Truncate(content.bytes).ok());
    }
    sweeper_.AddFolder({kFolder, is_read, files});
    disk_.on_change = [this](const std::string& what) { changes_.push_back(what); };
  }
  static constexpr const char* kFolder = "/data/t-0.0123456789abcdef0123456789abcdef-delete";
  std::vector<std::string> changes_;
};

TEST_F(SweptFolderTest, IsEmptiedLittleByLittle) {
  LeftAfter(1);
  AddFolder({{"0.log", 20 * kMiB}, {"0.index", 0}}, false);
  EXPECT_EQ(LeftAfter(20), 0);
  const std::string log = std::string(kFolder) + "/0.log";
  const std::vector<std::string> first{"truncate " + log, "truncate " + log, "remove " + log, "remove " + std::string(kFolder) + "/0.index"};
  ASSERT_GE(changes_.size(), first.size());
  EXPECT_EQ(std::vector<std::string>(changes_.begin(), changes_.begin() + 4), first) << "its name needs no sync";
}

TEST_F(SweptFolderTest, AThousandSmallFilesDoNotGoAtOnce) {
  LeftAfter(1);
  std::vector<Sweeper::Folder::Content> files;
  for (int i = 0; i < 1000; ++i) files.push_back({std::to_string(i), 0});
  AddFolder(files, false);
  LeftAfter(1);
  EXPECT_LT(changes_.size(), 100u);
  EXPECT_EQ(LeftAfter(100), 0);
}

TEST_F(SweptFolderTest, IsNotCutWhileSomebodyReads) {
  LeftAfter(1);
  AddFolder({{"0.log", 20 * kMiB}}, true);
  EXPECT_EQ(LeftAfter(20), 0);
  for (const std::string& what : changes_) EXPECT_FALSE(what.starts_with("truncate")) << what;
}

TEST_F(SweptFolderTest, StaysWhereTheEndTakesTheFiles) {
  Add(kMiB);
  AddFolder({{"0.log", kMiB}}, false);
  sweeper_.Finish();
  EXPECT_EQ(LeftAfter(10), 1);
  EXPECT_TRUE(*disk_.Exists(kFolder));
}

TEST_F(SweeperTest, AnEndTakesAllThatIsLeft) {
  for (int i = 0; i < 8; ++i) Add(100 * kMiB);
  sweeper_.Finish();
  EXPECT_EQ(LeftAfter(0), 0);
  EXPECT_TRUE(env_.reporter.lines.empty());
}

}  // namespace
}  // namespace sluice::log
