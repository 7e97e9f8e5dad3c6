// Recovery from a checkpoint and the journal: what they prove is in the files afterwards, and nothing else.
#include <algorithm>
#include <cstring>

#include "log/doubt.h"
#include "log/log_format.h"
#include "log/log_impl.h"
#include "log/producer_snapshot.h"
#include "log/proven_state.h"

namespace sluice::log {

void Log::EncodeProven(std::string* out) {
  Impl& log = *impl_;
  SLUICE_ASSERT(log.replay == nullptr);
  Segment& active = log.active();
  ProvenState state;
  state.mode = log.config.durability;
  state.log_start = log.log_start;
  state.end = log.written_end;
  state.recovery_point = log.recovery_point;
  state.segment_base = active.base();
  state.position = active.size();
  state.offset_entries = static_cast<uint32_t>(active.offset_index().count());
  state.time_entries = static_cast<uint32_t>(active.time_index().count());
  state.aborted = static_cast<uint32_t>(active.aborted().size());
  state.max = active.max_timestamp_so_far();
  log.RevertStaged(0);
  EncodeProvenState(state, log.epochs, log.producers, out);
  log.ApplyStaged(0);
}

Status Log::Impl::LoadProven(const LoadState& load, const DirListing& listing) {
  ProvenState proven;
  proven.mode = config.durability;
  if (!load.proven.empty()) {
    Result<ProvenState> decoded = DecodeProvenState(load.proven);
    if (!decoded.ok()) return decoded.status();
    proven = decoded.take();
  }
  replay = std::make_unique<Replay>();
  replay->mode = proven.mode;
  replay->txn_indexes = listing.txn_indexes;
  log_start = std::max(log_start, proven.log_start);
  epochs = std::move(proven.epochs);
  epochs_dirty = true;
  epochs_lost = false;
  producers = std::move(proven.producers);
  written_end = next_offset = high_watermark = proven.end;
  recovery_point = std::min(proven.recovery_point, proven.end);

  Result<Offset> reaches = FirstNeeded(listing.logs, proven.segment_base);
  if (!reaches.ok()) return reaches.status();
  bool found = false;
  SegmentList below;
  for (size_t i = 0; i < listing.logs.size(); ++i) {
    const Offset base = listing.logs[i];
    auto segment = std::make_shared<Segment>(*env.fs, shared_dir, base, Now().v);
    if (base < *reaches) {
      // It had left the log, so nobody synced it any more; only its new name had not become durable.
      below.push_back(std::move(segment));
      continue;
    }
    if (base > proven.segment_base) {
      replay->later.push_back(base);
      continue;
    }
    const bool has_txns = std::binary_search(listing.txn_indexes.begin(), listing.txn_indexes.end(), base);
    AddSegment(segment);
    if (base < proven.segment_base) {
      SLUICE_TRY(AdoptSegment(*segment, has_txns, true));
      continue;
    }
    found = true;
    Result<int64_t> size = env.fs->FileSize(segment->log_path());
    if (!size.ok()) return size.status();
    if (*size < proven.position) {
      return Status::Error(Code::kCorrupt, segment->log_path() + " has " + std::to_string(*size) + " bytes, the checkpoint proves " + std::to_string(proven.position));
    }
    Result<bool> good = segment->AdoptProven(proven.position, proven.offset_entries, proven.time_entries, proven.aborted, proven.max);
    if (!good.ok()) return good.status();
    if (!*good) {
      Report(Severity::kWarn, segment->log_path() + ": an index does not reach as far as the checkpoint says; made anew from the batches");
      SLUICE_TRY(segment->RebuildIndexes(config.index_interval_bytes));
    }
    SLUICE_TRY(LoadFirstTimestamp(*segment));
  }
  SLUICE_TRY(DetachTail(below, 0));
  if (found) {
    if (segments->front()->base() > log_start) log_start = segments->front()->base();
  } else if (proven.position == 0 && replay->later.empty()) {
    SLUICE_TRY(StartSegment(proven.segment_base));
  } else {
    // Retention took it after the checkpoint: the log goes on with the next segment, of files or of the journal. Whether that is so shows at the end.
    replay->missing = JoinPath(dir, SegmentFileName(proven.segment_base, kLogSuffix));
    replay->missing_end = replay->later.empty() ? proven.end : Offset(0);
    if (!segments->empty() && log_start < proven.segment_base) return MissingSegment();
    const std::shared_ptr<const SegmentList> gone = segments;
    segments = std::make_shared<const SegmentList>();
    SLUICE_TRY(DetachTail(*gone, 0));
    if (!replay->later.empty()) log_start = std::max(log_start, replay->later.front());
  }
  SLUICE_TRY(FindLostAborted());
  // Between here and FinishReplay the start may lie behind what is proven so far.
  return Status::Ok();
}

// The segments that begin below it had left the log when it began at log_start. An empty file may be what a roll on a full disk had made and taken away
// again: it does not tell where the segment before it ended.
Result<Offset> Log::Impl::FirstNeeded(const std::vector<Offset>& bases, Offset proven_base) const {
  for (size_t i = bases.size(); i-- > 1;) {
    if (bases[i] > log_start) continue;
    if (bases[i] <= proven_base) return bases[i];
    Result<int64_t> size = env.fs->FileSize(JoinPath(dir, SegmentFileName(bases[i], kLogSuffix)));
    if (!size.ok()) return size.status();
    if (*size > 0) return bases[i];
  }
  return Offset(0);
}

Status Log::Impl::MissingSegment() const {
  return Status::Error(Code::kCorrupt, replay->missing + " is missing, though the checkpoint proves records in it that nobody deleted");
}

// The segment that begins at `base` becomes active: its file if there is one, else a new one.
Status Log::Impl::ReplayRoll(Offset base) {
  if (!segments->empty()) {
    SLUICE_TRY(active().CutTail());
    SLUICE_TRY(active().Seal());
  }
  if (replay->TakeLater(base)) {
    auto segment = std::make_shared<Segment>(*env.fs, shared_dir, base, Now().v);
    segment->Forget(std::binary_search(replay->txn_indexes.begin(), replay->txn_indexes.end(), base));
    AddSegment(std::move(segment));
    NamesChanged();  // it is there, but nobody has said that its name is durable
  } else {
    SLUICE_TRY(StartSegment(base));
  }
  AddSnapshot(base, EncodeProducerSnapshot(producers));
  return Status::Ok();
}

Status Log::ReplayBatch(const BatchEntry& entry) {
  Impl& log = *impl_;
  const auto corrupt = [&](const std::string& what) {
    return Status::Error(Code::kCorrupt, log.dir + ": journal entry for offset " + std::to_string(entry.base.v) + ": " + what);
  };
  if (log.replay == nullptr) {
    // A log that was made anew because its directory is not there. What was synced in its segments has gone with it, so that what follows may not fit.
    SLUICE_ASSERT(log.active().size() == 0);
    log.replay = std::make_unique<Impl::Replay>();
    log.replay->mode = log.config.durability;
    log.epochs = LeaderEpochs();
  }
  Result<BatchHead> head = ParseBatchHead(entry.batch, static_cast<int64_t>(entry.batch.size()));
  if (!head.ok()) return corrupt(head.status().what());
  if (head->size != static_cast<int64_t>(entry.batch.size()) || head->base != entry.base || head->end() != entry.end) return corrupt("not the batch it names");
  if (entry.end <= log.written_end) return Status::Ok();
  std::optional<TxnMarker> marker;
  if (head->control()) {
    Result<std::optional<TxnMarker>> read = ReadTxnMarker(entry.batch);
    if (read.ok()) marker = *read;
  }
  const bool begins_segment = entry.segment_base == entry.base && entry.position.v == 0;
  const std::vector<Offset>& later = log.replay->later;
  const bool left = !later.empty() && entry.segment_base < later.front() && later.front() <= log.log_start;  // all of its segment lies below the start
  if (log.segments->empty() && (!begins_segment || left)) {
    // Its segment is gone, with retention; only what the log knows of it counts.
    if (!log.replay->passed.empty() && entry.end > log.log_start) return corrupt("segment " + std::to_string(entry.segment_base.v) + " is damaged below the log's start");
    if (head->has_producer()) (void)log.producers.Apply(*head, marker, nullptr);
    if (head->epoch.v >= 0 && head->epoch > log.epochs.latest()) (void)log.epochs.Assign(head->epoch, head->base);
    log.written_end = log.next_offset = entry.end;
    return Status::Ok();
  }
  if (!log.segments->empty() && entry.base != log.written_end) {
    return corrupt("the log ends at " + std::to_string(log.written_end.v) + " before it");
  }
  if (log.segments->empty() || entry.segment_base != log.active().base()) {
    if (!begins_segment) return corrupt("segment " + std::to_string(entry.segment_base.v) + " does not begin there");
    SLUICE_TRY(log.ReplayRoll(entry.base));
  } else if (entry.position.v != log.active().size()) {
    return corrupt("position " + std::to_string(entry.position.v) + ", the segment ends at " + std::to_string(log.active().size()));
  }
  Segment& segment = log.active();
  if (entry.position.v + head->size > kMaxSegmentBytes || entry.end - entry.segment_base > kMaxRelativeOffset + 1) return corrupt("beyond what a segment holds");
  SLUICE_TRY(segment.EnsureOpen(ReadMode::kBlocking));
  // Compare first: after a crash of the process alone nothing differs, and nothing needs to be written or synced again.
  std::vector<uint8_t>& there = log.replay_buffer;
  there.resize(entry.batch.size());
  Result<size_t> got = segment.log_file().ReadAt(there, entry.position.v);
  if (!got.ok()) return got.status();
  if (*got != there.size() || std::memcmp(there.data(), entry.batch.data(), there.size()) != 0) {
    SLUICE_TRY(segment.log_file().WriteAt(entry.batch, entry.position.v));
  }
  log.TakeUp(*head, entry.position.v, marker);
  return Status::Ok();
}

Status Log::ReplayLogStart(Offset start) {
  impl_->log_start = std::max(impl_->log_start, start);
  return Status::Ok();
}

Status Log::ReplayMode(Durability mode) {
  if (impl_->replay != nullptr) impl_->replay->mode = mode;
  return Status::Ok();
}

// Reads on through the files as long as batches follow each other, up to `until`.
Status Log::Impl::ScanOn(Offset until, ScanEnd* end) {
  while (true) {
    SLUICE_TRY(ScanActive(active().size(), true, until, end));
    if (written_end >= until || !end->whole || !std::binary_search(replay->later.begin(), replay->later.end(), written_end)) return Status::Ok();
    if (active().size() == 0) return Status::Ok();
    SLUICE_TRY(ReplayRoll(written_end));
  }
}

Status Log::ReplaySynced(Offset end) {
  Impl& log = *impl_;
  if (log.replay == nullptr) return Status::Ok();
  log.replay->mode = Durability::kFsync;
  if (end <= log.written_end) return Status::Ok();
  if (log.segments->empty()) {
    if (!log.replay->passed.empty()) std::erase_if(log.replay->later, [&](Offset base) { return base < log.written_end; });
    if (log.replay->later.empty() || log.replay->later.front() >= end) {
      log.written_end = log.next_offset = end;
      return Status::Ok();
    }
    // What retention has left begins with a segment that this entry speaks of.
    const Offset base = log.replay->later.front();
    SLUICE_TRY(log.ReplayRoll(base));
    log.written_end = log.next_offset = base;
  }
  Impl::ScanEnd scanned;
  SLUICE_TRY(log.ScanOn(end, &scanned));
  if (log.written_end >= end) return Status::Ok();
  if (end <= log.log_start) {
    // All that is not there had left the log: only the names have come back, or it is damaged. The log goes on with the next segment that an entry begins.
    log.replay->passed = log.active().log_path() + " at " + std::to_string(scanned.position) + (scanned.why.ok() ? "" : ": " + scanned.why.what());
    const std::shared_ptr<const SegmentList> gone = log.segments;
    log.segments = std::make_shared<const SegmentList>();
    SLUICE_TRY(log.DetachTail(*gone, 0));
    log.written_end = log.next_offset = end;
    return Status::Ok();
  }
  return Status::Error(Code::kCorrupt, log.active().log_path() + " at " + std::to_string(scanned.position) + ": ends at offset " + std::to_string(log.written_end.v) +
                                           ", but was synced up to " + std::to_string(end.v) + (scanned.why.ok() ? "" : " (" + scanned.why.what() + ")"));
}

Status Log::FinishReplay() {
  Impl& log = *impl_;
  if (log.replay == nullptr) return Status::Ok();
  if (log.segments->empty()) {
    const std::string& passed = log.replay->passed;
    const Offset base = log.replay->later.empty() || !passed.empty() ? std::max(log.log_start, log.written_end) : log.replay->later.front();
    // In that mode more may have followed in the same segment.
    if (!passed.empty() && log.replay->mode == Durability::kOs) log.Report(Severity::kWarn, passed + "; the log goes on at offset " + std::to_string(base.v));
    SLUICE_TRY(log.ReplayRoll(base));
    log.written_end = base;
  }
  if (log.replay->mode == Durability::kOs) {
    Impl::ScanEnd scanned;
    SLUICE_TRY(log.ScanOn(Offset(INT64_MAX), &scanned));
    if (!scanned.whole) {
      log.Report(Severity::kWarn, log.active().log_path() + " at " + std::to_string(scanned.position) + ": " + scanned.why.what() +
                                      "; the log ends here, at offset " + std::to_string(log.written_end.v));
    }
  }
  const uint64_t before = log.active().generation();
  SLUICE_TRY(log.active().CutTail());
  log.cut_noted |= log.active().generation() != before;
  log.repaired = log.cut_noted || !log.replay->later.empty();
  if (!log.replay->missing.empty() && log.log_start < log.replay->missing_end) return log.MissingSegment();
  // What lies behind was never acknowledged.
  SegmentList rest;
  for (Offset base : log.replay->later) rest.push_back(std::make_shared<Segment>(*log.env.fs, log.shared_dir, base, 0));
  SLUICE_TRY(log.DetachTail(rest, 0));
  if (log.log_start > log.written_end && log.replay->mode == Durability::kOs) {
    // A power cut took records that only the page cache had, and the start had been moved above what it left: begun anew there, as Kafka does.
    log.Report(Severity::kWarn, log.dir + " ends at " + std::to_string(log.written_end.v) + ", before its start " + std::to_string(log.log_start.v) + ": begun anew");
    log.repaired = log.cut_noted = true;
    NoteCut(*log.env.fs, log.dir);
    const size_t gone = log.segments->size();
    SLUICE_TRY(log.active().Seal());
    SLUICE_TRY(log.StartSegment(log.log_start));
    log.Detach(gone, log.Now());
    log.producers.Clear();
    log.epochs = LeaderEpochs();
    log.epochs_dirty = true;
    log.written_end = log.log_start;
  }
  if (log.log_start > log.written_end) {
    return Status::Error(Code::kCorrupt, log.dir + " ends at " + std::to_string(log.written_end.v) + ", before its start " + std::to_string(log.log_start.v));
  }
  log.next_offset = log.high_watermark = log.written_end;
  log.config.durability = log.replay->mode;
  log.replay.reset();
  std::vector<uint8_t>().swap(log.replay_buffer);
  SLUICE_TRY(log.FinishLoad());
  log.unfinished = log.active().size() == 0 && log.segments->size() == 1;
  SetLeaderEpoch(log.epoch);
  log.SettleEpochs();
  log.CheckEnds();
  return Status::Ok();
}

}  // namespace sluice::log
