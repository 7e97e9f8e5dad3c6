// The two drivers of the journal's writes: one io_uring, or a thread that writes in turn.
#include "io/async_writer.h"

#include <liburing.h>
#include <poll.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <vector>

#include "base/assert.h"

namespace sluice::io {
namespace {

constexpr unsigned kRingEntries = 64;

Status DoWrite(WriteOp* op) {
  Status status = op->file->WriteAt(op->data, op->position);
  if (status.ok() && op->sync_after) status = op->file->Sync();
  return status;
}

// Thread: home. Short writes and interrupted ones are finished here with plain pwrite, which is rare enough to block.
class UringWriter final : public AsyncWriter {
 public:
  static Result<std::unique_ptr<AsyncWriter>> Make() {
    auto writer = std::unique_ptr<UringWriter>(new UringWriter());
    // A completion need not interrupt this thread while it runs: it looks by itself at the end of each tick. Kernels before 5.19 do not know the flag.
    int failure = ::io_uring_queue_init(kRingEntries, &writer->ring_, IORING_SETUP_COOP_TASKRUN);
    if (failure == -EINVAL) failure = ::io_uring_queue_init(kRingEntries, &writer->ring_, 0);
    if (failure != 0) return Status::FromErrno(-failure, "io_uring is refused here");
    writer->ready_ = true;
    return std::unique_ptr<AsyncWriter>(std::move(writer));
  }

  ~UringWriter() override {
    while (in_flight_ > 0) {  // the kernel still reads the callers' buffers
      io_uring_cqe* cqe = nullptr;
      const int failure = ::io_uring_wait_cqe(&ring_, &cqe);
      if (failure == -EINTR || failure == -EAGAIN) continue;
      if (failure != 0) break;
      ::io_uring_cqe_seen(&ring_, cqe);
      --in_flight_;
    }
    if (ready_) ::io_uring_queue_exit(&ring_);
  }

  void Submit(WriteOp* op) override { queued_.push_back(op); }

  void Flush() override {
    bool prepared = false;
    while (!queued_.empty() && in_flight_ < kRingEntries / 2) {
      WriteOp* op = queued_.front();
      io_uring_sqe* sqe = ::io_uring_get_sqe(&ring_);
      if (sqe == nullptr) break;
      queued_.pop_front();
      ::io_uring_prep_write(sqe, op->file->fd(), op->data.data(), static_cast<unsigned>(op->data.size()),
                            static_cast<uint64_t>(op->position));
      ::io_uring_sqe_set_data(sqe, op);
      ++in_flight_;
      prepared = true;
    }
    if (!prepared) return;
    // The kernel may take fewer than it is offered; whatever it has not taken would wait for the next write.
    int n;
    do {
      n = ::io_uring_submit(&ring_);
    } while (n == -EINTR || n == -EAGAIN || (n >= 0 && ::io_uring_sq_ready(&ring_) > 0));
    SLUICE_ASSERT_OP(n, >=, 0);
  }

  size_t Reap() override {
    size_t reaped = 0;
    io_uring_cqe* cqe = nullptr;
    while (::io_uring_peek_cqe(&ring_, &cqe) == 0 && cqe != nullptr) {
      auto* op = static_cast<WriteOp*>(::io_uring_cqe_get_data(cqe));
      int result = cqe->res;
      ::io_uring_cqe_seen(&ring_, cqe);
      --in_flight_;
      ++reaped;
      Status status = Status::Ok();
      if (result == -EINTR || result == -EAGAIN || (result >= 0 && static_cast<size_t>(result) < op->data.size())) {
        status = DoWrite(op);
      } else if (result < 0) {
        status = Status::FromErrno(-result, "write");
      } else if (op->sync_after) {
        status = op->file->Sync();
      }
      op->OnWritten(std::move(status));
    }
    if (!queued_.empty()) Flush();
    return reaped;
  }

  void Drain() override {
    while (pending() > 0) {
      Flush();
      io_uring_cqe* cqe = nullptr;
      const int failure = ::io_uring_wait_cqe(&ring_, &cqe);
      SLUICE_ASSERT(failure == 0 || failure == -EINTR || failure == -EAGAIN);
      (void)Reap();
    }
  }

  bool HasCompletions() const override { return ::io_uring_cq_ready(&ring_) > 0; }
  int event_fd() const override { return ring_.ring_fd; }  // readable while completions wait, with nothing to be read from it
  size_t pending() const override { return in_flight_ + queued_.size(); }
  const char* driver() const override { return "io_uring"; }

 private:
  UringWriter() = default;
  io_uring ring_{};
  bool ready_ = false;
  unsigned in_flight_ = 0;
  std::deque<WriteOp*> queued_;
};

// One thread of its own, so that a journal write never waits behind a long job of the pool.
class ThreadWriter final : public AsyncWriter {
 public:
  static Result<std::unique_ptr<AsyncWriter>> Make() {
    Result<std::unique_ptr<Executor>> thread = MakePool(1);
    if (!thread.ok()) return thread.status();
    return std::unique_ptr<AsyncWriter>(new ThreadWriter(thread.take()));
  }
  void Submit(WriteOp* op) override { queued_.push_back(op); }
  void Flush() override {
    if (queued_.empty()) return;
    thread_->Submit(std::make_unique<Batch>(std::move(queued_)));
    queued_.clear();
  }
  size_t Reap() override {
    size_t reaped = thread_->RunCompletions();
    Flush();  // completions may have submitted
    return reaped;
  }
  void Drain() override {
    while (pending() > 0) {
      Flush();
      pollfd wait{thread_->event_fd(), POLLIN, 0};
      (void)::poll(&wait, 1, -1);
      (void)Reap();
    }
  }
  bool HasCompletions() const override { return false; }
  int event_fd() const override { return thread_->event_fd(); }
  size_t pending() const override { return thread_->pending() + queued_.size(); }
  const char* driver() const override { return "epoll"; }

 private:
  explicit ThreadWriter(std::unique_ptr<Executor> thread) : thread_(std::move(thread)) {}

  class Batch final : public Job {
   public:
    explicit Batch(std::vector<WriteOp*> ops) : ops_(std::move(ops)) {}
    void Run() override {
      for (WriteOp* op : ops_) results_.push_back(DoWrite(op));
    }
    void Done() override {
      for (size_t i = 0; i < ops_.size(); ++i) ops_[i]->OnWritten(std::move(results_[i]));
    }

   private:
    std::vector<WriteOp*> ops_;
    std::vector<Status> results_;
  };
  std::unique_ptr<Executor> thread_;
  std::vector<WriteOp*> queued_;
};

}  // namespace

Result<std::unique_ptr<AsyncWriter>> MakeAsyncWriter(Driver driver) {
  if (driver == Driver::kEpoll) return ThreadWriter::Make();
  Result<std::unique_ptr<AsyncWriter>> ring = UringWriter::Make();
  if (ring.ok() || driver == Driver::kUring) return ring;
  return ThreadWriter::Make();
}

}  // namespace sluice::io
