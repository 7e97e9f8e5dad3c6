// The pool as one log directory sees it: jobs that name the directory never run, or report, after it is gone.
//
// Thread: home, but for the jobs' own Run. Owns: nothing; jobs already given to the pool outlive it, empty.
// After error: cannot fail.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>

#include "io/executor.h"

namespace sluice::log {

class LogDirJobs final : public io::Executor {
 public:
  explicit LogDirJobs(io::Executor* pool) : pool_(pool), gate_(std::make_shared<Gate>()) {}
  ~LogDirJobs() override { Close(); }

  // Waits for the jobs that run, and drops all others. The pool itself may be gone already.
  void Close() {
    std::unique_lock lock(gate_->mutex);
    gate_->closed = true;
    gate_->left.wait(lock, [this] { return gate_->running == 0; });
  }

  void Submit(std::unique_ptr<io::Job> job) override {
    if (gate_->closed) return;
    pool_->Submit(std::make_unique<Guarded>(gate_, std::move(job)));
  }
  size_t RunCompletions() override { return pool_->RunCompletions(); }
  int event_fd() const override { return pool_->event_fd(); }
  size_t pending() const override { return pool_->pending(); }

 private:
  struct Gate {
    std::mutex mutex;
    std::condition_variable left;
    size_t running = 0;    // guarded by mutex, as is closed; closed changes on the home thread only
    bool closed = false;
  };

  class Guarded final : public io::Job {
   public:
    Guarded(std::shared_ptr<Gate> gate, std::unique_ptr<io::Job> job) : gate_(std::move(gate)), job_(std::move(job)) {}
    void Run() override {
      {
        std::lock_guard lock(gate_->mutex);
        if (gate_->closed) return;
        ++gate_->running;
      }
      job_->Run();
      std::lock_guard lock(gate_->mutex);
      if (--gate_->running == 0) gate_->left.notify_all();
    }
    void Done() override {
      if (!gate_->closed) job_->Done();
    }

   private:
    const std::shared_ptr<Gate> gate_;
    const std::unique_ptr<io::Job> job_;
  };

  io::Executor* const pool_;
  const std::shared_ptr<Gate> gate_;
};

}  // namespace sluice::log
