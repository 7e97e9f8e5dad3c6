// Fuzzes what a log reads from its directory: indexes, transaction index, snapshots, leader epochs, a checkpoint's proven state, and the segments
// themselves. One kind of input goes to a decoder as it is; the other builds a small log in memory, damages its files and opens it. What is
// refused is fine; what crashes, hangs, or hands out bytes that are no batches is not.
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "batch/batch_view.h"
#include "batch/builder.h"
#include "fuzz_support.h"
#include "log/leader_epochs.h"
#include "log/log.h"
#include "log/log_format.h"
#include "log/producer_snapshot.h"
#include "log/proven_state.h"
#include "log/txn_index.h"

namespace sluice::log {
namespace {

using fuzz::Choices;
using fuzz::MemoryFs;

class StillClock final : public io::Clock {
 public:
  int64_t WallMs() override { return 1700000000000; }
  int64_t MonotonicUs() override { return 1; }
};

std::vector<uint8_t> OneBatch(uint8_t choice, int32_t sequence) {
  static batch::BatchBuilder builder;
  batch::BatchOptions options;
  options.codec = static_cast<batch::Codec>(choice % 5);
  if (choice & 0x20) {
    options.producer_id = ProducerId(choice & 3);
    options.producer_epoch = ProducerEpoch(0);
    options.base_sequence = sequence;
  }
  options.transactional = (choice & 0x60) == 0x60;
  builder.Start(options);
  const std::vector<uint8_t> value(choice, choice);
  for (int i = 0; i <= choice % 4; ++i) {
    batch::RecordInput record;
    record.value = Bytes(value);
    record.timestamp = TimestampMs(1700000000000 + (choice * 37 + i) % 101);
    Require(builder.Append(record).ok());
  }
  Result<Bytes> bytes = builder.Finish();
  Require(bytes.ok());
  return {bytes->begin(), bytes->end()};
}

// Everything a reader can ask of an opened log.
void Use(Log& log, bool all_checked) {
  Require(log.log_start() <= log.high_watermark() && log.high_watermark() <= log.next_offset());
  int64_t from = log.log_start().v;
  for (int i = 0; i < 200 && from < log.high_watermark().v; ++i) {
    Result<LogSlice> slice = log.ColdRead(Offset(from), 700, true, log.high_watermark())();
    Require(!all_checked || slice.ok());
    if (!slice.ok() || slice->length == 0) break;
    std::vector<uint8_t> bytes(static_cast<size_t>(slice->length));
    Result<size_t> got = slice->segment->log_file().ReadAt(bytes, slice->position.v);
    Require(got.ok() && *got == bytes.size());
    batch::BatchIterator batches(bytes);
    batch::BatchView view;
    const int64_t before = from;
    while (batches.Next(&view) == batch::BatchIterator::Step::kBatch) {
      if (all_checked) Require(view.crc_ok());
      if (view.next_offset().v > from) from = view.next_offset().v;
    }
    if (from == before) break;
  }
  for (int64_t time = 1699999999990; time < 1700000000120; time += 13) (void)log.FindTimestamp(TimestampMs(time))();
  (void)log.FindMaxTimestamp()();
  (void)log.AbortedIn(log.log_start(), log.high_watermark());
  (void)log.Producers();
  for (int32_t epoch = -1; epoch < 4; ++epoch) (void)log.EndOffsetForEpoch(LeaderEpoch(epoch));
  (void)log.RunRetention(TimestampMs(1700000000000));
}

void BuildDamageAndOpen(Choices in) {
  MemoryFs fs;
  StillClock clock;
  Env env;
  env.fs = &fs;
  env.clock = &clock;
  LogConfig config;
  config.segment_bytes = 1200;
  config.index_interval_bytes = 150;
  config.durability = (in.Byte() & 1) != 0 ? Durability::kOs : Durability::kFsync;
  config.retention_ms = -1;
  TopicId id;
  id.bytes[0] = 1;
  LoadState state;
  std::string proven;
  std::vector<std::pair<BatchEntry, std::vector<uint8_t>>> journal;
  {
    Result<std::unique_ptr<Log>> log = Log::Load(env, "/d", {"t", 0}, id, config, LeaderEpoch(0), state);
    Require(log.ok());
    const size_t batches = in.Below(24), checkpoint = in.Below(24);
    std::map<int, int32_t> sequences;
    for (size_t i = 0; i < batches; ++i) {
      const uint8_t choice = in.Byte();
      std::vector<uint8_t> bytes = OneBatch(choice, sequences[choice & 3]);
      Result<AppendResult> result = (*log)->Append(bytes, AppendOrigin::kClient, TimestampMs(0));
      if (result.ok() && (choice & 0x20)) sequences[choice & 3] += choice % 4 + 1;
      Require((*log)->WriteStaged({}, [&](const BatchEntry& entry) { journal.emplace_back(entry, std::vector<uint8_t>(entry.batch.begin(), entry.batch.end())); }).ok());
      (*log)->AdvanceHighWatermark((*log)->written_end());
      if (i == checkpoint) {
        Result<Log::SyncSet> set = (*log)->PrepareSync();
        Require(set.ok() && set->Run(fs).ok());
        (*log)->SyncDone(*set);
        proven.clear();
        (*log)->EncodeProven(&proven);
        journal.clear();
      }
    }
    if (in.Byte() & 1) Require((*log)->CloseClean().ok());
  }
  const uint8_t kind = in.Byte() % 3;
  for (size_t damages = 1 + in.Below(6); damages > 0 && !fs.files.empty(); --damages) {
    auto at = std::next(fs.files.begin(), static_cast<ptrdiff_t>(in.Below(fs.files.size())));
    if (at->first.find("partition.metadata") != std::string::npos) continue;
    std::vector<uint8_t>& bytes = *at->second;
    switch (in.Byte() % 5) {
      case 0: bytes.resize(in.Below(bytes.size() + 20)); break;
      case 1: if (!bytes.empty()) bytes[in.Below(bytes.size())] ^= static_cast<uint8_t>(1 + in.Byte()); break;
      case 2: for (size_t n = in.Below(40); n > 0; --n) bytes.push_back(in.Byte()); break;
      case 3: if (!bytes.empty()) for (size_t n = 8, p = in.Below(bytes.size()); n > 0 && p < bytes.size(); --n, ++p) bytes[p] = in.Byte(); break;
      case 4: fs.files.erase(at); break;
    }
  }
  state.kind = kind == 0 ? LoadState::Kind::kClean : kind == 1 ? LoadState::Kind::kScan : LoadState::Kind::kProven;
  state.proven = proven;
  state.recovery_point = Offset(static_cast<int64_t>(in.Below(60)));
  Result<std::unique_ptr<Log>> log = Log::Load(env, "/d", {"t", 0}, id, config, LeaderEpoch(1), state);
  if (!log.ok()) return;
  if (kind == 2) {
    for (auto& [entry, bytes] : journal) {
      entry.batch = bytes;
      if (!(*log)->ReplayBatch(entry).ok()) return;
    }
    if (!(*log)->FinishReplay().ok()) return;
  }
  // Only what a full scan has read is known to be whole; damage elsewhere is the reader's to find by its CRC.
  const bool all_checked = kind == 1 && state.recovery_point.v == 0;
  Use(**log, all_checked);
  std::vector<uint8_t> bytes = OneBatch(3, 0);
  Result<AppendResult> appended = (*log)->Append(bytes, AppendOrigin::kClient, TimestampMs(0));
  if (appended.ok() && (*log)->WriteStaged({}, {}).ok()) {
    (*log)->AdvanceHighWatermark((*log)->written_end());
    Result<LogSlice> slice = (*log)->ColdRead(appended->base, 100, true, (*log)->high_watermark())();
    Require(!all_checked || (slice.ok() && slice->length == static_cast<int64_t>(bytes.size())));
    (void)(*log)->CloseClean();
  }
}

void Decode(uint8_t which, Bytes input) {
  const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  switch (which % 4) {
    case 0: {
      Result<LeaderEpochs> epochs = LeaderEpochs::Decode(text);
      if (!epochs.ok()) return;
      Result<LeaderEpochs> again = LeaderEpochs::Decode(epochs->Encode());
      Require(again.ok() && again->entries() == epochs->entries());
      return;
    }
    case 1: {
      Result<std::vector<AbortedTxn>> txns = DecodeTxnIndex(input, Offset(100));
      if (!txns.ok()) return;
      std::vector<uint8_t> out;
      for (const AbortedTxn& txn : *txns) EncodeAbortedTxn(txn, &out);
      Require(out.size() <= input.size() && std::equal(out.begin(), out.end(), input.begin()));
      return;
    }
    case 2: {
      ProducerState state;
      if (DecodeProducerSnapshot(input, &state).ok()) (void)EncodeProducerSnapshot(state);
      Require(state.size() <= input.size() / 46 + 1);
      return;
    }
    case 3: (void)DecodeProvenState(text); return;
  }
}

}  // namespace
}  // namespace sluice::log

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const sluice::Bytes rest(data + 1, size - 1);
  if (data[0] & 0x80) sluice::log::Decode(data[0], rest);
  else sluice::log::BuildDamageAndOpen(sluice::log::Choices(rest));
  return 0;
}
