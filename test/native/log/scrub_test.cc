// Sealed segments are read again in the background; what is damaged is told once and not served.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "log/batch_scanner.h"
#include "log/log_dir.h"
#include "log_fixture.h"
#include "support/sim_disk.h"
#include "support/sim_env.h"

namespace sluice::log {
namespace {

using sluice::test::SimClock;
using sluice::test::SimDisk;
using sluice::test::SimEnv;

class ScrubTest : public ::testing::Test {
 protected:
  static constexpr int64_t kRate = 100000;

  void Start(int64_t interval_ms = 60000) {
    env_ = std::make_unique<SimEnv>(&disk_, &clock_, random_);
    LogDirOptions options;
    options.path = "/data";
    options.scrub = {kRate, interval_ms};
    Result<std::unique_ptr<LogDir>> dir = LogDir::Open(env_->env, options);
    ASSERT_TRUE(dir.ok()) << dir.status().ToString();
    dir_ = dir.take();
    PartitionSpec spec;
    spec.name = {"t", 0};
    spec.id.bytes.fill(1);
    spec.config.segment_bytes = 50000;
    spec.config.index_interval_bytes = 4096;
    dir_->OpenPartitions({spec}, [this](std::vector<OpenOutcome> found) { log_ = found[0].log; });
    while (log_ == nullptr) Turn();
    bool finished = false;
    dir_->FinishRecovery(false, [&](Result<RecoveryReport> report) { finished = report.ok(); });
    while (!finished) Turn();
  }
  ~ScrubTest() override {
    dir_.reset();
    env_.reset();
  }
  void Append(int batches) {
    for (int i = 0; i < batches; ++i) {
      std::vector<uint8_t> batch = test::MakeBatch({.value_bytes = 1000});
      ASSERT_TRUE(log_->Append(batch, AppendOrigin::kClient, TimestampMs(clock_.WallMs())).ok());
      dir_->MarkStaged(log_);
      dir_->Commit();
      env_->writer.Drain();
    }
  }
  void Turn() {
    env_->RunAll();
    dir_->Commit();
    clock_.now_us += 100000;
    dir_->OnTimer();
  }
  void Live(int seconds) {
    for (int i = 0; i < seconds * 10; ++i) Turn();
  }
  Result<LogSlice> Read(int64_t from, int64_t max_bytes = 1 << 20) { return log_->ColdRead(Offset(from), max_bytes, true, log_->high_watermark())(); }
  void Flip(const std::string& path, int64_t at) {
    std::unique_ptr<io::File> file = disk_.Open(path, io::OpenMode::kReadWrite).take();
    uint8_t byte = 0;
    ASSERT_TRUE(file->ReadAt({&byte, 1}, at).ok());
    byte ^= 0x10;
    ASSERT_TRUE(file->WriteAt({&byte, 1}, at).ok());
  }
  // Positions and first offsets of a file's batches.
  std::vector<std::pair<int64_t, Offset>> BatchesOf(const std::string& path) {
    std::unique_ptr<io::File> file = disk_.Open(path, io::OpenMode::kRead).take();
    std::vector<std::pair<int64_t, Offset>> batches;
    BatchScanner scanner(*file, {.from = 0, .end = *file->Size()});
    while (scanner.Next() == BatchScanner::Step::kBatch) batches.emplace_back(scanner.position(), scanner.head().base);
    return batches;
  }
  std::vector<std::string> Told() const {
    std::vector<std::string> told;
    for (const std::string& line : env_->reporter.lines) {
      if (line.find("is damaged") != std::string::npos) told.push_back(line);
    }
    return told;
  }

  std::mt19937_64 random_{1};
  SimClock clock_;
  SimDisk disk_;
  std::unique_ptr<SimEnv> env_;
  std::unique_ptr<LogDir> dir_;
  Log* log_ = nullptr;
};

constexpr char kFirst[] = "/data/t-0/00000000000000000000.log";

TEST_F(ScrubTest, EachSealedSegmentIsReadOnceARoundAndNoFaster) {
  Start();
  Append(400);
  const int64_t sealed = log_->size_bytes() - *disk_.FileSize("/data/t-0/" + SegmentFileName(log_->active_base(), ".log"));
  ASSERT_GT(sealed, 5 * kRate / 2);
  Live(59);
  EXPECT_EQ(dir_->stats().scrubbed_bytes, 0);
  int64_t last = 0;
  for (int second = 0; second < 6; ++second) {
    Live(1);
    const int64_t now = dir_->stats().scrubbed_bytes;
    EXPECT_LE(now - last, kRate + 60000);   // and a segment, which is a step here
    last = now;
  }
  Live(20);
  EXPECT_EQ(dir_->stats().scrubbed_bytes, sealed);
  Live(60);
  EXPECT_EQ(dir_->stats().scrubbed_bytes, 2 * sealed);
  EXPECT_TRUE(Told().empty());
}

TEST_F(ScrubTest, ADamagedBatchIsToldOnceAndNotServed) {
  Start();
  Append(200);
  const auto batches = BatchesOf(kFirst);
  ASSERT_GT(batches.size(), 20u);
  const auto [position, offset] = batches[10];
  Flip(kFirst, position + 500);
  ASSERT_TRUE(Read(offset.v).ok());   // nobody knows yet
  Live(75);
  ASSERT_EQ(Told().size(), 1u);
  EXPECT_NE(Told()[0].find(std::string(kFirst) + " at " + std::to_string(position) + ": partition t-0 is damaged: batch CRC does not match"), std::string::npos) << Told()[0];
  EXPECT_EQ(dir_->stats().scrub_damages, 1);

  Result<LogSlice> before = Read(0);
  ASSERT_TRUE(before.ok());
  EXPECT_EQ(before->length, position);
  EXPECT_EQ(Read(offset.v).code(), Code::kCorrupt);
  EXPECT_EQ(log_->Read(offset, 1 << 20, true, log_->high_watermark(), ReadMode::kBlocking).code(), Code::kCorrupt);
  Result<LogSlice> behind = Read(batches[11].second.v);
  ASSERT_TRUE(behind.ok());
  EXPECT_EQ(behind->position.v, batches[11].first);
  EXPECT_GT(behind->length, 0);
  Live(70);
  EXPECT_EQ(Told().size(), 1u);
}

TEST_F(ScrubTest, BehindAHeaderThatIsNoneItGoesOnWhereTheIndexKnows) {
  Start();
  Append(200);
  const auto batches = BatchesOf(kFirst);
  Flip(kFirst, batches[10].first + static_cast<int64_t>(batch::kMagicAt));
  Flip(kFirst, batches[30].first + 500);
  Live(75);
  ASSERT_EQ(Told().size(), 2u);
  EXPECT_EQ(Read(batches[10].second.v).code(), Code::kCorrupt);
  EXPECT_EQ(Read(batches[30].second.v).code(), Code::kCorrupt);
  EXPECT_TRUE(Read(batches[20].second.v).ok());
  EXPECT_TRUE(Read(batches[31].second.v).ok());
}

TEST_F(ScrubTest, ACleanStopDoesNotWaitForTheRound) {
  Start();
  Append(400);
  Live(62);
  std::optional<Status> closed;
  dir_->CloseClean([&](Status status) { closed = std::move(status); });
  for (int i = 0; i < 20 && !closed; ++i) Turn();
  ASSERT_TRUE(closed.has_value());
  EXPECT_TRUE(closed->ok()) << closed->ToString();
}

}  // namespace
}  // namespace sluice::log
