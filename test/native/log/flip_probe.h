// One start on a directory that may be damaged, and what it serves: nothing is expected here, all is written down.
//
// Thread: one. Owns: the disk and the engine on it.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "batch/batch_view.h"
#include "log/log_dir.h"
#include "recovery_model.h"
#include "support/sim_disk.h"
#include "support/sim_env.h"

namespace sluice::log::test {

class FlipProbe {
 public:
  struct Batch {
    int64_t base, end;
    uint32_t crc;
    bool whole;   // the CRC is right
    bool operator==(const Batch&) const = default;
  };
  // What a consumer gets of one partition, from its start to its end.
  struct Reading {
    int64_t start = 0, end = 0;
    std::vector<Batch> batches;
    std::vector<std::string> errors;
  };

  FlipProbe(std::unique_ptr<sluice::test::SimDisk> disk, const sluice::test::SimClock& clock, uint64_t seed, int64_t journal_bytes)
      : random_(seed), disk_(std::move(disk)), clock_(clock), journal_bytes_(journal_bytes) {}
  ~FlipProbe() { End(); }

  sluice::test::SimDisk& disk() { return *disk_; }
  const std::vector<OpenOutcome>& outcomes() const { return outcomes_; }
  const std::vector<std::string>& lines() const { return lines_; }   // what this start has said
  LogDir& dir() { return *dir_; }
  bool stuck() const { return stuck_; }

  // Not ok: it was refused.
  Status Start(const std::vector<PartitionSpec>& specs) {
    lines_.clear();
    outcomes_.clear();
    env_ = std::make_unique<sluice::test::SimEnv>(disk_.get(), &clock_, random_);
    LogDirOptions options;
    options.path = "/data";
    options.cluster_id = "the-cluster";
    options.journal_bytes = journal_bytes_;
    options.scrub.bytes_per_second = 0;
    Result<std::unique_ptr<LogDir>> dir = LogDir::Open(env_->env, options);
    Status result = dir.status();
    if (dir.ok()) {
      dir_ = dir.take();
      bool opened = false;
      dir_->OpenPartitions(specs, [&](std::vector<OpenOutcome> outcomes) {
        outcomes_ = std::move(outcomes);
        opened = true;
      });
      Drive([&] { return opened; });
      std::optional<Status> finished;
      if (opened) dir_->FinishRecovery(false, [&](Result<RecoveryReport> report) { finished = report.status(); });
      Drive([&] { return finished.has_value(); });
      if (finished) result = *finished;
    }
    lines_ = env_->reporter.lines;
    return result;
  }

  // `ends`: of the batches that were written, rising; behind what cannot be read it goes on at the next of them.
  Reading Read(Log& log, const std::vector<int64_t>& ends) {
    Reading out{log.log_start().v, log.high_watermark().v, {}, {}};
    int64_t from = out.start;
    while (from < out.end) {
      const int64_t before = from;
      std::string error = "nothing is there";
      Result<LogSlice> slice = log.ColdRead(Offset(from), 1 << 20, true, log.high_watermark())();
      if (!slice.ok()) {
        error = slice.status().ToString();
      } else if (slice->length > 0) {
        std::vector<uint8_t> bytes(static_cast<size_t>(slice->length));
        Result<size_t> got = slice->segment->log_file().ReadAt(bytes, slice->position.v);
        bytes.resize(got.ok() ? *got : 0);
        batch::BatchIterator batches(bytes);
        batch::BatchView view;
        while (batches.Next(&view) == batch::BatchIterator::Step::kBatch) {
          out.batches.push_back({view.base_offset().v, view.next_offset().v, view.stored_crc(), view.crc_ok()});
          from = std::max(from, view.next_offset().v);
        }
        error = "what is there is no batch: " + batches.status().ToString();
      }
      if (from > before) continue;
      out.errors.push_back("at offset " + std::to_string(from) + ": " + error);
      const auto next = std::upper_bound(ends.begin(), ends.end(), from);
      from = next == ends.end() ? out.end : *next;
    }
    return out;
  }

  // The batch that holds the offset, as a fetch from there finds it.
  Result<Batch> Find(Log& log, int64_t offset) {
    Result<LogSlice> slice = log.ColdRead(Offset(offset), 1, true, log.high_watermark())();
    if (!slice.ok()) return slice.status();
    std::vector<uint8_t> bytes(static_cast<size_t>(slice->length));
    if (bytes.empty()) return Status::Error(Code::kNotFound, "nothing is there");
    Result<size_t> got = slice->segment->log_file().ReadAt(bytes, slice->position.v);
    if (!got.ok()) return got.status();
    Result<batch::BatchView> view = batch::ParseBatch(bytes);
    if (!view.ok()) return view.status();
    return Batch{view->base_offset().v, view->next_offset().v, view->stored_crc(), view->crc_ok()};
  }

  // Durable when this returns, where it was taken.
  Result<AppendResult> Append(Log& log, std::vector<uint8_t> batch) {
    bytes_.push_back(std::move(batch));
    Result<AppendResult> result = log.Append(bytes_.back(), AppendOrigin::kClient, TimestampMs(clock_.WallMs()));
    if (!result.ok() || result->duplicate) return result;
    dir_->MarkStaged(&log);
    dir_->Commit();
    Drive([&] { return log.high_watermark() > result->last || !log.offline().ok(); });
    return result;
  }

  // A clean stop, as far as one is possible, else the end of the process: the disk is as that leaves it.
  void Stop(bool clean) {
    if (clean && dir_) {
      std::optional<Status> closed;
      dir_->CloseClean([&](Status status) { closed = std::move(status); });
      Drive([&] { return closed.has_value(); });
    }
    if (env_) env_->writer.Drain();
    End();
    disk_ = disk_->Kill();
  }

 private:
  void End() {
    dir_.reset();
    env_.reset();
    bytes_.clear();
  }
  void Drive(const std::function<bool()>& until) {
    for (int i = 0; i < 20000; ++i) {
      if (until()) return;
      while (env_->pool.RunOne()) {}
      env_->pool.RunCompletions();
      if (until()) return;
      env_->writer.Drain();
      if (until()) return;
      if (env_->pool.pending() == 0 && env_->writer.pending() == 0) {
        clock_.now_us += 200000;
        dir_->OnTimer();
      }
      if (!until()) dir_->Commit();
    }
    stuck_ = true;
  }

  std::mt19937_64 random_;
  std::unique_ptr<sluice::test::SimDisk> disk_;
  sluice::test::SimClock clock_;
  const int64_t journal_bytes_;
  std::unique_ptr<sluice::test::SimEnv> env_;
  std::unique_ptr<LogDir> dir_;
  std::deque<std::vector<uint8_t>> bytes_;
  std::vector<OpenOutcome> outcomes_;
  std::vector<std::string> lines_;
  bool stuck_ = false;
};

}  // namespace sluice::log::test
