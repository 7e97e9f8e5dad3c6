#include "log/producer_state.h"

#include <algorithm>

#include "base/endian.h"
#include "batch/batch_view.h"
#include "batch/record.h"
#include "log/saturate.h"

namespace sluice::log {
namespace {

// Kafka's sequences run from 0 to 2^31-1 and begin again; what comes `n` before `sequence`.
int32_t SequenceMinus(int32_t sequence, int32_t n) {
  if (sequence < 0) return sequence;
  return sequence >= n ? sequence - n : static_cast<int32_t>(int64_t{sequence} - n + INT32_MAX + 1);
}

bool Follows(int32_t last, int32_t next) { return int64_t{next} == int64_t{last} + 1 || (next == 0 && last == INT32_MAX); }

std::string Of(const BatchHead& batch) {
  return "producer " + std::to_string(batch.producer.v) + " epoch " + std::to_string(batch.producer_epoch.v);
}

}  // namespace

int32_t ProducerBatch::first_sequence() const { return SequenceMinus(last_sequence, offset_delta); }

void Producer::AddBatch(const ProducerBatch& batch) {
  if (batch_count == kBatchesPerProducer) {
    std::move(batches.begin() + 1, batches.end(), batches.begin());
    --batch_count;
  }
  batches[batch_count++] = batch;
}

Result<std::optional<TxnMarker>> ReadTxnMarker(Bytes bytes) {
  Result<batch::BatchView> view = batch::ParseBatch(bytes);
  if (!view.ok()) return view.status();
  if (view->compressed()) return Status::Error(Code::kInvalidRecord, "compressed control batch");
  batch::RecordWalker walker(view->records(), view->record_count());
  batch::RecordView record;
  switch (walker.Next(&record)) {
    case batch::RecordWalker::Step::kBad: return walker.status();
    case batch::RecordWalker::Step::kEnd: return std::optional<TxnMarker>();
    case batch::RecordWalker::Step::kRecord: break;
  }
  // key = version:i16 type:i16, value = version:i16 coordinator epoch:i32; later versions may add fields behind.
  if (record.key.size() < 4) return Status::Error(Code::kInvalidRecord, "control record without a type");
  const int16_t type = LoadI16(record.key.bytes().data() + 2);
  if (type != batch::kControlAbort && type != batch::kControlCommit) return std::optional<TxnMarker>();
  if (record.value.size() < 6) return Status::Error(Code::kInvalidRecord, "transaction marker without a coordinator epoch");
  return std::optional<TxnMarker>(TxnMarker{type == batch::kControlAbort, LoadI32(record.value.bytes().data() + 2)});
}

Result<std::optional<ProducerBatch>> ProducerState::Check(const BatchHead& batch, Origin origin) const {
  const Producer* known = Find(batch.producer);
  if (known == nullptr || origin == Origin::kReplay) return std::optional<ProducerBatch>();
  const int32_t first = batch.base_sequence;
  const int32_t last = batch.last_sequence();
  if (origin == Origin::kClient && known->epoch == batch.producer_epoch) {
    for (size_t i = 0; i < known->batch_count; ++i) {
      const ProducerBatch& old = known->batches[i];
      if (old.first_sequence() == first && old.last_sequence == last) return std::optional<ProducerBatch>(old);
    }
  }
  if (batch.producer_epoch < known->epoch) {
    return Status::Error(Code::kInvalidProducerEpoch, Of(batch) + " is older than epoch " + std::to_string(known->epoch.v));
  }
  if (origin == Origin::kClient) {
    if (batch.producer_epoch != known->epoch) {
      if (first != 0 && known->epoch != kNoProducerEpoch) {
        return Status::Error(Code::kOutOfOrderSequence, Of(batch) + " begins with sequence " + std::to_string(first) + ", not 0");
      }
    } else {
      const int32_t current = known->batch_count == 0 ? -1 : known->last_batch()->last_sequence;
      if (known->epoch != kNoProducerEpoch && !Follows(current, first)) {
        // Also for a repetition of something older than the batches remembered: Kafka's brokers never say DUPLICATE_SEQUENCE_NUMBER.
        return Status::Error(Code::kOutOfOrderSequence, Of(batch) + " sends sequence " + std::to_string(first) + " after " + std::to_string(current));
      }
    }
  }
  if (known->txn_first.v >= 0 && !batch.transactional() && !batch.control()) {
    return Status::Error(Code::kInvalid, Of(batch) + " writes outside its open transaction");
  }
  return std::optional<ProducerBatch>();
}

Status ProducerState::CheckMarker(const BatchHead& batch, const TxnMarker& marker) const {
  const Producer* known = Find(batch.producer);
  if (known == nullptr) return Status::Ok();
  if (batch.producer_epoch < known->epoch) {
    return Status::Error(Code::kInvalidProducerEpoch, Of(batch) + " is older than epoch " + std::to_string(known->epoch.v));
  }
  if (marker.coordinator_epoch < known->coordinator_epoch) {
    return Status::Error(Code::kInvalid, "coordinator epoch " + std::to_string(marker.coordinator_epoch) + " is older than " +
                                             std::to_string(known->coordinator_epoch));
  }
  return Status::Ok();
}

std::optional<CompletedTxn> ProducerState::Apply(const BatchHead& batch, const std::optional<TxnMarker>& marker, Undo* undo) {
  auto [at, inserted] = producers_.try_emplace(batch.producer.v);
  Producer& producer = at->second;
  if (undo != nullptr) {
    *undo = Undo();
    undo->producer = batch.producer;
    undo->existed = !inserted;
    undo->before = producer;
  }
  if (batch.control() && !marker) {
    // A control record that ends nothing leaves no trace, as in Kafka.
    if (inserted) producers_.erase(at);
    return std::nullopt;
  }
  if (producer.epoch != batch.producer_epoch) {
    producer.epoch = batch.producer_epoch;
    producer.batch_count = 0;
    producer.batches = {};
  }
  producer.last_timestamp = batch.max_timestamp;
  if (marker) {
    producer.coordinator_epoch = marker->coordinator_epoch;
    if (producer.txn_first.v < 0) return std::nullopt;
    CompletedTxn done{batch.producer, producer.txn_first, batch.base, kNoOffset, marker->abort};
    producer.txn_first = kNoOffset;
    open_.erase(done.first.v);
    invisible_[done.first.v] = done.last.v;
    done.last_stable = open_.empty() ? done.last + 1 : Offset(open_.begin()->first);
    if (undo != nullptr) undo->txn_ended = done.first;
    return done;
  }
  producer.AddBatch({batch.last_sequence(), batch.last_delta, batch.last(), batch.max_timestamp});
  if (batch.transactional() && producer.txn_first.v < 0) {
    producer.txn_first = batch.base;
    open_[batch.base.v] = batch.producer.v;
    if (undo != nullptr) undo->txn_began = batch.base;
  }
  return std::nullopt;
}

void ProducerState::Revert(const Undo& undo) {
  if (undo.txn_began.v >= 0) open_.erase(undo.txn_began.v);
  if (undo.txn_ended.v >= 0) {
    invisible_.erase(undo.txn_ended.v);
    open_[undo.txn_ended.v] = undo.producer.v;
  }
  if (undo.existed) {
    producers_[undo.producer.v] = undo.before;
  } else {
    producers_.erase(undo.producer.v);
  }
}

Offset ProducerState::FirstUnstable() const {
  int64_t first = -1;
  if (!open_.empty()) first = open_.begin()->first;
  if (!invisible_.empty() && (first < 0 || invisible_.begin()->first < first)) first = invisible_.begin()->first;
  return Offset(first);
}

void ProducerState::OnHighWatermark(Offset high_watermark) {
  for (auto it = invisible_.begin(); it != invisible_.end();) {
    it = it->second < high_watermark.v ? invisible_.erase(it) : std::next(it);
  }
}

size_t ProducerState::Expire(TimestampMs now, int64_t expiration_ms) {
  return std::erase_if(producers_, [&](const auto& item) {
    return item.second.txn_first.v < 0 && SaturatingSub(now.v, item.second.last_timestamp.v) >= expiration_ms;
  });
}

void ProducerState::Clear() {
  producers_.clear();
  open_.clear();
  invisible_.clear();
}

void ProducerState::Restore(ProducerId id, const Producer& producer) {
  producers_[id.v] = producer;
  if (producer.txn_first.v >= 0) open_[producer.txn_first.v] = id.v;
}

const Producer* ProducerState::Find(ProducerId id) const {
  auto at = producers_.find(id.v);
  return at == producers_.end() ? nullptr : &at->second;
}

}  // namespace sluice::log
