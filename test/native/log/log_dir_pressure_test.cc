// A log directory under pressure: a journal that is full, a disk that is full. Everything is simulated and happens when the test says so.
#include <gtest/gtest.h>

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
      while (env_->pool.RunOne()) {}
      env_->pool.RunCompletions();
      env_->writer.Drain();
      if (dir_) Commit();
      clock_.now_us += 100000;
      if (dir_) dir_->OnTimer();
    }
    std::string lines;
    for (const std::string& line : env_->reporter.lines) lines += line + "\n";
    FAIL() << "this never comes\n" << lines;
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
  std::optional<Status> closed;
  dir_->CloseClean([&](Status status) { closed = status; });
  Drive([&] { return closed.has_value(); });
  EXPECT_TRUE(closed->ok()) << closed->ToString();
  EXPECT_FALSE(*disk_->Exists("/data/journal.sluice"));
}

}  // namespace
}  // namespace sluice::log
