// A log directory under pressure: a journal that is full, a disk that is full. Everything is simulated and happens when the test says so.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "batch/builder.h"
#include "log/log_dir.h"
#include "support/sim_disk.h"
#include "support/sim_env.h"

namespace sluice::log {
namespace {

using sluice::test::SimClock;
using sluice::test::SimDisk;
using sluice::test::SimEnv;

// What became of an append.
struct Outcome {
  bool reached = false;
  Status failed;
  bool open() const { return !reached && failed.ok(); }
};

class PressureTest : public ::testing::Test {
 protected:
  PressureTest() : random_(1), disk_(std::make_unique<SimDisk>()) {}
  ~PressureTest() override { End(); }

  void Start() {
    env_ = std::make_unique<SimEnv>(disk_.get(), &clock_, random_);
    LogDirOptions options;
    options.path = "/data";
    options.journal_bytes = journal_bytes_;
    Result<std::unique_ptr<LogDir>> dir = LogDir::Open(env_->env, options);
    ASSERT_TRUE(dir.ok()) << dir.status().ToString();
    dir_ = dir.take();
    std::vector<PartitionSpec> specs{Spec("t", 1), Spec("__consumer_offsets", 2), Spec("u", 3)};
    std::optional<std::vector<OpenOutcome>> outcomes;
    dir_->OpenPartitions(specs, [&](std::vector<OpenOutcome> found) { outcomes = std::move(found); });
    Drive([&] { return outcomes.has_value(); });
    for (const OpenOutcome& outcome : *outcomes) ASSERT_TRUE(outcome.status.ok()) << outcome.status.ToString();
    logs_ = {(*outcomes)[0].log, (*outcomes)[1].log, (*outcomes)[2].log};
    std::optional<Status> finished;
    dir_->FinishRecovery(false, [&](Result<RecoveryReport> report) { finished = report.status(); });
    Drive([&] { return finished.has_value(); });
    ASSERT_TRUE(finished->ok()) << finished->ToString();
  }
  void End() {
    dir_.reset();
    env_.reset();
  }
  void Crash(bool power) {
    std::unique_ptr<SimDisk> next = power ? disk_->Cut(random_) : disk_->Kill();
    disk_->dead = true;
    End();
    disk_ = std::move(next);
  }

  static PartitionSpec Spec(const std::string& topic, uint8_t id) {
    PartitionSpec spec;
    spec.name = {topic, 0};
    spec.id.bytes.fill(id);
    spec.config.file_delete_delay_ms = 0;
    return spec;
  }
  Log& client() { return *logs_[0]; }
  Log& internal() { return *logs_[1]; }
  Log& other() { return *logs_[2]; }

  // Stages one batch of about that size.
  std::shared_ptr<Outcome> Append(Log& log, size_t bytes) {
    batch::BatchBuilder builder;
    builder.Start({});
    std::vector<uint8_t> value(bytes, 7);
    batch::RecordInput record;
    record.value = Bytes(value);
    EXPECT_TRUE(builder.Append(record).ok());
    Result<Bytes> built = builder.Finish();
    staged_.emplace_back(built->begin(), built->end());
    auto outcome = std::make_shared<Outcome>();
    Result<AppendResult> appended = log.Append(staged_.back(), &log == &internal() ? AppendOrigin::kCoordinator : AppendOrigin::kClient, TimestampMs(clock_.WallMs()));
    EXPECT_TRUE(appended.ok()) << appended.status().ToString();
    if (!appended.ok()) return outcome;
    dir_->MarkStaged(&log);
    log.Await(new Waiter(appended->last + 1, outcome));
    return outcome;
  }
  void Commit() {
    dir_->Commit();
    staged_.clear();
  }
  // The disk takes every write; nothing runs on the pool.
  void WriteAll() {
    env_->writer.Drain();
    Commit();
  }
  void Drive(const std::function<bool()>& until) {
    for (int i = 0; i < 20000; ++i) {
      if (until()) return;
      env_->RunAll();
      if (dir_) Commit();
      clock_.now_us += 100000;
      if (dir_) dir_->OnTimer();
    }
    std::string lines;
    for (const std::string& line : env_->reporter.lines) lines += line + "\n";
    FAIL() << "this never comes\n" << lines;
  }
  // What has come to the pool runs, and the clock goes on by a second.
  void Turn() {
    env_->RunAll();
    Commit();
    clock_.now_us += 1000000;
    dir_->OnTimer();
  }
  void Settle() {
    for (int i = 0; i < 5; ++i) Turn();
  }
  int Lines(const std::string& part) const {
    return static_cast<int>(std::count_if(env_->reporter.lines.begin(), env_->reporter.lines.end(),
                                          [&](const std::string& line) { return line.find(part) != std::string::npos; }));
  }
  void StopClean() {
    std::optional<Status> closed;
    dir_->CloseClean([&](Status status) { closed = status; });
    Drive([&] { return closed.has_value(); });
    ASSERT_TRUE(closed->ok()) << closed->ToString();
  }
  static std::vector<PartitionSpec> Many(int count) {
    std::vector<PartitionSpec> specs;
    for (int i = 0; i < count; ++i) {
      specs.push_back(Spec("many", 9));
      specs.back().name.partition = i;
    }
    return specs;
  }
  // More logs than are synced one by one, each with a batch that is to be in its index.
  std::vector<Log*> WriteToMany() {
    const std::vector<PartitionSpec> specs = Many(100);
    std::vector<Log*> many;
    dir_->OpenPartitions(specs, [&](std::vector<OpenOutcome> outcomes) {
      for (const OpenOutcome& outcome : outcomes) many.push_back(outcome.log);
    });
    Drive([&] { return many.size() == specs.size(); });
    for (int round = 0; round < 2; ++round) {
      for (Log* log : many) (void)Append(*log, 5000);
      Commit();
      WriteAll();
    }
    for (Log* log : many) EXPECT_EQ(log->high_watermark(), Offset(2));
    return many;
  }
  // As a producer does: appends while there is room, the disk writing behind it. The number of batches.
  int FillJournal(Log& log, size_t bytes) {
    int count = 0;
    for (; dir_->HasRoom() && count < 10000; ++count) {
      (void)Append(log, bytes);
      Commit();
      env_->writer.Drain();
    }
    return count;
  }
  int64_t FileBytes(const std::string& path) {
    Result<int64_t> size = disk_->FileSize(path);
    return size.ok() ? *size : -1;
  }

  class Waiter final : public OffsetWaiter {
   public:
    Waiter(Offset end, std::shared_ptr<Outcome> outcome) : outcome_(std::move(outcome)) { target = end; }
    void OnReached() override {
      outcome_->reached = true;
      delete this;
    }
    void OnFailed(const Status& why) override {
      outcome_->failed = why;
      delete this;
    }

   private:
    const std::shared_ptr<Outcome> outcome_;
  };

  std::mt19937_64 random_;
  SimClock clock_;
  int64_t journal_bytes_ = 16 << 20;
  std::unique_ptr<SimDisk> disk_;
  std::unique_ptr<SimEnv> env_;
  std::unique_ptr<LogDir> dir_;
  std::vector<Log*> logs_;
  std::deque<std::vector<uint8_t>> staged_;
};

TEST_F(PressureTest, AFullJournalLeavesAPartToInternalTopics) {
  Start();
  // The pool stands still: neither a checkpoint ends nor a new file is made.
  const int taken = FillJournal(client(), 60000);
  EXPECT_GT(taken, 5 << 20 >> 16) << "the journal has 8 MiB at least";
  EXPECT_FALSE(dir_->HasRoom());
  // Group commits and metadata go on; the journal has not waited for its checkpoint.
  for (int i = 0; i < 100; ++i) {
    const std::shared_ptr<Outcome> commit = Append(internal(), 1000);
    Commit();
    WriteAll();
    ASSERT_TRUE(commit->reached) << "the " << i << "th";
  }
  EXPECT_FALSE(dir_->HasRoom());
  // So does the end of a topic.
  std::optional<Status> deleted;
  dir_->DeletePartition({Spec("u", 3).id, 0}, [&](Status status) { deleted = status; });
  WriteAll();
  WriteAll();
  if (!deleted) Drive([&] { return deleted.has_value(); });
  EXPECT_TRUE(deleted->ok()) << deleted->ToString();
  // With the pool at work there is room again by itself.
  Drive([&] { return dir_->HasRoom(); });
}

TEST_F(PressureTest, ADeletedLogIsLetGoOfThoughTheJournalIsNeverIdle) {
  Start();
  const std::shared_ptr<Outcome> appended = Append(other(), 1000);
  WriteAll();
  Drive([&] { return appended->reached; });
  Result<LogSlice> slice = other().Read(Offset(0), 1 << 20, true, other().high_watermark(), ReadMode::kBlocking);
  ASSERT_TRUE(slice.ok()) << slice.status().ToString();
  std::weak_ptr<SegmentFiles> segment = slice->segment;
  slice->segment.reset();
  ASSERT_FALSE(segment.expired());
  std::optional<Status> deleted;
  for (int i = 0; i < 100 && !segment.expired(); ++i) {
    // One frame at least is on its way at any time.
    (void)Append(client(), 100);
    Commit();
    if (i == 0) dir_->DeletePartition({Spec("u", 3).id, 0}, [&](Status status) { deleted = status; });
    (void)env_->writer.Reap(env_->writer.pending() - 1);
    env_->pool.RunOne();
    env_->pool.RunCompletions();
    clock_.now_us += 100000;
    dir_->OnTimer();
  }
  ASSERT_TRUE(deleted.has_value());
  EXPECT_TRUE(deleted->ok()) << deleted->ToString();
  EXPECT_TRUE(segment.expired()) << "its files are open as long as others write";
}

TEST_F(PressureTest, WhatComesTooLateForTheJournalIsSyncedInItsSegment) {
  Start();
  (void)FillJournal(client(), 60000);
  // A request that was let in before: more than the journal's last part could take.
  std::vector<std::shared_ptr<Outcome>> late;
  for (int i = 0; i < 40; ++i) late.push_back(Append(i % 2 == 0 ? client() : other(), 900000));
  Commit();
  const std::shared_ptr<Outcome> commit = Append(internal(), 1000);
  Commit();
  WriteAll();
  EXPECT_TRUE(commit->reached) << "what came late has taken what is reserved";
  Drive([&] { return std::all_of(late.begin(), late.end(), [](const auto& outcome) { return outcome->reached; }); });
  const Offset ends[3] = {client().written_end(), internal().written_end(), other().written_end()};
  Crash(true);
  Start();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(logs_[static_cast<size_t>(i)]->high_watermark(), ends[i]) << i;
}

TEST_F(PressureTest, AFullJournalIsNoObstacleToACleanStop) {
  Start();
  (void)FillJournal(client(), 60000);
  (void)Append(client(), 900000);
  StopClean();
  EXPECT_FALSE(*disk_->Exists("/data/journal.sluice"));
}

// --- full disks

TEST_F(PressureTest, OnAFullDiskClientsAreRefusedAndTheRestGoesOn) {
  Start();
  Settle();
  const std::shared_ptr<Outcome> before = Append(client(), 1000);
  Commit();
  WriteAll();
  ASSERT_TRUE(before->reached);
  disk_->capacity = disk_->used_bytes();
  const std::shared_ptr<Outcome> refused = Append(client(), 50000);
  Commit();
  EXPECT_EQ(refused->failed.code(), Code::kNoSpace);
  EXPECT_EQ(FileBytes("/data/t-0/00000000000000000000.log"), client().size_bytes()) << "what was half written is still there";
  // More than a checkpoint's worth of group commits, and checkpoints between them.
  for (int i = 0; i < 300; ++i) {
    const std::shared_ptr<Outcome> commit = Append(internal(), 3000);
    Commit();
    WriteAll();
    ASSERT_TRUE(commit->reached) << commit->failed.ToString() << ", the " << i << "th";
  }
  clock_.now_us += 61000000;
  const int64_t checkpoints = dir_->stats().checkpoints;
  Drive([&] { return dir_->stats().checkpoints > checkpoints; });
  // A new topic and the end of an old one.
  std::optional<Status> made, moved, deleted;
  dir_->OpenPartitions({Spec("v", 4)}, [&](std::vector<OpenOutcome> outcomes) { made = outcomes[0].status; });
  dir_->DeleteRecords(&client(), client().high_watermark(), [&](Result<Offset> start) { moved = start.status(); });
  Drive([&] { return made && moved; });
  EXPECT_TRUE(made->ok()) << made->ToString();
  EXPECT_TRUE(moved->ok()) << moved->ToString();
  const std::shared_ptr<Outcome> still = Append(other(), 100);
  Commit();
  EXPECT_EQ(still->failed.code(), Code::kNoSpace) << "clients must not use what is held back";
  // Room for the records, but not yet for the reserve too.
  disk_->capacity = disk_->used_bytes() + (1 << 20);
  for (int i = 0; i < 30; ++i) Turn();
  const std::shared_ptr<Outcome> early = Append(client(), 1000);
  Commit();
  EXPECT_EQ(early->failed.code(), Code::kNoSpace);
  disk_->capacity = disk_->used_bytes() + (40 << 20);
  for (int i = 0; i < 30; ++i) Turn();
  const std::shared_ptr<Outcome> after = Append(client(), 1000);
  Commit();
  WriteAll();
  EXPECT_TRUE(after->reached) << after->failed.ToString();
  EXPECT_EQ(Lines("is full"), 1);
  EXPECT_EQ(Lines("has room again"), 1);
  dir_->DeletePartition({Spec("u", 3).id, 0}, [&](Status status) { deleted = status; });
  Drive([&] { return deleted.has_value(); });
  EXPECT_TRUE(deleted->ok()) << deleted->ToString();
}

// So many logs are synced together. Their indexes are made by the checkpoint, and find no room.
TEST_F(PressureTest, ACheckpointOfManyLogsWaitsOnAFullDiskAndIsMadeOnceThereIsRoom) {
  Start();
  Settle();
  const std::vector<Log*> many = WriteToMany();
  disk_->capacity = disk_->used_bytes() - (64 << 20);   // the reserve helps nobody
  clock_.now_us += 61000000;
  const int64_t checkpoints = dir_->stats().checkpoints;
  Drive([&] { return Lines("checkpoint waits") > 0 || !dir_->status().ok(); });
  ASSERT_TRUE(dir_->status().ok()) << dir_->status().ToString();
  disk_->capacity = INT64_MAX;
  Drive([&] { return dir_->stats().checkpoints > checkpoints; });
  const std::shared_ptr<Outcome> after = Append(*many[7], 1000);
  Commit();
  WriteAll();
  EXPECT_TRUE(after->reached) << after->failed.ToString();
}

// Not a byte is left, nor any of the reserve, and the names of the last segments are not durable yet: no checkpoint can be made.
TEST_F(PressureTest, DeletedRecordsFreeADiskThatIsFullToTheLastByte) {
  Start();
  Settle();
  LogConfig small = client().config();
  small.segment_bytes = 20000;
  client().SetConfig(small);
  for (int i = 0; i < 10; ++i) {
    (void)Append(client(), 15000);
    Commit();
    WriteAll();
  }
  ASSERT_EQ(client().high_watermark(), Offset(10));
  disk_->capacity = disk_->used_bytes() - (64 << 20);
  ASSERT_EQ(Append(client(), 15000)->reached, false);
  Commit();
  const int64_t checkpoints = dir_->stats().checkpoints;
  std::optional<Status> moved;
  dir_->DeleteRecords(&client(), Offset(10), [&](Result<Offset> start) { moved = start.status(); });
  Drive([&] { return moved.has_value(); });
  ASSERT_TRUE(moved->ok()) << moved->ToString();
  for (int i = 0; i < 5; ++i) Turn();
  EXPECT_FALSE(*disk_->Exists("/data/t-0/00000000000000000000.log"));
  EXPECT_FALSE(*disk_->Exists("/data/t-0/00000000000000000008.log"));
  EXPECT_EQ(dir_->stats().checkpoints, checkpoints);
  EXPECT_EQ(client().log_start(), Offset(10));
  // And a crash finds the log where it goes on.
  Crash(true);
  disk_->capacity = INT64_MAX;
  Start();
  EXPECT_EQ(client().log_start(), Offset(10));
  EXPECT_EQ(client().high_watermark(), Offset(10));
}

TEST_F(PressureTest, ADiskThatOthersFilledDoesNotKeepRecordsFromBeingRecovered) {
  for (const bool power : {true, false}) {
    Start();
    Settle();
    // As much as can be acknowledged without a checkpoint.
    (void)FillJournal(client(), 60000);
    for (int i = 0; i < 20; ++i) Turn();   // the journal has grown: again
    (void)FillJournal(other(), 100000);
    const Offset ends[2] = {client().high_watermark(), other().high_watermark()};
    ASSERT_GT(ends[0].v + ends[1].v, 150);
    Crash(power);
    disk_->capacity = disk_->used_bytes();
    Start();
    EXPECT_GE(client().high_watermark(), ends[0]);
    EXPECT_GE(other().high_watermark(), ends[1]);
    disk_->capacity = INT64_MAX;
    Settle();
    EXPECT_GE(FileBytes("/data/journal.sluice/reserve"), 24 << 20) << "it is made again";
    StopClean();
    EXPECT_EQ(FileBytes("/data/journal.sluice/reserve"), -1);
    End();
  }
}

TEST_F(PressureTest, ACleanStopOnAFullDiskUsesTheReserve) {
  Start();
  Settle();
  (void)FillJournal(client(), 60000);
  disk_->capacity = disk_->used_bytes();
  (void)Append(client(), 900000);
  StopClean();
  EXPECT_TRUE(*disk_->Exists("/data/.kafka_cleanshutdown"));
  EXPECT_FALSE(*disk_->Exists("/data/journal.sluice"));
  const Offset end = client().high_watermark();
  EXPECT_GT(end.v, 50);
  Crash(true);
  disk_->capacity = INT64_MAX;
  Start();
  EXPECT_EQ(client().high_watermark(), end);
}

TEST_F(PressureTest, ACleanStopOfManyLogsOnAFullDiskUsesTheReserve) {
  Start();
  Settle();
  (void)WriteToMany();
  disk_->capacity = disk_->used_bytes();
  StopClean();
  EXPECT_TRUE(*disk_->Exists("/data/.kafka_cleanshutdown"));
}

// The sync of the whole file system that new topics need is told of pages that it could not write, whosever they are, and the next one is not.
TEST_F(PressureTest, AFailedSyncForNewTopicsTakesTheDirectoryOffline) {
  for (const uint32_t alignment : {4096u, 0u}) {
    SCOPED_TRACE(alignment);
    End();
    disk_ = std::make_unique<SimDisk>(alignment);
    Start();
    Settle();
    (void)Append(client(), 1000);
    Commit();
    WriteAll();
    disk_->faults.push_back({"syncfs", "/data", Status::FromErrno(EIO, "syncfs")});
    std::optional<Status> made;
    dir_->OpenPartitions(Many(20), [&](std::vector<OpenOutcome> outcomes) { made = outcomes[7].status; });
    Drive([&] { return made.has_value(); });
    EXPECT_FALSE(made->ok());
    EXPECT_EQ(dir_->status().code(), Code::kOffline);
    // What may have lost pages is noted: a log that was written to, the journal where its writes go through the page cache.
    env_->RunAll();
    EXPECT_EQ(FileBytes("/data/sync-failed"), -1);
    EXPECT_GT(FileBytes("/data/t-0/sync-failed"), 1);
    EXPECT_EQ(FileBytes("/data/u-0/sync-failed"), -1);
    EXPECT_EQ(FileBytes("/data/journal.sluice/sync-failed"), alignment == 0 ? 1 : -1);
  }
}

TEST_F(PressureTest, ADirectoryThatGoesOfflineWhileItLooksForSpaceCanBeStopped) {
  Start();
  Settle();
  disk_->capacity = disk_->used_bytes();
  (void)Append(client(), 50000);
  Commit();
  Turn();
  ASSERT_EQ(env_->pool.pending(), 1u);   // whether there is room again
  disk_->faults.push_back({"write", "/data/journal.sluice/journal", Status::FromErrno(EIO, "write")});
  (void)Append(internal(), 1000);
  Commit();
  WriteAll();
  ASSERT_EQ(dir_->status().code(), Code::kOffline);
  auto closed = std::make_shared<std::optional<Status>>();
  dir_->CloseClean([closed](Status status) { *closed = status; });
  EXPECT_FALSE(closed->has_value());
  env_->RunAll();   // no timer is needed
  ASSERT_TRUE(closed->has_value());
  EXPECT_EQ((*closed)->code(), Code::kOffline);
}

TEST_F(PressureTest, TheJournalOfASmallDiskIsSmall) {
  journal_bytes_ = 512 << 20;
  disk_->capacity = int64_t{400} << 20;
  Start();
  for (int i = 0; i < 40; ++i) {
    (void)FillJournal(client(), 150000);
    Turn();
  }
  EXPECT_LE(dir_->stats().journal_capacity, 25 << 20);
}

// --- disks that make writers wait

TEST_F(PressureTest, WhenTooMuchIsDirtyTheHomeThreadDoesNotWrite) {
  disk_->dirty_budget = 180000;
  Start();
  const std::shared_ptr<Outcome> first = Append(client(), 190000);
  Commit();
  WriteAll();
  EXPECT_TRUE(first->reached);
  // A checkpoint was due at the budget; the pool has not come to it. Half as much again is too much.
  const std::shared_ptr<Outcome> second = Append(client(), 190000);
  Commit();
  EXPECT_GT(client().written_end(), Offset(1));
  std::vector<std::shared_ptr<Outcome>> kept;
  for (int i = 0; i < 3; ++i) {
    kept.push_back(Append(client(), 1000));
    kept.push_back(Append(other(), 1000));
    Commit();
  }
  WriteAll();
  EXPECT_TRUE(second->reached);
  EXPECT_EQ(client().written_end(), Offset(2)) << "the home thread has written";
  EXPECT_EQ(client().next_offset(), Offset(5));
  EXPECT_TRUE(std::none_of(kept.begin(), kept.end(), [](const auto& outcome) { return outcome->reached; }));
  Drive([&] { return std::all_of(kept.begin(), kept.end(), [](const auto& outcome) { return outcome->reached; }); });
  EXPECT_EQ(client().high_watermark(), Offset(5));
  // When the disk is well, the home thread writes again.
  for (int i = 0; i < 3; ++i) Turn();
  (void)Append(client(), 1000);
  Commit();
  EXPECT_EQ(client().written_end(), Offset(6));
}

TEST_F(PressureTest, WhatWaitsForTheAppenderIsBounded) {
  disk_->dirty_budget = 1000;
  Start();
  int taken = 0;
  for (; dir_->HasRoom() && taken < 1000; ++taken) {
    (void)Append(client(), 900000);
    Commit();
  }
  EXPECT_GE(taken, 30);
  EXPECT_LE(taken, 40);
  Drive([&] { return dir_->HasRoom() && client().high_watermark() == Offset(taken); });
}

TEST_F(PressureTest, AFullDiskIsMetByTheAppenderToo) {
  disk_->dirty_budget = 1000;
  Start();
  Settle();
  (void)Append(client(), 5000);
  Commit();
  const int64_t bytes = client().size_bytes();
  disk_->capacity = disk_->used_bytes();
  const std::shared_ptr<Outcome> refused = Append(client(), 50000), refused_too = Append(client(), 1000), commit = Append(internal(), 5000);
  Commit();
  EXPECT_TRUE(refused->open());
  Drive([&] { return !refused->open() && !refused_too->open() && !commit->open(); });
  EXPECT_EQ(refused->failed.code(), Code::kNoSpace);
  EXPECT_EQ(refused_too->failed.code(), Code::kNoSpace);
  EXPECT_TRUE(commit->reached) << commit->failed.ToString();
  EXPECT_EQ(client().next_offset(), Offset(1));
  EXPECT_EQ(FileBytes("/data/t-0/00000000000000000000.log"), bytes) << "what was half written is still there";
  disk_->capacity = INT64_MAX;
  Settle();
  const std::shared_ptr<Outcome> after = Append(client(), 1000);
  Commit();
  Drive([&] { return !after->open(); });
  EXPECT_TRUE(after->reached) << after->failed.ToString();
}

}  // namespace
}  // namespace sluice::log
