#include "net/read_pacer.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <string>
#include <vector>

#include "io/file.h"
#include "net/file_sender.h"
#include "reactor_fixture.h"
#include "support/temp_dir.h"

namespace sluice::net {
namespace {

constexpr int64_t kMiB = 1 << 20;

class ReadPacerTest : public test::ReactorFixture {
 protected:
  ReadPacerTest() {
    pacer_ = std::make_unique<ReadPacer>(*reactor_, [this] { return writes_; });
    // What is usual before anybody reads.
    Writes(100, 200);
    reactor_->RunOnce(0);
  }
  void Writes(int64_t count, int64_t us_each) {
    writes_.ended += count;
    writes_.total_us += count * us_each;
  }
  void After(int64_t us) {
    clock_.now_us += us;
    reactor_->RunOnce(0);
  }
  int64_t TakeAll() {
    int64_t all = 0;
    while (all < (int64_t{1} << 30)) {
      const int64_t given = pacer_->Take(kMiB);
      if (given == 0) break;
      all += given;
    }
    return all;
  }
  // A reader that takes what it can get, beside writes that take so long each; how much it gets.
  int64_t Read(int64_t ms, int64_t writes_a_ms, int64_t us_each) {
    int64_t all = 0;
    for (int64_t i = 0; i < ms; ++i) {
      After(1000);
      Writes(writes_a_ms, us_each);
      all += TakeAll();
    }
    return all;
  }

  io::WriteTimes writes_;
  std::unique_ptr<ReadPacer> pacer_;
};

TEST_F(ReadPacerTest, WhileNobodyWritesTheDiskIsTheReaders) {
  Read(200, 0, 0);
  EXPECT_GE(Read(100, 0, 0), 1000 * kMiB);
}

TEST_F(ReadPacerTest, WritesThatTakeAsLongAsEverLetTheRateGrow) {
  Read(300, 5, 210);
  EXPECT_GE(pacer_->rate(), 500 * kMiB);
}

TEST_F(ReadPacerTest, WritesThatTakeLongerSlowReadersDownButNeverStopThem) {
  Read(100, 5, 210);
  const int64_t fast = pacer_->rate();
  Read(20, 5, 5000);
  EXPECT_LT(pacer_->rate(), fast);
  Read(1000, 5, 5000);
  EXPECT_LE(pacer_->rate(), 64 * kMiB);
  const int64_t got = Read(1000, 5, 5000);
  EXPECT_GE(got, 16 * kMiB);
  EXPECT_LE(got, 64 * kMiB);
}

TEST_F(ReadPacerTest, AWriteThatDoesNotEndCountsToo) {
  Read(100, 5, 210);
  writes_.waiting_us = 50000;
  Read(500, 0, 0);
  EXPECT_LE(pacer_->rate(), 64 * kMiB);
}

TEST_F(ReadPacerTest, BeyondWhereItWentWrongItGrowsSlowly) {
  // A disk that has 400 MiB for readers in a second: beyond that writes wait.
  int64_t waited = 0;
  for (int i = 0; i < 500; ++i) {
    const int64_t got = Read(10, 0, 0);
    const bool over = got > 4 * kMiB;
    if (i >= 100 && over) ++waited;
    Writes(10, over ? 10000 : 210);
  }
  EXPECT_LE(waited, 40);
  EXPECT_GE(Read(1000, 5, 210), 200 * kMiB);
}

TEST_F(ReadPacerTest, AfterASecondWithoutReadsWhatIsUsualIsLookedAtAnew) {
  Read(500, 5, 5000);
  EXPECT_LE(pacer_->rate(), 64 * kMiB);
  Writes(1000, 6000);
  After(2000000);
  Read(300, 5, 7000);
  EXPECT_GE(pacer_->rate(), 300 * kMiB);
}

TEST_F(ReadPacerTest, WhoWaitsIsToldAndGoesOn) {
  test::TempDir temp;
  const std::string path = temp / "file";
  Result<std::unique_ptr<io::File>> made = io::RealFileSystem().Open(path, io::OpenMode::kCreate);
  ASSERT_TRUE(made.ok());
  std::shared_ptr<io::File> file = made.take();
  const std::vector<uint8_t> content(1 << 20, 7);
  ASSERT_TRUE(file->WriteAt(content, 0).ok() && file->Sync().ok());
  file->ReadNothingAhead();
  file->DropCache(0, static_cast<int64_t>(content.size()));
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
  const io::Fd here(ends[0]), there(ends[1]);

  const std::unique_ptr<io::Executor> pool = io::MakePool(1).take();
  const auto pipes = std::make_shared<PipePool>(*pool);
  pipes->SetPacer(pacer_.get());
  int woken = 0;
  FileSender sender(*pipes, [&woken] { ++woken; });
  FileRange range;
  range.pin = file;
  range.file = file.get();
  range.path = &path;
  range.length = static_cast<int64_t>(content.size());
  Read(20, 5, 210);
  TakeAll();
  EXPECT_EQ(sender.LookAhead(range, 0, kMiB), 0);
  EXPECT_EQ(sender.Send(here.get(), &range, false), FileSender::Progress::kReading);
  EXPECT_EQ(pool->pending(), 0u);
  EXPECT_EQ(woken, 0);
  for (int ms = 0; ms < 100 && woken == 0; ++ms) After(1000);
  ASSERT_EQ(woken, 1);
  EXPECT_EQ(sender.Send(here.get(), &range, false), FileSender::Progress::kReading);
  pollfd wait{pool->event_fd(), POLLIN, 0};
  while (woken == 1) {
    ::poll(&wait, 1, -1);
    pool->RunCompletions();
  }
  EXPECT_EQ(sender.Send(here.get(), &range, false), FileSender::Progress::kSent);
  EXPECT_GT(range.position, 0);
}

}  // namespace
}  // namespace sluice::net
