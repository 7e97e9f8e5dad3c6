// Reads sealed segments again, slowly, and checks each batch's CRC, so that damage is known before a client asks for it. What is damaged is told once, by
// file, partition and position, and not served any more as long as this process lives.
//
// One step at a time on the pool, of at most kStepBytes. Of what was not in the page cache before nothing stays there. Damage counts only when a second
// reading, from the disk, finds it too.
//
// Thread: home; steps run on the pool.
// Owns: the round's list; the segment that is being read is pinned.
// After error: a file that cannot be read is told and left; the round goes on with the next.
#pragma once

#include <deque>
#include <memory>

#include "log/log_dir_impl.h"

namespace sluice::log {

class LogDir::Impl::Scrubber {
 public:
  Scrubber(Impl& dir, const ScrubOptions& options) : dir_(dir), options_(options) {}

  void SetOptions(const ScrubOptions& options) { options_ = options; }
  void OnTimer();
  // The directory is closing: no more steps. True while one is under way; LogDir::Impl::TryClose is called when it has ended.
  bool Stop();
  int64_t bytes() const { return bytes_; }
  int64_t damaged() const { return damaged_; }

 private:
  struct Due {
    TopicIdPartition id;
    Offset base;
  };
  struct Reading;
  void BeginRound(int64_t now_us);
  void Step();
  void OnStep();

  Impl& dir_;
  ScrubOptions options_;
  std::deque<Due> due_;              // of this round; the first is being read
  std::shared_ptr<Reading> reading_;
  bool running_ = false;
  bool stopped_ = false;
  int64_t next_round_us_ = -1;       // -1: not known yet
  int64_t rate_free_us_ = 0;         // when the bytes read so far are within the rate
  int64_t bytes_ = 0;
  int64_t damaged_ = 0;
};

}  // namespace sluice::log
