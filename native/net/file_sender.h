// Sends file ranges to one socket without copying. What is in the page cache goes by sendfile; anything else is first read on the pool into
// a pipe, which holds the pages, and spliced from there: a cold range never blocks the reactor.
// Thread: reactor.
// Owns: the pipe in use.
// After error: kBroken with the reason; the connection cannot go on, since the length of the answer has been sent.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/buffer.h"
#include "base/intrusive_list.h"
#include "io/executor.h"
#include "io/socket.h"
#include "net/file_range.h"

namespace sluice::net {

inline constexpr int64_t kSendChunk = 256 << 10;    // looked at and sent at a time
inline constexpr int64_t kReadAheadBytes = 1 << 20;  // looked at, and asked for where it is not there, at a time
inline constexpr int64_t kLookAhead = 4 << 20;       // that far in front of what is sent, at most
inline constexpr size_t kMaxPipes = 32;             // 8 MiB of pages; also bounds the jobs in the pool

class FileSender;
class ReadPacer;

// Pipes shared by all connections of a reactor; also the queue for them. Shared with the jobs that fill them.
class PipePool : public std::enable_shared_from_this<PipePool> {
 public:
  explicit PipePool(io::Executor& pool) : pool_(pool) {}
  io::Executor& executor() { return pool_; }
  // What is read from the disk keeps to its pace from now on; null: to none.
  void SetPacer(ReadPacer* pacer) { pacer_ = pacer; }
  ReadPacer* pacer() const { return pacer_; }
  // False: none is free; the sender is called (OnPipe) when one is. Before it comes to that, one is taken from a sender whose peer does not read.
  bool Take(FileSender* sender, io::Pipe* out);
  // The sender's pipe is full and its peer does not read: it may lose it (LosePipe) to one that could go on, now or later.
  void MayLose(FileSender* sender);
  // `dirty`: bytes are left in it, so it is closed. In use no longer either way.
  void Give(io::Pipe pipe, bool dirty);
  // Called by a sender that was told of a free pipe and has no use for it any more.
  void PassOn();
  // Called now and then: pipes that nobody has needed since the last call are closed.
  void Trim();

 private:
  io::Executor& pool_;
  ReadPacer* pacer_ = nullptr;
  std::vector<io::Pipe> free_;  // the one used last is the next to be taken
  size_t spare_ = 0;            // the least that were free since the last Trim
  size_t in_use_ = 0;
  IntrusiveList<FileSender, struct PipeWaitTag> waiting_;
  IntrusiveList<FileSender, struct PipeStuckTag> stuck_;
};

class FileSender final : public ListNode<struct PipeWaitTag>, public ListNode<struct PipeStuckTag> {
 public:
  enum class Progress : uint8_t { kSent, kSocketFull, kReading, kBroken };

  // `wake` runs when a read that Send waited for is done (Progress::kReading).
  FileSender(PipePool& pipes, std::function<void()> wake) : pipes_(pipes), wake_(std::move(wake)) {}
  ~FileSender();

  // Sends from the front of *range, moving its position and length: kSent once at most kSendChunk bytes have gone.
  Progress Send(int socket, FileRange* range, bool more);
  // Has the pool ask for what is not in memory of `length` bytes from `position` on, so that it is there when its turn comes. How many it has looked at:
  // fewer, or none, while the disk has enough to do.
  int64_t LookAhead(const FileRange& range, int64_t position, int64_t length);
  const Status& why() const { return why_; }
  void OnPipe() {
    offered_ = true;
    wake_();
  }
  // What the pipe holds and has not been sent is looked for in the page cache, where it was read into.
  void LosePipe();
  void OnPaced() { wake_(); }
  bool IsWaitingForPipe() const { return ListNode<PipeWaitTag>::is_linked(); }

 private:
  struct ColdRead;
  struct ReadAheadJob;
  bool IsResident(const FileRange& range, int64_t length) const;
  Progress StartRead(const FileRange& range);
  Progress Drain(int socket, FileRange* range, bool more);
  Progress Broken(const FileRange& range, int error, const char* what);
  bool WasAsked(const FileRange& range) const;
  void NoteCold(const FileRange& range, int64_t from, int64_t to);
  // What lies far enough behind `position` to be dropped; at most once.
  std::pair<int64_t, int64_t> Behind(const FileRange& range, int64_t position);

  PipePool& pipes_;
  const std::function<void()> wake_;
  Status why_;
  ColdRead* reading_ = nullptr;  // owned by the executor
  // What has been read and not yet sent: in the pipe, or copied where the file has no descriptor.
  io::Pipe pipe_;
  size_t in_pipe_ = 0;
  Buffer copied_;
  size_t copied_sent_ = 0;
  int read_error_ = 0;  // of a finished read that brought nothing
  bool read_ended_ = false;
  bool offered_ = false;  // a pipe was free when last told
  // The stretch of bytes that are in the page cache because of this connection only: dropped behind it, so that a backlog does not evict the tail.
  std::weak_ptr<void> stretch_pin_;
  io::File* stretch_file_ = nullptr;
  int64_t stretch_from_ = 0, stretch_to_ = 0;
};

}  // namespace sluice::net
