#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <vector>

#include "io/executor.h"
#include "io/socket.h"
#include "io/thread.h"

namespace sluice::io {
namespace {

class ClosureJob final : public Job {
 public:
  ClosureJob(std::function<void()> run, std::function<void()> done) : run_(std::move(run)), done_(std::move(done)) {}
  void Run() override { run_(); }
  void Done() override { done_(); }

 private:
  std::function<void()> run_;
  std::function<void()> done_;
};

class Pool final : public Executor {
 public:
  static Result<std::unique_ptr<Executor>> Make(size_t threads) {
    std::unique_ptr<Pool> pool(new Pool());
    if (!pool->event_fd_.open()) return Status::FromErrno(errno, "eventfd");
    for (size_t i = 0; i < threads; ++i) {
      Result<Thread> thread = Thread::Start([&pool = *pool] { pool.Work(); });
      if (!thread.ok()) return thread.status();
      pool->threads_.push_back(thread.take());
    }
    return std::unique_ptr<Executor>(std::move(pool));
  }

  ~Pool() override {
    {
      std::lock_guard<std::mutex> guard(mutex_);
      stopping_ = true;
      waiting_.clear();
    }
    wake_.notify_all();
    for (Thread& thread : threads_) thread.Join();
  }

  void Submit(std::unique_ptr<Job> job) override {
    ++pending_;
    {
      std::lock_guard<std::mutex> guard(mutex_);
      waiting_.push_back(std::move(job));
    }
    wake_.notify_one();
  }

  size_t RunCompletions() override {
    uint64_t count;
    (void)!::read(event_fd_.get(), &count, sizeof(count));
    std::vector<std::unique_ptr<Job>> finished;
    {
      std::lock_guard<std::mutex> guard(mutex_);
      finished.swap(finished_);
    }
    for (std::unique_ptr<Job>& job : finished) {
      --pending_;
      job->Done();
      job.reset();
    }
    return finished.size();
  }

  int event_fd() const override { return event_fd_.get(); }
  size_t pending() const override { return pending_; }

 private:
  Pool() : event_fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

  void Work() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (stopping_) return;
      std::unique_ptr<Job> job = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      job->Run();
      lock.lock();
      bool first = finished_.empty();
      finished_.push_back(std::move(job));
      if (first) {
        uint64_t one = 1;
        (void)!::write(event_fd_.get(), &one, sizeof(one));
      }
    }
  }

  const Fd event_fd_;
  size_t pending_ = 0;  // home thread only
  std::mutex mutex_;
  std::condition_variable wake_;                  // guarded by mutex_, as all below
  std::deque<std::unique_ptr<Job>> waiting_;
  std::vector<std::unique_ptr<Job>> finished_;
  bool stopping_ = false;
  std::vector<Thread> threads_;
};

}  // namespace

std::unique_ptr<Job> MakeJob(std::function<void()> run, std::function<void()> done) {
  return std::make_unique<ClosureJob>(std::move(run), std::move(done));
}

void CallLater(Executor& executor, std::function<void()> call) { executor.Submit(MakeJob([] {}, std::move(call))); }

Result<std::unique_ptr<Executor>> MakePool(size_t threads) { return Pool::Make(threads); }

}  // namespace sluice::io
