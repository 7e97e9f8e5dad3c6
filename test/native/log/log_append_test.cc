// Appending to a log and reading it back, on real files.
#include "log_fixture.h"

#include "log/time_index.h"

namespace sluice::log {
namespace {

using test::BatchSpec;
using test::LogFixture;
using test::MakeBatch;

class LogAppendTest : public LogFixture {};

class Waiter final : public OffsetWaiter {
 public:
  explicit Waiter(int64_t at) { target = Offset(at); }
  void OnReached() override { ++reached; }
  void OnFailed(const Status& why) override { failed = why; }
  int reached = 0;
  Status failed;
};

class Watcher final : public AdvanceWatcher {
 public:
  void OnAdvance(Log& log) override {
    ++advances;
    if (victim != nullptr) victim->Unlink();
    if (once) Unlink();
    end = log.high_watermark().v;
  }
  void OnGone(Log&) override { gone = true; }
  int advances = 0;
  int64_t end = -1;
  bool once = false, gone = false;
  Watcher* victim = nullptr;
};

TEST_F(LogAppendTest, ANewLogIsEmptyAndNamesItsTopic) {
  ASSERT_TRUE(Open(LoadState::Kind::kNew).ok());
  EXPECT_EQ(log_->next_offset().v, 0);
  EXPECT_EQ(log_->high_watermark().v, 0);
  EXPECT_EQ(FileContent(Dir() + "/partition.metadata"), "version: 0\ntopic_id: " + topic_id_.ToString());
  EXPECT_TRUE(Exists(PathOf(0, ".log")));
  EXPECT_EQ(Read(0, 100)->length, 0);
  EXPECT_EQ(Read(1, 100).code(), Code::kOffsetOutOfRange);
}

TEST_F(LogAppendTest, AFileOfTheTopicCutShortIsMadeAnewAndAnothersIsNot) {
  ASSERT_TRUE(Open(LoadState::Kind::kNew).ok());
  ASSERT_TRUE(log_->CloseClean().ok());
  const std::string path = Dir() + "/partition.metadata", whole = FileContent(path), prefix = "version: 0\ntopic_id: ";
  for (size_t length = 0; length < whole.size(); ++length) {
    ASSERT_TRUE(io::WriteFileAtomically(*env_.fs, path, whole.substr(0, length)).ok());
    ASSERT_TRUE(Open(LoadState::Kind::kClean).ok()) << length;
    EXPECT_EQ(FileContent(path), whole);
  }
  std::string other = topic_id_.ToString();
  other[0] = other[0] == 'A' ? 'B' : 'A';
  ASSERT_TRUE(io::WriteFileAtomically(*env_.fs, path, prefix + other).ok());
  EXPECT_EQ(Open(LoadState::Kind::kClean).code(), Code::kForeign);
  ASSERT_TRUE(io::WriteFileAtomically(*env_.fs, path, prefix + other.substr(0, 5)).ok());
  EXPECT_EQ(Open(LoadState::Kind::kClean).code(), Code::kCorrupt);
}

TEST_F(LogAppendTest, OffsetsFollowEachOtherAndBytesComeBack) {
  ASSERT_TRUE(Open(LoadState::Kind::kNew).ok());
  epoch_ = 0;
  Result<AppendResult> first = Append(BatchSpec{.records = 3});
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(first->base.v, 0);
  EXPECT_EQ(first->last.v, 2);
  EXPECT_EQ(first->log_append_time.v, -1);
  Result<AppendResult> second = Append(BatchSpec{.records = 2});
  EXPECT_EQ(second->base.v, 3);
  const auto batches = ReadAll(0);
  ASSERT_EQ(batches.size(), 2u);
  EXPECT_EQ(batch::BatchView(batches[1]).base_offset().v, 3);
  EXPECT_EQ(batch::BatchView(batches[1]).leader_epoch().v, 0);
  // From the middle of a batch the whole batch comes.
  EXPECT_EQ(Read(4, 1)->first_offset.v, 3);
  EXPECT_EQ(Read(4, 1)->length, static_cast<int64_t>(batches[1].size()));
  EXPECT_EQ(Read(4, 1, false)->length, 0);
  EXPECT_EQ(log_->size_bytes(), static_cast<int64_t>(batches[0].size() + batches[1].size()));
}

TEST_F(LogAppendTest, NothingBeyondTheHighWatermarkIsRead) {
  ASSERT_TRUE(Open(LoadState::Kind::kNew).ok());
  ASSERT_TRUE(Append(BatchSpec{}).ok());
  const int64_t visible = log_->size_bytes();
  ASSERT_TRUE(Stage(MakeBatch({.records = 2})).ok());
  EXPECT_EQ(log_->next_offset().v, 3);
  EXPECT_EQ(log_->written_end().v, 1);
  ASSERT_TRUE(Stage(MakeBatch({})).ok());
  ASSERT_TRUE(Write(false).ok());
  EXPECT_EQ(log_->written_end().v, 4);
  EXPECT_EQ(log_->high_watermark().v, 1);
  EXPECT_EQ(Read(0, 1 << 20)->length, visible);
  EXPECT_EQ(Read(1, 1 << 20)->length, 0);
  EXPECT_EQ(Read(3, 1 << 20)->length, 0);
  EXPECT_EQ(Read(5, 1 << 20).code(), Code::kOffsetOutOfRange);
  log_->AdvanceHighWatermark(Offset(3));
  EXPECT_EQ(ReadAll(0).size(), 2u);
  // The cold way sees the same bound.
  EXPECT_EQ(log_->ColdRead(Offset(0), 1 << 20, true, Offset(INT64_MAX))()->length, Read(0, 1 << 20)->length);
}

TEST_F(LogAppendTest, WaitersHearWhenTheirOffsetIsReached) {
  ASSERT_TRUE(Open(LoadState::Kind::kNew).ok());
  Waiter at3(3), at1(1), at2(2), at0(0);
  log_->Await(&at0);
  EXPECT_EQ(at0.reached, 1);
  log_->Await(&at3);
  log_->Await(&at1);
  log_->Await(&at2);
  ASSERT_TRUE(Append(BatchSpec{.records = 2}).ok());
  EXPECT_EQ(at1.reached, 1);
  EXPECT_EQ(at2.reached, 1);
  EXPECT_EQ(at3.reached, 0);
  {
    Waiter forgotten(4);
    log_->Await(&forgotten);
  }
  log_->TakeOffline(Status::Error(Code::kIo, "gone"));
  EXPECT_EQ(at3.failed.code(), Code::kIo);
  Waiter late(0);
  log_->Await(&late);
  EXPECT_EQ(late.failed.code(), Code::kIo);
  EXPECT_EQ(Append(BatchSpec{}).code(), Code::kIo);
}

TEST_F(LogAppendTest, WatchersHearOfEveryAdvanceAndMayLeave) {
  ASSERT_TRUE(Open(LoadState::Kind::kNew).ok());
  Watcher stays, leaves, dropped;
  leaves.once = true;
  leaves.victim = &dropped;
  log_->Watch(&stays);
  log_->Watch(&leaves);
  log_->Watch(&dropped);
  ASSERT_TRUE(Append(BatchSpec{}).ok());
  ASSERT_TRUE(Append(BatchSpec{}).ok());
  EXPECT_EQ(stays.advances, 2);
  EXPECT_EQ(stays.end, 2);
  EXPECT_EQ(leaves.advances, 1);
  EXPECT_EQ(dropped.advances, 0);
  log_->TakeOffline(Status::Error(Code::kIo, "gone"));
  EXPECT_TRUE(stays.gone);
  EXPECT_FALSE(leaves.gone);
}

TEST_F(LogAppendTest, LogAppendTimeIsStamped) {
  config_.log_append_time = true;
  ASSERT_TRUE(Open(LoadState::Kind::kNew).ok());
  clock_.now = 1800000000000;
  Result<AppendResult> result = Append(BatchSpec{.timestamp = 5});
  EXPECT_EQ(result->log_append_time.v, clock_.now);
  const auto batches = ReadAll(0);
  EXPECT_TRUE(batch::BatchView(batches[0]).log_append_time());
  EXPECT_EQ(batch::BatchView(batches[0]).max_timestamp().v, clock_.now);
}

TEST_F(LogAppendTest, RollsBySizeAndTellsTheJournalWhere) {
  config_.segment_bytes = 1000;
  config_.durability = Durability::kFsync;
  ASSERT_TRUE(Open(LoadState::Kind::kNew).ok());
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(Stage(MakeBatch({.records = 2, .value_bytes = 150})).ok());
  ASSERT_TRUE(Write().ok());
  const int64_t batch = static_cast<int64_t>(MakeBatch({.records = 2, .value_bytes = 150}).size());
  const int64_t per_segment = 1000 / batch;
  ASSERT_EQ(journal_.size(), 20u);
  for (int64_t i = 0; i < 20; ++i) {
    EXPECT_EQ(journal_[static_cast<size_t>(i)].entry.base.v, 2 * i);
    EXPECT_EQ(journal_[static_cast<size_t>(i)].entry.segment_base.v, i / per_segment * per_segment * 2);
    EXPECT_EQ(journal_[static_cast<size_t>(i)].entry.position.v, i % per_segment * batch);
  }
  EXPECT_TRUE(Exists(PathOf(2 * per_segment, ".log")));
  EXPECT_EQ(ReadAll(0).size(), 20u);
  EXPECT_EQ(ReadAll(0, 1).size(), 20u);
  // A batch larger than a segment is refused.
  EXPECT_EQ(Append(BatchSpec{.value_bytes = 2000}).code(), Code::kTooLarge);
}

TEST_F(LogAppendTest, AnEmptySegmentTakesWhatWasStagedBeforeSegmentsBecameSmaller) {
  ASSERT_TRUE(Open(LoadState::Kind::kNew).ok());
  ASSERT_TRUE(Stage(MakeBatch({.value_bytes = 2000})).ok());
  ASSERT_TRUE(Stage(MakeBatch({.value_bytes = 100})).ok());
  config_.segment_bytes = 1000;
  log_->SetConfig(config_);
  ASSERT_TRUE(Write().ok());
  EXPECT_EQ(ReadAll(0).size(), 2u);
  EXPECT_TRUE(Exists(PathOf(1, ".log")));
}

TEST_F(LogAppendTest, RollsByTimeOfTheFirstBatch) {
  config_.segment_ms = 1000;
  ASSERT_TRUE(Open(LoadState::Kind::kNew).ok());
  ASSERT_TRUE(Append(BatchSpec{.timestamp = 10000}).ok());
  ASSERT_TRUE(Append(BatchSpec{.timestamp = 11000}).ok());
  EXPECT_FALSE(Exists(PathOf(2, ".log")));
  ASSERT_TRUE(Append(BatchSpec{.timestamp = 11001}).ok());
  EXPECT_TRUE(Exists(PathOf(2, ".log")));
}

TEST_F(LogAppendTest, RollsWhenAnIndexIsFull) {
  config_.segment_index_bytes = 120;  // 15 offset entries, 10 time entries of which one is kept for the seal
  config_.index_interval_bytes = 1;
  ASSERT_TRUE(Open(LoadState::Kind::kNew).ok());
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(Append(BatchSpec{.timestamp = 1000 + i}).ok());
  EXPECT_FALSE(Exists(PathOf(9, ".log")));
  EXPECT_TRUE(Exists(PathOf(10, ".log")));
  EXPECT_EQ(FileContent(PathOf(0, ".index")).size(), 9 * 8u);
  EXPECT_EQ(FileContent(PathOf(0, ".timeindex")).size(), 9 * 12u);
}

TEST_F(LogAppendTest, IndexEntriesFollowKafkasRule) {
  config_.index_interval_bytes = 500;
  ASSERT_TRUE(Open(LoadState::Kind::kNew).ok());
  std::vector<int64_t> positions;
  int64_t at = 0;
  for (int i = 0; i < 30; ++i) {
    positions.push_back(at);
    const auto batch = MakeBatch({.records = 2, .value_bytes = 60, .timestamp = 1000 + (i % 7) * 10 + i});
    at += static_cast<int64_t>(batch.size());
    ASSERT_TRUE(Append(batch).ok());
  }
  ASSERT_TRUE(log_->CloseClean().ok());
  // By hand: an entry for each batch that begins more than 500 bytes behind the last one that has an entry.
  std::string offsets, times;
  int64_t last = 0, largest = -1, largest_at = -1, last_time = -1;
  const auto put = [](std::string* out, auto value) {
    uint8_t bytes[sizeof value];
    StoreBigEndian(bytes, value);
    out->append(reinterpret_cast<char*>(bytes), sizeof value);
  };
  const auto put_time = [&] {
    if (largest <= last_time) return;
    put(&times, largest);
    put(&times, static_cast<int32_t>(largest_at));
    last_time = largest;
  };
  for (int i = 0; i < 30; ++i) {
    const int64_t time = 1000 + (i % 7) * 10 + i;
    if (time > largest) {
      largest = time;
      largest_at = 2 * i + 1;
    }
    if (positions[static_cast<size_t>(i)] - last > 500) {
      put(&offsets, static_cast<int32_t>(2 * i + 1));
      put(&offsets, static_cast<int32_t>(positions[static_cast<size_t>(i)]));
      last = positions[static_cast<size_t>(i)];
      put_time();
    }
  }
  put_time();
  EXPECT_EQ(FileContent(PathOf(0, ".index")), offsets);
  EXPECT_EQ(FileContent(PathOf(0, ".timeindex")), times);
}

TEST_F(LogAppendTest, ACleanStopIsReloadedWithoutALoss) {
  config_.segment_bytes = 4000;
  ASSERT_TRUE(Open(LoadState::Kind::kNew).ok());
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(Append(BatchSpec{.records = 3, .value_bytes = 200, .timestamp = 1000 + i}).ok());
  const auto before = ReadAll(0);
  const int64_t size = log_->size_bytes();
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(log_->CloseClean().ok());
    ASSERT_TRUE(Open(LoadState::Kind::kClean).ok());
    EXPECT_EQ(log_->next_offset().v, 150 + round);
    EXPECT_EQ(log_->high_watermark().v, 150 + round);
    EXPECT_EQ(log_->recovery_point().v, 150 + round);
    EXPECT_FALSE(log_->dirty());
    if (round == 0) {
      EXPECT_EQ(log_->size_bytes(), size);
      EXPECT_EQ(ReadAll(0), before);
    }
    ASSERT_TRUE(Append(BatchSpec{}).ok());
    EXPECT_TRUE(log_->dirty());
  }
  EXPECT_TRUE(lines_.lines.empty()) << lines_.lines[0];
  EXPECT_EQ(FileContent(Dir() + "/leader-epoch-checkpoint"), "0\n1\n0 0\n");
  EXPECT_EQ(ReadAll(0).size(), 53u);
}

TEST_F(LogAppendTest, TheDirectoryOfAnotherTopicIsRefused) {
  ASSERT_TRUE(Open(LoadState::Kind::kNew).ok());
  ASSERT_TRUE(log_->CloseClean().ok());
  topic_id_.bytes[0] = 99;
  EXPECT_EQ(Open(LoadState::Kind::kClean).code(), Code::kForeign);
}

TEST_F(LogAppendTest, MaxBytesCutsAtABatch) {
  ASSERT_TRUE(Open(LoadState::Kind::kNew).ok());
  std::vector<int64_t> ends;
  int64_t total = 0;
  for (int i = 0; i < 200; ++i) {
    const auto batch = MakeBatch({.value_bytes = static_cast<size_t>(50 + i * 13 % 700)});
    total += static_cast<int64_t>(batch.size());
    ends.push_back(total);
    ASSERT_TRUE(Append(batch).ok());
  }
  for (bool reload : {false, true}) {
    if (reload) {
      ASSERT_TRUE(log_->CloseClean().ok());
      ASSERT_TRUE(Open(LoadState::Kind::kClean).ok());
    }
    for (int64_t from = 0; from < 200; from += 17) {
      const int64_t start = from == 0 ? 0 : ends[static_cast<size_t>(from - 1)];
      for (int64_t max : {1, 100, 1000, 5000, 20000, 1000000}) {
        int64_t want = ends[static_cast<size_t>(from)] - start;
        for (int64_t end : ends) {
          if (end > start && end - start <= max) want = std::max(want, end - start);
        }
        Result<LogSlice> slice = Read(from, max);
        ASSERT_TRUE(slice.ok());
        EXPECT_EQ(slice->position.v, start);
        EXPECT_EQ(slice->length, want) << "from " << from << " max " << max;
      }
    }
  }
}

TEST_F(LogAppendTest, FreshBytesAreHotAndReloadedOnesAreNot) {
  ASSERT_TRUE(Open(LoadState::Kind::kNew).ok());
  ASSERT_TRUE(Append(BatchSpec{}).ok());
  EXPECT_TRUE(Read(0, 1000)->hot);
  ASSERT_TRUE(log_->CloseClean().ok());
  ASSERT_TRUE(Open(LoadState::Kind::kClean).ok());
  ASSERT_TRUE(Append(BatchSpec{}).ok());
  EXPECT_FALSE(Read(0, 100)->hot);
  EXPECT_TRUE(Read(1, 100)->hot);
}

}  // namespace
}  // namespace sluice::log
