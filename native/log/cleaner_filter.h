// What compaction leaves of one batch, by the rules of Apache Kafka's cleaner (KIP-534 for tombstones and markers).
//
// Thread: that of its owner. Owns: its buffers and codec contexts, reused from batch to batch.
// After error: *out is as it was; the filter can be used again.
#pragma once

#include <memory>
#include <optional>
#include <unordered_map>

#include "base/buffer.h"
#include "batch/batch_view.h"
#include "batch/codec.h"
#include "batch/record.h"
#include "log/batch_head.h"
#include "log/cleaner_map.h"
#include "log/cleaner_txns.h"

namespace sluice::log {

// The last word of a producer that is still known: a batch that carries it stays, empty if need be, so that sequences and epochs outlive a restart.
struct LastOfProducer {
  Offset last_data{-1};   // -1: only a marker is known
  ProducerEpoch epoch{-1};
};
using LastOfProducers = std::unordered_map<int64_t, LastOfProducer>;

struct FilterRules {
  const CleanerMap* map = nullptr;
  const LastOfProducers* producers = nullptr;
  Offset upper{0};                 // of this round: the batch that ends here stays, empty if need be
  TimestampMs now{0};
  int64_t delete_retention_ms = 0;
};

struct FilterOutcome {
  int64_t records_read = 0;
  int64_t records_kept = 0;
  std::optional<AbortedTxn> aborted;   // for the transaction index
};

class CleanerFilter {
 public:
  // Appends to *out what is left of the batch, as a batch with the same offsets; nothing, one without records, or with some. kCorrupt for records that
  // cannot be read, kTooLarge for a batch beyond kDefaultMaxDecompressedBytes.
  Status Filter(const batch::BatchView& batch, const BatchHead& head, const FilterRules& rules, CleanerTxns* txns, Buffer* out, FilterOutcome* outcome);

  // The records of a batch, decompressed where need be; valid until the next call.
  Result<Bytes> Plain(const batch::BatchView& batch);

  static Result<ControlKind> KindOf(const batch::BatchView& batch);

 private:
  enum class Verdict : uint8_t { kDelete, kDeleteEmpty, kRetainEmpty };
  Status Rewrite(const batch::BatchView& batch, Bytes records, const std::vector<bool>& kept, int32_t count, TimestampMs horizon, Buffer* out);

  Buffer plain_;
  Buffer made_;
  std::vector<bool> kept_;
  batch::Decompressor decompressor_;
  batch::Compressor compressor_;
};

}  // namespace sluice::log
