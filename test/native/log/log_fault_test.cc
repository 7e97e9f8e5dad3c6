// What a log does when the disk does not: nothing acknowledged is lost, nothing refused comes back.
#include "fault_fs.h"
#include "log/doubt.h"
#include "log_fixture.h"

namespace sluice::log {
namespace {

using test::BatchSpec;
using test::LogFixture;
using test::MakeBatch;

class Waiter final : public OffsetWaiter {
 public:
  explicit Waiter(int64_t at) { target = Offset(at); }
  void OnReached() override { reached = true; }
  void OnFailed(const Status& why) override { failed = why; }
  bool reached = false;
  Status failed;
};

class LogFaultTest : public LogFixture {
 protected:
  LogFaultTest() { env_.fs = &fs_; }
  BatchSpec Idempotent(int32_t sequence, int records = 1) { return {.records = records, .producer = 7, .epoch = 0, .sequence = sequence}; }
  test::FaultFs fs_;
};

// By the home thread, and in the way that another thread writes.
class LogWriteFaultTest : public LogFaultTest, public ::testing::WithParamInterface<bool> {
 protected:
  LogWriteFaultTest() { by_copies_ = GetParam(); }
};
INSTANTIATE_TEST_SUITE_P(BothWays, LogWriteFaultTest, ::testing::Bool());

TEST_P(LogWriteFaultTest, AFullDiskTakesBackWhatWasStagedAndNothingElse) {
  ASSERT_TRUE(Open(LoadState::Kind::kNew).ok());
  ASSERT_TRUE(Append(Idempotent(0, 3)).ok());
  const auto before = ReadAll(0);
  const int64_t size = log_->size_bytes();
  ASSERT_TRUE(Stage(MakeBatch(Idempotent(3, 2))).ok());
  ASSERT_TRUE(Stage(MakeBatch(Idempotent(5))).ok());
  EXPECT_EQ(log_->next_offset().v, 6);
  Waiter staged(6), older(3);
  log_->Await(&staged);
  log_->Await(&older);
  fs_.bytes_left = 250;  // the first batch and a half
  EXPECT_EQ(Write(false).code(), Code::kNoSpace);
  EXPECT_EQ(staged.failed.code(), Code::kNoSpace);
  EXPECT_TRUE(older.reached);
  EXPECT_EQ(log_->next_offset().v, 3);
  EXPECT_EQ(*fs_.FileSize(PathOf(0, ".log")), size);
  EXPECT_TRUE(log_->offline().ok());
  EXPECT_EQ(ReadAll(0), before);
  // Not remembered as sent: the retry is no duplicate. And it works once there is room.
  EXPECT_EQ(Append(Idempotent(3, 2)).code(), Code::kNoSpace);
  fs_.bytes_left = INT64_MAX;
  Result<AppendResult> retried = Append(Idempotent(3, 2));
  ASSERT_TRUE(retried.ok());
  EXPECT_FALSE(retried->duplicate);
  EXPECT_EQ(retried->base.v, 3);
  ASSERT_TRUE(Append(Idempotent(5)).ok());
  EXPECT_EQ(ReadAll(0).size(), 3u);
  ASSERT_TRUE(log_->CloseClean().ok());
  ASSERT_TRUE(Open(LoadState::Kind::kClean).ok());
  EXPECT_EQ(ReadAll(0).size(), 3u);
}

TEST_P(LogWriteFaultTest, AFullDiskAtARollKeepsWhatCameBeforeIt) {
  config_.segment_bytes = 1000;
  config_.durability = Durability::kFsync;
  config_.index_interval_bytes = 100;
  ASSERT_TRUE(Open(LoadState::Kind::kNew).ok());
  const int64_t batch = static_cast<int64_t>(MakeBatch(Idempotent(0)).size());
  const int64_t fit = 1000 / batch;
  for (int create_or_seal = 0; create_or_seal < 2; ++create_or_seal) {
    journal_.clear();
    const int64_t base = log_->next_offset().v;
    for (int i = 0; i < fit + 2; ++i) ASSERT_TRUE(Stage(MakeBatch(Idempotent(static_cast<int32_t>(base + i)))).ok());
    if (create_or_seal == 0) fs_.fail_create = true;        // the new segment's file
    else fs_.bytes_left = (fit - base % fit) * batch + 4;   // the old segment's index
    Waiter first(base + 1), last(base + fit + 2);
    log_->Await(&first);
    log_->Await(&last);
    EXPECT_EQ(Write(false).code(), Code::kNoSpace);
    EXPECT_EQ(log_->written_end().v, base + fit - base % fit);
    EXPECT_EQ(log_->next_offset(), log_->written_end());
    EXPECT_EQ(static_cast<int64_t>(journal_.size()), log_->written_end().v - base);
    EXPECT_EQ(last.failed.code(), Code::kNoSpace);
    EXPECT_TRUE(first.failed.ok());
    log_->AdvanceHighWatermark(log_->written_end());
    EXPECT_TRUE(first.reached);
    fs_.fail_create = false;
    fs_.bytes_left = INT64_MAX;
    // The producer goes on with the batch that failed.
    Result<AppendResult> retried = Append(Idempotent(static_cast<int32_t>(log_->next_offset().v)));
    ASSERT_TRUE(retried.ok()) << retried.status().ToString();
    EXPECT_FALSE(retried->duplicate);
  }
  const size_t count = ReadAll(0).size();
  ASSERT_TRUE(log_->CloseClean().ok());
  ASSERT_TRUE(Open(LoadState::Kind::kClean).ok());
  EXPECT_EQ(ReadAll(0).size(), count);
}

TEST_P(LogWriteFaultTest, ABrokenDiskTakesTheLogOffline) {
  ASSERT_TRUE(Open(LoadState::Kind::kNew).ok());
  ASSERT_TRUE(Append(BatchSpec{}).ok());
  ASSERT_TRUE(Stage(MakeBatch({})).ok());
  Waiter waiter(2);
  log_->Await(&waiter);
  fs_.write_errno = 5;
  fs_.bytes_left = 10;
  EXPECT_EQ(Write(false).code(), Code::kIo);
  EXPECT_EQ(waiter.failed.code(), Code::kIo);
  EXPECT_EQ(log_->offline().code(), Code::kIo);
  EXPECT_EQ(log_->next_offset().v, 1);
  EXPECT_EQ(Read(0, 100).code(), Code::kIo);
  EXPECT_EQ(log_->ColdRead(Offset(0), 100, true, Offset(1))().code(), Code::kIo);
}

TEST_P(LogWriteFaultTest, WhatCannotBeCutOffTakesTheLogOffline) {
  ASSERT_TRUE(Open(LoadState::Kind::kNew).ok());
  ASSERT_TRUE(Append(BatchSpec{}).ok());
  fs_.bytes_left = 10;
  fs_.fail_truncate = true;
  EXPECT_EQ(Append(BatchSpec{}).code(), Code::kNoSpace);
  EXPECT_EQ(log_->offline().code(), Code::kIo);
  EXPECT_EQ(lines_.lines.size(), 1u);
}

TEST_F(LogFaultTest, AFailedSyncIsReportedAndNothingIsCalledDurable) {
  ASSERT_TRUE(Open(LoadState::Kind::kNew).ok());
  ASSERT_TRUE(Append(BatchSpec{}).ok());
  Result<Log::SyncSet> set = log_->PrepareSync();
  ASSERT_TRUE(set.ok());
  fs_.fail_sync = true;
  EXPECT_EQ(set->Run(fs_).code(), Code::kIo);
  EXPECT_EQ(log_->recovery_point().v, 0);
  EXPECT_TRUE(log_->dirty());
  EXPECT_EQ(log_->CloseClean().code(), Code::kIo);
}

// The kernel tells a failure once: a checkpoint beside the sync that was told of it would prove what the disk has not.
TEST_F(LogFaultTest, AfterAFailedSyncThoseThatWereUnderWayFailToo) {
  ASSERT_TRUE(Open(LoadState::Kind::kNew).ok());
  ASSERT_TRUE(Append(BatchSpec{}).ok());
  Result<Log::SyncSet> told = log_->PrepareSync(), other = log_->PrepareSync();
  ASSERT_TRUE(told.ok() && other.ok());
  fs_.fail_sync = true;
  EXPECT_EQ(told->Run(fs_).code(), Code::kIo);
  fs_.fail_sync = false;
  EXPECT_EQ(other->Run(fs_).code(), Code::kIo);
  const std::vector<const Log::SyncSet*> many(100, &*other);
  WholeSync whole(&fs_, dir_.path());
  EXPECT_EQ(Log::SyncTogether(fs_, whole, many, 64).code(), Code::kIo);
}

TEST_F(LogFaultTest, ASegmentThatCannotBeRenamedForDeletionKeepsThoseBehindIt) {
  config_.segment_bytes = 2 * static_cast<int64_t>(MakeBatch({}).size());
  config_.file_delete_delay_ms = 0;
  ASSERT_TRUE(Open(LoadState::Kind::kNew).ok());
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(Append(BatchSpec{}).ok());
  ASSERT_TRUE(Sync().ok());
  fs_.fail_rename_of = "00000000000000000002.log";
  ASSERT_TRUE(log_->SetLogStart(Offset(7)).ok());
  EXPECT_FALSE(Exists(PathOf(0, ".log")));
  for (int64_t base : {2, 4, 6}) EXPECT_TRUE(Exists(PathOf(base, ".log"))) << base;
  fs_.fail_rename_of.clear();
  ASSERT_TRUE(Append(BatchSpec{}).ok());
  ASSERT_TRUE(Sync().ok());
  for (int64_t base : {2, 4}) EXPECT_FALSE(Exists(PathOf(base, ".log"))) << base;
  EXPECT_TRUE(Exists(PathOf(6, ".log")));
}

TEST_F(LogFaultTest, WhatIsNotInMemoryIsReadOnThePool) {
  config_.segment_bytes = 5000;
  ASSERT_TRUE(Open(LoadState::Kind::kNew).ok());
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(Append(BatchSpec{.value_bytes = 300}).ok());
  const auto all = ReadAll(0);
  fs_.reads_would_block = true;
  EXPECT_EQ(log_->Read(Offset(50), 2000, true, Offset(100), ReadMode::kNoWait).code(), Code::kWouldBlock);
  EXPECT_EQ(ReadAll(0), all);
  // At the end boundaries are remembered: a consumer that keeps up needs no file at all.
  const int opens = fs_.opens;
  EXPECT_TRUE(log_->Read(Offset(98), 2000, true, Offset(100), ReadMode::kNoWait).ok());
  EXPECT_EQ(fs_.opens, opens);
}

TEST_F(LogFaultTest, ASegmentThatLeavesTheLogDuringItsSyncHarmsNobody) {
  config_.segment_bytes = 500;
  ASSERT_TRUE(Open(LoadState::Kind::kNew).ok());
  ASSERT_TRUE(Append(BatchSpec{}).ok());
  Result<Log::SyncSet> earlier = log_->PrepareSync();
  ASSERT_TRUE(Append(BatchSpec{.producer = 7, .epoch = 0, .sequence = 0, .transactional = true}).ok());
  ASSERT_TRUE(Append(test::MakeMarker(7, 0, true), AppendOrigin::kCoordinator).ok());
  ASSERT_TRUE(Append(BatchSpec{.value_bytes = 400}).ok());
  ASSERT_TRUE(Exists(PathOf(0, ".txnindex")));
  Result<Log::SyncSet> later = log_->PrepareSync();
  ASSERT_TRUE(earlier.ok() && later.ok());
  log_->AdvanceHighWatermark(log_->written_end());
  ASSERT_TRUE(log_->SetLogStart(log_->active_base()).ok());
  ASSERT_TRUE(earlier->Run(fs_).ok());
  log_->SyncDone(*earlier);
  ASSERT_FALSE(Exists(PathOf(0, ".txnindex")));
  const Status synced = later->Run(fs_);
  EXPECT_TRUE(synced.ok()) << synced.ToString();
}

TEST_F(LogFaultTest, APartitionDeletedDuringItsSyncHarmsNobody) {
  ASSERT_TRUE(Open(LoadState::Kind::kNew).ok());
  ASSERT_TRUE(Append(BatchSpec{}).ok());
  Result<Log::SyncSet> set = log_->PrepareSync();
  ASSERT_TRUE(set.ok());
  ASSERT_TRUE(log_->Delete().ok());
  EXPECT_TRUE(set->Run(fs_).ok());
  EXPECT_FALSE(Exists(Dir()));
  EXPECT_NE(log_->dir().find("/t-0."), std::string::npos);
  EXPECT_EQ(log_->dir().substr(log_->dir().size() - 7), "-delete");
}

}  // namespace
}  // namespace sluice::log
