// Scanning: batches from the files after a stop that nothing proves, and producer state from snapshots and batches.
#include <algorithm>

#include "log/batch_scanner.h"
#include "log/doubt.h"
#include "log/legacy_message.h"
#include "log/log_format.h"
#include "log/log_impl.h"
#include "log/producer_snapshot.h"
#include "log/segment_lookup.h"

namespace sluice::log {
namespace {

std::optional<TxnMarker> MarkerOf(BatchScanner& scanner) {
  Result<Bytes> body = scanner.Body(kMaxControlBatch);
  if (!body.ok()) return std::nullopt;
  Result<std::optional<TxnMarker>> marker = ReadTxnMarker(*body);
  return marker.ok() ? *marker : std::nullopt;
}

}  // namespace

// Takes up a batch that was found in (or written back to) the active segment.
void Log::Impl::TakeUp(const BatchHead& batch, int64_t position, const std::optional<TxnMarker>& marker) {
  NoteBatch(batch, position);
  if (!batch.has_producer()) return;
  const std::optional<CompletedTxn> done = producers.Apply(batch, marker, nullptr);
  if (done && done->abort) active().AddAborted({done->producer, done->first, done->last, done->last_stable});
}

// Reads on in the active segment from `from`, checking every CRC, and takes up what holds. `contiguous`: each batch begins where the one before ended
// (what we wrote ourselves); else gaps are fine (what a cleaner left). `until`: stop once the log ends there.
Status Log::Impl::ScanActive(int64_t from, bool contiguous, Offset until, ScanEnd* end) {
  Segment& segment = active();
  *end = ScanEnd();
  end->position = from;
  SLUICE_TRY(segment.EnsureOpen(ReadMode::kBlocking));
  Result<int64_t> size = segment.log_file().Size();
  if (!size.ok()) return size.status();
  if (*size > kMaxSegmentBytes) *size = kMaxSegmentBytes;
  BatchScanner scanner(segment.log_file(), {.from = from, .end = *size, .check_crc = true});
  while (written_end < until) {
    const BatchScanner::Step step = scanner.Next();
    if (step == BatchScanner::Step::kEnd) break;
    if (step == BatchScanner::Step::kBad) {
      if (scanner.status().code() != Code::kCorrupt && scanner.status().code() != Code::kUnsupportedFormat) return scanner.status();
      end->why = scanner.status();
      break;
    }
    const BatchHead& batch = scanner.head();
    const bool in_order = contiguous ? batch.base == written_end : batch.base >= written_end && batch.base >= segment.base();
    if (!in_order || batch.last() - segment.base() > kMaxRelativeOffset) {
      end->why = Status::Error(Code::kCorrupt, "batch offset " + std::to_string(batch.base.v) + " where " + std::to_string(written_end.v) + " is due");
      break;
    }
    TakeUp(batch, scanner.position(), batch.control() ? MarkerOf(scanner) : std::nullopt);
    end->position = scanner.next_position();
  }
  end->whole = end->position == *size;
  return Status::Ok();
}

// After a stop without a proof (Kafka's own crash): segments from the recovery point on are read batch by batch, and the log ends where one does not hold.
Status Log::Impl::ScanFrom(Offset scan_from) {
  const std::shared_ptr<const SegmentList> all = segments;
  ptrdiff_t first = std::max<ptrdiff_t>(FloorSegment(*all, scan_from), 0);
  // Producer state at the first segment to scan, from the batches before it as far as no snapshot has them.
  segments = std::make_shared<const SegmentList>(all->begin(), all->begin() + first);
  const Offset scan_base = (*all)[static_cast<size_t>(first)]->base();
  written_end = scan_base;
  SLUICE_TRY(LoadProducers(scan_base, false));
  for (size_t i = static_cast<size_t>(first); i < all->size(); ++i) {
    const std::shared_ptr<Segment>& segment = (*all)[i];
    if (segment->base() < written_end) {
      // Two files claim the same offsets; the earlier one has been checked.
      Report(Severity::kWarn, segment->log_path() + " begins before its predecessor ends, at " + std::to_string(written_end.v) + ": cut off");
      SLUICE_TRY(DetachTail(*all, i));
      break;
    }
    if (!segments->empty() && !active().sealed()) SLUICE_TRY(active().Seal());
    AddSegment(segment);
    if (segment->base() > written_end) written_end = next_offset = segment->base();
    AddSnapshot(segment->base(), EncodeProducerSnapshot(producers));
    ScanEnd end;
    SLUICE_TRY(ScanActive(0, false, Offset(INT64_MAX), &end));
    if (!end.whole) {
      Result<bool> legacy = IsLegacyMessage(segment->log_file(), end.position, kMaxSegmentBytes);
      if (!legacy.ok()) return legacy.status();
      if (*legacy) {
        return Status::Error(Code::kUnsupportedFormat, segment->log_path() + " at " + std::to_string(end.position) +
                                                           ": a message of format 0 or 1, from before Kafka 0.11, which is not served here; the log is left as it is");
      }
      Report(Severity::kWarn, segment->log_path() + " at " + std::to_string(end.position) + ": " + end.why.what() + "; the log ends here, at offset " +
                                  std::to_string(written_end.v));
      cut_noted = true;
      SLUICE_TRY(segment->CutTail());
      SLUICE_TRY(DetachTail(*all, i + 1));
      break;
    }
  }
  return Status::Ok();
}

// Segments from `first` of a list on are not part of the log: their files go as deleted ones do. Where they cannot be taken away the log cannot be opened:
// the next segment would meet one of them, and after a clean stop nothing would say that it is not part of the log.
Status Log::Impl::DetachTail(const SegmentList& all, size_t first) {
  if (first >= all.size()) return Status::Ok();
  NoteCut(*env.fs, dir);
  cut_noted = true;
  for (size_t i = first; i < all.size(); ++i) detached.push_back(all[i]);
  SLUICE_TRY(RenameDetached(Now()));
  NamesChanged();
  // At once: the log goes on below, its start may move above where they began, and one that came back then would be taken for what it begins with.
  return env.fs->SyncDir(dir);
}

// Producer state at `end`: the newest snapshot that holds, and the batches behind it.
Status Log::Impl::LoadProducers(Offset end, bool clean) {
  const auto drop = [this](Offset offset) {
    (void)env.fs->Remove(JoinPath(dir, SegmentFileName(offset, kSnapshotSuffix)));
    std::erase(snapshots, offset);
  };
  const bool none = snapshots.empty();
  for (Offset offset : std::vector<Offset>(snapshots)) {
    // Scanning comes here with the end of what is believed so far; newer snapshots may still be right.
    if (clean && offset > end) drop(offset);
  }
  Offset from = log_start;
  for (auto it = snapshots.rbegin(); it != snapshots.rend();) {
    const Offset offset = *it++;
    if (offset > end) continue;
    const std::string path = JoinPath(dir, SegmentFileName(offset, kSnapshotSuffix));
    Result<std::string> bytes = io::ReadWholeFile(*env.fs, path, kMaxSnapshotBytes);
    if (!bytes.ok() && bytes.code() != Code::kTooLarge && bytes.code() != Code::kNotFound) return bytes.status();
    const Status decoded = bytes.ok() ? DecodeProducerSnapshot({reinterpret_cast<const uint8_t*>(bytes->data()), bytes->size()}, &producers) : bytes.status();
    if (decoded.ok()) {
      from = offset;
      break;
    }
    Report(Severity::kWarn, path + " is damaged (" + decoded.what() + "); looking further back");
    producers.Clear();
    drop(offset);
    it = std::make_reverse_iterator(std::lower_bound(snapshots.begin(), snapshots.end(), offset));
  }
  (void)producers.Expire(Now(), config.producer_id_expiration_ms);
  // Kafka's reading of a clean stop without any snapshot: there never was a producer.
  if (none && clean) from = end;
  if (epochs_lost) return FeedFrom(Offset(0), from);
  return from < end ? FeedFrom(from, from) : Status::Ok();
}

// Headers from `from` on: leader epochs of all of them if those were lost, producers from `producers_from` on.
Status Log::Impl::FeedFrom(Offset from, Offset producers_from) {
  for (size_t i = static_cast<size_t>(std::max<ptrdiff_t>(FloorSegment(*segments, from), 0)); i < segments->size(); ++i) {
    Segment& segment = *(*segments)[i];
    if (segment.size() == 0) continue;
    Result<std::optional<Located>> at = LocateBatch(segment.View((*segments)[i], false), from, {ReadMode::kBlocking, env.reporter, config.index_interval_bytes});
    if (!at.ok()) return at.status();
    if (!*at) continue;
    SLUICE_TRY(segment.EnsureOpen(ReadMode::kBlocking));
    BatchScanner scanner(segment.log_file(), {.from = (*at)->position, .end = segment.size()});
    while (scanner.Next() == BatchScanner::Step::kBatch) {
      const BatchHead& batch = scanner.head();
      if (epochs_lost && batch.epoch.v >= 0 && batch.epoch > epochs.latest()) (void)epochs.Assign(batch.epoch, batch.base);
      if (batch.has_producer() && batch.base >= producers_from) {
        (void)producers.Apply(batch, batch.control() ? MarkerOf(scanner) : std::nullopt, nullptr);
      }
    }
    if (!scanner.status().ok()) {
      return Status::Error(scanner.status().code(), segment.log_path() + " at " + std::to_string(scanner.position()) + ": " + scanner.status().what());
    }
  }
  return Status::Ok();
}

// Transaction indexes that were damaged, made anew from the batches: without them readers of committed data would be given aborted records.
Status Log::Impl::FindLostAborted() {
  const std::shared_ptr<const SegmentList> all = segments;
  for (size_t i = 0; i < all->size(); ++i) {
    Segment& segment = *(*all)[i];
    if (!segment.aborted_lost()) continue;
    Report(Severity::kWarn, segment.PathOf(kTxnIndexSuffix) + " is damaged; made anew from the batches");
    ProducerState known = std::move(producers);
    producers = ProducerState();
    segments = std::make_shared<const SegmentList>(all->begin(), all->begin() + static_cast<ptrdiff_t>(i));
    const Status loaded = LoadProducers(segment.base(), false);
    segments = all;
    SLUICE_TRY(loaded);
    segment.ForgetAborted();
    SLUICE_TRY(segment.EnsureOpen(ReadMode::kBlocking));
    BatchScanner scanner(segment.log_file(), {.from = 0, .end = segment.size()});
    while (scanner.Next() == BatchScanner::Step::kBatch) {
      const BatchHead& batch = scanner.head();
      if (!batch.has_producer()) continue;
      const std::optional<CompletedTxn> done = producers.Apply(batch, batch.control() ? MarkerOf(scanner) : std::nullopt, nullptr);
      if (done && done->abort) segment.AddAborted({done->producer, done->first, done->last, done->last_stable});
    }
    if (!scanner.status().ok()) {
      return Status::Error(scanner.status().code(), segment.log_path() + " at " + std::to_string(scanner.position()) + ": " + scanner.status().what());
    }
    SLUICE_TRY(segment.FlushIndexes());
    producers = std::move(known);
  }
  return Status::Ok();
}

// Kafka's rule for what stays: snapshots at the start of segments, and the newest of the others if it lies behind the last segment's start.
void Log::Impl::CleanSnapshots() {
  Offset stray(-1);
  for (Offset offset : snapshots) {
    if (FloorSegment(*segments, offset) < 0 || (*segments)[static_cast<size_t>(FloorSegment(*segments, offset))]->base() != offset) stray = offset;
  }
  std::erase_if(snapshots, [&](Offset offset) {
    const ptrdiff_t i = FloorSegment(*segments, offset);
    if (i >= 0 && (*segments)[static_cast<size_t>(i)]->base() == offset) return false;
    if (offset == stray && offset > active().base() && offset <= written_end) return false;
    const std::string path = JoinPath(dir, SegmentFileName(offset, kSnapshotSuffix));
    std::erase_if(pending_files, [&](const PendingFile& file) { return file.path == path; });
    (void)env.fs->Remove(path);
    return true;
  });
}

}  // namespace sluice::log
