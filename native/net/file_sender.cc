#include "net/file_sender.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/assert.h"
#include "net/read_pacer.h"

namespace sluice::net {
namespace {
constexpr int64_t kKeepBehind = kLookAhead + kReadAheadBytes + (2 << 20);  // not sent yet, or still in flight to the peer
constexpr int64_t kDropAtLeast = 4 << 20;
constexpr int64_t kAskBytes = 128 << 10;  // the kernel may cut what is asked at once to the disk's largest request

bool InMemory(io::File& file, int64_t position) {
  uint8_t byte;
  Result<size_t> read = file.ReadAtNoWait(MutableBytes(&byte, 1), position);
  return read.ok() && *read == 1;
}
}  // namespace

bool PipePool::Take(FileSender* sender, io::Pipe* out) {
  for (;;) {
    if (in_use_ < kMaxPipes && !free_.empty()) {
      *out = std::move(free_.back());
      free_.pop_back();
      spare_ = std::min(spare_, free_.size());
      ++in_use_;
      return true;
    }
    if (in_use_ < kMaxPipes) {
      Result<io::Pipe> made = io::MakePipe(kSendChunk);
      if (made.ok()) {
        *out = made.take();
        ++in_use_;
        return true;
      }
      if (in_use_ == 0) return false;  // out of descriptors: nobody will give one back; the caller copies
    }
    FileSender* slow = stuck_.PopFront();
    if (slow == nullptr) break;
    slow->LosePipe();
  }
  if (!sender->IsWaitingForPipe()) waiting_.PushBack(sender);
  return false;
}

void PipePool::MayLose(FileSender* sender) {
  if (!waiting_.empty()) {
    sender->LosePipe();
  } else if (!sender->ListNode<PipeStuckTag>::is_linked()) {
    stuck_.PushBack(sender);
  }
}

void PipePool::Give(io::Pipe pipe, bool dirty) {
  SLUICE_ASSERT(in_use_ > 0);
  --in_use_;
  if (!dirty) free_.push_back(std::move(pipe));
  PassOn();
}

void PipePool::PassOn() {
  if (FileSender* next = waiting_.PopFront()) next->OnPipe();
}

void PipePool::Trim() {
  free_.erase(free_.begin(), free_.begin() + static_cast<ptrdiff_t>(spare_));
  spare_ = free_.size();
}

// Reads one chunk on the pool. With a pipe it only moves references to pages.
struct FileSender::ColdRead final : io::Job {
  FileSender* owner = nullptr;  // null when the connection has gone
  std::shared_ptr<PipePool> pipes;
  std::shared_ptr<void> pin;
  io::File* file = nullptr;
  int64_t position = 0;
  int64_t length = 0;
  io::Pipe pipe;
  Buffer copied;
  std::pair<int64_t, int64_t> drop;
  int64_t moved = 0;  // or a negated errno

  void Run() override {
    if (drop.second > 0) file->DropCache(drop.first, drop.second);
    const int fd = file->fd();
    if (fd >= 0 && pipe.write.open()) {
      moved = io::FileToPipe(fd, position, pipe.write.get(), static_cast<size_t>(length));
      if (moved != -EINVAL) return;  // else this file system cannot splice
    }
    copied.Resize(static_cast<size_t>(length));
    Result<size_t> read = file->ReadAt(copied.mutable_bytes(), position);
    moved = read.ok() ? static_cast<int64_t>(*read) : -(read.status().sys_errno() != 0 ? read.status().sys_errno() : EIO);
    copied.Resize(read.ok() ? *read : 0);
  }

  void Done() override {
    const bool in_pipe = copied.empty() && moved > 0;
    if (owner == nullptr) {
      if (pipe.read.open()) pipes->Give(std::move(pipe), in_pipe);
      return;
    }
    FileSender& me = *owner;
    me.reading_ = nullptr;
    if (moved <= 0) {
      me.read_error_ = moved < 0 ? static_cast<int>(-moved) : 0;
      me.read_ended_ = true;
    } else if (in_pipe) {
      me.in_pipe_ = static_cast<size_t>(moved);
    } else {
      me.copied_ = std::move(copied);
      me.copied_sent_ = 0;
    }
    if (pipe.read.open()) {
      if (in_pipe) {
        me.pipe_ = std::move(pipe);
      } else {
        pipes->Give(std::move(pipe), false);
      }
    }
    me.wake_();
  }
};

FileSender::~FileSender() {
  if (reading_ != nullptr) reading_->owner = nullptr;
  ListNode<PipeWaitTag>::Unlink();
  ListNode<PipeStuckTag>::Unlink();
  if (offered_) pipes_.PassOn();
  if (pipe_.read.open()) pipes_.Give(std::move(pipe_), in_pipe_ > 0);
}

void FileSender::LosePipe() {
  in_pipe_ = 0;
  pipes_.Give(std::exchange(pipe_, io::Pipe()), true);
}

FileSender::Progress FileSender::Broken(const FileRange& range, int error, const char* what) {
  why_ = Status::Error(Code::kIo, std::string(what) + " of " + *range.path + " at " + std::to_string(range.position), error);
  return Progress::kBroken;
}

bool FileSender::IsResident(const FileRange& range, int64_t length) const {
  const io::PageCacheShare share = io::LookAtPageCache(range.file->fd(), range.position, length);
  // Pages that are still being read count as cached; the last one tells.
  if (share.known) return share.whole() && InMemory(*range.file, range.position + length - 1);
  // Without that, only for what was written lately, which leaves the cache in larger pieces: its two ends.
  return range.hot && InMemory(*range.file, range.position) && InMemory(*range.file, range.position + length - 1);
}

struct FileSender::ReadAheadJob final : io::Job {
  std::shared_ptr<void> pin;
  io::File* file = nullptr;
  int64_t position = 0, length = 0;
  std::pair<int64_t, int64_t> drop;
  void Run() override {
    for (int64_t at = position; at < position + length; at += kAskBytes) file->ReadAhead(at, kAskBytes);
    if (drop.second > 0) file->DropCache(drop.first, drop.second);
  }
  void Done() override {}
};

int64_t FileSender::LookAhead(const FileRange& range, int64_t position, int64_t length) {
  if (range.file->fd() < 0) return length;
  const io::PageCacheShare share = io::LookAtPageCache(range.file->fd(), position, length);
  if (!share.known || share.whole()) return length;
  int64_t looked = length;
  if (!share.mostly()) {
    // A backlog: its reader will be back for what follows.
    if (!io::LookAtPageCache(range.file->fd(), position + length, kReadAheadBytes).mostly()) length += kReadAheadBytes;
    if (ReadPacer* pacer = pipes_.pacer()) {
      length = pacer->Take(length);
      if (length == 0) return 0;
      looked = std::min(looked, length);
    }
    NoteCold(range, position, position + length);
  }
  auto job = std::make_unique<ReadAheadJob>();
  job->pin = range.pin;
  job->file = range.file;
  job->position = position;
  job->length = length;
  job->drop = Behind(range, position);
  pipes_.executor().Submit(std::move(job));
  return looked;
}

std::pair<int64_t, int64_t> FileSender::Behind(const FileRange& range, int64_t position) {
  const int64_t bytes = std::min(position - kKeepBehind, stretch_to_) - stretch_from_;
  if (stretch_file_ != range.file || bytes < kDropAtLeast) return {0, 0};
  stretch_from_ += bytes;
  return {stretch_from_ - bytes, bytes};
}

FileSender::Progress FileSender::Send(int socket, FileRange* range, bool more) {
  if (reading_ != nullptr || IsWaitingForPipe()) return Progress::kReading;
  if (in_pipe_ > 0 || copied_sent_ < copied_.size()) return Drain(socket, range, more);
  if (read_ended_) return Broken(*range, read_error_, read_error_ != 0 ? "read" : "short read");
  const int64_t length = std::min(range->length, kSendChunk);
  if (range->file->fd() < 0 || !IsResident(*range, length)) return StartRead(*range);
  if (std::exchange(offered_, false)) pipes_.PassOn();
  ssize_t n = io::SendFileRange(socket, range->file->fd(), range->position, static_cast<size_t>(length));
  if (n == -EAGAIN) return Progress::kSocketFull;
  if (n < 0) return Broken(*range, static_cast<int>(-n), "sendfile");
  if (n == 0) return Broken(*range, 0, "short read");
  range->position += n;
  range->length -= n;
  return Progress::kSent;
}

void FileSender::NoteCold(const FileRange& range, int64_t from, int64_t to) {
  if (stretch_file_ != range.file || from > stretch_to_ || to < stretch_from_ || stretch_pin_.expired()) {
    stretch_file_ = range.file;
    stretch_pin_ = range.pin;
    stretch_from_ = from;
    stretch_to_ = to;
  }
  stretch_to_ = std::max(stretch_to_, to);
}

bool FileSender::WasAsked(const FileRange& range) const {
  return stretch_file_ == range.file && range.position >= stretch_from_ && range.position < stretch_to_;
}

FileSender::Progress FileSender::StartRead(const FileRange& range) {
  ReadPacer* pacer = pipes_.pacer();
  if (pacer != nullptr && !WasAsked(range) && pacer->Take(std::min(range.length, kSendChunk)) == 0) {
    if (std::exchange(offered_, false)) pipes_.PassOn();
    pacer->Wait(this);
    return Progress::kReading;
  }
  offered_ = false;
  auto job = std::make_unique<ColdRead>();
  if (range.file->fd() >= 0 && !pipes_.Take(this, &job->pipe) && IsWaitingForPipe()) return Progress::kReading;
  job->owner = this;
  job->pipes = pipes_.shared_from_this();
  job->pin = range.pin;
  job->file = range.file;
  job->position = range.position;
  job->length = std::min(range.length, kSendChunk);
  job->drop = Behind(range, range.position);
  reading_ = job.get();
  pipes_.executor().Submit(std::move(job));
  return Progress::kReading;
}

FileSender::Progress FileSender::Drain(int socket, FileRange* range, bool more) {
  ssize_t n;
  if (in_pipe_ > 0) {
    ListNode<PipeStuckTag>::Unlink();
    n = io::PipeToSocket(pipe_.read.get(), socket, in_pipe_, more || static_cast<int64_t>(in_pipe_) < range->length);
    if (n > 0) in_pipe_ -= static_cast<size_t>(n);
    if (in_pipe_ == 0) {
      pipes_.Give(std::move(pipe_), false);
      pipe_ = io::Pipe();
    }
    if (n == -EAGAIN) pipes_.MayLose(this);
  } else {
    n = io::Send(socket, copied_.bytes().subspan(copied_sent_), more);
    if (n > 0) copied_sent_ += static_cast<size_t>(n);
    if (copied_sent_ == copied_.size()) {
      copied_.Trim(0);
      copied_sent_ = 0;
    }
  }
  if (n == -EAGAIN) return Progress::kSocketFull;
  if (n < 0) return Broken(*range, static_cast<int>(-n), "send");
  if (n == 0) return Broken(*range, 0, "splice");
  range->position += n;
  range->length -= n;
  return Progress::kSent;
}

}  // namespace sluice::net
