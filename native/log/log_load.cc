// Opening a log: what is in its directory, and how far each kind of stop lets us believe it.
#include <algorithm>
#include <unordered_set>

#include "log/batch_scanner.h"
#include "log/doubt.h"
#include "log/log_format.h"
#include "log/log_impl.h"

namespace sluice::log {
namespace {

bool EndsWith(const std::string& name, std::string_view suffix) {
  return name.size() >= suffix.size() && std::string_view(name).substr(name.size() - suffix.size()) == suffix;
}

std::string MetadataOf(const TopicId& id) { return "version: 0\ntopic_id: " + id.ToString(); }

Status WriteMetadata(io::FileSystem& fs, const std::string& path, const TopicId& id, bool sync) {
  const std::string content = MetadataOf(id);
  Result<std::unique_ptr<io::File>> file = fs.Open(path, io::OpenMode::kCreate);
  if (!file.ok()) return file.status();
  SLUICE_TRY((*file)->Truncate(0));
  SLUICE_TRY((*file)->WriteAt({reinterpret_cast<const uint8_t*>(content.data()), content.size()}, 0));
  return sync ? (*file)->Sync() : Status::Ok();
}

// Whose directory this is. Written where it is missing, empty or cut short (a crash, or a full disk, right after it was made).
Status CheckMetadata(io::FileSystem& fs, const std::string& dir, const TopicId& id, bool there) {
  if (id.IsZero()) return Status::Ok();
  const std::string path = JoinPath(dir, kPartitionMetadataFile);
  if (!there) return WriteMetadata(fs, path, id, true);
  Result<std::string> text = io::ReadWholeFile(fs, path, 4096);
  if (!text.ok()) return text.status();
  text->erase(text->find_last_not_of('\0') + 1);   // a file may be longer than what of it has reached the disk
  const std::string own = MetadataOf(id);
  if (text->size() < own.size() && own.compare(0, text->size(), *text) == 0) return WriteMetadata(fs, path, id, true);  // cut short by that crash or disk
  constexpr std::string_view kKey = "topic_id:";
  const size_t at = text->find(kKey);
  if (at == std::string::npos) {
    // It is another topic's as well as this one's, unless the id is there all the same.
    if (text->size() == own.size() && text->ends_with(id.ToString())) return WriteMetadata(fs, path, id, true);
    return Status::Error(Code::kCorrupt, path + " does not say whose directory this is");
  }
  std::string value = text->substr(at + kKey.size());
  value = value.substr(0, value.find('\n'));
  std::erase_if(value, [](char c) { return c == ' ' || c == '\r' || c == '\t'; });
  TopicId found;
  if (!TopicId::Parse(value, &found)) return Status::Error(Code::kCorrupt, path + ": topic_id is \"" + value + "\"");
  if (found.IsZero()) return WriteMetadata(fs, path, id, true);
  if (found == id) return Status::Ok();
  return Status::Error(Code::kForeign, dir + " belongs to topic id " + found.ToString() + ", not " + id.ToString());
}

}  // namespace

Result<DirListing> ListPartition(io::FileSystem& fs, const std::string& dir) {
  Result<std::vector<io::DirEntry>> entries = fs.List(dir);
  if (!entries.ok()) return entries.status();
  DirListing listing;
  for (const io::DirEntry& entry : *entries) {
    if (entry.is_dir) continue;
    const std::string& name = entry.name;
    if (EndsWith(name, kDeletedSuffix)) listing.deleted.push_back(name);
    else if (EndsWith(name, kCleanedSuffix)) listing.cleaned.push_back(name);
    else if (EndsWith(name, kSwapSuffix)) listing.swapped.push_back(name);
    else if (auto log = ParseSegmentFileName(name, kLogSuffix)) listing.logs.push_back(*log);
    else if (auto snapshot = ParseSegmentFileName(name, kSnapshotSuffix)) listing.snapshots.push_back(*snapshot);
    else if (auto txn = ParseSegmentFileName(name, kTxnIndexSuffix)) listing.txn_indexes.push_back(*txn);
    else if (auto index = ParseSegmentFileName(name, kOffsetIndexSuffix)) listing.indexes.push_back(*index);
    else if (auto time = ParseSegmentFileName(name, kTimeIndexSuffix)) listing.indexes.push_back(*time);
    else if (name == kLeaderEpochFile) listing.epochs = true;
    else if (name == kPartitionMetadataFile) listing.metadata = true;
    else if (name == kSyncFailedName) listing.doubted = true;
    else if (name == kCutName) listing.cut = true;
  }
  for (std::vector<Offset>* sorted : {&listing.logs, &listing.snapshots, &listing.txn_indexes, &listing.indexes}) {
    std::sort(sorted->begin(), sorted->end());
  }
  return listing;
}

Result<std::unique_ptr<Log>> Log::Load(const Env& env, std::string dir, TopicPartition name, TopicId topic_id, const LogConfig& config,
                                       LeaderEpoch epoch, const LoadState& state) {
  auto impl = std::make_unique<Impl>(nullptr, env, std::move(dir), std::move(name), topic_id, config);
  std::unique_ptr<Log> log(new Log(std::move(impl)));
  Impl& inside = *log->impl_;
  SLUICE_TRY(state.kind == LoadState::Kind::kNew ? inside.LoadNew(state) : inside.LoadExisting(state));
  inside.epoch = epoch;
  if (inside.replay == nullptr) {
    log->SetLeaderEpoch(epoch);
    inside.SettleEpochs();
    inside.CheckEnds();
  }
  return log;
}

Status Log::Impl::LoadNew(const LoadState& state) {
  SLUICE_TRY(env.fs->MakeDirs(dir));
  if (!id.IsZero()) SLUICE_TRY(WriteMetadata(*env.fs, JoinPath(dir, kPartitionMetadataFile), id, false));
  log_start = high_watermark = written_end = next_offset = recovery_point = state.log_start.value_or(Offset(0));
  SLUICE_TRY(StartSegment(log_start));
  ResetMarks();
  return Status::Ok();
}

Status Log::Impl::StartSegment(Offset base) {
  auto segment = std::make_shared<Segment>(*env.fs, shared_dir, base, Now().v);
  SLUICE_TRY(segment->Create());
  segment->bytes_before = bytes_written;
  AddSegment(std::move(segment));
  NamesChanged();
  return Status::Ok();
}

Status Log::Impl::LoadExisting(const LoadState& state) {
  Result<DirListing> listing = ListPartition(*env.fs, dir);
  if (!listing.ok()) return listing.status();
  if (listing->doubted) SLUICE_TRY(WriteAgain(*env.fs, dir));
  cut_noted = listing->cut;
  if (!state.identified) SLUICE_TRY(CheckMetadata(*env.fs, dir, id, listing->metadata));
  for (const std::string& leftover : listing->deleted) SLUICE_TRY(env.fs->Remove(JoinPath(dir, leftover)));
  if (!listing->cleaned.empty() || !listing->swapped.empty()) {
    SLUICE_TRY(FinishSwaps(*listing));
    listing = ListPartition(*env.fs, dir);
    if (!listing.ok()) return listing.status();
  }
  // An index without its data is left over from a deletion that was cut short.
  for (const std::vector<Offset>* of : {&listing->indexes, &listing->txn_indexes}) {
    for (Offset base : *of) {
      if (!std::binary_search(listing->logs.begin(), listing->logs.end(), base)) SLUICE_TRY(RemoveSegmentFiles(base));
    }
  }
  snapshots = listing->snapshots;
  SLUICE_TRY(LoadEpochs(*listing));
  log_start = state.log_start.value_or(Offset(0));
  if (state.kind == LoadState::Kind::kProven) return LoadProven(state, *listing);

  const bool clean = state.kind == LoadState::Kind::kClean;
  // Going on would give offsets a second time, or leave some out.
  const auto ends_as_stopped = [&]() -> Status {
    if (!state.stopped_at || written_end == *state.stopped_at) return Status::Ok();
    return Status::Error(Code::kCorrupt, dir + " ends at offset " + std::to_string(written_end.v) + ", and ended at " + std::to_string(state.stopped_at->v) +
                                             " when it was stopped: its last segment or recovery-point-offset-checkpoint has changed since");
  };
  if (state.stopped_at && log_start > *state.stopped_at) {
    return Status::Error(Code::kCorrupt, dir + " begins at offset " + std::to_string(log_start.v) + " as log-start-offset-checkpoint has it, above its end at " +
                                             std::to_string(state.stopped_at->v) + ": one of the two has changed since the stop");
  }
  SLUICE_TRY(LoadSegments(*listing, clean ? Offset(INT64_MAX) : state.recovery_point));
  if (segments->empty()) {
    written_end = next_offset = log_start;
    SLUICE_TRY(ends_as_stopped());
    SLUICE_TRY(StartSegment(log_start));
  } else {
    log_start = std::max(log_start, segments->front()->base());
    SLUICE_TRY(FindLostAborted());
    if (clean) {
      SLUICE_TRY(LoadEnd());
      SLUICE_TRY(ends_as_stopped());
      SLUICE_TRY(LoadProducers(written_end, true));
    } else {
      SLUICE_TRY(ScanFrom(state.recovery_point));
    }
  }
  if (written_end < log_start) {
    // The files end before the log starts: somebody took segments away. Kafka begins anew there, and so do we.
    Report(Severity::kWarn, dir + " ends at " + std::to_string(written_end.v) + ", before its start " + std::to_string(log_start.v) + ": begun anew");
    SLUICE_TRY(StartSegment(log_start));
    Detach(segments->size() - 1, Now());
    producers.Clear();
    epochs = LeaderEpochs();
    epochs_dirty = true;
    written_end = next_offset = log_start;
  }
  next_offset = written_end;
  high_watermark = written_end;
  recovery_point = clean ? written_end : std::min(state.recovery_point, written_end);
  return FinishLoad();
}

// Of the last segment that is known. Where all of the log lies below its start, damage there harms nobody: the segment rolls by its own age then.
Status Log::Impl::LoadFirstTimestamp(Segment& segment) const {
  const Status loaded = segment.LoadFirstTimestamp();
  return loaded.code() == Code::kCorrupt && written_end <= log_start ? Status::Ok() : loaded;
}

// What holds whatever the way here: ends are known, the last segment is active.
Status Log::Impl::FinishLoad() {
  total_size = 0;
  for (const auto& segment : *segments) total_size += segment->size();
  for (const auto& segment : *segments) segment->bytes_before = -segment->size();
  SLUICE_TRY(LoadFirstTimestamp(active()));
  if (epochs.TruncateFromEnd(written_end)) epochs_dirty = true;
  if (epochs.TruncateFromStart(log_start)) epochs_dirty = true;
  producers.OnHighWatermark(high_watermark);
  CleanSnapshots();
  ResetMarks();
  if (cut_noted) {
    active().Touch();
    NamesChanged();
  }
  // Thousands of idle logs must not hold descriptors.
  for (const auto& segment : *segments) segment->CloseIdle();
  return Status::Ok();
}

Status Log::Impl::LoadEpochs(const DirListing& listing) {
  if (!listing.epochs) return Status::Ok();
  const std::string path = JoinPath(dir, kLeaderEpochFile);
  Result<std::string> text = io::ReadWholeFile(*env.fs, path, kMaxTextFile);
  if (!text.ok()) return text.status();
  Result<LeaderEpochs> decoded = LeaderEpochs::Decode(*text);
  if (decoded.ok()) {
    epochs = decoded.take();
    epochs_found = epochs.entries();
  } else {
    Report(Severity::kWarn, path + " is damaged (" + decoded.status().what() + "); made anew from the batches");
    epochs_lost = true;
    epochs_dirty = true;
  }
  return Status::Ok();
}

// Loading took some away and added some: a file that says the same already is not written again.
void Log::Impl::SettleEpochs() {
  epochs_dirty &= epochs_lost || epochs.entries() != epochs_found;
  std::vector<LeaderEpochs::Entry>().swap(epochs_found);
}

// All segments up to the one that holds `scan_from` are taken as they are; the rest is left to the scan.
Status Log::Impl::LoadSegments(const DirListing& listing, Offset scan_from) {
  for (size_t i = 0; i < listing.logs.size(); ++i) {
    const Offset base = listing.logs[i];
    const bool last = i + 1 == listing.logs.size();
    const bool has_txns = std::binary_search(listing.txn_indexes.begin(), listing.txn_indexes.end(), base);
    auto segment = std::make_shared<Segment>(*env.fs, shared_dir, base, Now().v);
    AddSegment(segment);
    const bool scanned = last ? scan_from.v != INT64_MAX : listing.logs[i + 1] > scan_from;
    if (scanned) {
      segment->Forget(has_txns);
      continue;
    }
    SLUICE_TRY(AdoptSegment(*segment, has_txns, !last));
  }
  return Status::Ok();
}

Status Log::Impl::AdoptSegment(Segment& segment, bool has_txns, bool sealed) {
  Result<int64_t> size = env.fs->FileSize(segment.log_path());
  if (!size.ok()) return size.status();
  if (*size > kMaxSegmentBytes) return Status::Error(Code::kCorrupt, segment.log_path() + " has " + std::to_string(*size) + " bytes, more than a segment can");
  Result<bool> good = segment.Adopt(*size, {.has_txn_index = has_txns, .sealed = sealed});
  if (!good.ok()) return good.status();
  if (!*good) {
    Report(Severity::kWarn, segment.log_path() + ": an index is missing or damaged; made anew from the batches");
    SLUICE_TRY(segment.RebuildIndexes(config.index_interval_bytes));
  }
  if (!sealed) return Status::Ok();
  if (!*good) SLUICE_TRY(segment.Seal());
  segment.SetSealed();
  return Status::Ok();
}

// After a clean stop: the end is found behind the last index entry.
Status Log::Impl::LoadEnd() {
  Segment& segment = active();
  written_end = segment.base();
  if (segment.size() == 0) return Status::Ok();
  SLUICE_TRY(segment.EnsureOpen(ReadMode::kBlocking));
  for (int attempt = 0; attempt < 2; ++attempt) {
    BatchScanner scanner(segment.log_file(), {.from = segment.last_indexed(), .end = segment.size()});
    BatchScanner::Step step;
    written_end = segment.base();
    bool in_order = true;
    while (in_order && (step = scanner.Next()) == BatchScanner::Step::kBatch) {
      in_order = scanner.head().base >= written_end && scanner.head().last() - segment.base() <= kMaxRelativeOffset;
      written_end = scanner.head().end();
    }
    if (!in_order) return Status::Error(Code::kCorrupt, segment.log_path() + " at " + std::to_string(scanner.position()) + ": offsets out of order");
    if (step == BatchScanner::Step::kEnd) return Status::Ok();
    if (attempt > 0 || segment.last_indexed() == 0) {
      return Status::Error(scanner.status().code(), segment.log_path() + " at " + std::to_string(scanner.position()) + ": " + scanner.status().what());
    }
    Report(Severity::kWarn, segment.PathOf(kOffsetIndexSuffix) + " does not fit the data; made anew from the batches");
    SLUICE_TRY(segment.RebuildIndexes(config.index_interval_bytes));
  }
  return Status::Ok();
}

Status Log::Impl::RemoveSegmentFiles(Offset base) {
  for (const char* suffix : {kLogSuffix, kOffsetIndexSuffix, kTimeIndexSuffix, kTxnIndexSuffix}) {
    const Status removed = env.fs->Remove(JoinPath(dir, SegmentFileName(base, suffix)));
    if (!removed.ok() && removed.code() != Code::kNotFound) return removed;
  }
  return Status::Ok();
}

// Kafka's cleaner replaces segments by compacted ones: what it had finished (.swap) is put in place, what it had not is thrown away.
Status Log::Impl::FinishSwaps(const DirListing& listing) {
  const auto base_of = [](const std::string& name) { return ParseSegmentFileName(name.substr(0, 20) + kLogSuffix, kLogSuffix); };
  Offset first_cleaned(INT64_MAX);
  for (const std::string& name : listing.cleaned) {
    if (auto base = base_of(name)) first_cleaned = std::min(first_cleaned, *base);
    SLUICE_TRY(env.fs->Remove(JoinPath(dir, name)));
  }
  std::vector<std::string> valid;
  Offset from(INT64_MAX), to(-1);
  for (const std::string& name : listing.swapped) {
    const auto base = base_of(name);
    if (!base || *base >= first_cleaned) {
      SLUICE_TRY(env.fs->Remove(JoinPath(dir, name)));
      continue;
    }
    valid.push_back(name);
    if (!EndsWith(name, std::string(kLogSuffix) + kSwapSuffix)) continue;
    Result<std::unique_ptr<io::File>> file = env.fs->Open(JoinPath(dir, name), io::OpenMode::kRead);
    if (!file.ok()) return file.status();
    Result<int64_t> size = (*file)->Size();
    if (!size.ok()) return size.status();
    from = std::min(from, *base);
    to = std::max(to, *base + 1);   // its own old files go even where nothing was left of them
    BatchScanner scanner(**file, {.from = 0, .end = *size});
    BatchScanner::Step step;
    while ((step = scanner.Next()) == BatchScanner::Step::kBatch) to = std::max(to, scanner.head().end());
    // Unread, it would not tell which files it stands for, and what it leaves out would be back. Damaged, it goes in place as it is and is found there.
    if (step == BatchScanner::Step::kBad && IsUnread(scanner.status().code())) return scanner.status();
  }
  for (const std::vector<Offset>* of : {&listing.logs, &listing.indexes, &listing.txn_indexes}) {
    for (Offset base : *of) {
      if (base >= from && base < to) SLUICE_TRY(RemoveSegmentFiles(base));
    }
  }
  for (const std::string& name : valid) {
    SLUICE_TRY(env.fs->Rename(JoinPath(dir, name), JoinPath(dir, name.substr(0, name.size() - std::string_view(kSwapSuffix).size()))));
  }
  return env.fs->SyncDir(dir);
}

}  // namespace sluice::log
