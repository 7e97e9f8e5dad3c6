// What a log knows of its producers (KIP-98): epoch, the last five batches of each, open transactions.
//
// The state runs ahead of durability: it includes what is only staged. Whoever takes a batch back hands Apply's Undo to Revert, newest first.
//
// Thread: the owner's. Owns: its entries. After error: Check changes nothing.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <unordered_map>

#include "base/result.h"
#include "log/batch_head.h"

namespace sluice::log {

inline constexpr size_t kBatchesPerProducer = 5;
inline constexpr ProducerEpoch kNoProducerEpoch{-1};

struct ProducerBatch {
  int32_t last_sequence = -1;
  int32_t offset_delta = 0;
  Offset last{-1};
  TimestampMs timestamp{-1};
  Offset first() const { return last - offset_delta; }
  int32_t first_sequence() const;
  bool operator==(const ProducerBatch&) const = default;
};

struct Producer {
  ProducerEpoch epoch = kNoProducerEpoch;
  uint8_t batch_count = 0;
  int32_t coordinator_epoch = -1;
  TimestampMs last_timestamp{-1};
  Offset txn_first{-1};                                   // of its open transaction, -1: none
  std::array<ProducerBatch, kBatchesPerProducer> batches;  // oldest first
  const ProducerBatch* last_batch() const { return batch_count == 0 ? nullptr : &batches[batch_count - 1]; }
  void AddBatch(const ProducerBatch& batch);
  bool operator==(const Producer&) const = default;
};

// The end of a transaction, as the record of a control batch tells.
struct TxnMarker {
  bool abort = false;
  int32_t coordinator_epoch = -1;
};
// Reads the first record of a control batch. Nothing for control records that end no transaction (or that no version knows).
Result<std::optional<TxnMarker>> ReadTxnMarker(Bytes batch);

struct CompletedTxn {
  ProducerId producer;
  Offset first;
  Offset last;         // the marker's
  Offset last_stable;  // of the log, once the marker is visible
  bool abort = false;
};

class ProducerState {
 public:
  enum class Origin : uint8_t {
    kClient,       // sequence and epoch are held to KIP-98
    kCoordinator,  // epochs only
    kReplay,       // was accepted before: nothing is refused
  };

  struct Undo {
    ProducerId producer;
    bool existed = false;
    Producer before;
    Offset txn_began{-1};
    Offset txn_ended{-1};
  };

  // May this batch be appended? The batch it repeats, if it is a duplicate; kOutOfOrderSequence (also when it repeats something
  // older than the five), kInvalidProducerEpoch, kInvalid (a plain batch within a transaction).
  Result<std::optional<ProducerBatch>> Check(const BatchHead& batch, Origin origin) const;
  // The same for the end of a transaction: kInvalidProducerEpoch, kInvalid for a coordinator older than the last seen.
  Status CheckMarker(const BatchHead& batch, const TxnMarker& marker) const;

  // Takes up an appended batch with final offsets. For control batches `marker` says what its record says. The completed transaction, if it ends one.
  std::optional<CompletedTxn> Apply(const BatchHead& batch, const std::optional<TxnMarker>& marker, Undo* undo);
  void Revert(const Undo& undo);

  // First offset of a transaction that is open or whose marker is not visible yet; -1 none.
  Offset FirstUnstable() const;
  void OnHighWatermark(Offset high_watermark);
  // Forgets producers without a transaction whose last batch is this old; how many.
  size_t Expire(TimestampMs now, int64_t expiration_ms);
  void Clear();

  void Restore(ProducerId id, const Producer& producer);   // from a snapshot or a checkpoint
  void RestoreInvisible(Offset first, Offset marker) { invisible_[first.v] = marker.v; }
  const Producer* Find(ProducerId id) const;
  size_t size() const { return producers_.size(); }
  bool empty() const { return producers_.empty(); }
  const std::unordered_map<int64_t, Producer>& all() const { return producers_; }
  const std::map<int64_t, int64_t>& invisible() const { return invisible_; }  // first offset -> its marker, above the high watermark

 private:
  std::unordered_map<int64_t, Producer> producers_;
  std::map<int64_t, int64_t> open_;      // first offset -> producer
  std::map<int64_t, int64_t> invisible_;  // first offset -> marker's offset, until the high watermark passes it
};

}  // namespace sluice::log
