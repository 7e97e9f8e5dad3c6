// Calls that do less than they were asked for: whoever calls native/io gets all of it, or is told.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "io/async_writer.h"
#include "io/file.h"
#include "io/short_kernel.h"
#include "io/socket.h"
#include "support/temp_dir.h"

namespace sluice::io {
namespace {

using test::Cut;
using test::CutsOf;
using test::ShortKernel;

std::vector<uint8_t> SomeBytes(size_t length, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<uint8_t> bytes(length);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  return bytes;
}

class ShortCounts : public ::testing::Test {
 protected:
  std::unique_ptr<File> Make(OpenMode mode = OpenMode::kCreate) {
    Result<std::unique_ptr<File>> file = RealFileSystem().Open(dir_ / "file", mode);
    EXPECT_TRUE(file.ok()) << file.status().ToString();
    return file.take();
  }
  std::vector<uint8_t> Content() {
    const std::string content = *ReadWholeFile(RealFileSystem(), dir_ / "file", int64_t{1} << 30);
    return {content.begin(), content.end()};
  }
  sluice::test::TempDir dir_;
};

TEST_F(ShortCounts, WhatIsWrittenIsWrittenWhole) {
  const std::vector<uint8_t> bytes = SomeBytes(300000, 1);
  std::unique_ptr<File> file = Make();
  const int64_t interrupted = CutsOf(Cut::kInterrupted), shorter = CutsOf(Cut::kShort);
  {
    ShortKernel kernel;
    for (size_t at = 0, n = 1; at < bytes.size(); at += n, n = n * 5 / 3 + 1) {
      n = std::min(n, bytes.size() - at);
      ASSERT_TRUE(file->WriteAt(Bytes(bytes).subspan(at, n), static_cast<int64_t>(at)).ok());
    }
  }
  EXPECT_TRUE(Content() == bytes);
  EXPECT_GT(CutsOf(Cut::kInterrupted), interrupted);
  EXPECT_GT(CutsOf(Cut::kShort), shorter);
}

TEST_F(ShortCounts, VectorsAreWrittenWholeWithTheirEmptyParts) {
  std::vector<uint8_t> bytes = SomeBytes(200000, 2);
  std::unique_ptr<File> file = Make();
  std::mt19937_64 random(3);
  const int64_t shorter = CutsOf(Cut::kShort);
  for (int round = 0; round < 20; ++round) {
    std::vector<iovec> parts;
    for (size_t at = 0; at < bytes.size();) {
      const size_t n = random() % 5 == 0 ? 0 : std::min<size_t>(random() % 3000, bytes.size() - at);   // more parts than one call takes, too
      parts.push_back({bytes.data() + at, n});
      at += n;
    }
    parts.push_back({bytes.data(), 0});
    ASSERT_TRUE(file->Truncate(0).ok());
    {
      ShortKernel kernel;
      const Status written = file->WriteVectorAt(parts, 7);
      ASSERT_TRUE(written.ok()) << written.ToString();
    }
    const std::vector<uint8_t> content = Content();
    ASSERT_EQ(content.size(), bytes.size() + 7);
    ASSERT_TRUE(std::equal(bytes.begin(), bytes.end(), content.begin() + 7));
  }
  EXPECT_GT(CutsOf(Cut::kShort), shorter);
}

TEST_F(ShortCounts, WhatIsReadIsReadToTheEnd) {
  const std::vector<uint8_t> bytes = SomeBytes(100000, 4);
  std::unique_ptr<File> file = Make();
  ASSERT_TRUE(file->WriteAt(bytes, 0).ok());
  ShortKernel kernel;
  for (size_t from = 0; from < bytes.size(); from += 7777) {
    std::vector<uint8_t> got(50000);
    Result<size_t> n = file->ReadAt(got, static_cast<int64_t>(from));
    ASSERT_TRUE(n.ok()) << n.status().ToString();
    ASSERT_EQ(*n, std::min(got.size(), bytes.size() - from));
    ASSERT_TRUE(std::equal(got.begin(), got.begin() + static_cast<ptrdiff_t>(*n), bytes.begin() + static_cast<ptrdiff_t>(from)));
  }
}

// A short count means that the rest is not in memory, so it is asked for until the kernel says that.
TEST_F(ShortCounts, WhatIsInMemoryIsReadUntilTheRestIsNot) {
  const std::vector<uint8_t> bytes = SomeBytes(100000, 5);
  std::unique_ptr<File> file = Make();
  ASSERT_TRUE(file->WriteAt(bytes, 0).ok());
  std::vector<uint8_t> got(bytes.size());
  if (!file->ReadAtNoWait(got, 0).ok()) GTEST_SKIP() << "no RWF_NOWAIT on this file system";
  ShortKernel kernel;
  int whole = 0, part = 0, nothing = 0;
  for (int round = 0; round < 400; ++round) {
    std::fill(got.begin(), got.end(), 0);
    const int64_t before = CutsOf(Cut::kAgain);
    Result<size_t> n = file->ReadAtNoWait(got, 0);
    const bool told = CutsOf(Cut::kAgain) > before;
    ++(!n.ok() ? nothing : *n == bytes.size() ? whole : part);
    if (!n.ok()) {
      ASSERT_EQ(n.code(), Code::kWouldBlock);
      ASSERT_TRUE(told);
      continue;
    }
    ASSERT_EQ(*n < bytes.size(), told);
    ASSERT_TRUE(std::equal(got.begin(), got.begin() + static_cast<ptrdiff_t>(*n), bytes.begin()));
  }
  EXPECT_TRUE(whole > 0 && part > 0 && nothing > 0) << whole << " " << part << " " << nothing;
}

TEST_F(ShortCounts, InterruptedCallsAreMadeAgain) {
  std::unique_ptr<File> file = Make();
  ShortKernel kernel;
  for (int64_t size = 1; size < 40; ++size) {
    ASSERT_TRUE(file->Allocate(size * 4096).ok());
    ASSERT_TRUE(file->Truncate(size * 100).ok());
    ASSERT_TRUE(file->Sync().ok());
    ASSERT_EQ(*file->Size(), size * 100);
  }
}

TEST_F(ShortCounts, APipeIsFilledAsFarAsItIsWanted) {
  const std::vector<uint8_t> bytes = SomeBytes(60000, 6);
  std::unique_ptr<File> file = Make();
  ASSERT_TRUE(file->WriteAt(bytes, 0).ok());
  for (int round = 0; round < 20; ++round) {
    Result<Pipe> pipe = MakePipe(1 << 20);
    ASSERT_TRUE(pipe.ok());
    {
      ShortKernel kernel;
      ASSERT_EQ(FileToPipe(file->fd(), 100, pipe->write.get(), 50000), 50000);
    }
    std::vector<uint8_t> got(50000);
    ASSERT_EQ(::read(pipe->read.get(), got.data(), got.size()), 50000);
    ASSERT_TRUE(std::equal(got.begin(), got.end(), bytes.begin() + 100));
  }
}

// --- the journal's writes

struct Case {
  Driver driver;
  bool direct;
};
class ShortWrites : public ::testing::TestWithParam<Case> {
 protected:
  sluice::test::TempDir dir_;
};

struct Write final : WriteOp {
  void OnWritten(Status status) override {
    EXPECT_TRUE(status.ok()) << status.ToString();
    ++*ended;
  }
  int* ended = nullptr;
};

TEST_P(ShortWrites, AreWholeWhenTheyAreToldOf) {
  constexpr int kWrites = 400;
  constexpr size_t kPage = 4096;
  FileSystem& fs = RealFileSystem();
  if (GetParam().direct && *fs.DirectAlignment(dir_.path()) == 0) GTEST_SKIP() << "no O_DIRECT here";
  Result<std::unique_ptr<AsyncWriter>> made = MakeAsyncWriter(GetParam().driver);
  if (!made.ok()) GTEST_SKIP() << made.status().ToString();
  AsyncWriter& writer = **made;
  Result<std::unique_ptr<File>> file = fs.Open(dir_ / "file", GetParam().direct ? OpenMode::kDirectSync : OpenMode::kCreate);
  ASSERT_TRUE(file.ok());
  std::mt19937_64 random(7);
  size_t bytes = 0;
  std::vector<size_t> lengths;
  for (int i = 0; i < kWrites; ++i) {
    lengths.push_back(GetParam().direct ? kPage * (1 + random() % 8) : 1 + random() % 20000);
    bytes += lengths.back();
  }
  const std::vector<uint8_t> content = SomeBytes(bytes, 8);
  std::unique_ptr<uint8_t, decltype(&std::free)> aligned(static_cast<uint8_t*>(std::aligned_alloc(kPage, (bytes + kPage - 1) / kPage * kPage)), &std::free);
  std::copy(content.begin(), content.end(), aligned.get());
  const bool is_uring = std::string(writer.driver()) == "io_uring";
  const auto seen_all = [] { return CutsOf(Cut::kSubmittedInPart) > 0 && CutsOf(Cut::kCompletedShort) > 0 && CutsOf(Cut::kCompletedInterrupted) > 0; };
  // A completion that comes before anybody waits for it cannot be interrupted: on a busy machine that may be all of them, for a while.
  for (int round = 0; round == 0 || (is_uring && !seen_all()); ++round) {
    ASSERT_LT(round, 100);
    ASSERT_TRUE((*file)->Truncate(0).ok());
    std::vector<Write> writes(kWrites);
    int ended = 0;
    size_t at = 0;
    for (int i = 0; i < kWrites; ++i) {
      Write& write = writes[static_cast<size_t>(i)];
      write.ended = &ended;
      write.file = file->get();
      write.data = {aligned.get() + at, lengths[static_cast<size_t>(i)]};
      write.position = static_cast<int64_t>(at);
      write.sync_after = i % 16 == 0 && !GetParam().direct;
      at += write.data.size();
    }
    {
      ShortKernel kernel;
      for (int i = 0; i < kWrites;) {
        for (int n = 1 + static_cast<int>(random() % 40); n > 0 && i < kWrites; --n) writer.Submit(&writes[static_cast<size_t>(i++)]);
        writer.Flush();
        // Half of the time everything is waited for, as the reactor waits: what the kernel was not given would never come.
        while (random() % 2 == 0 && writer.pending() > 0) {
          pollfd wait{writer.event_fd(), POLLIN, 0};
          ASSERT_EQ(::poll(&wait, 1, 20000), 1) << writer.pending() << " writes were never begun";
          (void)writer.Reap();
        }
      }
      writer.Drain();
    }
    EXPECT_EQ(ended, kWrites);
    const std::string got = *ReadWholeFile(fs, dir_ / "file", int64_t{1} << 30);
    ASSERT_EQ(got.size(), bytes);
    EXPECT_TRUE(std::equal(content.begin(), content.end(), reinterpret_cast<const uint8_t*>(got.data())));
  }
}

INSTANTIATE_TEST_SUITE_P(BothDrivers, ShortWrites,
                         ::testing::Values(Case{Driver::kUring, false}, Case{Driver::kUring, true}, Case{Driver::kEpoll, false}, Case{Driver::kEpoll, true}),
                         [](const auto& info) { return std::string(info.param.driver == Driver::kUring ? "Uring" : "Epoll") + (info.param.direct ? "Direct" : "Buffered"); });

}  // namespace
}  // namespace sluice::io
