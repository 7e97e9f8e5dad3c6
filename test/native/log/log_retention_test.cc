// What leaves a log, and when: Kafka's rules for time, size and a moved start.
#include <unistd.h>

#include "log_fixture.h"

namespace sluice::log {
namespace {

using test::BatchSpec;
using test::LogFixture;
using test::MakeBatch;

class LogRetentionTest : public LogFixture {
 protected:
  // Ten segments of two batches each; batch i carries the time 1000 * i.
  void Fill() {
    const int64_t batch = static_cast<int64_t>(MakeBatch({}).size());
    config_.segment_bytes = 2 * batch;
    config_.segment_ms = INT64_MAX;
    config_.retention_ms = -1;
    config_.file_delete_delay_ms = 500;
    ASSERT_TRUE(Open(LoadState::Kind::kNew).ok());
    clock_.now = 1000000;
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(Append(BatchSpec{.timestamp = 1000 * i}).ok());
    ASSERT_TRUE(Sync().ok());
    segment_bytes_ = 2 * batch;
  }
  bool Retain(int64_t now, int64_t ms, int64_t bytes) {
    config_.retention_ms = ms;
    config_.retention_bytes = bytes;
    log_->SetConfig(config_);
    return log_->RunRetention(TimestampMs(now));
  }
  int64_t segment_bytes_ = 0;
};

TEST_F(LogRetentionTest, ByTimeOfTheNewestRecordOfEachSegment) {
  Fill();
  EXPECT_FALSE(Retain(101000, 100000, -1));    // the first segment's newest is exactly 100 s old
  EXPECT_EQ(log_->log_start().v, 0);
  EXPECT_TRUE(Retain(101001, 100000, -1));
  EXPECT_EQ(log_->log_start().v, 2);
  EXPECT_TRUE(Retain(107500, 100000, -1));
  EXPECT_EQ(log_->log_start().v, 8);
  EXPECT_EQ(log_->size_bytes(), 6 * segment_bytes_);
  EXPECT_EQ(Read(7, 100).code(), Code::kOffsetOutOfRange);
  EXPECT_EQ(ReadAll(8).size(), 12u);
}

TEST_F(LogRetentionTest, TheActiveSegmentIsRolledWhenItsTimeHasCome) {
  Fill();
  EXPECT_TRUE(Retain(10000000, 100000, -1));
  EXPECT_EQ(log_->log_start().v, 20);
  EXPECT_EQ(log_->high_watermark().v, 20);
  EXPECT_EQ(log_->size_bytes(), 0);
  // The new segment's name is not durable yet: until it is, the old ones stay in place.
  EXPECT_TRUE(Exists(PathOf(18, ".log")));
  ASSERT_TRUE(Sync().ok());
  EXPECT_FALSE(Exists(PathOf(18, ".log")));
  EXPECT_TRUE(Exists(PathOf(18, ".log.deleted")));
  EXPECT_FALSE(Retain(20000000, 100000, -1));
  EXPECT_FALSE(Exists(PathOf(18, ".log.deleted")));
  EXPECT_TRUE(Exists(PathOf(20, ".log")));
  Result<AppendResult> next = Append(BatchSpec{});
  EXPECT_EQ(next->base.v, 20);
  ASSERT_TRUE(log_->CloseClean().ok());
  ASSERT_TRUE(Open(LoadState::Kind::kClean).ok());
  EXPECT_EQ(log_->log_start().v, 20);
  EXPECT_EQ(log_->next_offset().v, 21);
}

TEST_F(LogRetentionTest, BySizeOnlyWholeSegmentsThatAreTooMuch) {
  Fill();
  EXPECT_FALSE(Retain(1, -1, 10 * segment_bytes_));
  EXPECT_FALSE(Retain(1, -1, 9 * segment_bytes_ + 1));
  EXPECT_TRUE(Retain(1, -1, 9 * segment_bytes_));
  EXPECT_EQ(log_->log_start().v, 2);
  EXPECT_TRUE(Retain(1, -1, 0));
  EXPECT_EQ(log_->log_start().v, 20);
}

TEST_F(LogRetentionTest, NothingBeyondTheHighWatermarkGoes) {
  const int64_t batch = static_cast<int64_t>(MakeBatch({}).size());
  config_.segment_bytes = batch;
  config_.retention_ms = -1;
  ASSERT_TRUE(Open(LoadState::Kind::kNew).ok());
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE(Stage(MakeBatch({.timestamp = 1000})).ok());
    ASSERT_TRUE(Write(i < 3).ok());
  }
  EXPECT_TRUE(Retain(INT64_MAX, 1, 0));
  EXPECT_EQ(log_->log_start().v, 3);
  EXPECT_EQ(log_->high_watermark().v, 3);
  log_->AdvanceHighWatermark(Offset(6));
  EXPECT_TRUE(Retain(INT64_MAX, 1, -1));
  EXPECT_EQ(log_->log_start().v, 6);
}

TEST_F(LogRetentionTest, CompactedLogsLoseOnlyWhatLiesBelowTheirStart) {
  Fill();
  config_.cleanup_delete = false;
  config_.cleanup_compact = true;
  EXPECT_FALSE(Retain(INT64_MAX, 1, 0));
  ASSERT_TRUE(log_->SetLogStart(Offset(5)).ok());
  EXPECT_FALSE(Exists(PathOf(2, ".log")));
  EXPECT_TRUE(Exists(PathOf(4, ".log")));
  EXPECT_EQ(log_->log_start().v, 5);
}

TEST_F(LogRetentionTest, RecordsWithoutATimeAreAsOldAsTheirFile) {
  config_.segment_bytes = static_cast<int64_t>(MakeBatch({}).size());
  config_.retention_ms = -1;
  ASSERT_TRUE(Open(LoadState::Kind::kNew).ok());
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Append(BatchSpec{.timestamp = -1}).ok());
  const int64_t written = *env_.fs->ModifiedMs(PathOf(0, ".log"));
  EXPECT_FALSE(Retain(written + 100000, 100000, -1));
  EXPECT_TRUE(Retain(written + 500000, 100000, -1));
  EXPECT_EQ(log_->log_start().v, 3);
}

TEST_F(LogRetentionTest, DeletedFilesGoAfterTheDelayWithTheirSnapshots) {
  Fill();
  EXPECT_TRUE(Exists(PathOf(2, ".snapshot")));
  ASSERT_TRUE(log_->SetLogStart(Offset(4)).ok());
  EXPECT_TRUE(Exists(PathOf(0, ".log.deleted")));
  EXPECT_TRUE(Exists(PathOf(2, ".snapshot.deleted")));
  EXPECT_TRUE(Exists(PathOf(2, ".timeindex.deleted")));
  Retain(clock_.now + 499, -1, -1);
  EXPECT_TRUE(Exists(PathOf(0, ".log.deleted")));
  Retain(clock_.now + 500, -1, -1);
  EXPECT_FALSE(Exists(PathOf(0, ".log.deleted")));
  EXPECT_FALSE(Exists(PathOf(2, ".snapshot.deleted")));
}

TEST_F(LogRetentionTest, AReaderKeepsWhatItHolds) {
  Fill();
  Result<LogSlice> held = Read(0, 10);
  ASSERT_TRUE(held.ok());
  auto later = log_->ColdRead(Offset(2), 10, true, Offset(20));
  ASSERT_TRUE(log_->SetLogStart(Offset(20)).ok());
  Retain(clock_.now + 1000, -1, -1);
  EXPECT_FALSE(Exists(PathOf(0, ".log.deleted")));
  EXPECT_EQ(batch::BatchView(BytesOf(*held)).base_offset().v, 0);
  // What it had not opened yet is out of range now, or still there if somebody else held it open.
  Result<LogSlice> gone = later();
  if (!gone.ok()) {
    EXPECT_EQ(gone.code(), Code::kOffsetOutOfRange);
  }
}

// A broker that stops gives its answers some seconds, and who reads an embedded log has one read ahead under way.
TEST_F(LogRetentionTest, ACleanStopLeavesReadersWhatTheyRead) {
  Fill();
  Result<LogSlice> sealed = Read(0, 10);
  Result<LogSlice> active = Read(19, 10);
  ASSERT_TRUE(sealed.ok());
  ASSERT_TRUE(active.ok());
  auto later = log_->ColdRead(Offset(2), 10, true, Offset(20));
  ASSERT_TRUE(log_->CloseClean().ok());
  EXPECT_EQ(batch::BatchView(BytesOf(*sealed)).base_offset().v, 0);
  EXPECT_EQ(batch::BatchView(BytesOf(*active)).base_offset().v, 19);
  Result<LogSlice> found = later();
  ASSERT_TRUE(found.ok()) << found.status().ToString();
  EXPECT_EQ(batch::BatchView(BytesOf(*found)).base_offset().v, 2);
}

// A look-up that was planned before its segment left the log finds no index under the name.
TEST_F(LogRetentionTest, WhatHasLeftTheLogGetsNoNewIndexes) {
  Fill();
  Result<LogSlice> held = Read(0, 10);
  ASSERT_TRUE(held.ok());
  auto later = log_->ColdRead(Offset(1), 10, true, Offset(20));
  ASSERT_TRUE(Sync().ok());   // closes the indexes
  ASSERT_TRUE(log_->SetLogStart(Offset(20)).ok());
  ASSERT_TRUE(Exists(PathOf(0, ".index.deleted")));
  (void)later();
  EXPECT_FALSE(Exists(PathOf(0, ".index")));
  EXPECT_FALSE(Exists(PathOf(0, ".timeindex")));
  EXPECT_TRUE(lines_.lines.empty()) << lines_.lines[0];
}

TEST_F(LogRetentionTest, IdleSegmentsGiveTheirDescriptorsBack) {
  Fill();
  const auto open_files = [&] {
    size_t count = 0;
    for (int fd = 3; fd < 1024; ++fd) {
      char link[64], target[512];
      std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
      const ssize_t n = ::readlink(link, target, sizeof target - 1);
      if (n > 0 && std::string(target, static_cast<size_t>(n)).find(dir_.path()) == 0) ++count;
    }
    return count;
  };
  (void)ReadAll(0);
  EXPECT_GE(open_files(), 10u);
  Retain(clock_.now, -1, -1);
  EXPECT_LE(open_files(), 1u);
  Retain(clock_.now + 60000, -1, -1);
  EXPECT_EQ(open_files(), 0u);
  EXPECT_EQ(ReadAll(0).size(), 20u);
  ASSERT_TRUE(Append(BatchSpec{}).ok());
  EXPECT_EQ(ReadAll(0).size(), 21u);
}

}  // namespace
}  // namespace sluice::log
