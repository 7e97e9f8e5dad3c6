#include "net/file_sender.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/assert.h"

namespace sluice::net {
namespace {
constexpr int64_t kKeepBehind = 2 << 20;  // still in flight to the peer: not worth dropping yet
constexpr int64_t kDropAtLeast = 4 << 20;
}  // namespace

bool PipePool::Take(FileSender* sender, io::Pipe* out) {
  if (in_use_ < kMaxPipes) {
    if (!free_.empty()) {
      *out = std::move(free_.back());
      free_.pop_back();
      ++in_use_;
      return true;
    }
    Result<io::Pipe> made = io::MakePipe(kSendChunk);
    if (made.ok()) {
      *out = made.take();
      ++in_use_;
      return true;
    }
    if (in_use_ == 0) return false;  // out of descriptors: nobody will give one back; the caller copies
  }
  if (!sender->is_linked()) waiting_.PushBack(sender);
  return false;
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
  int64_t drop_from = 0, drop_length = 0;
  int64_t moved = 0;  // or a negated errno

  void Run() override {
    if (drop_length > 0) file->DropCache(drop_from, drop_length);
    const int fd = file->fd();
    file->ReadAhead(position + length, kReadAheadBytes);
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
  Unlink();
  if (offered_) pipes_.PassOn();
  if (pipe_.read.open()) pipes_.Give(std::move(pipe_), in_pipe_ > 0);
}

FileSender::Progress FileSender::Broken(const FileRange& range, int error, const char* what) {
  why_ = Status::Error(Code::kIo, std::string(what) + " of " + *range.path + " at " + std::to_string(range.position), error);
  return Progress::kBroken;
}

bool FileSender::IsResident(const FileRange& range, int64_t length) const {
  switch (io::PageCacheResidency(range.file->fd(), range.position, length)) {
    case io::Residency::kResident: return true;
    case io::Residency::kNotResident: return false;
    case io::Residency::kUnknown: break;
  }
  if (!range.hot) return false;
  // Its first and its last byte: what was written lately leaves the cache in larger pieces.
  uint8_t byte;
  Result<size_t> first = range.file->ReadAtNoWait(MutableBytes(&byte, 1), range.position);
  if (!first.ok() || *first != 1) return false;
  Result<size_t> last = range.file->ReadAtNoWait(MutableBytes(&byte, 1), range.position + length - 1);
  return last.ok() && *last == 1;
}

FileSender::Progress FileSender::Send(int socket, FileRange* range, bool more) {
  if (reading_ != nullptr || is_linked()) return Progress::kReading;
  if (in_pipe_ > 0 || copied_sent_ < copied_.size()) return Drain(socket, range, more);
  if (read_ended_) return Broken(*range, read_error_, read_error_ != 0 ? "read" : "short read");
  const int64_t length = std::min(range->length, kSendChunk);
  if (range->file->fd() < 0 || !IsResident(*range, length)) return StartRead(*range);
  if (std::exchange(offered_, false)) pipes_.PassOn();
  ssize_t n = io::SendFileRange(socket, range->file->fd(), range->position, static_cast<size_t>(length));
  if (n == -EAGAIN) return Progress::kSocketFull;
  if (n < 0) return Broken(*range, static_cast<int>(-n), "sendfile");
  if (n == 0) return Broken(*range, 0, "short read");
  if (stretch_file_ == range->file && stretch_to_ == range->position && range->position + n <= ahead_to_) stretch_to_ += n;
  range->position += n;
  range->length -= n;
  return Progress::kSent;
}

void FileSender::NoteCold(const FileRange& range, int64_t length) {
  if (stretch_file_ != range.file || stretch_to_ != range.position || stretch_pin_.expired()) {
    stretch_file_ = range.file;
    stretch_pin_ = range.pin;
    stretch_from_ = range.position;
  }
  stretch_to_ = range.position + length;
  ahead_to_ = stretch_to_ + kReadAheadBytes;
}

FileSender::Progress FileSender::StartRead(const FileRange& range) {
  offered_ = false;
  auto job = std::make_unique<ColdRead>();
  if (range.file->fd() >= 0 && !pipes_.Take(this, &job->pipe) && is_linked()) return Progress::kReading;
  job->owner = this;
  job->pipes = pipes_.shared_from_this();
  job->pin = range.pin;
  job->file = range.file;
  job->position = range.position;
  job->length = std::min(range.length, kSendChunk);
  NoteCold(range, job->length);
  if (const int64_t behind = stretch_to_ - kKeepBehind - stretch_from_; behind >= kDropAtLeast) {
    job->drop_from = stretch_from_;
    job->drop_length = behind;
    stretch_from_ += behind;
  }
  reading_ = job.get();
  pipes_.executor().Submit(std::move(job));
  return Progress::kReading;
}

FileSender::Progress FileSender::Drain(int socket, FileRange* range, bool more) {
  ssize_t n;
  if (in_pipe_ > 0) {
    n = io::PipeToSocket(pipe_.read.get(), socket, in_pipe_, more || static_cast<int64_t>(in_pipe_) < range->length);
    if (n > 0) in_pipe_ -= static_cast<size_t>(n);
    if (in_pipe_ == 0) {
      pipes_.Give(std::move(pipe_), false);
      pipe_ = io::Pipe();
    }
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
