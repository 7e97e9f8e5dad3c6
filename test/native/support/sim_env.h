// Pool, writer and clock for a simulated disk: one thread, everything happens when the test says so, in an order that a seed decides.
#pragma once

#include <algorithm>
#include <deque>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "io/clock.h"
#include "log/env.h"
#include "support/sim_disk.h"

namespace sluice::test {

class SimClock final : public io::Clock {
 public:
  int64_t WallMs() override { return now_us / 1000 + wall_ms; }
  int64_t MonotonicUs() override { return now_us; }
  int64_t now_us = 1000000;
  int64_t wall_ms = 1700000000000;   // of the moment 0: somebody may set the clock
};

// Jobs run when told, any of those waiting; their Done comes later still.
class SimPool final : public io::Executor {
 public:
  explicit SimPool(std::mt19937_64& random) : random_(random) {}
  void Submit(std::unique_ptr<io::Job> job) override { waiting_.push_back(std::move(job)); }
  // Runs one waiting job; false when there is none.
  bool RunOne() {
    if (waiting_.empty()) return false;
    auto at = waiting_.begin() + static_cast<ptrdiff_t>(random_() % waiting_.size());
    std::unique_ptr<io::Job> job = std::move(*at);
    waiting_.erase(at);
    running = true;
    job->Run();
    running = false;
    finished_.push_back(std::move(job));
    return true;
  }
  size_t RunCompletions() override {
    std::vector<std::unique_ptr<io::Job>> finished;
    finished.swap(finished_);
    for (auto& job : finished) {
      job->Done();
      job.reset();
    }
    return finished.size();
  }
  int event_fd() const override { return -1; }
  size_t pending() const override { return waiting_.size() + finished_.size(); }
  bool running = false;

 private:
  std::mt19937_64& random_;
  std::deque<std::unique_ptr<io::Job>> waiting_;
  std::vector<std::unique_ptr<io::Job>> finished_;
};

// Writes reach the disk at Reap, some of them, in any order.
class SimWriter final : public io::AsyncWriter {
 public:
  explicit SimWriter(std::mt19937_64& random) : random_(random) {}
  void Submit(io::WriteOp* op) override { queued_.push_back(op); }
  void Flush() override {
    in_flight_.insert(in_flight_.end(), queued_.begin(), queued_.end());
    queued_.clear();
  }
  size_t Reap() override { return Reap(in_flight_.empty() ? 0 : static_cast<size_t>(random_() % (in_flight_.size() + 1))); }
  size_t Reap(size_t count) {
    for (size_t i = 0; i < count && !in_flight_.empty(); ++i) {
      auto at = in_flight_.begin() + static_cast<ptrdiff_t>(random_() % in_flight_.size());
      io::WriteOp* op = *at;
      in_flight_.erase(at);
      Status status = op->file->WriteAt(op->data, op->position);
      if (status.ok() && op->sync_after) status = op->file->Sync();
      op->OnWritten(std::move(status));
    }
    return count;
  }
  void Drain() override {
    while (pending() > 0) {
      Flush();
      Reap(in_flight_.size());
    }
  }
  bool HasCompletions() const override { return false; }
  int event_fd() const override { return -1; }
  size_t pending() const override { return queued_.size() + in_flight_.size(); }
  const char* driver() const override { return "simulated"; }
  // What is in flight reaches the disk in part or whole: sectors of 512 bytes. Nobody is told; the caller cuts or kills next. `late`: some of what does
  // not may do so in the next life.
  void Tear(bool whole, SimDisk* late = nullptr) {
    for (io::WriteOp* op : in_flight_) {
      const uint64_t choice = random_() % 3;
      if (choice == 0) {
        if (late != nullptr && !op->sync_after && random_() % 2 == 0) late->WriteLate(*op->file, op->data, op->position);
        continue;
      }
      if (choice == 1 || whole) {
        (void)op->file->WriteAt(op->data, op->position);
        if (op->sync_after && random_() % 2 == 0) (void)op->file->Sync();
        continue;
      }
      std::vector<uint8_t> page(static_cast<size_t>(kSimPage));
      for (size_t at = 0; at < op->data.size(); at += page.size()) {
        if (random_() % 2 == 0) continue;
        if (!op->file->ReadAt(page, op->position + static_cast<int64_t>(at)).ok()) return;
        for (size_t sector = 0; sector < page.size(); sector += 512) {
          if (random_() % 4 != 0) std::copy_n(op->data.begin() + static_cast<ptrdiff_t>(at + sector), 512, page.begin() + static_cast<ptrdiff_t>(sector));
        }
        (void)op->file->WriteAt(page, op->position + static_cast<int64_t>(at));
      }
    }
  }

 private:
  std::mt19937_64& random_;
  std::vector<io::WriteOp*> queued_, in_flight_;
};

class SimReporter final : public log::Reporter {
 public:
  void Report(log::Severity, const std::string& line) override { lines.push_back(line); }
  std::vector<std::string> lines;
};

// One life of a process on a disk.
struct SimEnv {
  SimEnv(SimDisk* disk, SimClock* clock, std::mt19937_64& random) : pool(random), writer(random), random_(random) {
    env.fs = disk;
    env.clock = clock;
    env.pool = &pool;
    env.writer = &writer;
    env.reporter = &reporter;
  }
  // Something of what waits, if there is any: a job, completions, or writes of the journal.
  void Turn() {
    switch (random_() % 3) {
      case 0: pool.RunOne(); break;
      case 1: pool.RunCompletions(); break;
      default: writer.Reap();
    }
  }
  // Turns, each followed by `commit`, until `until` or `over`. Where nothing waits `time` passes. False: it came to neither.
  template <class Until, class Over, class Time, class Commit>
  bool Drive(const Until& until, const Over& over, const Time& time, const Commit& commit) {
    constexpr int kTurns = 200000;
    for (int i = 0; i < kTurns; ++i) {
      if (over() || until()) return true;
      Turn();
      if (over() || until()) return true;
      if (pool.pending() == 0 && writer.pending() == 0) time();
      if (!over()) commit();
    }
    return false;
  }
  // All that waits, where its order does not matter.
  void RunAll() {
    while (pool.RunOne()) {}
    pool.RunCompletions();
    writer.Drain();
  }
  SimPool pool;
  SimWriter writer;
  SimReporter reporter;
  log::Env env;

 private:
  std::mt19937_64& random_;
};

}  // namespace sluice::test
