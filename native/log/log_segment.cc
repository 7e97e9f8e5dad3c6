#include "log/log_segment.h"

#include <algorithm>

#include "log/batch_scanner.h"
#include "log/doubt.h"
#include "log/log_format.h"
#include "log/offset_index.h"
#include "log/saturate.h"

namespace sluice::log {
namespace {

constexpr int64_t kMaxTxnIndexBytes = int64_t{1} << 30;

// Index contents as the batches of a file say they must be.
struct BuiltIndexes {
  std::vector<uint8_t> offsets;
  std::vector<uint8_t> times;
  TimestampAt max;
};

Result<BuiltIndexes> BuildIndexes(io::File& file, Offset base, int64_t size, int64_t interval) {
  BuiltIndexes built;
  BatchScanner scanner(file, {.from = 0, .end = size});
  int64_t last_indexed = 0;
  TimestampAt last_time{kNoTimestamp, base};
  const auto add_time = [&] {
    if (built.max.timestamp <= last_time.timestamp) return;
    uint8_t entry[kTimeEntryBytes];
    EncodeTimeEntry(base, built.max, entry);
    built.times.insert(built.times.end(), entry, entry + sizeof entry);
    last_time = built.max;
  };
  while (true) {
    const BatchScanner::Step step = scanner.Next();
    if (step == BatchScanner::Step::kBad) return scanner.status();
    if (step == BatchScanner::Step::kEnd) break;
    const BatchHead& batch = scanner.head();
    if (batch.base < base || batch.last() - base > kMaxRelativeOffset) {
      return Status::Error(Code::kCorrupt, "batch offset outside its segment");
    }
    if (batch.max_timestamp > built.max.timestamp) built.max = {batch.max_timestamp, batch.last()};
    if (scanner.position() - last_indexed > interval) {
      uint8_t entry[kOffsetEntryBytes];
      EncodeOffsetEntry(base, {batch.last(), scanner.position()}, entry);
      built.offsets.insert(built.offsets.end(), entry, entry + sizeof entry);
      add_time();
      last_indexed = scanner.position();
    }
  }
  add_time();
  return built;
}

std::string_view TextOf(const std::vector<uint8_t>& bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

}  // namespace

Segment::Segment(io::FileSystem& fs, std::shared_ptr<const std::string> dir, Offset base, int64_t created_ms, std::string unfinished)
    : fs_(fs), dir_(std::move(dir)), base_(base), unfinished_(std::move(unfinished)), created_ms_(created_ms) {
  log_path_ = PathOf(kLogSuffix);
  last_time_entry_ = {kNoTimestamp, base_};
}

io::File& Segment::log_file() {
  std::lock_guard lock(mutex_);
  SLUICE_ASSERT(file_ != nullptr);
  return *file_;
}

std::string Segment::PathOf(const char* suffix) const { return JoinPath(*dir_, SegmentFileName(base_, suffix)) + unfinished_; }

void Segment::TakeName() {
  unfinished_.clear();
  log_path_ = PathOf(kLogSuffix);
  hot_from = INT64_MAX;
}

bool Segment::AddDamage(const DamagedRange& range) {
  std::lock_guard lock(mutex_);
  for (const DamagedRange& known : damages_) {
    if (range.from >= known.from && range.to <= known.to) return false;
  }
  damages_.push_back(range);
  std::sort(damages_.begin(), damages_.end(), [](const DamagedRange& a, const DamagedRange& b) { return a.from < b.from; });
  is_damaged_.store(true, std::memory_order_release);
  return true;
}

std::optional<DamagedRange> Segment::DamageIn(int64_t from, int64_t to) const {
  if (!is_damaged_.load(std::memory_order_acquire)) return std::nullopt;
  std::lock_guard lock(mutex_);
  for (const DamagedRange& known : damages_) {
    if (known.to > from && known.from < to) return known;
  }
  return std::nullopt;
}

Status Segment::Retire() {
  SLUICE_ASSERT(sealed());
  std::lock_guard rebuilding(rebuild_mutex_);
  {
    std::lock_guard lock(mutex_);
    retired_ = true;
  }
  SLUICE_TRY(EnsureOpen(ReadMode::kBlocking));
  for (auto [index, suffix] : {std::pair(&offset_index_, kOffsetIndexSuffix), std::pair(&time_index_, kTimeIndexSuffix)}) {
    Result<std::shared_ptr<io::File>> file = index->OpenFile(fs_, PathOf(suffix), ReadMode::kBlocking);
    if (!file.ok() && file.code() != Code::kNotFound) return file.status();
  }
  return Status::Ok();
}

void Segment::Reinstate() {
  std::lock_guard lock(mutex_);
  retired_ = false;
}

void Segment::LoseNames() {
  std::lock_guard lock(mutex_);
  retired_ = true;
}

bool Segment::retired() const {
  std::lock_guard lock(mutex_);
  return retired_;
}

bool Segment::data_open() const {
  std::lock_guard lock(mutex_);
  return file_ != nullptr;
}

Status Segment::EnsureOpen(ReadMode mode) {
  std::lock_guard lock(mutex_);
  if (file_ != nullptr) return Status::Ok();
  if (mode == ReadMode::kNoWait) return Status::Error(Code::kWouldBlock, log_path_ + " is not open");
  Result<std::unique_ptr<io::File>> opened = fs_.Open(log_path_, io::OpenMode::kReadWrite);
  if (!opened.ok()) return opened.status();
  file_ = opened.take();
  file_->ReadNothingAhead();
  return Status::Ok();
}

Status Segment::WriteIndexes() {
  SLUICE_TRY(offset_index_.WriteOut(fs_, PathOf(kOffsetIndexSuffix)));
  return time_index_.WriteOut(fs_, PathOf(kTimeIndexSuffix));
}

// Of two syncs of the same pages the kernel tells one that they were not written; to the other they are clean.
template <class Work>
Status Segment::SyncInTurn(Work work) {
  std::lock_guard lock(sync_mutex_);
  if (sync_failed_.ok()) {
    const Status done = work();
    if (done.ok() || done.code() == Code::kNotFound || done.code() == Code::kNoFiles) return done;
    sync_failed_ = done;
  }
  return sync_failed_;
}

Status Segment::WriteOut() {
  SLUICE_TRY(EnsureOpen(ReadMode::kBlocking));
  return SyncInTurn([&] { return log_file().WriteOut(); });
}

Status Segment::WriteIndexesAway() {
  SLUICE_TRY(offset_index_.WriteAway(fs_, PathOf(kOffsetIndexSuffix)));
  return time_index_.WriteAway(fs_, PathOf(kTimeIndexSuffix));
}

Status Segment::SyncFiles() {
  SLUICE_TRY(EnsureOpen(ReadMode::kBlocking));
  return SyncInTurn([&]() -> Status {
    SLUICE_TRY(log_file().Sync());
    SLUICE_TRY(offset_index_.Sync(fs_, PathOf(kOffsetIndexSuffix)));
    SLUICE_TRY(time_index_.Sync(fs_, PathOf(kTimeIndexSuffix)));
    const std::shared_ptr<io::File> txns = UnsyncedTxns();
    return txns == nullptr ? Status::Ok() : txns->Sync();
  });
}

Status Segment::SyncData() {
  return SyncInTurn([&] { return log_file().Sync(); });
}

Status Segment::SyncOutcome() { return SyncInTurn([] { return Status::Ok(); }); }

Result<TimestampAt> Segment::MaxTimestamp(ReadMode mode) {
  {
    std::lock_guard lock(mutex_);
    if (max_known_) return max_;
  }
  const IndexSnapshot snapshot = time_index_.Snapshot(false);
  TimestampAt max{kNoTimestamp, base_};
  if (snapshot.count > 0) {
    Result<std::shared_ptr<io::File>> file = time_index_.OpenFile(fs_, PathOf(kTimeIndexSuffix), mode);
    if (!file.ok()) return file.status();
    IndexReader reader(snapshot, kTimeEntryBytes, file->get(), mode);
    Result<const uint8_t*> entry = reader.At(snapshot.count - 1);
    if (!entry.ok()) return entry.status();
    max = DecodeTimeEntry(base_, *entry);
  }
  std::lock_guard lock(mutex_);
  max_ = max;
  max_known_ = true;
  return max;
}

Status Segment::RebuildSealedIndexes(int64_t index_interval) {
  std::lock_guard rebuilding(rebuild_mutex_);
  const auto gone = [this] { return Status::Error(Code::kNotFound, log_path_ + " has been replaced"); };
  if (retired()) return gone();
  SLUICE_TRY(EnsureOpen(ReadMode::kBlocking));
  Result<BuiltIndexes> built = BuildIndexes(log_file(), base_, size_, index_interval);
  if (!built.ok()) return built.status();
  if (retired()) return gone();
  SLUICE_TRY(io::WriteFileAtomically(fs_, PathOf(kOffsetIndexSuffix), std::string(TextOf(built->offsets))));
  SLUICE_TRY(io::WriteFileAtomically(fs_, PathOf(kTimeIndexSuffix), std::string(TextOf(built->times))));
  offset_index_.ReplaceFile(static_cast<int64_t>(built->offsets.size()) / kOffsetEntryBytes);
  time_index_.ReplaceFile(static_cast<int64_t>(built->times.size()) / kTimeEntryBytes);
  std::lock_guard lock(mutex_);
  max_ = built->max;
  max_known_ = true;
  return Status::Ok();
}

SegmentGrowth::SegmentGrowth(const Segment& segment) : position_(segment.size()), last_indexed_(segment.last_indexed()) {}

void SegmentGrowth::Add(const BatchHead& batch, int64_t index_interval) {
  if (position_ == 0) first_timestamp = batch.max_timestamp;
  if (position_ - last_indexed_ > index_interval) {
    ++entries;
    last_indexed_ = position_;
  }
  position_ += batch.size;
  bytes += batch.size;
}

bool Segment::ShouldRoll(const LogConfig& config, const BatchHead& batch, TimestampMs now, const SegmentGrowth& growth) const {
  if (batch.last() - base_ > kMaxRelativeOffset) return true;
  const int64_t size = size_ + growth.bytes;
  // An index too small for a single entry must not make us roll for ever, nor segments that became smaller than a batch that had been staged.
  if (size == 0) return false;
  if (size > std::min(config.segment_bytes, kMaxSegmentBytes) - batch.size) return true;
  const TimestampMs first = growth.first_timestamp.value_or(first_timestamp_);
  const int64_t waited = first.v >= 0 ? SaturatingSub(batch.max_timestamp.v, first.v) : now.v - created_ms_;
  if (waited > config.segment_ms) return true;
  // Kafka counts whole entries, and keeps one of the time index's for the seal.
  if (offset_index_.count() + growth.entries >= config.segment_index_bytes / kOffsetEntryBytes) return true;
  return time_index_.count() + growth.entries >= config.segment_index_bytes / kTimeEntryBytes - 1;
}

Status Segment::Create() {
  for (const char* suffix : {kOffsetIndexSuffix, kTimeIndexSuffix, kTxnIndexSuffix}) {
    Status removed = fs_.Remove(PathOf(suffix));
    if (!removed.ok() && removed.code() != Code::kNotFound) return removed;
  }
  Result<std::unique_ptr<io::File>> file = fs_.Open(log_path_, io::OpenMode::kCreate);
  if (!file.ok()) return file.status();
  SLUICE_TRY((*file)->Truncate(0));
  std::lock_guard lock(mutex_);
  file_ = file.take();
  file_->ReadNothingAhead();
  hot_from = 0;
  new_names_ = true;
  ++generation_;
  return Status::Ok();
}

Status Segment::WriteBytes(std::span<iovec> parts, int64_t position) {
  SLUICE_TRY(EnsureOpen(ReadMode::kBlocking));
  return log_file().WriteVectorAt(parts, position);
}

Status Segment::Write(std::span<iovec> parts, int64_t length) {
  SLUICE_TRY(EnsureOpen(ReadMode::kBlocking));
  SLUICE_TRY(log_file().WriteVectorAt(parts, size_));
  Wrote(length);
  return Status::Ok();
}

Status Segment::CutBackTo(int64_t size) {
  SLUICE_TRY(EnsureOpen(ReadMode::kBlocking));
  SLUICE_TRY(log_file().Truncate(size));
  size_ = size;
  data_synced_ = std::min(data_synced_, size);
  return Status::Ok();
}

Status Segment::CutTail() {
  SLUICE_TRY(EnsureOpen(ReadMode::kBlocking));
  Result<int64_t> size = log_file().Size();
  if (!size.ok()) return size.status();
  if (*size == size_) return Status::Ok();
  if (*size < size_) return Status::Error(Code::kCorrupt, log_path_ + " is shorter than it must be");
  NoteCut(fs_, *dir_);
  SLUICE_TRY(log_file().Truncate(size_));
  ++generation_;
  return Status::Ok();
}

void Segment::Note(const BatchHead& batch, int64_t position, int64_t index_interval) {
  size_ = std::max(size_, position + batch.size);
  ++generation_;
  NoteTimestamp(batch, position);
  if (position - last_indexed_ <= index_interval) return;
  uint8_t entry[kOffsetEntryBytes];
  EncodeOffsetEntry(base_, {batch.last(), position}, entry);
  offset_index_.Append(entry);
  last_indexed_ = position;
  AddFinalTimeEntry();
}

void Segment::NoteTimestamp(const BatchHead& batch, int64_t position) {
  if (position == 0) {
    first_timestamp_ = batch.max_timestamp;
    first_timestamp_known_ = true;
  }
  std::lock_guard lock(mutex_);
  SLUICE_ASSERT(max_known_);
  if (batch.max_timestamp > max_.timestamp) max_ = {batch.max_timestamp, batch.last()};
}

void Segment::AddFinalTimeEntry() {
  if (max_.timestamp <= last_time_entry_.timestamp) return;
  uint8_t entry[kTimeEntryBytes];
  EncodeTimeEntry(base_, max_, entry);
  time_index_.Append(entry);
  last_time_entry_ = max_;
  ++generation_;
}

void Segment::AddAborted(const AbortedTxn& txn) {
  txns_.push_back(txn);
  ++generation_;
}

// Takes the first `most` entries of the file. What is damaged or missing sets aborted_lost().
Status Segment::LoadAborted(int64_t most) {
  aborted_lost_ = false;
  txn_file_exact_ = false;
  Result<std::string> bytes = io::ReadWholeFile(fs_, PathOf(kTxnIndexSuffix), kMaxTxnIndexBytes);
  if (!bytes.ok() && bytes.code() != Code::kNotFound && bytes.code() != Code::kTooLarge) return bytes.status();
  const size_t length = bytes.ok() ? bytes->size() : 0;
  // What lies behind may be a page that never reached the disk.
  if (bytes.ok() && most < static_cast<int64_t>(length / kAbortedTxnBytes)) bytes->resize(static_cast<size_t>(most) * kAbortedTxnBytes);
  Result<std::vector<AbortedTxn>> txns = Status::Error(Code::kCorrupt, "");
  if (bytes.ok()) txns = DecodeTxnIndex({reinterpret_cast<const uint8_t*>(bytes->data()), bytes->size()}, base_);
  if (!txns.ok() || (most != INT64_MAX && static_cast<int64_t>(txns->size()) < most)) {
    aborted_lost_ = true;
    return Status::Ok();
  }
  txns_ = txns.take();
  txns_in_file_ = static_cast<int64_t>(txns_.size());
  txn_file_exact_ = length == txns_.size() * kAbortedTxnBytes;
  if (!txn_file_exact_) ++generation_;
  return Status::Ok();
}

void Segment::ForgetAborted() {
  txns_.clear();
  txns_in_file_ = 0;
  txn_file_exact_ = false;
  aborted_lost_ = false;
  ++generation_;
}

Status Segment::FlushTxns() {
  if (txn_file_exact_ && txns_in_file_ == static_cast<int64_t>(txns_.size())) return Status::Ok();
  new_names_ |= txns_in_file_ == 0;
  Result<std::unique_ptr<io::File>> file = fs_.Open(PathOf(kTxnIndexSuffix), io::OpenMode::kCreate);
  if (!file.ok()) return file.status();
  std::vector<uint8_t> bytes;
  for (size_t i = static_cast<size_t>(txns_in_file_); i < txns_.size(); ++i) EncodeAbortedTxn(txns_[i], &bytes);
  if (!bytes.empty()) SLUICE_TRY((*file)->WriteAt(bytes, txns_in_file_ * kAbortedTxnBytes));
  SLUICE_TRY((*file)->Truncate(static_cast<int64_t>(txns_.size()) * kAbortedTxnBytes));
  txns_in_file_ = static_cast<int64_t>(txns_.size());
  txn_file_exact_ = true;
  std::lock_guard lock(mutex_);
  unsynced_txns_ = file.take();
  return Status::Ok();
}

std::shared_ptr<io::File> Segment::UnsyncedTxns() const {
  std::lock_guard lock(mutex_);
  return unsynced_txns_;
}

Status Segment::FlushIndexes() {
  SLUICE_TRY(offset_index_.Flush(fs_, PathOf(kOffsetIndexSuffix)));
  SLUICE_TRY(time_index_.Flush(fs_, PathOf(kTimeIndexSuffix)));
  return FlushTxns();
}

Status Segment::Seal() {
  if (max_known_) AddFinalTimeEntry();
  SLUICE_TRY(FlushIndexes());
  ++generation_;
  offset_index_.DropTail();
  time_index_.DropTail();
  SetSealed();
  return Status::Ok();
}

void Segment::SyncedAt(uint64_t generation) {
  offset_index_.Trim();
  time_index_.Trim();
  synced_generation_ = std::max(synced_generation_, generation);
  if (dirty()) return;
  offset_index_.MarkSynced();
  time_index_.MarkSynced();
  std::lock_guard lock(mutex_);
  unsynced_txns_.reset();
  if (retired_) return;
  offset_index_.CloseIdle();
  time_index_.CloseIdle();
}

void Segment::CloseIdle() {
  if (dirty()) return;
  std::lock_guard lock(mutex_);
  if (retired_) return;
  offset_index_.CloseIdle();
  time_index_.CloseIdle();
  file_.reset();
}

SegmentView Segment::View(std::shared_ptr<Segment> self, bool copy) const {
  SegmentView view;
  view.size = size_;
  view.offsets = offset_index_.Snapshot(copy);
  view.times = time_index_.Snapshot(copy);
  if (!sealed()) view.max = max_;
  view.segment = std::move(self);
  return view;
}

// --- loading

void Segment::Forget(bool has_txn_index) {
  new_names_ = true;
  size_ = last_indexed_ = 0;
  first_timestamp_ = kNoTimestamp;
  first_timestamp_known_ = false;
  last_time_entry_ = {kNoTimestamp, base_};
  txns_.clear();
  txns_in_file_ = 0;
  aborted_lost_ = false;
  txn_file_exact_ = !has_txn_index;
  offset_index_.AdoptFile(0);
  time_index_.AdoptFile(0);
  std::lock_guard lock(mutex_);
  max_ = TimestampAt();
  max_known_ = true;
}

Result<bool> Segment::Adopt(int64_t size, const LoadHints& hints) {
  Forget(false);
  new_names_ = false;
  Result<int64_t> offsets_size = fs_.FileSize(PathOf(kOffsetIndexSuffix));
  Result<int64_t> times_size = fs_.FileSize(PathOf(kTimeIndexSuffix));
  size_ = size;
  if (hints.has_txn_index) SLUICE_TRY(LoadAborted(INT64_MAX));
  // Kafka's rule: an empty segment may lack its indexes, a segment with data may not.
  if (!offsets_size.ok() || !times_size.ok()) {
    ++generation_;  // so that the next sync makes them
    new_names_ = true;
    return size == 0;
  }
  if (*offsets_size % kOffsetEntryBytes != 0 || *times_size % kTimeEntryBytes != 0) return false;
  // A closed segment names its largest timestamp, so only one whose records have none may have an empty time index.
  if (size > 0 && *times_size == 0) return false;
  return AdoptEntries(*offsets_size / kOffsetEntryBytes, *times_size / kTimeEntryBytes, hints.sealed);
}

Result<bool> Segment::AdoptProven(int64_t size, int64_t offsets, int64_t times, int64_t txns, TimestampAt max_timestamp) {
  Forget(false);   // what a killed process has made here may have no durable name
  size_ = size;
  // Longer files are cut, and missing ones made, by the next flush: it must not be left out because nothing else changes. A segment without records has
  // none yet; with thousands of empty logs, to make them all would be what the first checkpoint does.
  const auto differs = [&](const char* suffix, int64_t bytes) -> Result<bool> {
    Result<int64_t> there = fs_.FileSize(PathOf(suffix));
    if (!there.ok() && there.code() != Code::kNotFound) return there.status();
    return (there.ok() ? *there : size == 0 ? 0 : -1) != bytes;
  };
  Result<bool> there = fs_.Exists(PathOf(kTxnIndexSuffix));
  if (!there.ok()) return there.status();
  if (txns > 0 || *there) SLUICE_TRY(LoadAborted(txns));
  for (const auto& [suffix, bytes] : {std::pair(kOffsetIndexSuffix, offsets * kOffsetEntryBytes), std::pair(kTimeIndexSuffix, times * kTimeEntryBytes)}) {
    Result<bool> differ = differs(suffix, bytes);
    if (!differ.ok()) return differ.status();
    if (!*differ) continue;
    ++generation_;
    Result<int64_t> found = fs_.FileSize(PathOf(suffix));
    if (bytes > 0 && (!found.ok() || *found < bytes)) return false;
  }
  Result<bool> good = AdoptEntries(offsets, times, false);
  if (!good.ok() || !*good) return good;
  std::lock_guard lock(mutex_);
  max_ = max_timestamp;
  return true;
}

Result<bool> Segment::AdoptEntries(int64_t offsets, int64_t times, bool sealed) {
  offset_index_.AdoptFile(offsets);
  time_index_.AdoptFile(times);
  if (sealed) {
    std::lock_guard lock(mutex_);
    max_known_ = false;
  }
  if (offsets > 0) {
    Result<std::shared_ptr<io::File>> file = offset_index_.OpenFile(fs_, PathOf(kOffsetIndexSuffix), ReadMode::kBlocking);
    if (!file.ok()) return file.status();
    const IndexSnapshot snapshot = offset_index_.Snapshot(false);
    IndexReader reader(snapshot, kOffsetEntryBytes, file->get(), ReadMode::kBlocking);
    Result<const uint8_t*> raw = reader.At(offsets - 1);
    if (!raw.ok()) return raw.status();
    const OffsetEntry last = DecodeOffsetEntry(base_, *raw);
    if (last.last < base_ || last.position <= 0 || last.position >= size_) return false;
    last_indexed_ = last.position;
    offset_index_.CloseIdle();
  }
  if (times > 0 && !sealed) {
    Result<std::shared_ptr<io::File>> file = time_index_.OpenFile(fs_, PathOf(kTimeIndexSuffix), ReadMode::kBlocking);
    if (!file.ok()) return file.status();
    const IndexSnapshot snapshot = time_index_.Snapshot(false);
    IndexReader reader(snapshot, kTimeEntryBytes, file->get(), ReadMode::kBlocking);
    Result<const uint8_t*> raw = reader.At(times - 1);
    if (!raw.ok()) return raw.status();
    const TimestampAt last = DecodeTimeEntry(base_, *raw);
    if (last.timestamp.v < 0 || last.offset < base_) return false;
    last_time_entry_ = last;
    time_index_.CloseIdle();
    std::lock_guard lock(mutex_);
    max_ = last;
  }
  return true;
}

Status Segment::RebuildIndexes(int64_t index_interval) {
  const int64_t size = size_;
  SLUICE_TRY(EnsureOpen(ReadMode::kBlocking));
  Result<BuiltIndexes> built = BuildIndexes(log_file(), base_, size, index_interval);
  if (!built.ok()) return Status::Error(built.code(), log_path_ + ": " + built.status().what(), built.status().sys_errno());
  offset_index_.AdoptFile(0);
  time_index_.AdoptFile(0);
  for (size_t at = 0; at < built->offsets.size(); at += kOffsetEntryBytes) offset_index_.Append(built->offsets.data() + at);
  for (size_t at = 0; at < built->times.size(); at += kTimeEntryBytes) time_index_.Append(built->times.data() + at);
  last_indexed_ = built->offsets.empty() ? 0 : DecodeOffsetEntry(base_, &*(built->offsets.end() - kOffsetEntryBytes)).position;
  last_time_entry_ = built->times.empty() ? TimestampAt{kNoTimestamp, base_} : built->max;
  ++generation_;
  std::lock_guard lock(mutex_);
  max_ = built->max;
  max_known_ = true;
  return Status::Ok();
}

Status Segment::LoadFirstTimestamp() {
  if (size_ == 0 || first_timestamp_known_) return Status::Ok();
  SLUICE_TRY(EnsureOpen(ReadMode::kBlocking));
  BatchScanner scanner(log_file(), {.from = 0, .end = size_});
  if (scanner.Next() != BatchScanner::Step::kBatch) return Status::Error(scanner.status().code(), log_path_ + " at 0: " + scanner.status().what(), scanner.status().sys_errno());
  first_timestamp_ = scanner.head().max_timestamp;
  first_timestamp_known_ = true;
  return Status::Ok();
}

}  // namespace sluice::log
