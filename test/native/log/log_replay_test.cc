// Recovery from a checkpoint and journal entries, one rule at a time. (Random combinations: log_model_test.cc.)
#include "fault_fs.h"
#include "log/proven_state.h"
#include "log_fixture.h"

namespace sluice::log {
namespace {

using test::BatchSpec;
using test::LogFixture;
using test::MakeBatch;
using test::OwnedEntry;

class LogReplayTest : public LogFixture {
 protected:
  LogReplayTest() {
    config_.durability = Durability::kFsync;
    config_.retention_ms = -1;
  }
  void Checkpoint() {
    ASSERT_TRUE(Sync().ok());
    proven_.clear();
    log_->EncodeProven(&proven_);
    journal_.clear();
  }
  Status Recover(std::optional<Offset> log_start = std::nullopt) {
    LoadState state;
    state.log_start = log_start;
    state.kind = LoadState::Kind::kProven;
    state.proven = proven_;
    return Open(state);
  }
  // A log with five batches proven and `more` in the journal.
  void Start(int more) {
    ASSERT_TRUE(Open(LoadState::Kind::kNew).ok());
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(Append(BatchSpec{.records = 2, .timestamp = 1000 + i}).ok());
    Checkpoint();
    for (int i = 0; i < more; ++i) ASSERT_TRUE(Append(BatchSpec{.records = 2, .timestamp = 2000 + i}).ok());
    all_ = ReadAll(0);
  }
  Status Replay(size_t from, size_t to) {
    for (size_t i = from; i < to; ++i) SLUICE_TRY(log_->ReplayBatch(journal_[i].View()));
    return Status::Ok();
  }

  std::string proven_;
  std::vector<std::vector<uint8_t>> all_;
};

TEST_F(LogReplayTest, WhatNothingProvesIsCut) {
  Start(4);
  ASSERT_TRUE(Recover().ok());
  ASSERT_TRUE(Replay(0, 2).ok());
  ASSERT_TRUE(log_->FinishReplay().ok());
  EXPECT_EQ(log_->high_watermark().v, 14);
  EXPECT_EQ(log_->next_offset().v, 14);
  EXPECT_EQ(*env_.fs->FileSize(PathOf(0, ".log")), log_->size_bytes());
  all_.resize(7);
  EXPECT_EQ(ReadAll(0), all_);
  EXPECT_TRUE(log_->dirty());
}

TEST_F(LogReplayTest, WhatIsMissingIsWrittenBack) {
  Start(4);
  Result<std::unique_ptr<io::File>> file = env_.fs->Open(PathOf(0, ".log"), io::OpenMode::kReadWrite);
  ASSERT_TRUE((*file)->Truncate(static_cast<int64_t>(all_[0].size()) * 5 + 10).ok());
  ASSERT_TRUE(Recover().ok());
  ASSERT_TRUE(Replay(0, 4).ok());
  ASSERT_TRUE(log_->FinishReplay().ok());
  EXPECT_EQ(ReadAll(0), all_);
  // And it appends on.
  EXPECT_EQ(Append(BatchSpec{})->base.v, 18);
}

// The next clean start would take it for a part of the log, and the next roll would meet it.
TEST_F(LogReplayTest, ATailThatCannotBeTakenAwayKeepsTheLogClosed) {
  test::FaultFs fs;
  env_.fs = &fs;
  config_.segment_bytes = 500;
  Start(8);
  ASSERT_TRUE(Recover().ok());
  fs.fail_rename = true;
  EXPECT_EQ(log_->FinishReplay().code(), Code::kIo);
  fs.fail_rename = false;
  ASSERT_TRUE(Recover().ok());
  ASSERT_TRUE(log_->FinishReplay().ok());
  EXPECT_EQ(log_->next_offset().v, 10);
  log_.reset();
  env_.fs = &io::RealFileSystem();
}

TEST_F(LogReplayTest, InModeOsTheScanGoesOn) {
  config_.durability = Durability::kOs;
  Start(4);
  ASSERT_TRUE(Recover().ok());
  ASSERT_TRUE(log_->FinishReplay().ok());
  EXPECT_EQ(ReadAll(0), all_);
  EXPECT_TRUE(lines_.lines.empty());
  // To the first byte that does not hold.
  Result<std::unique_ptr<io::File>> file = env_.fs->Open(PathOf(0, ".log"), io::OpenMode::kReadWrite);
  const uint8_t wrong = 0xff;
  ASSERT_TRUE((*file)->WriteAt({&wrong, 1}, static_cast<int64_t>(all_[0].size()) * 8 - 3).ok());
  ASSERT_TRUE(Recover().ok());
  ASSERT_TRUE(log_->FinishReplay().ok());
  all_.resize(7);
  EXPECT_EQ(ReadAll(0), all_);
  EXPECT_EQ(lines_.lines.size(), 1u);
}

TEST_F(LogReplayTest, TheLastModeSeenDecides) {
  Start(4);
  ASSERT_TRUE(Recover().ok());
  ASSERT_TRUE(Replay(0, 1).ok());
  ASSERT_TRUE(log_->ReplayMode(Durability::kOs).ok());
  ASSERT_TRUE(log_->FinishReplay().ok());
  EXPECT_EQ(ReadAll(0), all_);
  ASSERT_TRUE(Recover().ok());
  ASSERT_TRUE(log_->ReplayMode(Durability::kOs).ok());
  ASSERT_TRUE(log_->ReplaySynced(Offset(12)).ok());  // back to fsync
  ASSERT_TRUE(log_->FinishReplay().ok());
  EXPECT_EQ(log_->next_offset().v, 12);
}

TEST_F(LogReplayTest, SyncedDataIsProvenByTheFilesThemselves) {
  config_.segment_bytes = 1000;
  Start(8);
  ASSERT_TRUE(Recover().ok());
  ASSERT_TRUE(Replay(0, 1).ok());
  ASSERT_TRUE(log_->ReplaySynced(Offset(22)).ok());
  ASSERT_TRUE(Replay(6, 7).ok());
  ASSERT_TRUE(log_->FinishReplay().ok());
  EXPECT_EQ(log_->next_offset().v, 24);
  all_.resize(12);
  EXPECT_EQ(ReadAll(0), all_);
  // A promise that the files do not keep.
  ASSERT_TRUE(Recover().ok());
  EXPECT_EQ(log_->ReplaySynced(Offset(25)).code(), Code::kCorrupt);
  ASSERT_TRUE(Recover().ok());
  EXPECT_EQ(log_->ReplaySynced(Offset(26)).code(), Code::kCorrupt);
}

// Mode os, records deleted, then a sync of what was left: a power cut brings back the names of the rest, and not always their bytes.
TEST_F(LogReplayTest, WhatLeftTheLogBeforeTheSyncNeedNotBeWhole) {
  config_.segment_bytes = static_cast<int32_t>(5 * MakeBatch(BatchSpec{.records = 2, .timestamp = 1000}).size());
  Start(20);
  all_.resize(25);
  ASSERT_EQ(log_->active_base().v, 40);
  const std::vector<std::vector<uint8_t>> last(all_.begin() + 20, all_.end());
  ASSERT_TRUE(Sync().ok());
  const auto empty = [&](int64_t base) {
    auto file = env_.fs->Open(PathOf(base, ".log"), io::OpenMode::kReadWrite);
    ASSERT_TRUE(file.ok() && (*file)->Truncate(0).ok());
  };
  empty(10);
  empty(20);
  ASSERT_TRUE(Recover(Offset(40)).ok());
  ASSERT_TRUE(log_->ReplaySynced(Offset(50)).ok());
  ASSERT_TRUE(log_->FinishReplay().ok());
  EXPECT_EQ(log_->log_start().v, 40);
  EXPECT_EQ(log_->next_offset().v, 50);
  EXPECT_EQ(ReadAll(40), last);
}

TEST_F(LogReplayTest, ALogThatWasEmptyWhenItWasSyncedIsEmpty) {
  config_.segment_bytes = static_cast<int32_t>(5 * MakeBatch(BatchSpec{.records = 2, .timestamp = 1000}).size());
  Start(16);
  ASSERT_EQ(log_->active_base().v, 40);
  ASSERT_TRUE(Sync().ok());
  for (int64_t base = 10; base <= 40; base += 10) {
    auto file = env_.fs->Open(PathOf(base, ".log"), io::OpenMode::kReadWrite);
    ASSERT_TRUE(file.ok() && (*file)->Truncate(0).ok());
  }
  // Records that the log still has are not excused.
  ASSERT_TRUE(Recover(Offset(39)).ok());
  EXPECT_EQ(log_->ReplaySynced(Offset(40)).code(), Code::kCorrupt);
  ASSERT_TRUE(Recover(Offset(40)).ok());
  ASSERT_TRUE(log_->ReplaySynced(Offset(40)).ok());
  ASSERT_TRUE(Replay(15, 16).ok());   // and what was appended then is where the journal says
  ASSERT_TRUE(log_->FinishReplay().ok());
  EXPECT_EQ(log_->log_start().v, 40);
  EXPECT_EQ(log_->next_offset().v, 42);
  EXPECT_EQ(ReadAll(40).size(), 1u);
}

// Damage in a segment of which every record was deleted keeps nothing that was appended later from being found. It was synced up to its middle, and the
// journal has the rest.
class LogReplayDamageTest : public LogReplayTest {
 protected:
  void StartAt(Offset log_start) {
    config_.segment_bytes = static_cast<int32_t>(5 * MakeBatch(BatchSpec{.records = 2, .timestamp = 1000}).size());
    Start(16);
    ASSERT_EQ(log_->active_base().v, 40);
    ASSERT_TRUE(Sync().ok());
    auto active = env_.fs->Open(PathOf(40, ".log"), io::OpenMode::kReadWrite);
    ASSERT_TRUE(active.ok() && (*active)->Truncate(0).ok());
    auto file = env_.fs->Open(PathOf(30, ".log"), io::OpenMode::kReadWrite);
    const uint8_t wrong = 0xff;
    ASSERT_TRUE(file.ok() && (*file)->WriteAt({&wrong, 1}, 100).ok());
    ASSERT_TRUE(Recover(log_start).ok());
    ASSERT_TRUE(log_->ReplaySynced(Offset(36)).ok());
  }
};

TEST_F(LogReplayDamageTest, WhatTheJournalHasGoesOnBehindIt) {
  StartAt(Offset(40));
  ASSERT_TRUE(Replay(13, 16).ok());
  ASSERT_TRUE(log_->FinishReplay().ok());
  EXPECT_EQ(log_->log_start().v, 40);
  EXPECT_EQ(log_->next_offset().v, 42);
  EXPECT_EQ(ReadAll(40).size(), 1u);
  EXPECT_TRUE(lines_.lines.empty());
}

TEST_F(LogReplayDamageTest, NothingAboveTheStartIsLeftOut) {
  StartAt(Offset(39));
  ASSERT_TRUE(Replay(13, 14).ok());
  EXPECT_EQ(log_->ReplayBatch(journal_[14].View()).code(), Code::kCorrupt);
}

TEST_F(LogReplayDamageTest, InModeOsItIsTold) {
  StartAt(Offset(40));
  ASSERT_TRUE(log_->ReplayMode(Durability::kOs).ok());
  ASSERT_TRUE(log_->FinishReplay().ok());
  EXPECT_EQ(log_->next_offset().v, 40);
  ASSERT_EQ(lines_.lines.size(), 1u);
  EXPECT_NE(lines_.lines[0].find("batch CRC does not match; the log goes on at offset 40"), std::string::npos) << lines_.lines[0];
}

// A large batch was synced in its segment and deleted then; the folder is gone, and the journal has only what came after.
TEST_F(LogReplayTest, EntriesThatDoNotFitALogMadeAnewAreCorruption) {
  Start(2);
  ASSERT_TRUE(env_.fs->RemoveTree(Dir()).ok());
  ASSERT_TRUE(Open(LoadState::Kind::kNew).ok());
  ASSERT_TRUE(log_->ReplaySynced(Offset(10)).ok());
  ASSERT_TRUE(log_->ReplayLogStart(Offset(10)).ok());
  const Status refused = Replay(0, 1);
  EXPECT_EQ(refused.code(), Code::kCorrupt);
  EXPECT_NE(refused.what().find("journal entry for offset 10"), std::string::npos) << refused.what();
}

TEST_F(LogReplayTest, AGapOrAWrongPlaceIsCorruption) {
  Start(4);
  ASSERT_TRUE(Recover().ok());
  EXPECT_EQ(log_->ReplayBatch(journal_[1].View()).code(), Code::kCorrupt);
  ASSERT_TRUE(Recover().ok());
  BatchEntry entry = journal_[0].View();
  entry.position = entry.position + 1;
  EXPECT_EQ(log_->ReplayBatch(entry).code(), Code::kCorrupt);
  ASSERT_TRUE(Recover().ok());
  entry = journal_[0].View();
  entry.segment_base = Offset(3);
  EXPECT_EQ(log_->ReplayBatch(entry).code(), Code::kCorrupt);
  entry = journal_[0].View();
  entry.end = entry.end + 1;
  EXPECT_EQ(log_->ReplayBatch(entry).code(), Code::kCorrupt);
  entry = journal_[0].View();
  entry.batch = entry.batch.first(40);
  EXPECT_EQ(log_->ReplayBatch(entry).code(), Code::kCorrupt);
  EXPECT_TRUE(Replay(0, 4).ok());
  EXPECT_TRUE(Replay(0, 4).ok());  // what is there already is skipped
}

TEST_F(LogReplayTest, AFileShorterThanTheCheckpointProvesIsCorruption) {
  Start(0);
  Result<std::unique_ptr<io::File>> file = env_.fs->Open(PathOf(0, ".log"), io::OpenMode::kReadWrite);
  ASSERT_TRUE((*file)->Truncate(log_->size_bytes() - 1).ok());
  EXPECT_EQ(Recover().code(), Code::kCorrupt);
  ASSERT_TRUE(env_.fs->Remove(PathOf(0, ".log")).ok());
  // Gone altogether, with nothing behind it: nobody deleted that.
  Status opened = Recover();
  if (opened.ok()) opened = log_->FinishReplay();
  EXPECT_EQ(opened.code(), Code::kCorrupt) << opened.ToString();
}

TEST_F(LogReplayTest, IndexesOfAnyLengthAreSetRight) {
  config_.index_interval_bytes = 100;
  Start(4);
  ASSERT_TRUE(log_->CloseClean().ok());
  const std::string index = FileContent(PathOf(0, ".index")), times = FileContent(PathOf(0, ".timeindex"));
  ASSERT_EQ(index.size(), 8 * 8u);
  for (size_t length : {size_t{0}, size_t{5}, size_t{24}, size_t{32}, size_t{64}, size_t{70}}) {
    SCOPED_TRACE(length);
    std::string content = index + "garbage";
    content.resize(length);
    Result<std::unique_ptr<io::File>> file = env_.fs->Open(PathOf(0, ".index"), io::OpenMode::kReadWrite);
    ASSERT_TRUE((*file)->Truncate(0).ok());
    ASSERT_TRUE((*file)->WriteAt({reinterpret_cast<const uint8_t*>(content.data()), content.size()}, 0).ok());
    lines_.lines.clear();
    ASSERT_TRUE(Recover().ok());
    EXPECT_EQ(lines_.lines.size(), length < 32 ? 1u : 0u);
    ASSERT_TRUE(Replay(0, 4).ok());
    ASSERT_TRUE(log_->FinishReplay().ok());
    EXPECT_EQ(ReadAll(0, 1), all_);
    ASSERT_TRUE(log_->CloseClean().ok());
    EXPECT_EQ(FileContent(PathOf(0, ".index")), index);
    EXPECT_EQ(FileContent(PathOf(0, ".timeindex")), times);
  }
}

TEST_F(LogReplayTest, ASegmentThatRetentionTookIsNotMissed) {
  config_.segment_bytes = 1000;
  Start(8);  // 13 batches; segments hold three
  std::string proven = proven_;
  const std::vector<OwnedEntry> journal = journal_;
  ASSERT_TRUE(log_->SetLogStart(Offset(20)).ok());
  ASSERT_TRUE(Sync().ok());
  EXPECT_FALSE(Exists(PathOf(6, ".log")));
  // The journal still has batches of segments that are gone, and the moved start behind them.
  journal_ = journal;
  proven_ = proven;
  for (bool start_known : {false, true}) {
    ASSERT_TRUE(Recover().ok());
    ASSERT_TRUE(Replay(0, 8).ok());
    if (start_known) {
      ASSERT_TRUE(log_->ReplayLogStart(Offset(20)).ok());
    }
    Status finished = log_->FinishReplay();
    ASSERT_TRUE(finished.ok()) << finished.ToString();
    EXPECT_EQ(log_->next_offset().v, 26);
    EXPECT_EQ(log_->log_start().v, start_known ? 20 : 18);
    EXPECT_EQ(ReadAll(20), std::vector<std::vector<uint8_t>>(all_.begin() + 10, all_.end()));
  }
}

TEST_F(LogReplayTest, AnEmptyDirectoryIsFilledFromTheJournal) {
  config_.segment_bytes = 1000;
  epoch_ = 3;
  ASSERT_TRUE(Open(LoadState::Kind::kNew).ok());
  for (int i = 0; i < 9; ++i) ASSERT_TRUE(Append(BatchSpec{.records = 2, .producer = 1, .epoch = 0, .sequence = 2 * i}).ok());
  all_ = ReadAll(0);
  log_.reset();
  for (LoadState::Kind kind : {LoadState::Kind::kNew, LoadState::Kind::kProven}) {
    ASSERT_TRUE(env_.fs->RemoveTree(Dir()).ok());
    if (kind == LoadState::Kind::kProven) {
      ASSERT_TRUE(env_.fs->MakeDirs(Dir()).ok());
    }
    epoch_ = 4;
    ASSERT_TRUE(Open(kind).ok());
    ASSERT_TRUE(Replay(0, 9).ok());
    ASSERT_TRUE(log_->FinishReplay().ok());
    EXPECT_EQ(ReadAll(0), all_);
    EXPECT_EQ(log_->EpochOf(Offset(17)).v, 3);
    EXPECT_EQ(log_->EndOffsetForEpoch(LeaderEpoch(3)).end.v, 18);
    Result<AppendResult> again = Append(BatchSpec{.records = 2, .producer = 1, .epoch = 0, .sequence = 8});
    EXPECT_TRUE(again->duplicate);
    EXPECT_EQ(again->base.v, 8);
  }
}

TEST_F(LogReplayTest, TheProvenStateComesBackWhole) {
  ASSERT_TRUE(Open(LoadState::Kind::kNew).ok());
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(Append(BatchSpec{.records = 2, .timestamp = 5000 - i, .producer = i % 3, .epoch = 0, .sequence = i / 3 * 2}).ok());
  ASSERT_TRUE(Append(BatchSpec{.producer = 9, .epoch = 0, .sequence = 0, .transactional = true}).ok());
  log_->SetLeaderEpoch(LeaderEpoch(2));
  ASSERT_TRUE(log_->SetLogStart(Offset(3)).ok());
  Checkpoint();
  std::vector<ProducerDescription> before = log_->Producers();
  ASSERT_TRUE(Recover().ok());
  ASSERT_TRUE(log_->FinishReplay().ok());
  EXPECT_EQ(log_->Producers().size(), before.size());
  EXPECT_EQ(log_->log_start().v, 3);
  EXPECT_EQ(log_->last_stable().v, 40);
  EXPECT_EQ(log_->high_watermark().v, 41);
  EXPECT_EQ(log_->EpochOf(Offset(41)).v, 0);  // the epoch of this start began there
  // All five batches of each are remembered, which a snapshot file does not have.
  Result<AppendResult> again = Append(BatchSpec{.records = 2, .producer = 1, .epoch = 0, .sequence = 4});
  EXPECT_TRUE(again->duplicate);
  EXPECT_EQ((*log_->FindMaxTimestamp()())->timestamp.v, 1700000000000);
  std::string again_proven;
  Checkpoint();
  for (size_t i = 0; i < proven_.size(); ++i) {
    std::string damaged = proven_;
    damaged[i] = static_cast<char>(damaged[i] ^ 4);
    EXPECT_FALSE(DecodeProvenState(damaged).ok()) << i;
    EXPECT_FALSE(DecodeProvenState(std::string_view(proven_).substr(0, i)).ok()) << i;
  }
  EXPECT_TRUE(DecodeProvenState(proven_).ok());
}

}  // namespace
}  // namespace sluice::log
