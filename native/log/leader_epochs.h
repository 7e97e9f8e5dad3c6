// Where each leader epoch begins: the content of leader-epoch-checkpoint, and Kafka's questions about it (KIP-101, KIP-320).
// Entries rise in epoch and in start offset.
//
// Thread: the owner's. Owns: its entries. After error: Decode leaves nothing behind.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/types.h"

namespace sluice::log {

class LeaderEpochs {
 public:
  struct Entry {
    LeaderEpoch epoch;
    Offset start;
    bool operator==(const Entry&) const = default;
  };

  // Says that `epoch` begins at `start`. Entries that contradict it (a higher epoch, or one that starts later) go. True when something changed.
  bool Assign(LeaderEpoch epoch, Offset start);
  // The log now begins at `start`: what ends before goes, what covers it begins there. True when something changed.
  bool TruncateFromStart(Offset start);
  // The log now ends at `end`: epochs that begin there or later go. True when something changed.
  bool TruncateFromEnd(Offset end);

  LeaderEpoch latest() const { return entries_.empty() ? kNoEpoch : entries_.back().epoch; }
  const std::vector<Entry>& entries() const { return entries_; }

  // The epoch that `offset` was written in; -1 unknown.
  LeaderEpoch EpochOf(Offset offset) const;
  // The largest epoch not above `epoch`, and where it ends: (-1, -1) unknown. `log_end` is where the latest one ends.
  Entry EndOf(LeaderEpoch epoch, Offset log_end) const;

  std::string Encode() const;
  // kCorrupt names what is wrong; entries that do not rise are dropped as Assign does.
  static Result<LeaderEpochs> Decode(std::string_view text);

 private:
  std::vector<Entry> entries_;
};

}  // namespace sluice::log
