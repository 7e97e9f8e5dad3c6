// A start after a crash, and the end of that life before its first checkpoint: two journals stand beside each other. Everything is simulated.
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/crc32c.h"
#include "batch/builder.h"
#include "log/checkpoint_store.h"
#include "log/log_dir.h"
#include "log_fixture.h"
#include "support/sim_disk.h"
#include "support/sim_env.h"
#include "verified.h"

namespace sluice::log {
namespace {

using sluice::test::SimClock;
using sluice::test::SimDisk;
using sluice::test::SimEnv;

constexpr int kPartitions = 3;

void StoreLE32(std::string& bytes, size_t at, uint32_t value) { std::memcpy(bytes.data() + at, &value, sizeof value); }

class TakeoverTest : public ::testing::Test {
 protected:
  TakeoverTest() : random_(1), disk_(std::make_unique<SimDisk>()) {}
  ~TakeoverTest() override { End(); }

  // Ends when the directory serves; what it left to the pool, its first checkpoint above all, has not run. `before_finish`: partitions are open.
  void Start(const std::function<void()>& before_finish = {}) {
    env_ = std::make_unique<SimEnv>(disk_.get(), &clock_, random_);
    LogDirOptions options;
    options.path = "/data";
    options.logs_at_once = 1;
    Result<std::unique_ptr<LogDir>> dir = LogDir::Open(env_->env, options);
    ASSERT_TRUE(dir.ok()) << dir.status().ToString();
    dir_ = dir.take();
    std::vector<PartitionSpec> specs;
    for (uint8_t i = 0; i < kPartitions; ++i) {
      PartitionSpec spec;
      spec.name = {"t" + std::to_string(i), 0};
      spec.id.bytes.fill(static_cast<uint8_t>(i + 1));
      spec.config.durability = durability_;
      specs.push_back(std::move(spec));
    }
    std::optional<std::vector<OpenOutcome>> outcomes;
    dir_->OpenPartitions(specs, [&](std::vector<OpenOutcome> found) { outcomes = std::move(found); });
    Drive([&] { return outcomes.has_value(); });
    logs_.clear();
    for (const OpenOutcome& outcome : *outcomes) {
      ASSERT_TRUE(outcome.status.ok()) << outcome.status.ToString();
      logs_.push_back(outcome.log);
    }
    if (before_finish) before_finish();
    std::optional<Result<RecoveryReport>> finished;
    dir_->FinishRecovery(false, [&](Result<RecoveryReport> report) { finished = std::move(report); });
    Drive([&] { return finished.has_value(); });
    ASSERT_TRUE(finished->ok()) << finished->status().ToString();
    report_ = **finished;
  }
  void End() {
    dir_.reset();
    env_.reset();
  }
  // What the writer has not been told to write never arrives.
  void Crash(bool power) {
    std::unique_ptr<SimDisk> next = power ? disk_->Cut(random_) : disk_->Kill();
    disk_->dead = true;
    End();
    disk_ = std::move(next);
  }
  void Kill() { Crash(false); }
  void CutPower() { Crash(true); }

  // Appends one record and commits; the disk has not written the journal's frame yet.
  void Append(int partition, size_t bytes = 1000) {
    batch::BatchBuilder builder;
    builder.Start({});
    std::vector<uint8_t> value(bytes, static_cast<uint8_t>(++written_));
    batch::RecordInput record;
    record.value = Bytes(value);
    ASSERT_TRUE(builder.Append(record).ok());
    Result<Bytes> built = builder.Finish();
    Append(partition, {built->begin(), built->end()}, AppendOrigin::kClient);
  }
  void Append(int partition, std::vector<uint8_t> batch, AppendOrigin origin) {
    Log* log = logs_.at(static_cast<size_t>(partition));
    Result<AppendResult> appended = log->Append(batch, origin, TimestampMs(clock_.WallMs()));
    ASSERT_TRUE(appended.ok()) << appended.status().ToString();
    dir_->MarkStaged(log);
    dir_->Commit();
  }
  void Flush() { env_->writer.Drain(); }
  int64_t End(int partition) const { return logs_.at(static_cast<size_t>(partition))->high_watermark().v; }
  Durability ModeOf(int partition) const { return logs_.at(static_cast<size_t>(partition))->config().durability; }
  void SetMode(int partition, Durability mode) {
    LogConfig config = logs_.at(static_cast<size_t>(partition))->config();
    config.durability = mode;
    dir_->SetConfig(logs_.at(static_cast<size_t>(partition)), config, [](Status changed) { EXPECT_TRUE(changed.ok()) << changed.ToString(); });
  }
  void Settle() {
    for (int i = 0; i < 20; ++i) Turn();
  }
  void Turn() {
    env_->RunAll();
    dir_->Commit();
    clock_.now_us += 100000;
    dir_->OnTimer();
  }
  void Drive(const std::function<bool()>& until) {
    for (int i = 0; i < 20000; ++i) {
      if (until()) return;
      Turn();
    }
    FAIL() << "this never comes";
  }

  std::mt19937_64 random_;
  SimClock clock_;
  std::unique_ptr<SimDisk> disk_;
  std::unique_ptr<SimEnv> env_;
  std::unique_ptr<LogDir> dir_;
  std::vector<Log*> logs_;
  RecoveryReport report_;
  Durability durability_ = Durability::kFsync;
  int written_ = 0;
};

TEST_F(TakeoverTest, EachLifeAddsToTheJournalUntilOneComesToItsCheckpoint) {
  Start();
  Append(0);
  Flush();
  ASSERT_EQ(End(0), 1);
  for (int life = 2; life < 8; ++life) {
    Crash(life % 2 == 0);
    Start();
    EXPECT_EQ(report_.incarnations, life - 1);
    EXPECT_EQ(dir_->stats().checkpoints, 0);
    EXPECT_EQ(End(0), life - 1);
    Append(0);
    Append(life % kPartitions);
    Flush();
    EXPECT_EQ(End(0), life + (life % kPartitions == 0 ? 1 : 0));
    if (life % kPartitions == 0) break;
  }
  const int64_t end = End(0);
  Settle();
  EXPECT_GT(dir_->stats().checkpoints, 0);
  CutPower();
  Start();
  EXPECT_EQ(report_.incarnations, 1);
  EXPECT_EQ(End(0), end);
}

TEST_F(TakeoverTest, ACheckpointTakesALogAtATimeAndAppendsGoOn) {
  for (const bool power : {false, true}) {
    SCOPED_TRACE(power ? "power cut" : "kill");
    Start();
    SetMode(0, Durability::kOs);   // whoever asks there when something is durable asks for a checkpoint
    Settle();
    const int64_t checkpoints = dir_->stats().checkpoints;
    for (int i = 0; i < kPartitions; ++i) Append(i);
    Flush();
    std::optional<Status> done;
    dir_->WhenDurable(logs_[0], logs_[0]->next_offset(), [&](Status status) { done = status; });
    int meanwhile = 0;
    for (; !done; ++meanwhile) {
      ASSERT_LT(meanwhile, 100);
      for (int i = 0; i < kPartitions; ++i) Append(i);
      Flush();
      (void)env_->pool.RunOne();
      env_->pool.RunCompletions();
    }
    ASSERT_TRUE(done->ok()) << done->ToString();
    EXPECT_GT(meanwhile, 2);
    EXPECT_EQ(dir_->stats().checkpoints, checkpoints + 1);
    std::vector<int64_t> ends;
    for (int i = 0; i < kPartitions; ++i) ends.push_back(End(i));
    Crash(power);
    Start();
    for (int i = power ? 1 : 0; i < kPartitions; ++i) EXPECT_EQ(End(i), ends[static_cast<size_t>(i)]);
    Settle();
    Crash(power);
  }
}

// Mode os answers before anything is durable, and of what only the page cache had the first recovery has made up its mind.
TEST_F(TakeoverTest, InModeOsWhatAKillLeavesIsThereHoweverOften) {
  durability_ = Durability::kOs;
  for (const bool power : {false, true}) {
    SCOPED_TRACE(power ? "power cut" : "kill");
    Start();
    const int64_t before = End(0);
    Append(0);
    Flush();
    Append(0);
    Kill();
    Start();
    ASSERT_EQ(End(0), before + 2);
    ASSERT_EQ(ModeOf(0), Durability::kOs);
    Append(0);
    Flush();
    Crash(power);
    Start();
    if (!power) {
      EXPECT_EQ(End(0), before + 3);
    }
    EXPECT_EQ(ModeOf(0), Durability::kOs);
    const int64_t now = End(0);
    Append(0);
    EXPECT_EQ(End(0), now + 1);
    Settle();
    CutPower();
  }
}

// Too large for the journal: mode os never says of such a batch that it is there.
TEST_F(TakeoverTest, InModeOsALargeBatchIsNoGap) {
  durability_ = Durability::kOs;
  Start();
  Append(0, 5 << 20);
  Append(0);
  Flush();
  Kill();
  Start();
  ASSERT_EQ(End(0), 2);
  Append(0);
  Flush();
  Kill();
  Start();
  EXPECT_EQ(End(0), 3);
}

// A sync that began in mode fsync ends after os and fsync again: its entry would be the last that recovery believes in.
TEST_F(TakeoverTest, WhatModeOsHasAnsweredIsNotGivenUpForAnOlderSync) {
  Start();
  Settle();
  Append(0, 5 << 20);
  SetMode(0, Durability::kOs);
  dir_->Commit();
  Flush();
  ASSERT_EQ(ModeOf(0), Durability::kOs);
  Append(0);
  ASSERT_EQ(End(0), 2);
  LogConfig config = logs_[0]->config();
  config.durability = Durability::kFsync;
  dir_->SetConfig(logs_[0], config, [](Status) {});   // the kill comes first
  env_->RunAll();   // the older sync, and not the one that covers all of it
  Flush();
  Kill();
  Start();
  EXPECT_EQ(End(0), 2);
}

// The next start finds nothing to cut, and in mode os nothing is written over what lies there.
TEST_F(TakeoverTest, WhatAStartHasCutAndNotSyncedIsSyncedByTheNextOne) {
  for (int i = 0; i < 8; ++i) {
    End();
    disk_ = std::make_unique<SimDisk>();
    durability_ = Durability::kFsync;
    Start();
    Settle();
    Append(0);   // the segment is durable, and the journal has nothing of it
    ASSERT_TRUE((*disk_->Open("/data/t0-0/00000000000000000000.log", io::OpenMode::kReadWrite))->Sync().ok());
    CutPower();
    Start();
    ASSERT_EQ(End(0), 0);
    Kill();
    durability_ = Durability::kOs;
    Start();
    ASSERT_EQ(End(0), 0);
    Settle();
    ASSERT_EQ(ModeOf(0), Durability::kOs);
    EXPECT_FALSE(*disk_->Exists("/data/t0-0/cut-not-synced"));
    CutPower();
    Start();
    ASSERT_EQ(End(0), 0) << "what was cut is there again";
  }
}

TEST_F(TakeoverTest, AModeThatIsSetDuringTheStartWaitsForItsTurn) {
  Start();
  Append(0);
  Append(1);
  Flush();
  Kill();
  // Mode os now: but the checkpoint on disk and the old journal say fsync, and a recovery would cut what only the page cache has.
  Start([this] { SetMode(0, Durability::kOs); });
  Append(0);
  EXPECT_EQ(End(0), 1);   // not answered
  Kill();
  Start();
  ASSERT_EQ(End(0), 1);
  SetMode(0, Durability::kOs);
  Settle();
  ASSERT_EQ(ModeOf(0), Durability::kOs);
  Append(0);
  EXPECT_EQ(End(0), 2);
  Kill();
  // Back to fsync while it starts: what was found in the page cache is synced before anything is called durable.
  durability_ = Durability::kOs;
  Start([this] { SetMode(0, Durability::kFsync); });
  ASSERT_EQ(End(0), 2);
  Flush();
  Append(0);
  Flush();
  Settle();
  ASSERT_EQ(ModeOf(0), Durability::kFsync);
  ASSERT_EQ(End(0), 3);
  CutPower();
  Start();
  EXPECT_EQ(End(0), 3);
}

// Ten thousand of them would need thirty thousand descriptors at once.
TEST_F(TakeoverTest, AnEmptyLogHasNothingThatItsFirstCheckpointSyncs) {
  Start();
  for (int life = 0; life < 2; ++life) {
    Kill();
    Start();
    for (const Log* log : logs_) EXPECT_FALSE(log->dirty());
  }
  Append(0);
  Flush();
  EXPECT_TRUE(logs_[0]->dirty());
  Settle();
  clock_.now_us += 61 * 1000000ll;
  Settle();
  EXPECT_TRUE(*disk_->Exists("/data/t0-0/00000000000000000000.timeindex"));
  EXPECT_FALSE(*disk_->Exists("/data/t1-0/00000000000000000000.timeindex"));
  std::optional<Status> closed;
  dir_->CloseClean([&](Status status) { closed = std::move(status); });
  Drive([&] { return closed.has_value(); });
  ASSERT_TRUE(closed->ok()) << closed->ToString();
  EXPECT_TRUE(*disk_->Exists("/data/t1-0/00000000000000000000.timeindex"));
}

// The log goes on where the power cut had ended it, and its start may move above where a lost segment began: that one must not come back.
TEST_F(TakeoverTest, ASegmentThatACrashHadLeftBehindTheEndIsGoneForGood) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    random_.seed(seed);
    disk_ = std::make_unique<SimDisk>();
    Start();
    Append(0);
    Flush();
    ASSERT_EQ(End(0), 1);
    Kill();
    const std::string stray = "/data/t0-0/00000000000000000005.log";
    {
      Result<std::unique_ptr<io::File>> file = disk_->Open(stray, io::OpenMode::kCreate);
      ASSERT_TRUE(file.ok());
      const std::vector<uint8_t> batch = test::MakeBatch({});
      ASSERT_TRUE((*file)->WriteAt(batch, 0).ok());
      ASSERT_TRUE((*file)->Sync().ok());
      ASSERT_TRUE(disk_->SyncDir("/data/t0-0").ok());
    }
    Start();
    EXPECT_FALSE(*disk_->Exists(stray));
    CutPower();
    EXPECT_FALSE(*disk_->Exists(stray));
    End();
  }
}

// There the old journal's space is what the new reserve is made of.
TEST_F(TakeoverTest, OnADiskThatIsNearlyFullACheckpointComesFirst) {
  Start();
  Append(0);
  Flush();
  Settle();
  Kill();
  ASSERT_TRUE(disk_->Remove("/data/journal.sluice/reserve").ok());
  disk_->capacity = disk_->used_bytes() + (24 << 20);
  Start();
  EXPECT_EQ(dir_->stats().checkpoints, 1);
  EXPECT_EQ(End(0), 1);
}

TEST(CheckpointStoreTest, ReadsTheVersionBeforeAndRefusesOneThatItDoesNotKnow) {
  Checkpoint checkpoint;
  checkpoint.mark = {7, 8, 9};
  checkpoint.partitions[{}].topic = "t";
  for (const uint32_t version : {0u, 1u, 2u, 3u}) {
    std::string bytes = EncodeCheckpoint(checkpoint);
    StoreLE32(bytes, 4, version);
    const size_t body = bytes.size() - 4;
    StoreLE32(bytes, body, Crc32c({reinterpret_cast<const uint8_t*>(bytes.data()), body}));
    Result<Checkpoint> read = DecodeCheckpoint(bytes, "checkpoint");
    EXPECT_EQ(read.ok(), version == 1 || version == 2) << version;
    if (read.ok()) {
      EXPECT_EQ(read->mark.sequence, 8u);
    } else {
      EXPECT_EQ(read.code(), Code::kUnsupportedFormat);
    }
  }
}

// The chain of a crashed journal may end anywhere; but frames that were begun after a later one was durable prove that it did not end there.
TEST_F(TakeoverTest, AJournalThatHasLostDurableFramesIsDamaged) {
  Start();
  Settle();
  constexpr int kFrames = 20;
  for (int i = 0; i < kFrames; ++i) {
    Append(0);
    Flush();
  }
  CutPower();
  test::ExpectNoDamage(*disk_, "/data");
  std::string path;
  std::vector<int64_t> frames;   // of the last chain
  const std::vector<io::DirEntry> names = disk_->List("/data/journal.sluice").take();
  for (const io::DirEntry& entry : names) {
    if (entry.name.rfind("journal-", 0) != 0) continue;
    std::string content = io::ReadWholeFile(*disk_, "/data/journal.sluice/" + entry.name, 64 << 20).take();
    for (size_t at = 0; at < content.size(); at += kJournalBlock) {
      const auto header = DecodeFrameHeader({reinterpret_cast<const uint8_t*>(content.data()) + at, kFrameHeaderBytes});
      if (!header || header->entries == 0) continue;
      path = "/data/journal.sluice/" + entry.name;
      frames.push_back(static_cast<int64_t>(at));
    }
  }
  ASSERT_GE(frames.size(), size_t{kFrames});
  const size_t first = frames.size() - kFrames;
  for (const auto& [broken, is_damage] : {std::pair(first, true), std::pair(first + 11, true), std::pair(first + 12, false), std::pair(frames.size() - 1, false)}) {
    std::unique_ptr<SimDisk> copy = disk_->Kill();
    std::unique_ptr<io::File> file = copy->Open(path, io::OpenMode::kReadWrite).take();
    uint8_t byte = 0;
    ASSERT_TRUE(file->ReadAt({&byte, 1}, frames[broken] + 500).ok());
    byte ^= 1;
    ASSERT_TRUE(file->WriteAt({&byte, 1}, frames[broken] + 500).ok());
    const VerifyReport report = test::Verified(*copy, "/data");
    EXPECT_EQ(report.damaged, is_damage ? 1 : 0) << broken - first << "\n" << test::TextOf(report);
    if (is_damage && report.damaged == 1) {
      EXPECT_EQ(report.damages[0].file, path);
      EXPECT_EQ(report.damages[0].position, frames[broken + 8]);
    }
  }
}

// A file that a log gets later in its life: its name must be as durable as the checkpoint that counts its entries.
TEST_F(TakeoverTest, TheNameOfATransactionIndexIsDurableWithTheCheckpointThatCountsIt) {
  Start();
  Append(0);
  Flush();
  for (int i = 0; i < 700; ++i) Turn();   // a checkpoint comes once a minute
  Append(0, test::MakeBatch({.producer = 7, .epoch = 0, .sequence = 0, .transactional = true}), AppendOrigin::kClient);
  Append(0, test::MakeMarker(7, 0, true), AppendOrigin::kCoordinator);
  Flush();
  for (int i = 0; i < 700; ++i) Turn();
  for (int cut = 0; cut < 20; ++cut) {
    std::unique_ptr<SimDisk> after = disk_->Cut(random_);
    EXPECT_TRUE(*after->Exists("/data/t0-0/00000000000000000000.txnindex"));
    test::ExpectNoDamage(*after, "/data");
  }
}

// Kafka was let onto the directory while the journal was needed, or somebody put the mark there: which of the two is right, nobody here can know.
TEST_F(TakeoverTest, AJournalInUseBesideTheMarkOfACleanStopIsRefusedAndNothingIsTouched) {
  Start();
  Append(0);
  Flush();
  Kill();
  ASSERT_TRUE(disk_->Open("/data/.kafka_cleanshutdown", io::OpenMode::kCreate).ok());
  std::vector<std::string> changes;
  disk_->on_change = [&](const std::string& what) { changes.push_back(what); };
  env_ = std::make_unique<SimEnv>(disk_.get(), &clock_, random_);
  LogDirOptions options;
  options.path = "/data";
  const Status refused = LogDir::Open(env_->env, options).status();
  EXPECT_EQ(refused.code(), Code::kForeign);
  EXPECT_NE(refused.what().find("both the mark of a clean stop and a journal in use"), std::string::npos) << refused.what();
  EXPECT_TRUE(changes.empty()) << changes.front();
  disk_->on_change = nullptr;
  EXPECT_EQ(test::Verified(*disk_, "/data").damaged, 1);
  ASSERT_TRUE(disk_->Remove("/data/.kafka_cleanshutdown").ok());
  Start();
  EXPECT_EQ(End(0), 1);
}

}  // namespace
}  // namespace sluice::log
