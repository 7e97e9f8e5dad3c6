// What verify says of directories that are well, and of the same with one byte changed.
#include "log/verify.h"

#include <fstream>
#include <sstream>

#include "log_fixture.h"
#include "verified.h"

namespace sluice::log {
namespace {

using test::BatchSpec;
using test::MakeBatch;
using test::MakeMarker;

const std::string kGolden = std::string(__FILE__).substr(0, std::string(__FILE__).rfind('/')) + "/golden/clean/t-0";

class VerifyTest : public test::LogFixture {
 protected:
  VerifyTest() { std::printf("SLUICE_SEED=%lu\n", static_cast<unsigned long>(seed_)); }

  std::string Root() const { return Dir().substr(0, Dir().rfind('/')); }
  static std::string Read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  static void Write(const std::string& path, const std::string& content) { std::ofstream(path, std::ios::binary | std::ios::trunc) << content; }
  void StopCleanly() { Write(Root() + "/.kafka_cleanshutdown", "{\"version\":0,\"brokerEpoch\":-1}"); }
  VerifyReport Check() { return test::Verified(*env_.fs, Root()); }

  void CopyGolden() {
    ASSERT_TRUE(env_.fs->MakeDirs(Dir()).ok());
    Result<std::vector<io::DirEntry>> files = env_.fs->List(kGolden);
    ASSERT_TRUE(files.ok());
    for (const io::DirEntry& file : *files) Write(Dir() + "/" + file.name, Read(kGolden + "/" + file.name));
    Write(Root() + "/recovery-point-offset-checkpoint", "0\n1\nt 0 380\n");
    StopCleanly();
  }

  // Several segments, codecs and transactions, closed by us.
  void Fill() {
    config_.segment_bytes = 20000;
    config_.index_interval_bytes = 1000;
    ASSERT_TRUE(Open(LoadState::Kind::kNew).ok());
    int32_t sequence = 0;
    for (int i = 0; i < 200; ++i) {
      BatchSpec spec;
      spec.records = 1 + i % 4;
      spec.value_bytes = 100 + static_cast<size_t>(i * 7 % 300);
      spec.timestamp = clock_.now + i * 10 - i * 37 % 90;
      spec.codec = static_cast<batch::Codec>(i % 5);
      if (i % 2 == 0) {
        spec.producer = 7;
        spec.epoch = 1;
        spec.sequence = sequence;
        sequence += spec.records;
      }
      ASSERT_TRUE(Append(spec).ok());
      if (i % 20 == 3) {
        ASSERT_TRUE(Append(BatchSpec{.timestamp = clock_.now + i * 10, .producer = 5000 + i, .epoch = 0, .sequence = 0, .transactional = true}).ok());
      }
      if (i % 20 == 9) {
        ASSERT_TRUE(Append(MakeMarker(5000 + i - 6, 0, i % 40 == 9, 3, clock_.now + i * 10), AppendOrigin::kCoordinator).ok());
      }
      if (i == 100) {
        epoch_ = 4;
        log_->SetLeaderEpoch(LeaderEpoch(epoch_));
      }
    }
    end_ = log_->next_offset();
    ASSERT_TRUE(log_->CloseClean().ok());
    log_.reset();
    Write(Root() + "/recovery-point-offset-checkpoint", "0\n1\nt 0 " + std::to_string(end_.v) + "\n");
    StopCleanly();
  }

  // One bit at a time, in every file: each must be found in the files of its segment. An index entry that names another offset of the same batch, or that of
  // a later batch, leads to the same answers.
  void FlipBits(int each) {
    Result<std::vector<io::DirEntry>> files = env_.fs->List(Dir());
    ASSERT_TRUE(files.ok());
    int flips = 0;
    for (const io::DirEntry& file : *files) {
      const std::string path = Dir() + "/" + file.name, content = Read(path);
      for (int i = 0; i < each && !content.empty(); ++i) {
        std::string damaged = content;
        const size_t at = random_() % content.size();
        damaged[at] = static_cast<char>(damaged[at] ^ (1 << random_() % 8));
        if (path.ends_with("partition.metadata") && at >= 21) continue;   // another id may be as good, to whom only one partition of it is shown
        if ((path.ends_with(".timeindex") && at % kTimeEntryBytes == 11) || (path.ends_with(".index") && at % kOffsetEntryBytes == 3)) continue;
        Write(path, damaged);
        const VerifyReport report = Check();
        bool named = false;
        for (const Damage& damage : report.damages) {
          const size_t stem = damage.file.rfind('.');
          named |= damage.partition == "t-0" && (damage.file.substr(0, stem) == path.substr(0, path.rfind('.')) || path.ends_with("leader-epoch-checkpoint"));
        }
        EXPECT_TRUE(named) << path << " at " << at << ": " << int(static_cast<uint8_t>(content[at])) << " became " << int(static_cast<uint8_t>(damaged[at])) << "\n" << test::TextOf(report);
        ++flips;
      }
      Write(path, content);
    }
    EXPECT_GT(flips, 100);
    EXPECT_EQ(Check().damaged, 0);
  }

  const uint64_t seed_ = test::Seed();
  std::mt19937_64 random_{seed_};
  Offset end_{0};
};

TEST_F(VerifyTest, WhatKafkaWroteIsWellAndEveryChangedBitIsFound) {
  CopyGolden();
  const VerifyReport report = Check();
  EXPECT_EQ(report.damaged, 0) << test::TextOf(report);
  EXPECT_TRUE(report.clean);
  EXPECT_EQ(report.segments, 11);
  EXPECT_GT(report.batches, 100);
  FlipBits(25);
}

TEST_F(VerifyTest, WhatWeWroteIsWellAndEveryChangedBitIsFound) {
  Fill();
  const VerifyReport report = Check();
  EXPECT_EQ(report.damaged, 0) << test::TextOf(report);
  FlipBits(25);
}

TEST_F(VerifyTest, BatchesBehindADamagedOneAreCheckedToo) {
  Fill();
  const std::string path = PathOf(0, ".log"), content = Read(path);
  for (const size_t field : {size_t{70}, batch::kBatchLengthAt + 2, batch::kMagicAt}) {
    std::string damaged = content;
    damaged[field] ^= 0x55;
    damaged[damaged.size() - 5] ^= 1;
    Write(path, damaged);
    const VerifyReport report = Check();
    std::vector<int64_t> positions;
    for (const Damage& damage : report.damages) {
      if (damage.file == path) positions.push_back(damage.position);
    }
    ASSERT_GE(positions.size(), 2u) << test::TextOf(report);
    EXPECT_EQ(positions.front(), 0);
    EXPECT_GT(positions.back(), static_cast<int64_t>(content.size()) / 2);
  }
}

TEST_F(VerifyTest, WhatIsCutOffOrTakenAwayIsFound) {
  Fill();
  Result<std::vector<io::DirEntry>> files = env_.fs->List(Dir());
  ASSERT_TRUE(files.ok());
  for (const io::DirEntry& file : *files) {
    const std::string path = Dir() + "/" + file.name, content = Read(path);
    if (content.empty()) continue;
    for (const size_t left : {content.size() - 1, content.size() / 2}) {
      Write(path, content.substr(0, left));
      const bool whole_entries = (path.ends_with(".index") && left % kOffsetEntryBytes == 0);
      EXPECT_TRUE(whole_entries || Check().damaged > 0) << path << " cut to " << left;
    }
    ASSERT_TRUE(env_.fs->Remove(path).ok());
    const bool optional = path.ends_with(".snapshot") || path.ends_with("partition.metadata") || path.ends_with("leader-epoch-checkpoint");
    EXPECT_TRUE(optional || Check().damaged > 0) << path << " removed";
    Write(path, content);
  }
  EXPECT_EQ(Check().damaged, 0);
}

TEST_F(VerifyTest, ACrashOfKafkaIsNoDamageAndNeitherIsItsTornEnd) {
  CopyGolden();
  ASSERT_TRUE(env_.fs->Remove(Root() + "/.kafka_cleanshutdown").ok());
  Write(Root() + "/meta.properties", "cluster.id=c\nnode.id=1\nversion=1\n");
  ASSERT_TRUE(env_.fs->Remove(Dir() + "/00000000000000000380.snapshot").ok());
  Write(PathOf(374, ".index"), std::string(1200, '\0'));
  Write(PathOf(374, ".timeindex"), std::string(1200, '\0'));
  Write(Root() + "/recovery-point-offset-checkpoint", "0\n1\nt 0 374\n");
  std::string log = Read(PathOf(374, ".log"));
  log.resize(log.size() - 3);
  Write(PathOf(374, ".log"), log);
  VerifyReport report = Check();
  EXPECT_EQ(report.damaged, 0) << test::TextOf(report);
  EXPECT_FALSE(report.clean);
  EXPECT_EQ(report.notes.size(), 1u) << test::TextOf(report);   // the torn end
  // Below the recovery point the same is damage.
  Write(Root() + "/recovery-point-offset-checkpoint", "0\n1\nt 0 380\n");
  report = Check();
  EXPECT_EQ(report.damaged, 1) << test::TextOf(report);
}

// A power cut leaves of a folder that a start was making what it likes; the mark of the clean stop before it is there until the start is ready.
TEST_F(VerifyTest, WhatAStartWasMakingAfterACleanStopIsNoDamage) {
  Fill();
  const std::string made = Root() + "/u-0", points = Root() + "/recovery-point-offset-checkpoint";
  Write(Root() + "/meta.properties", "cluster.id=c\nnode.id=1\nversion=1\n");
  ASSERT_TRUE(env_.fs->MakeDirs(made).ok());
  VerifyReport report = Check();
  EXPECT_EQ(report.damaged, 0) << test::TextOf(report);
  EXPECT_EQ(report.notes.size(), 1u) << test::TextOf(report);
  Write(made + "/partition.metadata", std::string(43, '\0'));
  Write(made + "/00000000000000000000.log", "");
  report = Check();
  EXPECT_EQ(report.damaged, 0) << test::TextOf(report);
  // One that was there at the stop had a segment, and so has one that holds something.
  ASSERT_TRUE(env_.fs->Remove(made + "/partition.metadata").ok());
  Write(made + "/00000000000000000000.log", "x");
  EXPECT_GT(Check().damaged, 0);
  ASSERT_TRUE(env_.fs->Remove(made + "/00000000000000000000.log").ok());
  Write(points, "0\n2\nt 0 " + std::to_string(end_.v) + "\nu 0 0\n");
  report = Check();
  EXPECT_EQ(report.damaged, 1) << test::TextOf(report);
}

// The offset of a batch is outside of its CRC: one that grew to where all that holds ends leaves a gap, as in a compacted log, into which the next one falls.
TEST_F(VerifyTest, AnOffsetThatLeapsToTheEndOfWhatHoldsIsFound) {
  ASSERT_TRUE(Open(LoadState::Kind::kNew).ok());
  for (int i = 0; i < 15; ++i) ASSERT_TRUE(Append(BatchSpec{}).ok());
  ASSERT_TRUE(log_->CloseClean().ok());
  log_.reset();
  Write(Root() + "/meta.properties", "cluster.id=c\nnode.id=1\nversion=1\n");
  Write(Root() + "/recovery-point-offset-checkpoint", "0\n1\nt 0 15\n");
  EXPECT_EQ(Check().damaged, 0) << test::TextOf(Check());
  std::string log = Read(PathOf(0, ".log"));
  log[log.size() / 15 * 6 + 7] ^= 1 << 3;
  Write(PathOf(0, ".log"), log);
  EXPECT_EQ(Check().damaged, 1) << test::TextOf(Check());
}

TEST_F(VerifyTest, PartitionsOfATopicHaveOneId) {
  Fill();
  const std::string other = Root() + "/t-1";
  ASSERT_TRUE(env_.fs->MakeDirs(other).ok());
  for (const char* name : {"00000000000000000000.log", "00000000000000000000.index", "00000000000000000000.timeindex"}) Write(other + "/" + name, "");
  std::string metadata = Read(Dir() + "/partition.metadata");
  Write(other + "/partition.metadata", metadata);
  EXPECT_EQ(Check().damaged, 0) << test::TextOf(Check());
  metadata[30] = metadata[30] == 'A' ? 'B' : 'A';
  Write(other + "/partition.metadata", metadata);
  EXPECT_EQ(Check().damaged, 1) << test::TextOf(Check());
}

TEST_F(VerifyTest, ADirectoryInUseIsRefusedAndNothingIsMade) {
  Fill();
  Write(Root() + "/.lock", "");
  {
    Result<std::unique_ptr<io::FileLock>> held = env_.fs->Lock(Root() + "/.lock");
    ASSERT_TRUE(held.ok());
    EXPECT_EQ(Verifier::Open(*env_.fs, Root(), "").code(), Code::kLocked);
  }
  EXPECT_TRUE(Verifier::Open(*env_.fs, Root(), "t").ok());
  EXPECT_EQ(Verifier::Open(*env_.fs, Root(), "u").code(), Code::kNotFound);
  EXPECT_EQ(Verifier::Open(*env_.fs, Root() + "/none", "").code(), Code::kNotFound);
  ASSERT_TRUE(env_.fs->Remove(Root() + "/.lock").ok());
  EXPECT_TRUE(Verifier::Open(*env_.fs, Root(), "").ok());
  EXPECT_FALSE(*env_.fs->Exists(Root() + "/.lock"));
}

}  // namespace
}  // namespace sluice::log
