// The cleaner of a log directory: finds the dirtiest of the compacted logs, cleans it on the pool, again and again (Apache Kafka's LogCleaner).
//
// Only what a durable checkpoint proves to lie below the active segment is cleaned, so that neither checkpoint nor journal names a position in a file that
// has been replaced. Where more is due, a checkpoint is asked for first.
//
// Thread: home; runs are stepped on the pool, each step short, so that other jobs have their turn.
// Owns: the runs, the offsets of earlier cleanings (cleaner-offset-checkpoint), the list of logs that cannot be cleaned.
// After error: a damaged log is left as it is and named once; a full disk, or too few descriptors, ends the run, which is tried again, or puts off the
// change of names; any other failure while names change takes the directory offline, and a stop does not wait for what lacks then.
#pragma once

#include <map>
#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "log/cleaner_run.h"
#include "log/log_dir_impl.h"

namespace sluice::log {

inline constexpr char kCleanedOffsetsName[] = "cleaner-offset-checkpoint";

class LogDir::Impl::Cleaner {
 public:
  Cleaner(Impl& dir, const CleanerOptions& options) : dir_(dir), options_(options) {}

  void SetOptions(const CleanerOptions& options) { options_ = options; }
  void TakeOver(OffsetsByPartition cleaned) { cleaned_ = std::move(cleaned); }   // what the file said at the start
  void OnTimer();
  // A log is going: its run is called off, and nothing is remembered of its name.
  void Forget(const TopicIdPartition& id, const TopicPartition& name);
  // The directory is closing: no more runs. True while something is still under way; LogDir::Impl::TryClose is called when it has ended.
  bool Stop();
  int64_t runs() const { return finished_; }

 private:
  struct Run {
    std::unique_ptr<CleanRun> run;
    LogSlot* slot = nullptr;
    bool waits = false;              // for the rate limit, or for what lacks
    CleanRun::Step step = CleanRun::Step::kMore;
  };
  void Look();
  void OnFound(const CleanView& view, const CleanRange& range);
  void Begin(const TopicIdPartition& id, const CleanRange& range);
  void GoOn(const std::shared_ptr<Run>& run);
  void OnStep(const std::shared_ptr<Run>& run);
  void Finish(const std::shared_ptr<Run>& run);
  void TellLack(const CleanRun& clean, const Status& lack);
  void LeaveAlone(const TopicIdPartition& id, const TopicPartition& name, const Status& why);
  void SaveOffsets();
  void Settled();
  int64_t StepBytes() const;

  Impl& dir_;
  CleanerOptions options_;
  OffsetsByPartition cleaned_;
  std::unordered_map<TopicIdPartition, std::shared_ptr<Run>> runs_;
  std::unordered_set<TopicIdPartition> uncleanable_;
  bool looking_ = false;             // or waiting for the checkpoint of what was found
  bool stopped_ = false;
  bool saving_ = false, save_again_ = false;
  bool told_lack_ = false;
  int64_t next_look_us_ = 0;
  int64_t rate_free_us_ = 0;         // when the bytes done so far are within the rate
  int64_t finished_ = 0;
};

}  // namespace sluice::log
