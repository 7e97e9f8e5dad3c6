// One cleaning of one log, in steps that each take about a given number of bytes, so that it can share a thread, be slowed down and be called off.
//
// First the keys of the dirty part go into the map, as far as it takes them; then every segment below that point is written anew without what a later
// record of its key has replaced. Segments go in groups: a group's result is complete and synced as <base>.*.cleaned, then renamed to .swap, which is
// the moment that counts: whatever finds .swap files at a start puts them in place. Then the old files are set aside and .swap becomes the name.
//
// Thread: steps run on the pool, one at a time; Abort: any. Owns: its buffers, map and half-written files.
// After error: files that do not count yet are gone; after_commit() says that the directory is in between, which only a restart mends. What only lacks for
// a while (IsLack) in between is no error: the step can be tried again.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/buffer.h"
#include "log/cleaner_filter.h"
#include "log/cleaner_map.h"
#include "log/cleaner_plan.h"
#include "log/cleaner_txns.h"

namespace sluice::log {

struct CleanMemory {
  int64_t map_bytes = 134217728;
  double load_factor = 0.9;
  int64_t buffer_bytes = 262144;   // to read, and as much to write
};

// Segments that one new segment stands for. The files are as it says; the log has to follow.
struct Replacement {
  SegmentVector old;
  std::shared_ptr<Segment> cleaned;
  std::vector<std::string> set_aside;   // files renamed to .deleted
  std::vector<Offset> snapshots;        // of producers, set aside too
};

class CleanRun {
 public:
  // Home thread.
  CleanRun(CleanView view, const CleanRange& range, const CleanMemory& memory, LastOfProducers producers, TimestampMs now);
  ~CleanRun();

  enum class Step : uint8_t {
    kMore,
    kReplaced,   // replacement() is to be taken over before the next step
    kLacks,      // in between, for want of what lack() says; Next tries again
    kDone,       // cleaned up to end()
    kFailed,     // status(): kClosed when it was called off
  };
  Step Next(int64_t bytes);
  Replacement TakeReplacement() { return std::move(replacement_); }
  void Abort() { aborted_.store(true, std::memory_order_relaxed); }

  const TopicPartition& name() const { return view_.name; }
  const TopicIdPartition& id() const { return view_.id; }
  Offset end() const { return end_; }
  const Status& status() const { return status_; }
  const Status& lack() const { return lack_; }
  bool after_commit() const { return after_commit_; }
  // Bytes read and written since it was last asked.
  int64_t TakeBytes() { return bytes_done_ - std::exchange(bytes_taken_, bytes_done_); }

 private:
  class Source;
  enum class Phase : uint8_t { kMap, kClean, kNames, kOver };
  struct NameChange {
    std::string from, to;
    bool set_aside;
  };
  Status MapSome(int64_t until);
  Status MapBatch(const batch::BatchView& batch, const BatchHead& head, bool* full);
  void BeginCleaning();
  Status CleanSome(int64_t until);
  Status BeginGroup();
  Status WriteOut();
  Status Swap();
  Status CommitNames();
  Status ChangeNames();
  Status OpenSource(size_t segment, Offset from);
  std::vector<AbortedTxn> AbortedIn(size_t segment) const;
  Offset EndOf(size_t segment) const;
  void RemoveUnfinished();
  Status At(const Status& why) const;

  CleanView view_;
  SegmentVector segments_;           // sealed, below first_uncleanable; a segment leaves when it is replaced
  std::vector<AbortedTxn> later_;    // of the segments behind: their markers may end transactions of these
  const CleanRange range_;
  const CleanMemory memory_;
  const LastOfProducers producers_;
  const TimestampMs now_;

  Phase phase_ = Phase::kMap;
  std::unique_ptr<CleanerMap> map_;
  CleanerFilter filter_;
  CleanerTxns txns_;
  std::unique_ptr<Source> source_;
  size_t segment_ = 0;               // being read
  std::vector<CleanGroup> groups_;
  size_t group_ = 0;
  std::shared_ptr<Segment> cleaned_;  // being written
  Buffer out_;
  Replacement replacement_;
  std::vector<NameChange> names_;     // due since the commit, in this order
  size_t names_done_ = 0;
  Offset end_;
  Status status_, lack_;
  bool after_commit_ = false;
  int64_t bytes_done_ = 0, bytes_taken_ = 0;
  std::atomic<bool> aborted_{false};
};

}  // namespace sluice::log
