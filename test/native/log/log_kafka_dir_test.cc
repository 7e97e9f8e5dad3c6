// Writes directories for Apache Kafka's own tools to judge: SLUICE_KAFKA_DIR names where (test/compat runs DumpLogSegments on them). Without it
// the same directories are written to a temporary place and read back.
#include "log_fixture.h"

namespace sluice::log {
namespace {

using test::BatchSpec;
using test::LogFixture;
using test::MakeBatch;
using test::MakeMarker;

class LogKafkaDirTest : public LogFixture {
 protected:
  // Codecs, sizes, idempotent and plain producers, open and aborted transactions, several segments.
  void Fill() {
    config_.segment_bytes = 200000;
    config_.index_interval_bytes = 4096;
    ASSERT_TRUE(Open(LoadState::Kind::kNew).ok());
    std::mt19937_64 random(7);
    int32_t sequence[3] = {0, 0, 0};
    for (int i = 0; i < 600; ++i) {
      BatchSpec spec;
      spec.records = 1 + static_cast<int>(random() % 5);
      spec.value_bytes = random() % 900;
      spec.timestamp = clock_.now + i * 10 - static_cast<int64_t>(random() % 300);
      spec.timestamp_step = static_cast<int64_t>(random() % 3);
      spec.codec = static_cast<batch::Codec>(random() % 5);
      if (i % 3 != 0) {
        const size_t id = random() % 3;
        spec.producer = 1000 + static_cast<int64_t>(id);
        spec.epoch = 2;
        spec.sequence = sequence[id];
        sequence[id] += spec.records;
      }
      ASSERT_TRUE(Append(spec).ok());
      if (i % 50 == 10) {
        for (int j = 0; j < 3; ++j) {
          ASSERT_TRUE(Append(BatchSpec{.records = 1, .timestamp = clock_.now + i * 10, .producer = 5000 + i, .epoch = 0, .sequence = j, .transactional = true}).ok());
        }
      }
      if (i % 50 == 20) {
        ASSERT_TRUE(Append(MakeMarker(5000 + i - 10, 0, i % 100 == 20, 3, clock_.now + i * 10), AppendOrigin::kCoordinator).ok());
      }
      if (i == 300) {
        ASSERT_TRUE(Sync().ok());
        epoch_ = 4;
        log_->SetLeaderEpoch(LeaderEpoch(epoch_));
      }
      if (i == 450) {
        ASSERT_TRUE(log_->CloseClean().ok());
        ASSERT_TRUE(Open(LoadState::Kind::kClean).ok());
      }
    }
    // One transaction stays open.
    ASSERT_TRUE(Append(BatchSpec{.producer = 9999, .epoch = 1, .sequence = 0, .transactional = true}).ok());
    ASSERT_TRUE(log_->CloseClean().ok());
  }
};

TEST_F(LogKafkaDirTest, WritesADirectoryForKafkasTools) {
  Fill();
  if (const char* to = std::getenv("SLUICE_KAFKA_DIR")) {
    ASSERT_TRUE(env_.fs->MakeDirs(to).ok());
    ASSERT_TRUE(env_.fs->Rename(Dir(), std::string(to) + "/t-0").ok());
    return;
  }
  const Offset end = log_->next_offset();
  ASSERT_TRUE(Open(LoadState::Kind::kClean).ok());
  EXPECT_EQ(log_->next_offset(), end);
  EXPECT_EQ(log_->last_stable(), end - 1);
  EXPECT_TRUE(lines_.lines.empty());
}

}  // namespace
}  // namespace sluice::log
