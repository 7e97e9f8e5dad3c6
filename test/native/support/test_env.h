// The real kernel for a test, with a loop that runs completions until something is true.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "log/env.h"

namespace sluice::test {

class TestEnv final : public log::Reporter {
 public:
  static constexpr size_t kPoolThreads = 2;
  explicit TestEnv(io::Driver driver = io::Driver::kAuto) : pool_(io::MakePool(kPoolThreads).take()) {
    Result<std::unique_ptr<io::AsyncWriter>> writer = io::MakeAsyncWriter(driver);
    SLUICE_ASSERT(writer.ok());
    writer_ = writer.take();
    env_.fs = &io::RealFileSystem();
    env_.clock = &io::RealClock();
    env_.pool = pool_.get();
    env_.writer = writer_.get();
    env_.reporter = this;
  }
  ~TestEnv() override { writer_->Drain(); }

  const log::Env& env() const { return env_; }
  io::AsyncWriter& writer() { return *writer_; }
  io::Executor& pool() { return *pool_; }

  // Runs completions until `done`; fails the test when nothing is left that could make it so.
  void RunUntil(const std::function<bool()>& done) {
    while (!done()) {
      if (writer_->pending() == 0 && pool_->pending() == 0) {
        ADD_FAILURE() << "nothing under way, and the condition does not hold";
        return;
      }
      pollfd waits[2] = {{writer_->event_fd(), POLLIN, 0}, {pool_->event_fd(), POLLIN, 0}};
      ::poll(waits, 2, -1);
      if (waits[0].revents != 0) writer_->Reap();
      if (waits[1].revents != 0) pool_->RunCompletions();
    }
  }

  void Report(log::Severity, const std::string& line) override {
    std::lock_guard<std::mutex> guard(mutex_);
    lines_.push_back(line);
  }
  std::vector<std::string> lines() {
    std::lock_guard<std::mutex> guard(mutex_);
    return lines_;
  }

 private:
  log::Env env_;
  std::unique_ptr<io::Executor> pool_;
  std::unique_ptr<io::AsyncWriter> writer_;
  std::mutex mutex_;
  std::vector<std::string> lines_;
};

}  // namespace sluice::test
