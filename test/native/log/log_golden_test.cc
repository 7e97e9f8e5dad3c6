// A directory that Apache Kafka 4.4.0 wrote (golden/MakeKafkaLog.java), read by us: every answer is the one that Kafka gave.
#include <zlib.h>

#include <fstream>
#include <sstream>

#include "log_fixture.h"

namespace sluice::log {
namespace {

using test::LogFixture;

const std::string kGolden = std::string(__FILE__).substr(0, std::string(__FILE__).rfind('/')) + "/golden";

class LogGoldenTest : public LogFixture {
 protected:
  void Copy() {
    clock_.now = 1700000060000;
    ASSERT_TRUE(env_.fs->MakeDirs(Dir()).ok());
    Result<std::vector<io::DirEntry>> files = env_.fs->List(kGolden + "/clean/t-0");
    ASSERT_TRUE(files.ok()) << files.status().ToString();
    for (const io::DirEntry& file : *files) Put(file.name, FileContent(kGolden + "/clean/t-0/" + file.name));
  }
  void Put(const std::string& name, const std::string& content) {
    Result<std::unique_ptr<io::File>> to = env_.fs->Open(Dir() + "/" + name, io::OpenMode::kCreate);
    ASSERT_TRUE(to.ok());
    ASSERT_TRUE((*to)->Truncate(0).ok());
    ASSERT_TRUE((*to)->WriteAt({reinterpret_cast<const uint8_t*>(content.data()), content.size()}, 0).ok());
  }
  // As a broker that was killed leaves it: no snapshot at the end, the active segment's indexes as long as they were made, zeros behind their entries.
  void Crash() {
    ASSERT_TRUE(env_.fs->Remove(Dir() + "/00000000000000000380.snapshot").ok());
    Put("00000000000000000374.index", std::string(1200, '\0'));
    Put("00000000000000000374.timeindex", std::string(1200, '\0'));
  }

  void CheckAnswers() {
    std::ifstream expected(kGolden + "/expected.txt");
    ASSERT_TRUE(expected.good());
    std::vector<std::string> producers_want, producers_got;
    std::string line;
    int lines = 0;
    while (std::getline(expected, line)) {
      SCOPED_TRACE(line);
      ++lines;
      std::istringstream words(line);
      std::string what;
      words >> what;
      if (what == "ends") {
        int64_t start, stable, end;
        words >> start >> stable >> end;
        EXPECT_EQ(log_->log_start().v, start);
        EXPECT_EQ(log_->last_stable().v, stable);
        EXPECT_EQ(log_->high_watermark().v, end);
        EXPECT_EQ(log_->next_offset().v, end);
      } else if (what == "producer") {
        producers_want.push_back(line);
      } else if (what == "aborted") {
        int64_t from, upper;
        words >> from >> upper;
        std::vector<std::string> want, got;
        for (std::string txn; words >> txn;) want.push_back(txn);
        for (const AbortedTransaction& txn : log_->AbortedIn(Offset(from), Offset(upper))) {
          got.push_back(std::to_string(txn.producer.v) + ":" + std::to_string(txn.first_offset.v));
        }
        EXPECT_EQ(got, want);
      } else if (what == "time" || what == "maxtime") {
        int64_t target = 0;
        if (what == "time") words >> target;
        std::string rest;
        std::getline(words, rest);
        Result<std::optional<TimestampOffset>> found = what == "time" ? log_->FindTimestamp(TimestampMs(target))() : log_->FindMaxTimestamp()();
        ASSERT_TRUE(found.ok()) << found.status().ToString();
        std::string got = " none";
        if (*found) got = " " + std::to_string((*found)->timestamp.v) + " " + std::to_string((*found)->offset.v) + " " + std::to_string((*found)->epoch.v);
        EXPECT_EQ(got, rest);
      } else if (what == "epoch") {
        int32_t asked, epoch;
        int64_t end;
        words >> asked >> epoch >> end;
        EXPECT_EQ(log_->EndOffsetForEpoch(LeaderEpoch(asked)).epoch.v, epoch);
        EXPECT_EQ(log_->EndOffsetForEpoch(LeaderEpoch(asked)).end.v, end);
      } else if (what == "epochof") {
        int64_t offset;
        int32_t epoch;
        words >> offset >> epoch;
        EXPECT_EQ(log_->EpochOf(Offset(offset)).v, epoch);
      } else {
        EXPECT_EQ(what, "segment");
      }
    }
    EXPECT_GT(lines, 100);
    auto described = log_->Producers();
    std::sort(described.begin(), described.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
    for (const ProducerDescription& p : described) {
      std::ostringstream text;
      text << "producer " << p.id.v << " " << p.epoch.v << " " << p.last_sequence << " " << p.last_timestamp.v << " " << p.coordinator_epoch << " "
           << p.current_txn_start.v;
      producers_got.push_back(text.str());
    }
    EXPECT_EQ(producers_got, producers_want);
  }

  void SetUp() override {
    epoch_ = 7;
    config_.segment_bytes = 6000;
    config_.segment_index_bytes = 1200;
    config_.index_interval_bytes = 500;
    Copy();
  }
};

TEST_F(LogGoldenTest, AfterACleanStop) {
  ASSERT_TRUE(Open(LoadState::Kind::kClean).ok());
  CheckAnswers();
  EXPECT_TRUE(lines_.lines.empty()) << lines_.lines[0];
  EXPECT_EQ(ReadAll(0).back().size(), ReadAll(378).back().size());
}

TEST_F(LogGoldenTest, AfterAKafkaThatWasKilled) {
  Crash();
  LoadState state;
  state.kind = LoadState::Kind::kScan;
  for (int64_t point : {380, 374, 200, 0}) {
    SCOPED_TRACE(point);
    state.recovery_point = Offset(point);
    ASSERT_TRUE(Open(state).ok());
    CheckAnswers();
  }
}

// Kafka 4 still reads messages of format 1: a scan that took one for the end of the log would throw away what lies behind it.
TEST_F(LogGoldenTest, AMessageOfFormatOneIsNotTheEndOfALog) {
  Crash();
  LoadState state;
  state.kind = LoadState::Kind::kScan;
  std::string message(34 + 20, 'v');   // without a key, 20 bytes of value
  auto* at = reinterpret_cast<uint8_t*>(message.data());
  StoreI64(at, 268);
  StoreI32(at + 8, 22 + 20);
  at[16] = 1;
  at[17] = 0;
  StoreI64(at + 18, 1700000000000);
  StoreI32(at + 26, -1);
  StoreI32(at + 30, 20);
  const uint32_t crc = static_cast<uint32_t>(::crc32(0, at + 16, 38));
  StoreU32(at + 12, crc);
  const std::string batches = FileContent(PathOf(268, ".log"));
  for (const std::string& content : {message, message + batches}) {   // one shorter than a batch's header can be, too
    Put("00000000000000000268.log", content);
    const Status opened = Open(state);
    EXPECT_EQ(opened.code(), Code::kUnsupportedFormat) << opened.ToString();
    EXPECT_NE(opened.ToString().find("00000000000000000268.log at 0: a message of format 0 or 1"), std::string::npos) << opened.ToString();
    EXPECT_EQ(FileContent(PathOf(268, ".log")), content);
    EXPECT_TRUE(Exists(PathOf(374, ".log")));
  }
  // What only looks like one is where the log ends.
  StoreU32(at + 12, crc + 1);
  Put("00000000000000000268.log", message);
  ASSERT_TRUE(Open(state).ok());
  EXPECT_EQ(log_->next_offset().v, 268);
  EXPECT_FALSE(Exists(PathOf(374, ".log")));
}

TEST_F(LogGoldenTest, ScanningMakesTheSameFilesThatKafkaHad) {
  Crash();
  for (const char* suffix : {".index", ".timeindex", ".txnindex"}) {
    for (int64_t base : {0, 38, 70, 114, 153, 186, 237, 268, 295, 337}) (void)env_.fs->Remove(PathOf(base, suffix));
  }
  for (int64_t base : {38, 70, 114, 153, 186, 237, 268, 295, 337, 374}) ASSERT_TRUE(env_.fs->Remove(PathOf(base, ".snapshot")).ok());
  ASSERT_TRUE(env_.fs->Remove(Dir() + "/leader-epoch-checkpoint").ok());
  LoadState state;
  state.kind = LoadState::Kind::kScan;
  ASSERT_TRUE(Open(state).ok());
  CheckAnswers();
  ASSERT_TRUE(log_->CloseClean().ok());
  Result<std::vector<io::DirEntry>> files = env_.fs->List(kGolden + "/clean/t-0");
  for (const io::DirEntry& file : *files) {
    // (Snapshots hold the same producers in another order: producer_snapshot_test.cc.)
    if (file.name.find(".snapshot") != std::string::npos) {
      EXPECT_EQ(*env_.fs->FileSize(Dir() + "/" + file.name), *env_.fs->FileSize(kGolden + "/clean/t-0/" + file.name)) << file.name;
      continue;
    }
    EXPECT_EQ(FileContent(Dir() + "/" + file.name), FileContent(kGolden + "/clean/t-0/" + file.name)) << file.name;
  }
  ASSERT_TRUE(Open(LoadState::Kind::kClean).ok());
  CheckAnswers();
}

TEST_F(LogGoldenTest, DamagedIndexesAreMadeAnewAndReported) {
  Put("00000000000000000114.index", std::string(13, 'x'));
  Put("00000000000000000153.timeindex", std::string(7, '\0'));
  Put("00000000000000000374.timeindex", "");
  ASSERT_TRUE(env_.fs->Remove(PathOf(186, ".index")).ok());
  ASSERT_TRUE(Open(LoadState::Kind::kClean).ok());
  CheckAnswers();
  EXPECT_EQ(lines_.lines.size(), 4u);
  for (int64_t base : {114, 153, 186}) {
    for (const char* suffix : {".index", ".timeindex"}) {
      EXPECT_EQ(FileContent(PathOf(base, suffix)), FileContent(kGolden + "/clean/t-0/" + SegmentFileName(Offset(base), suffix)));
    }
  }
}

TEST_F(LogGoldenTest, AnIndexThatPointsAnywhereIsNoticedWhenItIsUsed) {
  std::string index = FileContent(PathOf(186, ".index"));
  for (size_t i = 4; i < index.size(); i += 8) index[i + 3] = static_cast<char>(index[i + 3] ^ 5);  // positions between batches
  Put("00000000000000000186.index", index);
  ASSERT_TRUE(Open(LoadState::Kind::kClean).ok());
  EXPECT_TRUE(lines_.lines.empty());
  CheckAnswers();
  ASSERT_EQ(ReadAll(200, 300).back().size(), ReadAll(378, 300).back().size());
  EXPECT_EQ(lines_.lines.size(), 1u);
  EXPECT_EQ(FileContent(PathOf(186, ".index")), FileContent(kGolden + "/clean/t-0/" + SegmentFileName(Offset(186), ".index")));
}

TEST_F(LogGoldenTest, ADamagedSnapshotSendsUsBackToTheBatches) {
  for (int64_t base : {380, 374, 337}) {
    std::string snapshot = FileContent(PathOf(base, ".snapshot"));
    snapshot[20] = static_cast<char>(snapshot[20] ^ 1);
    Put(SegmentFileName(Offset(base), ".snapshot"), snapshot);
  }
  ASSERT_TRUE(Open(LoadState::Kind::kClean).ok());
  CheckAnswers();
  EXPECT_EQ(lines_.lines.size(), 3u);
}

TEST_F(LogGoldenTest, DamagedTransactionIndexesAreMadeAnew) {
  for (int64_t base : {0, 114}) {
    std::string index = FileContent(PathOf(base, ".txnindex"));
    index[20] = static_cast<char>(index[20] ^ 0x40);
    Put(SegmentFileName(Offset(base), ".txnindex"), index);
  }
  ASSERT_TRUE(env_.fs->Remove(PathOf(114, ".snapshot")).ok());
  ASSERT_TRUE(Open(LoadState::Kind::kClean).ok());
  CheckAnswers();
  EXPECT_EQ(lines_.lines.size(), 2u);
  for (int64_t base : {0, 114}) {
    EXPECT_EQ(FileContent(PathOf(base, ".txnindex")), FileContent(kGolden + "/clean/t-0/" + SegmentFileName(Offset(base), ".txnindex")));
  }
}

TEST_F(LogGoldenTest, DamagedLeaderEpochsAreMadeAnew) {
  Put("leader-epoch-checkpoint", "0\n3\n2 0\n");
  ASSERT_TRUE(Open(LoadState::Kind::kClean).ok());
  CheckAnswers();
  EXPECT_EQ(lines_.lines.size(), 1u);
}

TEST_F(LogGoldenTest, AScanEndsAtTheFirstBatchThatDoesNotHold) {
  Crash();
  std::string bytes = FileContent(PathOf(186, ".log"));
  bytes[3000] = static_cast<char>(bytes[3000] ^ 1);
  Put(SegmentFileName(Offset(186), ".log"), bytes);
  LoadState state;
  state.kind = LoadState::Kind::kScan;
  ASSERT_TRUE(Open(state).ok());
  EXPECT_GT(log_->next_offset().v, 186);
  EXPECT_LT(log_->next_offset().v, 237);
  EXPECT_FALSE(Exists(PathOf(237, ".log")));
  EXPECT_TRUE(Exists(PathOf(237, ".log.deleted")));
  EXPECT_LE(*env_.fs->FileSize(PathOf(186, ".log")), 3000);
  const auto all = ReadAll(0);
  EXPECT_EQ(batch::BatchView(all.back()).next_offset(), log_->next_offset());
  ASSERT_TRUE(Append(test::BatchSpec{}).ok());
  ASSERT_TRUE(log_->CloseClean().ok());
  ASSERT_TRUE(Open(LoadState::Kind::kClean).ok());
  EXPECT_EQ(ReadAll(0).size(), all.size() + 1);
}

}  // namespace
}  // namespace sluice::log
