// What a start does about single bits that have changed since the last stop: each is told, and none takes more along than it must.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>

#include "flip_probe.h"
#include "log/journal_format.h"
#include "log/kafka_files.h"
#include "verified.h"

namespace sluice::log {
namespace {

using sluice::test::SimClock;
using sluice::test::SimDisk;

class DamageAtRestTest : public ::testing::Test {
 protected:
  static constexpr int kBatches = 20;
  static constexpr char kLog[] = "/data/t-0/00000000000000000000.log";

  DamageAtRestTest() : probe_(std::make_unique<SimDisk>(), SimClock(), 1, 8 << 20) {
    PartitionSpec spec;
    spec.name = {"t", 0};
    spec.id.bytes.fill(1);
    spec.config.index_interval_bytes = 500;
    specs_.push_back(std::move(spec));
  }

  Log& log() { return *probe_.outcomes()[0].log; }
  int64_t DeleteBelow(int64_t offset) {
    int64_t start = -1;
    probe_.dir().DeleteRecords(&log(), Offset(offset), [&](Result<Offset> moved) { start = moved.ok() ? moved->v : -1; });
    Append();
    return start;
  }
  void Append() {
    std::vector<uint8_t> batch = test::MakeNumberedBatch(nullptr, 1, 300, &numbers_);
    ends_.push_back(static_cast<int64_t>(ends_.size()) + 1);
    ASSERT_TRUE(probe_.Append(log(), std::move(batch)).ok());
  }
  // One record each, durable one after the other.
  void Fill() {
    ASSERT_TRUE(probe_.Start(specs_).ok());
    for (int i = 0; i < kBatches; ++i) Append();
  }
  std::string Content(const std::string& path) { return io::ReadWholeFile(probe_.disk(), path, 64 << 20).take(); }
  void Rewrite(const std::string& path, const std::string& content) { ASSERT_TRUE(io::WriteFileAtomically(probe_.disk(), path, content).ok()); }
  bool Said(const std::string& text) {
    return std::any_of(probe_.lines().begin(), probe_.lines().end(), [&](const std::string& line) { return line.find(text) != std::string::npos; });
  }

  test::FlipProbe probe_;
  std::vector<PartitionSpec> specs_;
  std::vector<int64_t> ends_;
  uint64_t numbers_ = 0;
};

TEST_F(DamageAtRestTest, AStartDoesNotCutLogsToAJournalThatHasLostItsMiddle) {
  Fill();
  probe_.Stop(false);
  std::string path;
  std::vector<int64_t> frames;
  for (const std::string& file : probe_.disk().Files()) {
    if (file.find("/journal-") == std::string::npos) continue;
    const std::string content = Content(file);
    for (size_t at = 0; at < content.size(); at += kJournalBlock) {
      const auto header = DecodeFrameHeader({reinterpret_cast<const uint8_t*>(content.data()) + at, kFrameHeaderBytes});
      if (!header || header->entries == 0) continue;
      path = file;
      frames.push_back(static_cast<int64_t>(at));
    }
  }
  ASSERT_GE(frames.size(), size_t{kBatches});
  probe_.disk().FlipBit(path, frames[frames.size() - 9] + 100, 3);
  const Status refused = probe_.Start(specs_);
  EXPECT_EQ(refused.code(), Code::kCorrupt);
  EXPECT_NE(refused.ToString().find(path), std::string::npos) << refused.ToString();
  // What the line says helps, and a killed process leaves all of it in the segments.
  probe_.Stop(false);
  ASSERT_TRUE(probe_.disk().Rename("/data/journal.sluice", "/data/moved").ok());
  ASSERT_TRUE(probe_.Start(specs_).ok());
  EXPECT_EQ(log().high_watermark().v, kBatches);
}

TEST_F(DamageAtRestTest, ALogThatDoesNotEndWhereItWasStoppedStaysClosed) {
  Fill();
  probe_.Stop(true);
  int64_t last = 0;
  const std::string content = Content(kLog);
  batch::BatchIterator batches({reinterpret_cast<const uint8_t*>(content.data()), content.size()});
  batch::BatchView view;
  for (int64_t at = 0; batches.Next(&view) == batch::BatchIterator::Step::kBatch; at = static_cast<int64_t>(batches.position())) last = at;
  for (const int bit : {0, 7}) {   // 19 becomes 18 or 147
    test::FlipProbe other(probe_.disk().Kill(), SimClock(), 1, 8 << 20);
    other.disk().FlipBit(kLog, last + 7, bit);
    ASSERT_TRUE(other.Start(specs_).ok());
    EXPECT_EQ(other.outcomes()[0].status.code(), Code::kCorrupt) << bit;
    EXPECT_NE(other.outcomes()[0].status.ToString().find("/data/t-0"), std::string::npos);
    EXPECT_NE(other.lines().back().find("partition t-0 stays offline"), std::string::npos);
  }
}

TEST_F(DamageAtRestTest, ALogStartAboveTheEndTakesNothingAway) {
  Fill();
  probe_.Stop(true);
  // As Kafka stops, whose mark has no note.
  Rewrite("/data/.kafka_cleanshutdown", "{\"version\":0,\"brokerEpoch\":0}");
  Rewrite("/data/log-start-offset-checkpoint", "0\n1\nt 0 148\n");
  ASSERT_TRUE(probe_.Start(specs_).ok());
  EXPECT_EQ(probe_.outcomes()[0].status.code(), Code::kCorrupt);
  EXPECT_TRUE(Said("partition t-0 stays offline"));
  EXPECT_TRUE(*probe_.disk().Exists(kLog));
}

TEST_F(DamageAtRestTest, ACheckpointThatIsNotAsTheStopHasLeftItIsNotBelieved) {
  Fill();
  ASSERT_EQ(DeleteBelow(10), 10);
  probe_.Stop(true);
  ASSERT_EQ(test::Verified(probe_.disk(), "/data").damaged, 0);
  const std::string path = "/data/log-start-offset-checkpoint", content = Content(path);
  ASSERT_EQ(content, "0\n1\nt 0 10\n");
  Rewrite(path, "0\n1\nt 0 18\n");   // one bit
  const VerifyReport report = test::Verified(probe_.disk(), "/data");
  ASSERT_GE(report.damaged, 1);
  EXPECT_EQ(report.damages[0].file, path) << test::TextOf(report);
  ASSERT_TRUE(probe_.Start(specs_).ok());
  EXPECT_TRUE(Said(path));
  EXPECT_EQ(log().log_start().v, 0);   // deleted records come back, and none is lost
  EXPECT_EQ(log().high_watermark().v, kBatches + 1);
}

TEST_F(DamageAtRestTest, ANoteOfTheStopThatIsDamagedCondemnsNoCheckpoint) {
  Fill();
  ASSERT_EQ(DeleteBelow(10), 10);
  probe_.Stop(true);
  const std::string mark = "/data/.kafka_cleanshutdown", content = Content(mark);
  for (size_t at = content.find("crc32c") + 9; at + 2 < content.size(); at += 7) {
    ASSERT_TRUE(std::isxdigit(content[at])) << content.substr(at);
    probe_.disk().FlipBit(mark, static_cast<int64_t>(at), 0);
    const VerifyReport report = test::Verified(probe_.disk(), "/data");
    EXPECT_EQ(report.damaged, 1) << test::TextOf(report);
    probe_.disk().FlipBit(mark, static_cast<int64_t>(at), 0);
  }
  probe_.disk().FlipBit(mark, static_cast<int64_t>(content.size()) - 4, 0);
  ASSERT_TRUE(probe_.Start(specs_).ok());
  EXPECT_TRUE(Said(mark));
  EXPECT_EQ(log().log_start().v, 10);
}

// The journal has not all of it, so it cannot be made again: not by the start that sets the folder aside, and not by the next.
TEST_F(DamageAtRestTest, APartitionWhoseFolderWasSetAsideIsNotBegunAnewByTheSecondStart) {
  Fill();
  PartitionSpec late;
  late.name = {"late", 0};
  late.id.bytes.fill(2);
  Log* opened = nullptr;
  probe_.dir().OpenPartitions({late}, [&](std::vector<OpenOutcome> outcomes) { opened = outcomes[0].log; });
  for (int i = 0; i < kBatches && opened == nullptr; ++i) Append();   // the pool works meanwhile
  ASSERT_NE(opened, nullptr);
  for (size_t bytes : {size_t{kJournalMaxBatch} + 1, size_t{300}}) ASSERT_TRUE(probe_.Append(*opened, test::MakeNumberedBatch(nullptr, 1, bytes, &numbers_)).ok());
  probe_.Stop(false);
  specs_.push_back(late);
  probe_.disk().FlipBit("/data/late-0/partition.metadata", 22, 1);   // of the topic's id
  for (const bool clean : {true, false}) {
    ASSERT_TRUE(probe_.Start(specs_).ok());
    EXPECT_EQ(probe_.outcomes()[1].status.code(), Code::kCorrupt);
    EXPECT_TRUE(Said("partition late-0 stays offline"));
    EXPECT_EQ(Said("/data/late-0 belonged to another topic"), clean);
    probe_.Stop(clean);
  }
}

TEST_F(DamageAtRestTest, AFolderThatIsGoneSinceTheCleanStopIsMissed) {
  Fill();
  probe_.Stop(true);
  ASSERT_TRUE(probe_.disk().Rename("/data/t-0", "/data/elsewhere").ok());
  ASSERT_TRUE(probe_.Start(specs_).ok());
  EXPECT_TRUE(Said("/data/t-0 is missing: t-0 begins anew, empty"));
  EXPECT_EQ(log().high_watermark().v, 0);
}

}  // namespace
}  // namespace sluice::log
