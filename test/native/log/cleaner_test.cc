// Compaction of whole logs, with restarts, crashes at every step, full disks and damaged files.
#include <cstdlib>

#include "cleaner_world.h"
#include "log/kafka_files.h"

namespace sluice::log {
namespace {

using test::CleanerWorld;

uint64_t Number(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

// Appends batches and makes them visible.
void Fill(CleanerWorld& world, CleanerWorld::Part& part, int batches, int keys, int tombstones = 15) {
  for (int i = 0; i < batches && !world.over(); ++i) {
    world.Append(part, keys, tombstones);
    if (i % 3 == 0 && !world.over()) world.Commit();
  }
  world.Drive([&] { return part.log->high_watermark() == part.log->next_offset(); });
}

TEST(Cleaner, KeepsTheLastRecordOfEachKeyAndForgetsTombstonesInTime) {
  CleanerWorld world(Number("SLUICE_SEED", 1));
  CleanerWorld::Part& part = world.AddPart("t", Durability::kFsync);
  ASSERT_TRUE(world.Start());
  Fill(world, part, 300, 20);
  const int64_t before = part.log->size_bytes();
  world.Settle();
  EXPECT_GT(world.dir().stats().cleanings, 0);
  EXPECT_LT(part.log->size_bytes(), before / 3);
  world.Check(part);
  EXPECT_TRUE(world.Files(part, ".cleaned").empty());
  EXPECT_TRUE(world.Files(part, ".swap").empty());
  Result<OffsetsByPartition> cleaned = ReadOffsets(world.disk(), "/data/cleaner-offset-checkpoint");
  ASSERT_TRUE(cleaned.ok());
  EXPECT_EQ((*cleaned)[part.name], part.log->active_base());

  // Past delete.retention.ms the tombstones of the cleaned part go too; a key whose last record is one is gone altogether.
  world.clock().now_us += 10000000;
  Fill(world, part, 60, 20, 0);
  world.clock().now_us += 10000000;
  Fill(world, part, 60, 20, 0);
  world.Settle();
  world.Check(part);
  EXPECT_LT(world.Files(part, ".log").size(), 12u);   // of more than twenty: what earlier cleanings have left small goes together
  int64_t tombstones = 0;
  for (const auto& seen : world.ReadAll(part)) tombstones += seen.record.serial == 0 && seen.offset < part.log->active_base().v;
  EXPECT_EQ(tombstones, 0);
  EXPECT_TRUE(world.lines().empty()) << world.lines().front();
  world.StopClean();
  world.EndLife();
  ASSERT_TRUE(world.Start());
}

TEST(Cleaner, AMapThatIsTooSmallTakesSeveralPasses) {
  CleanerWorld world(Number("SLUICE_SEED", 2));
  world.options().cleaner.map_bytes = 24 * 40;
  CleanerWorld::Part& part = world.AddPart("t", Durability::kFsync);
  part.config.min_cleanable_ratio = 0;
  ASSERT_TRUE(world.Start());
  Fill(world, part, 400, 300);
  world.Settle();
  EXPECT_GT(world.dir().stats().cleanings, 5);
  world.Check(part);
  // All of it is clean: below the active segment each key is there once.
  std::map<int, int> times;
  for (const auto& seen : world.ReadAll(part)) times[seen.record.key] += seen.offset < part.log->active_base().v;
  for (const auto& [key, count] : times) EXPECT_LE(count, 1) << key;
}

TEST(Cleaner, WaitsForTheLagAndHurriesForTheOther) {
  CleanerWorld world(Number("SLUICE_SEED", 3));
  CleanerWorld::Part& late = world.AddPart("late", Durability::kFsync);
  late.config.min_compaction_lag_ms = 3600000;
  CleanerWorld::Part& soon = world.AddPart("soon", Durability::kFsync);
  soon.config.min_cleanable_ratio = 1;
  soon.config.max_compaction_lag_ms = 1800000;
  ASSERT_TRUE(world.Start());
  Fill(world, late, 100, 10);
  Fill(world, soon, 100, 10);
  world.Settle();
  EXPECT_EQ(world.dir().stats().cleanings, 0);
  world.clock().now_us += 2000000000;
  world.Settle();
  EXPECT_EQ(world.dir().stats().cleanings, 1);
  EXPECT_EQ(world.Files(late, ".deleted").size(), 0u);
  world.clock().now_us += 2000000000;
  world.Settle();
  EXPECT_EQ(world.dir().stats().cleanings, 2);
  for (auto& part : world.parts()) world.Check(*part);
}

TEST(Cleaner, ALogThatIsDamagedIsLeftAloneAndTheOthersAreCleaned) {
  CleanerWorld world(Number("SLUICE_SEED", 4));
  CleanerWorld::Part& bad = world.AddPart("bad", Durability::kFsync);
  CleanerWorld::Part& good = world.AddPart("good", Durability::kFsync);
  ASSERT_TRUE(world.Start());
  Fill(world, bad, 300, 10);
  Fill(world, good, 100, 10);
  Result<std::unique_ptr<io::File>> file = world.disk().Open("/data/bad-0/00000000000000000000.log", io::OpenMode::kReadWrite);
  const uint8_t wrong[4] = {0xde, 0xad, 0xbe, 0xef};
  ASSERT_TRUE((*file)->WriteAt(wrong, 1000).ok());
  const int64_t before = bad.log->size_bytes();
  world.Settle();
  EXPECT_EQ(bad.log->size_bytes(), before);
  EXPECT_GT(world.dir().stats().cleanings, 0);
  world.Check(good);
  Fill(world, bad, 50, 10);
  Fill(world, good, 100, 10);
  world.Settle();
  ASSERT_EQ(world.lines().size(), 1u);
  EXPECT_NE(world.lines()[0].find("bad-0 cannot be compacted"), std::string::npos);
  EXPECT_NE(world.lines()[0].find("00000000000000000000.log at "), std::string::npos);
  EXPECT_TRUE(world.Files(bad, ".cleaned").empty());
}

TEST(Cleaner, AFullDiskOnlyPutsItOff) {
  CleanerWorld world(Number("SLUICE_SEED", 5));
  CleanerWorld::Part& part = world.AddPart("t", Durability::kFsync);
  world.options().cleaner.enabled = false;
  ASSERT_TRUE(world.Start());
  Fill(world, part, 300, 100, 0);
  world.disk().faults.push_back({"write", ".cleaned", Status::FromErrno(28, "write")});
  world.TurnCleanerOn();
  for (int i = 0; i < 3; ++i) world.Settle();
  EXPECT_EQ(world.dir().stats().cleanings, 0);
  ASSERT_EQ(world.lines().size(), 1u);
  EXPECT_NE(world.lines()[0].find(" waits: "), std::string::npos);
  EXPECT_TRUE(world.Files(part, ".cleaned").empty());
  world.disk().faults.clear();
  world.Settle();
  EXPECT_GT(world.dir().stats().cleanings, 0);
  world.Check(part);
}

// While names change, too: the directory stays in service, and what was put off is done when there is room, or a descriptor.
void LacksInBetween(sluice::test::DiskFaults::Kind kind, const std::string& where) {
  CleanerWorld world(Number("SLUICE_SEED", 8));
  CleanerWorld::Part& part = world.AddPart("t", Durability::kFsync);
  world.options().cleaner.enabled = false;
  ASSERT_TRUE(world.Start());
  Fill(world, part, 300, 20);
  world.next_faults().Arm(kind, where);
  world.TurnCleanerOn();
  world.Settle();
  ASSERT_TRUE(world.next_faults().struck());
  EXPECT_TRUE(world.dir().status().ok()) << world.dir().status().ToString();
  EXPECT_EQ(std::count_if(world.lines().begin(), world.lines().end(), [](const std::string& line) { return line.find("compaction of t-0 waits: ") == 0; }), 1);
  EXPECT_GT(world.dir().stats().cleanings, 0);
  EXPECT_TRUE(world.Files(part, ".swap").empty());
  world.Check(part);
  world.StopClean();
  world.EndLife();
  ASSERT_TRUE(world.Start());
}
TEST(Cleaner, AFullDiskWhileNamesChangeOnlyPutsThemOff) {
  LacksInBetween(sluice::test::DiskFaults::Kind::kFull, "/00000000000000000000.log.cleaned");   // to the name that a start would go on from
  LacksInBetween(sluice::test::DiskFaults::Kind::kQuota, ".log.swap");
  LacksInBetween(sluice::test::DiskFaults::Kind::kFull, ".index.swap");
}
TEST(Cleaner, WithoutADescriptorItIsTriedAgain) {
  LacksInBetween(sluice::test::DiskFaults::Kind::kFiles, "/00000000000000000000.log.cleaned");
  LacksInBetween(sluice::test::DiskFaults::Kind::kFiles, "/00000000000000000000.index");
}

TEST(Cleaner, ATopicThatIsDeletedMeanwhileIsLetGoAndItsNameBeginsAnew) {
  CleanerWorld world(Number("SLUICE_SEED", 6));
  CleanerWorld::Part& part = world.AddPart("t", Durability::kFsync);
  CleanerWorld::Part& other = world.AddPart("u", Durability::kFsync);
  world.options().cleaner.max_bytes_per_second = 1;   // it waits for ever after its first step
  ASSERT_TRUE(world.Start());
  Fill(world, part, 300, 20);
  Fill(world, other, 10, 20);
  for (int i = 0; i < 200; ++i) {
    world.Turn();
    world.dir().OnTimer();
    world.Commit();
  }
  auto deleted = std::make_shared<std::optional<Status>>();
  world.dir().DeletePartition({part.id, 0}, [deleted](Status status) { *deleted = status; });
  part.log = nullptr;
  world.Drive([&] { return deleted->has_value(); });
  EXPECT_TRUE((*deleted)->ok()) << (*deleted)->ToString();
  EXPECT_FALSE(*world.disk().Exists("/data/t-0"));
  EXPECT_TRUE(world.lines().empty());
}

TEST(Cleaner, SlowedDownItStillEndsAndAStopDoesNotWaitForIt) {
  CleanerWorld world(Number("SLUICE_SEED", 7));
  CleanerWorld::Part& part = world.AddPart("t", Durability::kOs);
  world.options().cleaner.max_bytes_per_second = 10000;
  ASSERT_TRUE(world.Start());
  Fill(world, part, 200, 20);
  const int64_t began_us = world.clock().now_us;
  const int64_t bytes = part.log->size_bytes() - 6000;
  world.Drive([&] { return world.dir().stats().cleanings > 0; });
  // Dirty bytes are read twice.
  EXPECT_GE(world.clock().now_us - began_us, (2 * bytes - (128 << 10)) * 1000000 / 10000);
  world.Check(part);
  Fill(world, part, 200, 20);
  for (int i = 0; i < 100; ++i) {
    world.Turn();
    world.dir().OnTimer();
    world.Commit();
  }
  world.StopClean();
  world.EndLife();
  ASSERT_TRUE(world.Start());
}

// In a life that begins without the cleaner.
void FillAndClean(CleanerWorld& world, CleanerWorld::Part& part) {
  world.options().cleaner.enabled = false;
  world.options().cleaner.map_bytes = 24 * 15;
  ASSERT_TRUE(world.Start());
  Fill(world, part, 70, 20, 30);
  world.TurnCleanerOn();
}

// The same cleaning, cut at every third of its changes to the disk, each time others: a power cut or kill -9 after it.
void CutEverywhere(Durability mode, bool power) {
  const uint64_t seed = Number("SLUICE_SEED", std::random_device()());
  int64_t cuts = 0;
  for (int64_t at = 1 + static_cast<int64_t>(seed % 3);; at += 3) {
    SCOPED_TRACE("SLUICE_SEED=" + std::to_string(seed) + " change " + std::to_string(at));
    CleanerWorld world(seed);
    CleanerWorld::Part& part = world.AddPart("t", mode);
    ASSERT_NO_FATAL_FAILURE(FillAndClean(world, part));
    world.options().cleaner.enabled = true;
    world.EndAfter(at, power);
    world.Settle();
    const bool cut = world.over();
    if (!cut) world.EndNow(power);
    world.EndLife();
    ASSERT_TRUE(world.Start());
    EXPECT_TRUE(world.Files(part, ".swap").empty());
    EXPECT_TRUE(world.Files(part, ".cleaned").empty());
    // And what comes then finds a log like any other.
    world.clock().now_us += 5000000;
    Fill(world, part, 40, 20, 30);
    world.Settle();
    world.Check(part);
    if (::testing::Test::HasFailure()) return;
    if (!cut) break;
    ++cuts;
  }
  EXPECT_GT(cuts, 13);
}

// What a cleaning has written stands for more files than one. A start that cannot read it to its end must not go by what it has read.
TEST(CleanerCrash, AStartThatCannotReadWhatWasCleanedDoesNotGoOnWithoutIt) {
  int64_t seen = 0;
  for (int64_t at = 1; at < 200 && seen < 8; ++at) {
    SCOPED_TRACE(at);
    CleanerWorld world(Number("SLUICE_SEED", 9));
    CleanerWorld::Part& part = world.AddPart("t", Durability::kFsync);
    ASSERT_NO_FATAL_FAILURE(FillAndClean(world, part));
    world.EndAfter(at, false);
    world.Settle();
    if (!world.over()) break;
    world.EndLife();
    const std::vector<std::string> swaps = world.Files(part, ".log.swap");
    if (swaps.empty() || !world.Files(part, ".cleaned").empty() || *world.disk().FileSize("/data/t-0/" + swaps.front()) == 0) continue;
    ++seen;
    world.fail_start = [](sluice::test::DiskFaults& faults) { faults.Arm(sluice::test::DiskFaults::Kind::kRead, ".log.swap"); };
    (void)world.Start();
    ASSERT_TRUE(world.next_faults().struck());
    EXPECT_EQ(part.log, nullptr);
    world.fail_start = nullptr;
    if (!world.over()) world.EndNow(false);
    world.EndLife();
    ASSERT_TRUE(world.Start());
    world.Settle();
    world.Check(part);
    if (::testing::Test::HasFailure()) return;
  }
  EXPECT_GT(seen, 0);
}

TEST(CleanerCrash, PowerCutAtEveryStepInModeFsync) { CutEverywhere(Durability::kFsync, true); }
TEST(CleanerCrash, PowerCutAtEveryStepInModeOs) { CutEverywhere(Durability::kOs, true); }
TEST(CleanerCrash, KillAtEveryStepInModeFsync) { CutEverywhere(Durability::kFsync, false); }
TEST(CleanerCrash, KillAtEveryStepInModeOs) { CutEverywhere(Durability::kOs, false); }

void LiveThrough(uint64_t rounds, bool faults) {
  const uint64_t first = Number("SLUICE_SEED", std::random_device()());
  for (uint64_t seed = first; seed < first + rounds; ++seed) {
    SCOPED_TRACE("SLUICE_SEED=" + std::to_string(seed) + " SLUICE_ROUNDS=1");
    CleanerWorld world(seed);
    world.faults = faults;
    world.LiveThrough();
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(CleanerRandom, LivesOfCompactedLogs) { LiveThrough(Number("SLUICE_ROUNDS", 10), false); }
TEST(CleanerRandom, LivesOnADiskThatFailsAnAccess) { LiveThrough(Number("SLUICE_ROUNDS", 10), true); }

}  // namespace
}  // namespace sluice::log
