// The aborted transactions of one segment: the content of .txnindex. Few or none, so all of them are held in memory once asked for.
//
// Thread: the owner's. Owns: its entries. After error: Decode leaves nothing behind.
#pragma once

#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/types.h"

namespace sluice::log {

struct AbortedTxn {
  ProducerId producer;
  Offset first;
  Offset last;         // the abort marker's
  Offset last_stable;  // what the last stable offset became with it
  bool operator==(const AbortedTxn&) const = default;
};

// Appends kAbortedTxnBytes to *out.
void EncodeAbortedTxn(const AbortedTxn& txn, std::vector<uint8_t>* out);
// kCorrupt: a length, version or offset that cannot be; markers must rise and lie at or above `segment_base`. A partial entry at the end (a torn
// write) is left out, as Kafka does.
Result<std::vector<AbortedTxn>> DecodeTxnIndex(Bytes bytes, Offset segment_base);

// Adds to *out what a reader of [from, upper) must know; true when no later segment can add more.
template <class Out>
bool CollectAborted(const std::vector<AbortedTxn>& txns, Offset from, Offset upper, Out add) {
  for (const AbortedTxn& txn : txns) {
    if (txn.last >= from && txn.first < upper) add(txn);
    if (txn.last_stable >= upper) return true;
  }
  return false;
}

}  // namespace sluice::log
