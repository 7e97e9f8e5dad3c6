#include "log/cleaner_run.h"

#include <algorithm>

#include "log/log_format.h"
#include "log/segment_lookup.h"

namespace sluice::log {
namespace {

constexpr const char* kSuffixes[] = {kLogSuffix, kOffsetIndexSuffix, kTimeIndexSuffix, kTxnIndexSuffix};

// Takes a name, if the file is there, from one suffix to another.
Status Move(io::FileSystem& fs, const std::string& path, const char* from, const char* to) {
  const Status moved = fs.Rename(path + from, path + to);
  return moved.code() == Code::kNotFound ? Status::Ok() : moved;
}

}  // namespace

// Whole batches of one segment, one after the other, with their CRC checked.
class CleanRun::Source {
 public:
  Source(Segment& segment, int64_t from, int64_t buffer_bytes) : segment_(segment), position_(from), wanted_(static_cast<size_t>(buffer_bytes)) {}

  int64_t position() const { return position_; }   // of the batch that Next gave, or could not give
  int64_t bytes_read() const { return bytes_read_; }
  // False at the end of the segment.
  Result<bool> Next(batch::BatchView* batch, BatchHead* head) {
    position_ += size_;
    size_ = 0;
    const int64_t room = segment_.size() - position_;
    if (room <= 0) return false;
    Result<Bytes> bytes = Take(static_cast<size_t>(std::min<int64_t>(room, batch::kHeaderBytes)));
    if (!bytes.ok()) return bytes.status();
    Result<BatchHead> parsed = ParseBatchHead(*bytes, room);
    if (!parsed.ok()) return parsed.status();
    *head = *parsed;
    bytes = Take(static_cast<size_t>(head->size));
    if (!bytes.ok()) return bytes.status();
    *batch = batch::BatchView(*bytes);
    if (!batch->crc_ok()) return Status::Error(Code::kCorrupt, "batch CRC does not match");
    if (head->base < segment_.base() || head->last() - segment_.base() > kMaxRelativeOffset) return Status::Error(Code::kCorrupt, "batch offset outside its segment");
    size_ = head->size;
    return true;
  }

 private:
  Result<Bytes> Take(size_t length) {
    if (position_ < from_ || position_ + static_cast<int64_t>(length) > from_ + static_cast<int64_t>(buffer_.size())) {
      buffer_.Trim(wanted_);
      const int64_t left = segment_.size() - position_;
      buffer_.Resize(static_cast<size_t>(std::min<int64_t>(left, static_cast<int64_t>(std::max(length, wanted_)))));
      from_ = position_;
      Result<size_t> got = segment_.log_file().ReadAt(buffer_.mutable_bytes(), position_);
      if (!got.ok()) return got.status();
      bytes_read_ += static_cast<int64_t>(*got);
      buffer_.Resize(*got);
      if (*got < length) return Status::Error(Code::kCorrupt, "file ends early");
    }
    return Bytes(buffer_.data() + (position_ - from_), length);
  }

  Segment& segment_;
  int64_t position_;
  int64_t size_ = 0;
  const size_t wanted_;
  Buffer buffer_;
  int64_t from_ = 0;
  int64_t bytes_read_ = 0;
};

CleanRun::CleanRun(CleanView view, const CleanRange& range, const CleanMemory& memory, LastOfProducers producers, TimestampMs now)
    : view_(std::move(view)), range_(range), memory_(memory), producers_(std::move(producers)), now_(now), end_(range.first_dirty) {
  for (const auto& segment : *view_.segments) {
    if (segment->base() < range.first_uncleanable) {
      segments_.push_back(segment);
    } else {
      later_.insert(later_.end(), segment->aborted().begin(), segment->aborted().end());
    }
  }
  view_.segments.reset();  // nothing is pinned for longer than it is read
  map_ = std::make_unique<CleanerMap>(memory.map_bytes, memory.load_factor, range.first_uncleanable - range.first_dirty);
  while (segment_ + 1 < segments_.size() && segments_[segment_ + 1]->base() <= range.first_dirty) ++segment_;
  for (size_t i = segment_; i < segments_.size(); ++i) txns_.AddAborted(AbortedIn(i));
}

CleanRun::~CleanRun() { RemoveUnfinished(); }

Offset CleanRun::EndOf(size_t segment) const { return segment + 1 < segments_.size() ? segments_[segment + 1]->base() : range_.first_uncleanable; }

// What the transaction indexes say of one segment's offsets: markers may lie in later ones.
std::vector<AbortedTxn> CleanRun::AbortedIn(size_t segment) const {
  std::vector<AbortedTxn> found;
  const auto collect = [&](const std::vector<AbortedTxn>& txns) {
    return CollectAborted(txns, segments_[segment]->base(), EndOf(segment), [&](const AbortedTxn& txn) { found.push_back(txn); });
  };
  for (size_t i = segment; i < segments_.size(); ++i) {
    if (collect(segments_[i]->aborted())) return found;
  }
  (void)collect(later_);
  return found;
}

Status CleanRun::At(const Status& why) const {
  if (why.code() != Code::kCorrupt && why.code() != Code::kUnsupportedFormat && why.code() != Code::kTooLarge) return why;
  return Status::Error(why.code(), segments_[segment_]->log_path() + " at " + std::to_string(source_->position()) + ": " + why.what());
}

CleanRun::Step CleanRun::Next(int64_t bytes) {
  const int64_t until = bytes_done_ + bytes;
  while (status_.ok() && phase_ != Phase::kOver && bytes_done_ < until) {
    status_ = phase_ == Phase::kMap ? MapSome(until) : phase_ == Phase::kClean ? CleanSome(until) : ChangeNames();
    if (phase_ == Phase::kNames && IsLack(status_.code())) {
      lack_ = std::exchange(status_, Status::Ok());
      return Step::kLacks;
    }
    if (status_.ok() && replacement_.cleaned != nullptr) return Step::kReplaced;
  }
  if (!status_.ok()) {
    if (!after_commit_) {
      for (const auto& segment : replacement_.old) segment->Reinstate();
      RemoveUnfinished();
    }
    return Step::kFailed;
  }
  return phase_ == Phase::kOver ? Step::kDone : Step::kMore;
}

Status CleanRun::OpenSource(size_t segment, Offset from) {
  Segment& opened = *segments_[segment];
  SLUICE_TRY(opened.EnsureOpen(ReadMode::kBlocking));
  int64_t position = 0;
  if (from > opened.base()) {
    Result<std::optional<Located>> at = LocateBatch(opened.View(segments_[segment], false), from, {});
    if (!at.ok()) return at.status();
    position = *at ? (*at)->position : opened.size();
  }
  source_ = std::make_unique<Source>(opened, position, memory_.buffer_bytes);
  return Status::Ok();
}

// --- the map

Status CleanRun::MapSome(int64_t until) {
  if (segments_.empty()) {
    phase_ = Phase::kOver;
    return Status::Ok();
  }
  if (source_ == nullptr) SLUICE_TRY(OpenSource(segment_, range_.first_dirty));
  batch::BatchView batch;
  BatchHead head;
  bool full = false;
  while (!full && bytes_done_ < until) {
    if (aborted_.load(std::memory_order_relaxed)) return Status::Error(Code::kClosed, "called off");
    const int64_t before = source_->bytes_read();
    Result<bool> more = source_->Next(&batch, &head);
    bytes_done_ += source_->bytes_read() - before;
    if (!more.ok()) return At(more.status());
    if (*more) {
      SLUICE_TRY(At(MapBatch(batch, head, &full)));
      continue;
    }
    map_->SetLatest(EndOf(segment_) - 1);   // offsets may be missing at its end
    source_.reset();
    if (++segment_ == segments_.size()) break;
    SLUICE_TRY(OpenSource(segment_, Offset(0)));
  }
  if (full || segment_ == segments_.size()) BeginCleaning();
  return Status::Ok();
}

Status CleanRun::MapBatch(const batch::BatchView& batch, const BatchHead& head, bool* full) {
  bool aborted = false;
  if (head.control()) {
    Result<ControlKind> kind = CleanerFilter::KindOf(batch);
    if (!kind.ok()) return kind.status();
    (void)txns_.OnControl(head, *kind);
  } else {
    aborted = txns_.OnBatch(head);
  }
  if (!head.control() && !aborted) {
    Result<Bytes> records = filter_.Plain(batch);
    if (!records.ok()) return records.status();
    batch::RecordWalker walker(*records, batch.record_count());
    batch::RecordView record;
    batch::RecordWalker::Step step;
    while ((step = walker.Next(&record)) == batch::RecordWalker::Step::kRecord) {
      const Offset offset = head.base + record.offset_delta;
      if (record.key.is_null() || offset < range_.first_dirty) continue;
      if (!map_->Put(record.key.bytes(), offset)) {
        *full = true;
        return Status::Ok();
      }
      map_->SetLatest(offset);
    }
    if (step == batch::RecordWalker::Step::kBad) return Status::Error(Code::kCorrupt, walker.status().what());
  }
  if (head.last() >= range_.first_dirty) map_->SetLatest(head.last());
  return Status::Ok();
}

// --- the new segments

void CleanRun::BeginCleaning() {
  source_.reset();
  txns_ = CleanerTxns();
  end_ = std::max(range_.first_dirty, map_->latest() + 1);
  size_t count = 0;
  while (count < segments_.size() && segments_[count]->base() < end_) ++count;
  groups_ = GroupSegments(segments_, count, view_.config, range_.first_uncleanable);
  segment_ = 0;
  phase_ = groups_.empty() ? Phase::kOver : Phase::kClean;
}

Status CleanRun::BeginGroup() {
  const Segment& first = *segments_[groups_[group_].first];
  segment_ = groups_[group_].first;
  cleaned_ = std::make_shared<Segment>(first.fs(), view_.dir, first.base(), now_.v, kCleanedSuffix);
  return cleaned_->Create();
}

Status CleanRun::CleanSome(int64_t until) {
  if (cleaned_ == nullptr) SLUICE_TRY(BeginGroup());
  const FilterRules rules{map_.get(), &producers_, range_.first_uncleanable, now_, view_.config.delete_retention_ms};
  batch::BatchView batch;
  BatchHead head;
  while (bytes_done_ < until) {
    if (aborted_.load(std::memory_order_relaxed)) return Status::Error(Code::kClosed, "called off");
    if (source_ == nullptr) {
      if (segment_ == groups_[group_].last) return Swap();
      SLUICE_TRY(OpenSource(segment_, Offset(0)));
      txns_.AddAborted(AbortedIn(segment_));
    }
    const int64_t before = source_->bytes_read();
    Result<bool> more = source_->Next(&batch, &head);
    bytes_done_ += source_->bytes_read() - before;
    if (!more.ok()) return At(more.status());
    if (!*more) {
      source_.reset();
      ++segment_;
      continue;
    }
    FilterOutcome outcome;
    SLUICE_TRY(At(filter_.Filter(batch, head, rules, &txns_, &out_, &outcome)));
    if (outcome.aborted) cleaned_->AddAborted(*outcome.aborted);
    if (static_cast<int64_t>(out_.size()) >= memory_.buffer_bytes) SLUICE_TRY(WriteOut());
  }
  return Status::Ok();
}

Status CleanRun::WriteOut() {
  if (out_.empty()) return Status::Ok();
  const int64_t size = static_cast<int64_t>(out_.size());
  int64_t position = cleaned_->size();
  if (position + size > kMaxSegmentBytes) return Status::Error(Code::kTooLarge, cleaned_->log_path() + " would have more bytes than a segment can");
  iovec part{out_.data(), out_.size()};
  SLUICE_TRY(cleaned_->Write({&part, 1}, size));
  cleaned_->log_file().StartWriteback(position, size);
  for (Bytes rest = out_.bytes(); !rest.empty();) {
    Result<BatchHead> head = ParseBatchHead(rest, static_cast<int64_t>(rest.size()));
    if (!head.ok()) return head.status();
    cleaned_->Note(*head, position, view_.config.index_interval_bytes);
    position += head->size;
    rest = rest.subspan(static_cast<size_t>(head->size));
  }
  bytes_done_ += size;
  out_.Trim(static_cast<size_t>(memory_.buffer_bytes));
  return Status::Ok();
}

Status CleanRun::Swap() {
  SLUICE_TRY(WriteOut());
  io::FileSystem& fs = cleaned_->fs();
  SLUICE_TRY(cleaned_->Seal());
  SLUICE_TRY(cleaned_->SyncFiles());
  cleaned_->SyncedAt(cleaned_->generation());
  const CleanGroup group = groups_[group_];
  for (size_t i = group.first; i < group.last; ++i) {
    replacement_.old.push_back(segments_[i]);
    SLUICE_TRY(segments_[i]->Retire());   // whoever reads them goes on with the files they had
  }
  // Retention of records without times goes by the file's.
  Result<int64_t> modified = fs.ModifiedMs(segments_[group.last - 1]->log_path());
  if (modified.ok()) SLUICE_TRY(fs.SetModifiedMs(cleaned_->log_path(), *modified));
  SLUICE_TRY(CommitNames());

  names_.clear();
  names_done_ = 0;
  const auto due = [this](const std::string& path, const char* from, const char* to, bool set_aside) { names_.push_back({path + from, path + to, set_aside}); };
  for (size_t i = group.first; i < group.last; ++i) {
    for (const char* suffix : kSuffixes) due(segments_[i]->PathOf(suffix), "", kDeletedSuffix, true);
    if (i == group.first) continue;
    due(segments_[i]->PathOf(kSnapshotSuffix), "", kDeletedSuffix, true);
    replacement_.snapshots.push_back(segments_[i]->base());
  }
  for (const char* suffix : kSuffixes) due(segments_[group.first]->PathOf(suffix), kSwapSuffix, "", false);
  phase_ = Phase::kNames;
  return Status::Ok();
}

// None twice: under the name that one has freed another file may be by now.
Status CleanRun::ChangeNames() {
  io::FileSystem& fs = cleaned_->fs();
  if (names_done_ == 0) SLUICE_TRY(fs.SyncDir(*view_.dir));
  for (; names_done_ < names_.size(); ++names_done_) {
    const NameChange& change = names_[names_done_];
    const Status moved = fs.Rename(change.from, change.to);
    if (moved.code() == Code::kNotFound) continue;
    SLUICE_TRY(moved);
    if (change.set_aside) replacement_.set_aside.push_back(change.to);
  }
  SLUICE_TRY(fs.SyncDir(*view_.dir));
  after_commit_ = false;

  cleaned_->TakeName();
  replacement_.cleaned = std::move(cleaned_);
  for (size_t i = groups_[group_].first; i < groups_[group_].last; ++i) segments_[i].reset();
  cleaned_ = nullptr;
  phase_ = ++group_ == groups_.size() ? Phase::kOver : Phase::kClean;
  return Status::Ok();
}

// From here on a start finishes what this has begun. Half way it drops everything, as long as one name still says .cleaned.
Status CleanRun::CommitNames() {
  io::FileSystem& fs = cleaned_->fs();
  const Segment& first = *segments_[groups_[group_].first];
  Status moved;
  for (const char* suffix : kSuffixes) {
    moved = Move(fs, first.PathOf(suffix), kCleanedSuffix, kSwapSuffix);
    if (!moved.ok()) break;
  }
  if (moved.ok()) {
    after_commit_ = true;
    return Status::Ok();
  }
  for (const char* suffix : kSuffixes) {
    const Status removed = fs.Remove(first.PathOf(suffix) + kSwapSuffix);
    if (!removed.ok() && removed.code() != Code::kNotFound) after_commit_ = true;
  }
  return moved;
}

void CleanRun::RemoveUnfinished() {
  source_.reset();
  if (cleaned_ == nullptr || after_commit_) return;
  for (const char* suffix : kSuffixes) (void)cleaned_->fs().Remove(cleaned_->PathOf(suffix));
  cleaned_.reset();
}

}  // namespace sluice::log
