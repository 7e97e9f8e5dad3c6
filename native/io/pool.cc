#include <sys/eventfd.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "base/assert.h"
#include "io/executor.h"

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
  explicit Pool(size_t threads) : event_fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    SLUICE_ASSERT(event_fd_ >= 0);
    for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
  }

  ~Pool() override {
    {
      std::lock_guard<std::mutex> guard(mutex_);
      stopping_ = true;
      waiting_.clear();
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
    ::close(event_fd_);
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
    (void)!::read(event_fd_, &count, sizeof(count));
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

  int event_fd() const override { return event_fd_; }
  size_t pending() const override { return pending_; }

 private:
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
        (void)!::write(event_fd_, &one, sizeof(one));
      }
    }
  }

  const int event_fd_;
  size_t pending_ = 0;  // home thread only
  std::mutex mutex_;
  std::condition_variable wake_;                  // guarded by mutex_, as all below
  std::deque<std::unique_ptr<Job>> waiting_;
  std::vector<std::unique_ptr<Job>> finished_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace

std::unique_ptr<Job> MakeJob(std::function<void()> run, std::function<void()> done) {
  return std::make_unique<ClosureJob>(std::move(run), std::move(done));
}

void CallLater(Executor& executor, std::function<void()> call) { executor.Submit(MakeJob([] {}, std::move(call))); }

std::unique_ptr<Executor> MakePool(size_t threads) { return std::make_unique<Pool>(threads); }

}  // namespace sluice::io
