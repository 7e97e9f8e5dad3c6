#include "log/proven_state.h"

#include "log/checkpoint_bytes.h"

namespace sluice::log {
namespace {

constexpr uint8_t kProvenStateVersion = 1;

}  // namespace

void EncodeProvenState(const ProvenState& state, const LeaderEpochs& epochs, const ProducerState& producers, std::string* out) {
  const size_t begin = out->size();
  PutNumber<uint8_t>(out, kProvenStateVersion);
  PutNumber<uint8_t>(out, static_cast<uint8_t>(state.mode));
  PutNumber(out, state.log_start.v);
  PutNumber(out, state.end.v);
  PutNumber(out, state.recovery_point.v);
  PutNumber(out, state.segment_base.v);
  PutNumber(out, state.position);
  PutNumber(out, state.offset_entries);
  PutNumber(out, state.time_entries);
  PutNumber(out, state.aborted);
  PutNumber(out, state.max.timestamp.v);
  PutNumber(out, state.max.offset.v);
  PutNumber(out, static_cast<uint32_t>(epochs.entries().size()));
  for (const LeaderEpochs::Entry& entry : epochs.entries()) {
    PutNumber(out, entry.epoch.v);
    PutNumber(out, entry.start.v);
  }
  PutNumber(out, static_cast<uint32_t>(producers.size()));
  for (const auto& [id, producer] : producers.all()) {
    PutNumber(out, id);
    PutNumber(out, producer.epoch.v);
    PutNumber(out, producer.coordinator_epoch);
    PutNumber(out, producer.last_timestamp.v);
    PutNumber(out, producer.txn_first.v);
    PutNumber(out, producer.batch_count);
    for (size_t i = 0; i < producer.batch_count; ++i) {
      PutNumber(out, producer.batches[i].last_sequence);
      PutNumber(out, producer.batches[i].offset_delta);
      PutNumber(out, producer.batches[i].last.v);
      PutNumber(out, producer.batches[i].timestamp.v);
    }
  }
  PutNumber(out, static_cast<uint32_t>(producers.invisible().size()));
  for (const auto& [first, marker] : producers.invisible()) {
    PutNumber(out, first);
    PutNumber(out, marker);
  }
  PutNumber(out, SumOf(std::string_view(*out).substr(begin)));
}

Result<ProvenState> DecodeProvenState(std::string_view bytes) {
  const auto bad = [](const char* what) { return Status::Error(Code::kCorrupt, std::string("checkpoint of a log: ") + what); };
  if (bytes.size() < 6) return bad("cut short");
  const std::optional<std::string_view> summed = Summed(bytes);
  if (!summed) return bad("CRC does not match");
  NumberReader in(*summed);
  const uint8_t version = in.Take<uint8_t>();
  if (version != kProvenStateVersion) return Status::Error(Code::kUnsupportedFormat, "checkpoint of a log: version " + std::to_string(version));
  ProvenState state;
  const uint8_t mode = in.Take<uint8_t>();
  if (mode > static_cast<uint8_t>(Durability::kOs)) return bad("unknown durability");
  state.mode = static_cast<Durability>(mode);
  state.log_start.v = in.Take<int64_t>();
  state.end.v = in.Take<int64_t>();
  state.recovery_point.v = in.Take<int64_t>();
  state.segment_base.v = in.Take<int64_t>();
  state.position = in.Take<int64_t>();
  state.offset_entries = in.Take<uint32_t>();
  state.time_entries = in.Take<uint32_t>();
  state.aborted = in.Take<uint32_t>();
  state.max.timestamp.v = in.Take<int64_t>();
  state.max.offset.v = in.Take<int64_t>();
  if (state.log_start.v < 0 || state.log_start > state.end || state.segment_base.v < 0 || state.segment_base > state.end || state.position < 0 ||
      state.position > INT32_MAX || state.recovery_point > state.end) {
    return bad("ends out of order");
  }
  for (uint32_t n = in.TakeCount(12); n > 0; --n) {
    const LeaderEpoch epoch(in.Take<int32_t>());
    const Offset start(in.Take<int64_t>());
    (void)state.epochs.Assign(epoch, start);
  }
  for (uint32_t n = in.TakeCount(31); n > 0 && in.ok(); --n) {
    const ProducerId id(in.Take<int64_t>());
    Producer producer;
    producer.epoch.v = in.Take<int16_t>();
    producer.coordinator_epoch = in.Take<int32_t>();
    producer.last_timestamp.v = in.Take<int64_t>();
    producer.txn_first.v = in.Take<int64_t>();
    const uint8_t batches = in.Take<uint8_t>();
    if (batches > kBatchesPerProducer) return bad("too many batches of a producer");
    for (uint8_t i = 0; i < batches; ++i) {
      ProducerBatch batch;
      batch.last_sequence = in.Take<int32_t>();
      batch.offset_delta = in.Take<int32_t>();
      batch.last.v = in.Take<int64_t>();
      batch.timestamp.v = in.Take<int64_t>();
      producer.AddBatch(batch);
    }
    state.producers.Restore(id, producer);
  }
  for (uint32_t n = in.TakeCount(16); n > 0; --n) {
    const Offset first(in.Take<int64_t>());
    const Offset marker(in.Take<int64_t>());
    state.producers.RestoreInvisible(first, marker);
  }
  if (!in.done()) return bad("length does not match its counts");
  return state;
}

}  // namespace sluice::log
