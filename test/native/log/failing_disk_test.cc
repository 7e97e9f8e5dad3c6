// What a disk that fails once must not lead to: each of these was found by `npm run fault`.
#include "cleaner_world.h"
#include "log/doubt.h"
#include "log/space_reserve.h"

namespace sluice::log {
namespace {

using test::CleanerWorld;

bool EndsWith(const std::string& text, const std::string& end) { return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0; }

void Fill(CleanerWorld& world, CleanerWorld::Part& part, int batches) {
  for (int i = 0; i < batches; ++i) {
    world.Append(part, 1000);
    if (i % 3 == 0) world.Commit();
  }
  world.Drive([&] { return part.log->high_watermark() == part.log->next_offset(); });
}

CleanerWorld::Part& AddPlain(CleanerWorld& world, Durability mode) {
  CleanerWorld::Part& part = world.AddPart("t", mode);
  part.config.cleanup_compact = false;
  return part;
}

// Fails the first access of that kind; true once it has.
std::shared_ptr<bool> FailOnce(CleanerWorld& world, const std::string& what, const std::string& path_end, int code) {
  auto done = std::make_shared<bool>(false);
  world.disk().fail = [what, path_end, code, done](const char* change, const std::string& path) {
    if (*done || what != change || !EndsWith(path, path_end)) return Status::Ok();
    *done = true;
    return Status::FromErrno(code, what);
  };
  return done;
}

// Fails the sync of that file, or that of the whole disk where the world syncs it so.
void FailSyncOnce(CleanerWorld& world, const std::string& path_end) {
  const bool whole = world.options().syncs_one_by_one == 0;
  FailOnce(world, whole ? "syncfs" : "sync", whole ? "/data" : path_end, EIO);
}

// The kernel calls the pages clean that it could not write. The process ends, another one reads them from memory, and stops clean.
TEST(FailingDisk, PagesThatASyncCouldNotWriteAreWrittenAgainByTheNextProcess) {
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(seed);
    CleanerWorld world(seed);
    CleanerWorld::Part& part = AddPlain(world, seed % 2 == 0 ? Durability::kOs : Durability::kFsync);
    ASSERT_TRUE(world.Start());
    Fill(world, part, 40);
    FailSyncOnce(world, ".log");
    std::optional<Status> stopped;
    world.dir().CloseClean([&](Status status) { stopped = std::move(status); });
    world.Drive([&] { return stopped.has_value(); });
    EXPECT_EQ(stopped->code(), Code::kIo) << stopped->ToString();
    world.EndNow(false);
    world.EndLife();
    ASSERT_TRUE(world.Start());   // finds what was answered, in memory
    EXPECT_TRUE(world.Files(part, kSyncFailedName).empty());
    world.StopClean();
    world.EndLife();              // by a power cut, every other time
    ASSERT_TRUE(world.Start());
  }
}

// The process is killed right after the sync of the whole file system has failed: before it was worked out of which logs pages may be lost.
TEST(FailingDisk, AKillRightAfterAFailedSyncOfTheWholeDiskForgetsNothing) {
  for (uint64_t seed = 5; seed <= 60; seed += 5) {
    SCOPED_TRACE(seed);
    CleanerWorld world(seed);
    ASSERT_EQ(world.options().syncs_one_by_one, 0u);
    CleanerWorld::Part& part = AddPlain(world, seed % 2 == 0 ? Durability::kOs : Durability::kFsync);
    world.AddPart("u", Durability::kFsync);
    ASSERT_TRUE(world.Start());
    Fill(world, part, 40);
    const std::shared_ptr<bool> failed = FailOnce(world, "syncfs", "/data", EIO);
    const auto change = world.disk().on_change;
    int left = static_cast<int>(3 + seed % 3);   // the note is made and written
    world.disk().on_change = [&, change, failed](const std::string& what) {
      if (*failed && --left == 0) world.EndNow(false); else change(what);
    };
    world.dir().CloseClean([](Status) {});
    world.Drive([&] { return world.over(); });
    world.EndLife();
    ASSERT_TRUE(world.Start());   // finds what was answered, in memory
    EXPECT_FALSE(*world.disk().Exists(std::string("/data/") + kSyncFailedName));
    EXPECT_TRUE(world.Files(part, kSyncFailedName).empty());
    world.StopClean();
    world.EndLife();              // by a power cut, every other time
    ASSERT_TRUE(world.Start());
  }
}

// What a log is doubted for takes the place of the note of all; where one cannot be made, or one may be missing, that stays.
TEST(FailingDisk, TheNoteOfTheWholeDirectoryGoesWhenEachLogHasItsOwn) {
  sluice::test::SimDisk disk;
  for (const char* dir : {"/d/t-0", "/d/u-0"}) ASSERT_TRUE(disk.MakeDirs(dir).ok());
  const std::string all = std::string("/d/") + kSyncFailedName, one = std::string("/d/t-0/") + kSyncFailedName, other = std::string("/d/u-0/") + kSyncFailedName;
  const auto fail = [&] {
    disk.faults.push_back({"syncfs", "/d", Status::FromErrno(ENOSPC, "syncfs")});
    WholeSync whole(&disk, "/d");
    EXPECT_EQ(whole.Run().code(), Code::kIo);
    disk.faults.clear();
    EXPECT_EQ(whole.Run().code(), Code::kIo);   // which the disk would not say twice
  };
  fail();
  EXPECT_TRUE(*disk.Exists(all));
  NoteDoubts(disk, "/d", {{"/d/t-0", "00000000000000000000\n"}, {"/d/gone-0", "00000000000000000000\n"}}, false);
  EXPECT_TRUE(*disk.Exists(all) && *disk.Exists(one));
  disk.faults.push_back({"write", "/d/t-0", Status::FromErrno(ENOSPC, "write")});
  NoteDoubts(disk, "/d", {{"/d/t-0", "00000000000000000000\n"}}, true);
  EXPECT_TRUE(*disk.Exists(all));
  disk.faults.clear();
  NoteDoubts(disk, "/d", {{"/d/t-0", "00000000000000000000\n"}, {"/d/gone-0", "00000000000000000000\n"}}, true);
  EXPECT_FALSE(*disk.Exists(all));
  EXPECT_FALSE(*disk.Exists(other));
  fail();
  ASSERT_TRUE(SpreadDoubt(disk, "/d").ok());
  EXPECT_FALSE(*disk.Exists(all));
  EXPECT_TRUE(*disk.Exists(one) && *disk.Exists(other));
  // Everything is named now, whatever was before.
  Result<std::unique_ptr<io::File>> file = disk.Open("/d/t-0/00000000000000000007.log", io::OpenMode::kCreate);
  ASSERT_TRUE(file.ok());
  std::vector<std::string> written;
  disk.on_change = [&](const std::string& what) { written.push_back(what); };
  const uint8_t byte = 1;
  ASSERT_TRUE((*file)->WriteAt({&byte, 1}, 0).ok());
  written.clear();
  ASSERT_TRUE(WriteAgain(disk, "/d/t-0").ok());
  EXPECT_EQ(written.front(), "write /d/t-0/00000000000000000007.log");
  // Without a descriptor nothing was synced, and nothing is lost.
  WholeSync whole(&disk, "/d");
  disk.fail = [](const char* what, const std::string&) { return std::string(what) == "open" ? Status::FromErrno(EMFILE, "open") : Status::Ok(); };
  EXPECT_EQ(whole.Run().code(), Code::kNoFiles);
  disk.fail = nullptr;
  EXPECT_TRUE(whole.Run().ok());
}

// Made by a start that was killed; the next one could not sync what says whose it is, and was killed too.
TEST(FailingDisk, AnIdentityThatASyncCouldNotWriteIsWrittenAgain) {
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE(seed);
    CleanerWorld world(seed);
    world.options().new_logs_one_by_one = 16;
    CleanerWorld::Part& part = AddPlain(world, Durability::kFsync);
    ASSERT_TRUE(world.disk().MakeDirs("/data/t-0").ok());
    const std::string text = "version: 0\ntopic_id: " + part.id.ToString() + "\n";
    {
      Result<std::unique_ptr<io::File>> file = world.disk().Open("/data/t-0/partition.metadata", io::OpenMode::kCreate);
      ASSERT_TRUE(file.ok() && (*file)->WriteAt({reinterpret_cast<const uint8_t*>(text.data()), text.size()}, 0).ok());
    }
    world.faults = true;
    world.fail_start = [](sluice::test::DiskFaults& faults) { faults.Arm(sluice::test::DiskFaults::Kind::kSync, "/t-0/partition.metadata"); };
    (void)world.Start();
    EXPECT_TRUE(world.next_faults().struck());
    if (!world.over()) world.EndNow(false);
    world.EndLife();
    world.fail_start = [](sluice::test::DiskFaults&) {};
    ASSERT_TRUE(world.Start());
    world.StopClean();
    world.EndLife();   // which verifies
    ASSERT_TRUE(world.Start());
  }
}

// With 10,000 partitions a checkpoint once came to the limit of descriptors, and took the directory offline.
TEST(FailingDisk, WithoutADescriptorACheckpointWaitsAndNothingGoesOffline) {
  for (const char* const name : {".index", ".timeindex"}) {
    SCOPED_TRACE(name);
    CleanerWorld world(1);
    world.options().journal_bytes = 1 << 20;
    CleanerWorld::Part& part = AddPlain(world, Durability::kFsync);
    part.config.segment_bytes = 1 << 20;   // so that the index is made by a checkpoint
    ASSERT_TRUE(world.Start());
    const std::shared_ptr<bool> failed = FailOnce(world, "create", name, EMFILE);
    for (int i = 0; i < 200 && !*failed; ++i) Fill(world, part, 20);
    ASSERT_TRUE(*failed);
    EXPECT_TRUE(part.log->offline().ok()) << part.log->offline().ToString();
    const int64_t before = world.dir().stats().checkpoints;
    world.clock().now_us += 2000000;   // it is not tried again at every tick
    for (int i = 0; i < 200 && world.dir().stats().checkpoints == before; ++i) Fill(world, part, 20);
    EXPECT_GT(world.dir().stats().checkpoints, before);
    world.StopClean();
    world.EndLife();
    ASSERT_TRUE(world.Start());
  }
}

TEST(FailingDisk, AStopThatTheFullDiskHeldUpAfterTheJournalWasGoneGoesOn) {
  CleanerWorld world(1);
  CleanerWorld::Part& part = AddPlain(world, Durability::kFsync);
  ASSERT_TRUE(world.Start());
  Fill(world, part, 20);
  const std::shared_ptr<bool> failed = FailOnce(world, "create", ".kafka_cleanshutdown.tmp", ENOSPC);
  world.StopClean();
  EXPECT_TRUE(*failed);
  world.EndLife();
  ASSERT_TRUE(world.Start());
}

// Its folder would say nothing of whose it is, beside the mark of a clean stop.
TEST(FailingDisk, APartitionThatCouldNotBeMadeDurableLeavesNoFolder) {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE(seed);
    CleanerWorld world(seed);
    world.options().new_logs_one_by_one = 16;
    AddPlain(world, Durability::kFsync);
    ASSERT_TRUE(world.Start());
    FailOnce(world, "sync", "/u-0/partition.metadata", EIO);
    PartitionSpec spec;
    spec.name = {"u", 0};
    spec.id.bytes[0] = 77;
    std::optional<Status> opened;
    world.dir().OpenPartitions({spec}, [&](std::vector<OpenOutcome> outcomes) { opened = outcomes[0].status; });
    world.Drive([&] { return opened.has_value(); });
    EXPECT_EQ(opened->code(), Code::kIo);
    EXPECT_FALSE(*world.disk().Exists("/data/u-0"));
    world.StopClean();
    world.EndLife();   // which verifies
  }
}

// Two power cuts while the partition was made: the file is as long as it should be, the end of it is zeros.
TEST(FailingDisk, AnIdentityOfWhichTheEndWasLostIsWrittenAgain) {
  CleanerWorld world(3);
  AddPlain(world, Durability::kFsync);
  ASSERT_TRUE(world.Start());
  world.StopClean();
  world.EndLife();
  Result<std::unique_ptr<io::File>> file = world.disk().Open("/data/t-0/partition.metadata", io::OpenMode::kReadWrite);
  ASSERT_TRUE(file.ok());
  const int64_t size = *(*file)->Size();
  ASSERT_TRUE((*file)->Truncate(size - 12).ok());
  ASSERT_TRUE((*file)->Truncate(size).ok());
  ASSERT_TRUE(world.Start());
}

// Going on without it would bring deleted records back.
TEST(FailingDisk, LogStartsThatCannotBeReadKeepTheDirectoryClosed) {
  CleanerWorld world(2);
  CleanerWorld::Part& part = AddPlain(world, Durability::kFsync);
  ASSERT_TRUE(world.Start());
  Fill(world, part, 20);
  world.dir().DeleteRecords(part.log, Offset(5), [](Result<Offset>) {});
  world.Drive([&] { return part.log->log_start().v == 5; });
  part.appended.erase(part.appended.begin(), part.appended.lower_bound(5));
  world.StopClean();
  world.EndLife();
  FailOnce(world, "read", "/log-start-offset-checkpoint", EIO);
  std::mt19937_64 random(2);
  sluice::test::SimClock clock;
  {
    sluice::test::SimEnv env(&world.disk(), &clock, random);
    Result<std::unique_ptr<LogDir>> opened = LogDir::Open(env.env, world.options());
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.code(), Code::kIo);
    EXPECT_NE(opened.status().what().find("/data/log-start-offset-checkpoint"), std::string::npos);
  }
  ASSERT_TRUE(world.Start());
  EXPECT_EQ(part.log->log_start().v, 5);
}

// The home thread takes from the reserve while another thread makes it larger.
TEST(FailingDisk, WhoTakesFromTheReserveDoesNotWaitForItsSync) {
  sluice::test::SimDisk disk;
  ASSERT_TRUE(disk.MakeDirs("/d").ok());
  SpaceReserve reserve(disk, "/d", "reserve");
  int taken = 0;
  disk.on_change = [&](const std::string& what) {
    if (what.rfind("sync", 0) == 0) taken += reserve.Take() ? 1 : 0;   // it would wait for ever
  };
  ASSERT_TRUE(reserve.Ensure(8 << 20, 0).ok());
  EXPECT_EQ(taken, 2);
  EXPECT_EQ(reserve.bytes(), 6 << 20);
  EXPECT_EQ(*disk.FileSize("/d/reserve"), 6 << 20);
}

}  // namespace
}  // namespace sluice::log
