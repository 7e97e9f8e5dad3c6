#include "log/cleaner_txns.h"

namespace sluice::log {

void CleanerTxns::AddAborted(const std::vector<AbortedTxn>& txns) {
  for (const AbortedTxn& txn : txns) ahead_.push(txn);
}

void CleanerTxns::BeginUpTo(Offset offset) {
  while (!ahead_.empty() && ahead_.top().first <= offset) {
    aborted_.try_emplace(ahead_.top().producer.v, Ongoing{ahead_.top(), false});
    ahead_.pop();
  }
}

bool CleanerTxns::OnBatch(const BatchHead& batch) {
  BeginUpTo(batch.last());
  if (!batch.transactional()) return false;
  auto at = aborted_.find(batch.producer.v);
  if (at == aborted_.end()) {
    committed_.insert(batch.producer.v);
    return false;
  }
  at->second.met = true;
  return true;
}

CleanerTxns::Marker CleanerTxns::OnControl(const BatchHead& batch, ControlKind kind) {
  BeginUpTo(batch.last());
  Marker marker;
  switch (kind) {
    case ControlKind::kNone: marker.discardable = true; break;
    case ControlKind::kOther: break;
    case ControlKind::kCommit: marker.discardable = committed_.erase(batch.producer.v) == 0; break;
    case ControlKind::kAbort: {
      auto at = aborted_.find(batch.producer.v);
      if (at != aborted_.end() && at->second.met) {
        marker.keep = at->second.txn;
      } else {
        marker.discardable = true;
      }
      if (at != aborted_.end()) aborted_.erase(at);
    }
  }
  return marker;
}

}  // namespace sluice::log
