// Bytes and file ranges through a real socket: hot, cold, by copy, to a slow reader, and failing in the middle.
#include "net/outgoing.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <random>

#include "io/file.h"
#include "support/temp_dir.h"

namespace sluice::net {
namespace {

// A file of a simulated disk: no descriptor, reads that may fail.
class FakeFile final : public io::File {
 public:
  explicit FakeFile(std::vector<uint8_t> content) : content_(std::move(content)) {}
  Result<size_t> ReadAt(MutableBytes out, int64_t position) override {
    if (fail_from >= 0 && position >= fail_from) return Status::Error(Code::kIo, "read", EIO);
    const size_t at = static_cast<size_t>(position);
    const size_t n = at >= content_.size() ? 0 : std::min(out.size(), content_.size() - at);
    std::copy_n(content_.begin() + static_cast<ptrdiff_t>(at), n, out.begin());
    return n;
  }
  Result<size_t> ReadAtNoWait(MutableBytes, int64_t) override { return Status::Error(Code::kWouldBlock, "read"); }
  Status WriteAt(Bytes, int64_t) override { return Status::Ok(); }
  Status WriteVectorAt(std::span<iovec>, int64_t) override { return Status::Ok(); }
  Status Sync() override { return Status::Ok(); }
  void StartWriteback(int64_t, int64_t) override {}
  void DropCache(int64_t, int64_t) override {}
  void ReadAhead(int64_t, int64_t) override {}
  Status Truncate(int64_t) override { return Status::Ok(); }
  Status Allocate(int64_t) override { return Status::Ok(); }
  Result<int64_t> Size() override { return static_cast<int64_t>(content_.size()); }
  int fd() const override { return -1; }
  int64_t fail_from = -1;

 private:
  std::vector<uint8_t> content_;
};

class OutgoingTest : public ::testing::Test {
 protected:
  OutgoingTest() : pool_(io::MakePool(2).take()), pipes_(std::make_shared<PipePool>(*pool_)) {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    here_ = io::Fd(ends[0]);
    there_ = io::Fd(ends[1]);
    out_ = std::make_unique<Outgoing>(*pipes_, [this] { woken_ = true; });
  }

  std::vector<uint8_t> Content(size_t size) {
    std::vector<uint8_t> content(size);
    for (size_t i = 0; i < size; ++i) content[i] = static_cast<uint8_t>(i * 7 + i / 251);
    return content;
  }
  // A file on disk, out of the page cache if `cold`.
  std::shared_ptr<io::File> FileOf(const std::vector<uint8_t>& content, bool cold) {
    path_ = temp_ / "file";
    Result<std::unique_ptr<io::File>> file = io::RealFileSystem().Open(path_, io::OpenMode::kCreate);
    EXPECT_TRUE(file.ok());
    EXPECT_TRUE((*file)->WriteAt(content, 0).ok());
    EXPECT_TRUE((*file)->Sync().ok());
    (*file)->ReadNothingAhead();
    if (cold) (*file)->DropCache(0, static_cast<int64_t>(content.size()));
    return std::shared_ptr<io::File>(file.take());
  }
  FileRange RangeOf(const std::shared_ptr<io::File>& file, int64_t position, int64_t length, bool hot) {
    FileRange range;
    range.pin = file;
    range.file = file.get();
    range.path = &path_;
    range.position = position;
    range.length = length;
    range.hot = hot;
    return range;
  }
  void Bytes(const std::string& text) {
    out_->buffer().Append(sluice::Bytes(reinterpret_cast<const uint8_t*>(text.data()), text.size()));
    out_->AddBytes();
  }
  void Receive(size_t most) {
    std::vector<uint8_t> buffer(most);
    const ssize_t n = ::recv(there_.get(), buffer.data(), most, 0);
    if (n > 0) received_.insert(received_.end(), buffer.begin(), buffer.begin() + n);
  }
  // Sends and receives until all is sent or it breaks.
  Outgoing::Progress Pump(size_t piece = 1 << 20) {
    for (;;) {
      const Outgoing::Progress progress = out_->Flush(here_.get(), &sent_);
      Receive(piece);
      switch (progress) {
        case Outgoing::Progress::kAllSent:
          while (received_.size() < static_cast<size_t>(sent_)) Receive(piece);
          return progress;
        case Outgoing::Progress::kBroken: return progress;
        case Outgoing::Progress::kReading: {
          ++reads_;
          woken_ = false;
          pollfd wait{pool_->event_fd(), POLLIN, 0};
          while (!woken_) {
            ::poll(&wait, 1, -1);
            pool_->RunCompletions();
          }
          break;
        }
        default: break;
      }
    }
  }

  void AwaitPool() {
    pollfd wait{pool_->event_fd(), POLLIN, 0};
    while (pool_->pending() > 0) {
      ::poll(&wait, 1, -1);
      pool_->RunCompletions();
    }
  }

  test::TempDir temp_;
  std::string path_ = "simulated";
  std::unique_ptr<io::Executor> pool_;
  std::shared_ptr<PipePool> pipes_;
  io::Fd here_, there_;
  std::unique_ptr<Outgoing> out_;
  std::vector<uint8_t> received_;
  int64_t sent_ = 0;
  int reads_ = 0;
  bool woken_ = false;
};

TEST_F(OutgoingTest, BytesAndRangesInTheirOrder) {
  const std::vector<uint8_t> content = Content(1 << 20);
  for (bool cold : {false, true}) {
    SCOPED_TRACE(cold ? "cold" : "hot");
    received_.clear();
    sent_ = 0;
    reads_ = 0;
    std::shared_ptr<io::File> file = FileOf(content, cold);
    std::vector<uint8_t> expected;
    const auto text = [&](const std::string& s) {
      Bytes(s);
      expected.insert(expected.end(), s.begin(), s.end());
    };
    const auto range = [&](int64_t position, int64_t length) {
      out_->AddRange(RangeOf(file, position, length, !cold));
      expected.insert(expected.end(), content.begin() + position, content.begin() + position + length);
    };
    text("one");
    text("two");
    range(5, 700001);
    text("three");
    range(4096, 1);
    range(999, 65536);
    text("four");
    EXPECT_EQ(Pump(), Outgoing::Progress::kAllSent);
    EXPECT_EQ(sent_, static_cast<int64_t>(expected.size()));
    EXPECT_TRUE(received_ == expected);
    EXPECT_TRUE(out_->empty());
    EXPECT_EQ(out_->queued_bytes(), 0);
    EXPECT_EQ(out_->queued_ranges(), 0u);
    if (!cold) {
      EXPECT_EQ(reads_, 0) << "what is in memory is not sent around the pool";
    }
    AwaitPool();  // what was asked for ahead
    EXPECT_EQ(file.use_count(), 1) << "a range is pinned no longer than it is queued";
  }
}

TEST_F(OutgoingTest, WhatIsNotInMemoryIsReadOnThePool) {
  const std::vector<uint8_t> content = Content(4 << 20);
  std::shared_ptr<io::File> file = FileOf(content, true);
  if (io::LookAtPageCache(file->fd(), 0, 4 << 20).mostly()) GTEST_SKIP() << "this file system has no page cache to leave";
  // A fast disk has sometimes brought what was asked for ahead before the sender looks: until it had to wait once.
  for (int tries = 0; reads_ == 0; ++tries) {
    ASSERT_LT(tries, 1000);
    received_.clear();
    sent_ = 0;
    file->DropCache(0, 4 << 20);
    out_->AddRange(RangeOf(file, 0, 4 << 20, true));
    EXPECT_EQ(Pump(), Outgoing::Progress::kAllSent);
    EXPECT_TRUE(received_ == content);
    AwaitPool();
  }
}

TEST_F(OutgoingTest, ASlowReaderGetsEverything) {
  const std::vector<uint8_t> content = Content(3 << 20);
  for (bool cold : {false, true}) {
    received_.clear();
    sent_ = 0;
    std::shared_ptr<io::File> file = FileOf(content, cold);
    Bytes("head");
    out_->AddRange(RangeOf(file, 0, 3 << 20, !cold));
    EXPECT_EQ(Pump(7001), Outgoing::Progress::kAllSent);
    EXPECT_EQ(received_.size(), content.size() + 4);
    EXPECT_TRUE(std::equal(content.begin(), content.end(), received_.begin() + 4));
  }
}

TEST_F(OutgoingTest, AFileWithoutDescriptorIsCopied) {
  const std::vector<uint8_t> content = Content(900000);
  auto file = std::make_shared<FakeFile>(content);
  out_->AddRange(RangeOf(file, 100, 800000, false));
  Bytes("tail");
  EXPECT_EQ(Pump(), Outgoing::Progress::kAllSent);
  EXPECT_EQ(received_.size(), 800004u);
  EXPECT_TRUE(std::equal(received_.begin(), received_.begin() + 800000, content.begin() + 100));
}

TEST_F(OutgoingTest, AFileThatEndsEarlyBreaksAndIsNamed) {
  const std::vector<uint8_t> content = Content(300000);
  for (bool cold : {false, true}) {
    out_ = std::make_unique<Outgoing>(*pipes_, [this] { woken_ = true; });
    std::shared_ptr<io::File> file = FileOf(content, cold);
    ASSERT_TRUE(file->Truncate(300000).ok());
    out_->AddRange(RangeOf(file, 0, 400000, true));
    EXPECT_EQ(Pump(), Outgoing::Progress::kBroken);
    EXPECT_NE(out_->why().what().find(path_), std::string::npos);
    EXPECT_NE(out_->why().what().find("300000"), std::string::npos) << out_->why().what();
  }
}

TEST_F(OutgoingTest, AReadErrorBreaksAndIsNamed) {
  auto file = std::make_shared<FakeFile>(Content(1 << 20));
  file->fail_from = kSendChunk;
  out_->AddRange(RangeOf(file, 0, 1 << 20, false));
  EXPECT_EQ(Pump(), Outgoing::Progress::kBroken);
  EXPECT_EQ(out_->why().sys_errno(), EIO);
  EXPECT_NE(out_->why().what().find(std::to_string(kSendChunk)), std::string::npos);
}

TEST_F(OutgoingTest, APeerThatHasGoneBreaks) {
  Bytes("hello");
  there_.Reset();
  EXPECT_EQ(out_->Flush(here_.get(), &sent_), Outgoing::Progress::kBroken);
  EXPECT_EQ(out_->why().sys_errno(), EPIPE);
}

TEST_F(OutgoingTest, MayGoWhileAReadIsUnderWay) {
  std::shared_ptr<io::File> file = FileOf(Content(4 << 20), true);
  auto fake = std::make_shared<FakeFile>(Content(1 << 20));
  out_->AddRange(RangeOf(fake, 0, 1 << 20, false));
  EXPECT_EQ(out_->Flush(here_.get(), &sent_), Outgoing::Progress::kReading);
  out_.reset();
  AwaitPool();
  EXPECT_EQ(fake.use_count(), 1);
}

// A backlog is not kept in memory behind whoever reads it, what was there before is.
TEST_F(OutgoingTest, ABacklogLeavesTheCacheBehindItsReader) {
  constexpr int64_t kSize = 48 << 20;
  const std::vector<uint8_t> content = Content(kSize);
  std::shared_ptr<io::File> file = FileOf(content, true);
  const io::PageCacheShare before = io::LookAtPageCache(file->fd(), 0, kSize);
  if (!before.known || before.mostly()) GTEST_SKIP() << "the page cache cannot be looked at, or not be left";
  const auto read = [&] {
    received_.clear();
    sent_ = 0;
    for (int64_t at = 0; at < kSize; at += 1 << 20) {
      Bytes("head");
      out_->AddRange(RangeOf(file, at, 1 << 20, false));
      EXPECT_EQ(Pump(), Outgoing::Progress::kAllSent);
    }
    AwaitPool();
  };
  read();
  EXPECT_FALSE(io::LookAtPageCache(file->fd(), 0, kSize / 2).mostly());
  std::vector<uint8_t> all(kSize);
  ASSERT_TRUE(file->ReadAt(all, 0).ok());
  read();
  EXPECT_TRUE(io::LookAtPageCache(file->fd(), 0, kSize / 2).mostly());
}

// More cold readers than there are pipes: all of them come to their end.
TEST_F(OutgoingTest, PipesAreShared) {
  const std::vector<uint8_t> content = Content(600000);
  std::shared_ptr<io::File> file = FileOf(content, true);
  struct Reader {
    io::Fd here, there;
    std::unique_ptr<Outgoing> out;
    size_t received = 0;
    bool done = false;
  };
  std::vector<Reader> readers(kMaxPipes * 2);
  for (Reader& reader : readers) {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    reader.here = io::Fd(ends[0]);
    reader.there = io::Fd(ends[1]);
    reader.out = std::make_unique<Outgoing>(*pipes_, [] {});
    reader.out->AddRange(RangeOf(file, 0, 600000, false));
  }
  size_t left = readers.size();
  std::vector<uint8_t> buffer(1 << 20);
  for (int round = 0; left > 0 && round < 1000000; ++round) {
    if (round % 64 == 0) file->DropCache(0, 600000);
    for (Reader& reader : readers) {
      if (!reader.done && reader.out->Flush(reader.here.get(), &sent_) == Outgoing::Progress::kAllSent) {
        reader.done = true;
        --left;
      }
      const ssize_t n = ::recv(reader.there.get(), buffer.data(), buffer.size(), 0);
      if (n > 0) reader.received += static_cast<size_t>(n);
    }
    pool_->RunCompletions();
  }
  EXPECT_EQ(left, 0u);
}

// As many as there are pipes read something cold and then nothing more: whoever does read is served all the same, and so are they when they go on.
TEST_F(OutgoingTest, ReadersThatStopKeepNoPipeFromOthers) {
  // Each has its own part of the file: what lies in a pipe is held in the cache.
  constexpr int64_t kPart = 1 << 20;
  const std::vector<uint8_t> content = Content((kMaxPipes + 1) * kPart);
  std::shared_ptr<io::File> file = FileOf(content, true);
  struct Reader {
    Reader(PipePool& pipes, FileRange all) : sender(pipes, [] {}), range(std::move(all)) {
      int ends[2];
      EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
      here = io::Fd(ends[0]);
      there = io::Fd(ends[1]);
      const int less_than_a_chunk = 32 << 10;
      ::setsockopt(here.get(), SOL_SOCKET, SO_SNDBUF, &less_than_a_chunk, sizeof less_than_a_chunk);
    }
    io::Fd here, there;
    FileSender sender;
    FileRange range;
    std::vector<uint8_t> received;
  };
  const auto receive = [](Reader& reader) {
    uint8_t buffer[65536];
    for (ssize_t n; (n = ::recv(reader.there.get(), buffer, sizeof buffer, 0)) > 0;) reader.received.insert(reader.received.end(), buffer, buffer + n);
  };
  const auto send_until = [&](Reader& reader, auto done) {
    for (int round = 0; round < 200000; ++round) {
      file->DropCache(0, static_cast<int64_t>(content.size()));
      const FileSender::Progress progress = reader.range.length > 0 ? reader.sender.Send(reader.here.get(), &reader.range, true) : FileSender::Progress::kSent;
      if (done(progress)) return true;
      pool_->RunCompletions();
    }
    return false;
  };
  std::vector<std::unique_ptr<Reader>> stopped;
  while (stopped.size() < kMaxPipes) {
    stopped.push_back(std::make_unique<Reader>(*pipes_, RangeOf(file, static_cast<int64_t>(stopped.size()) * kPart, kPart, false)));
    // A chunk is read, some of it goes out, and the rest stays in a pipe.
    ASSERT_TRUE(send_until(*stopped.back(), [](FileSender::Progress progress) { return progress == FileSender::Progress::kSocketFull; }));
    ASSERT_GT(stopped.back()->range.length, kPart - kSendChunk);
  }
  stopped.push_back(std::make_unique<Reader>(*pipes_, RangeOf(file, kMaxPipes * kPart, kPart, false)));
  for (size_t i = stopped.size(); i-- > 0;) {
    Reader& reader = *stopped[i];
    ASSERT_TRUE(send_until(reader, [&](FileSender::Progress) {
      receive(reader);
      return reader.received.size() == static_cast<size_t>(kPart);
    })) << i;
    EXPECT_TRUE(std::equal(reader.received.begin(), reader.received.end(), content.begin() + static_cast<ptrdiff_t>(i) * kPart)) << i;
  }
}

// After a burst of cold readers, the descriptors of those that came back are given up; whoever goes on reading keeps theirs.
TEST_F(OutgoingTest, PipesThatNobodyNeedsAreClosed) {
  FileSender sender(*pipes_, [] {});
  std::vector<io::Pipe> pipes(3);
  const auto is_open = [](int fd) { return ::fcntl(fd, F_GETFD) != -1; };
  std::vector<int> fds;
  for (io::Pipe& pipe : pipes) {
    ASSERT_TRUE(pipes_->Take(&sender, &pipe));
    fds.push_back(pipe.read.get());
  }
  pipes_->Trim();
  for (io::Pipe& pipe : pipes) pipes_->Give(std::move(pipe), false);
  pipes_->Trim();
  for (int fd : fds) EXPECT_TRUE(is_open(fd)) << "a pipe that was in use since the last time";

  io::Pipe again;
  ASSERT_TRUE(pipes_->Take(&sender, &again));
  const int kept = again.read.get();
  pipes_->Give(std::move(again), false);
  pipes_->Trim();
  for (int fd : fds) EXPECT_EQ(is_open(fd), fd == kept);
  pipes_->Trim();
  EXPECT_FALSE(is_open(kept));
}

TEST_F(OutgoingTest, AQueueThatNeverEmptiesDoesNotGrow) {
  const std::string block(5000, 'x');
  size_t expected = 0;
  size_t largest = 0;
  for (int i = 0; i < 2000; ++i) {
    Bytes(block);
    Bytes(block);
    expected += 2 * block.size();
    (void)out_->Flush(here_.get(), &sent_);
    if (!out_->empty()) largest = std::max(largest, out_->buffer().capacity());
    Receive(9000 + (i % 3) * 1500);
  }
  EXPECT_EQ(Pump(), Outgoing::Progress::kAllSent);
  EXPECT_EQ(received_.size(), expected);
  EXPECT_LT(largest, expected / 4);
}

}  // namespace
}  // namespace sluice::net
