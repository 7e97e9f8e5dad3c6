// Transactions as the cleaner meets them on its way through a log (KIP-98): which records were aborted, which markers still have records to speak for.
//
// Thread: that of its owner. Owns: its entries. After error: cannot fail.
#pragma once

#include <optional>
#include <queue>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "log/batch_head.h"
#include "log/txn_index.h"

namespace sluice::log {

enum class ControlKind : uint8_t { kAbort, kCommit, kOther, kNone /* a batch that an earlier cleaning has emptied */ };

class CleanerTxns {
 public:
  // What the transaction indexes say of the stretch that comes next. The same one may come more than once.
  void AddAborted(const std::vector<AbortedTxn>& txns);

  // May the records of this batch go because their transaction was aborted?
  bool OnBatch(const BatchHead& batch);

  struct Marker {
    bool discardable = false;          // no batch of its transaction was met: nothing needs it any more
    std::optional<AbortedTxn> keep;    // belongs into the transaction index of the cleaned segment
  };
  Marker OnControl(const BatchHead& batch, ControlKind kind);

 private:
  struct Ongoing {
    AbortedTxn txn;
    bool met = false;   // one of its batches was seen
  };
  struct LaterFirst {
    bool operator()(const AbortedTxn& a, const AbortedTxn& b) const { return a.first > b.first; }
  };
  void BeginUpTo(Offset offset);

  std::priority_queue<AbortedTxn, std::vector<AbortedTxn>, LaterFirst> ahead_;
  std::unordered_map<int64_t, Ongoing> aborted_;    // by producer
  std::unordered_set<int64_t> committed_;
};

}  // namespace sluice::log
