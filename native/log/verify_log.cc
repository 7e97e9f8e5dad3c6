#include "log/verify_log.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "log/batch_scanner.h"
#include "log/log_format.h"
#include "log/log_impl.h"
#include "log/offset_index.h"
#include "log/producer_snapshot.h"
#include "log/time_index.h"
#include "log/txn_index.h"

namespace sluice::log {
namespace {

constexpr int64_t kMaxIndexFile = int64_t{2} << 30;

Bytes BytesOf(const std::string& text) { return {reinterpret_cast<const uint8_t*>(text.data()), text.size()}; }
std::string Text(Offset offset) { return std::to_string(offset.v); }

// The entries of an index file of one segment, and how far the walk along its batches has come in them.
template <class T>
struct Entries {
  std::string path;
  std::vector<T> all;
  size_t at = 0;
  bool is_there = false;
  bool zeros = false;   // space that Kafka takes in advance lies behind them
  const T* next() const { return at < all.size() ? &all[at] : nullptr; }
};

class LogVerifier {
 public:
  LogVerifier(io::FileSystem& fs, const std::string& dir, const std::string& name, const Expected& expected, Findings* out)
      : fs_(fs), dir_(dir), name_(name), expected_(expected), out_(*out) {}

  void Run() {
    Result<DirListing> listing = ListPartition(fs_, dir_);
    if (!listing.ok()) return Bad(dir_, 0, listing.status().ToString());
    listing_ = listing.take();
    ++out_.report.partitions;
    compacting_ = !listing_.swapped.empty() || !listing_.cleaned.empty();
    if (compacting_) out_.Note(dir_ + ": a compaction was under way; the next start finishes it or throws it away");
    if (listing_.logs.empty() && (expected_.clean || (expected_.proven && expected_.log_start < expected_.proven->end))) Bad(dir_, 0, "no segment");
    starts_inside_ = !listing_.logs.empty() && listing_.logs.front().v > 0;
    if (listing_.metadata) CheckMetadata();
    CheckEpochFile();
    for (size_t i = 0; i < listing_.logs.size() && !over_; ++i) {
      const bool is_deleted = !expected_.clean && i + 1 < listing_.logs.size() && listing_.logs[i + 1] <= expected_.log_start;   // and its name came back with a power cut
      if (!is_deleted) CheckSegment(i);
    }
    if (!over_) CheckEnds();
    CheckSnapshots();
    for (const std::vector<Offset>* of : {&listing_.indexes, &listing_.txn_indexes}) {
      for (Offset base : *of) {
        if (std::binary_search(listing_.logs.begin(), listing_.logs.end(), base)) continue;
        const std::string file = JoinPath(dir_, SegmentFileName(base, of == &listing_.indexes ? kOffsetIndexSuffix : kTxnIndexSuffix));
        if (expected_.clean) Bad(file, 0, "an index without a segment");
        else out_.Note(file + ": an index without a segment, left of a deletion that was cut short");
      }
    }
  }

 private:
  void Bad(const std::string& file, int64_t position, std::string what) { out_.Add(file, name_, position, std::move(what)); }

  void CheckMetadata() {
    const std::string path = JoinPath(dir_, kPartitionMetadataFile);
    Result<std::string> text = io::ReadWholeFile(fs_, path, 4096);
    if (!text.ok()) return Bad(path, 0, text.status().ToString());
    constexpr std::string_view kBegin = "version: 0\ntopic_id: ";
    constexpr size_t kIdBytes = 22;
    // Made right before the crash: it ends early, or in zeros, and is written anew.
    if (!expected_.clean && text->find_last_not_of('\0') + 1 < kBegin.size() + kIdBytes) return;
    TopicId id;
    if (text->compare(0, kBegin.size(), kBegin) != 0) return Bad(path, 0, "not as Kafka writes it");
    std::string value = text->substr(kBegin.size());
    while (!value.empty() && (value.back() == '\n' || value.back() == '\r')) value.pop_back();
    if (!TopicId::Parse(value, &id)) Bad(path, static_cast<int64_t>(kBegin.size()), "the topic id cannot be one");
  }

  // The file is right after a clean stop; after a crash the checkpoint has what it should say.
  void CheckEpochFile() {
    if (expected_.proven) epochs_ = expected_.proven->epochs;
    if (!listing_.epochs) return;
    const std::string path = JoinPath(dir_, kLeaderEpochFile);
    Result<std::string> text = io::ReadWholeFile(fs_, path, kMaxTextFile);
    if (!text.ok()) return Bad(path, 0, text.status().ToString());
    Result<LeaderEpochs> epochs = LeaderEpochs::Decode(*text);
    if (!epochs.ok()) return Bad(path, 0, epochs.status().what());
    if (static_cast<size_t>(std::count(text->begin(), text->end(), '\n')) != epochs->entries().size() + 2) return Bad(path, 0, "epochs or offsets do not rise");
    if (expected_.clean) epochs_ = epochs.take();
  }

  bool Holds(Offset next) const { return expected_.clean || next < expected_.holds_below; }

  template <class T, class Decode>
  void LoadIndex(Offset base, int64_t size, bool last, const char* suffix, uint32_t entry_bytes, std::optional<int64_t> proven, Decode decode, Entries<T>* out) {
    *out = Entries<T>();
    out->path = JoinPath(dir_, SegmentFileName(base, suffix));
    Result<std::string> bytes = io::ReadWholeFile(fs_, out->path, kMaxIndexFile);
    if (!bytes.ok()) {
      const bool missing = bytes.code() == Code::kNotFound;
      if (!missing || (proven ? *proven : size) > 0) Bad(out->path, 0, missing ? "the index is missing" : bytes.status().ToString());
      return;
    }
    out->is_there = true;
    size_t length = bytes->size();
    if (proven) {
      if (length < static_cast<size_t>(*proven) * entry_bytes) Bad(out->path, static_cast<int64_t>(length), "ends before the entries that the checkpoint proves");
      length = std::min(length, static_cast<size_t>(*proven) * entry_bytes);
    } else if (length % entry_bytes != 0) {
      Bad(out->path, static_cast<int64_t>(length - length % entry_bytes), "an entry is cut short");
    }
    length -= length % entry_bytes;
    const auto is_zero = [&](size_t at) { return std::all_of(bytes->data() + at, bytes->data() + at + entry_bytes, [](char c) { return c == 0; }); };
    while (last && length > 0 && is_zero(length - entry_bytes)) {
      length -= entry_bytes;
      out->zeros = true;
    }
    out->all.reserve(length / entry_bytes);
    for (size_t at = 0; at < length; at += entry_bytes) out->all.push_back(decode(base, BytesOf(*bytes).data() + at));
    out_.report.index_entries += static_cast<int64_t>(out->all.size());
  }

  void CheckSegment(size_t index) {
    base_ = listing_.logs[index];
    last_ = index + 1 == listing_.logs.size();
    before_path_ = std::exchange(path_, JoinPath(dir_, SegmentFileName(base_, kLogSuffix)));
    Result<std::unique_ptr<io::File>> file = fs_.Open(path_, io::OpenMode::kRead);
    if (!file.ok()) return Bad(path_, 0, file.status().ToString());
    Result<int64_t> bytes = (*file)->Size();
    if (!bytes.ok()) return Bad(path_, 0, bytes.status().ToString());
    ++out_.report.segments;
    size_ = *bytes;
    if (size_ > kMaxSegmentBytes) Bad(path_, kMaxSegmentBytes, "longer than a segment can be");
    const ProvenState* proven = expected_.proven ? &*expected_.proven : nullptr;
    const bool is_active = proven != nullptr && base_ == proven->segment_base;
    const bool is_newer = proven != nullptr ? base_ > proven->segment_base : !expected_.clean && (last_ ? true : listing_.logs[index + 1] > expected_.files_hold_below);
    if (is_active && size_ < proven->position) Bad(path_, size_, "ends before position " + std::to_string(proven->position) + ", which the checkpoint proves");
    checked_indexes_ = !compacting_ && !is_newer;
    // One that ends where the log was last known to be whole may have been active then: what its seal adds to the indexes came later.
    const bool sealed_later = proven == nullptr && !expected_.clean && !last_ && listing_.logs[index + 1] == expected_.files_hold_below;
    complete_ = checked_indexes_ && !is_active && !sealed_later;

    const auto count = [&](uint32_t n) { return is_active ? std::optional<int64_t>(n) : std::nullopt; };
    offsets_ = Entries<OffsetEntry>();
    times_ = Entries<TimestampAt>();
    if (checked_indexes_) {
      LoadIndex(base_, size_, last_, kOffsetIndexSuffix, kOffsetEntryBytes, count(proven ? proven->offset_entries : 0), DecodeOffsetEntry, &offsets_);
      LoadIndex(base_, size_, last_, kTimeIndexSuffix, kTimeEntryBytes, count(proven ? proven->time_entries : 0), DecodeTimeEntry, &times_);
      CheckRising();
      if (is_active) CheckProven(*proven);
      LoadTxns(is_active ? proven->aborted : UINT32_MAX);
    }
    Start();
    Walk(**file);
    // All that the checkpoint counts of an active segment's indexes speaks of what lies before its position.
    if (checked_indexes_ && (!over_ || (is_active && over_at_ >= proven->position))) Leftovers();
  }

  void CheckRising() {
    for (size_t i = 1; i < offsets_.all.size(); ++i) {
      if (offsets_.all[i].last > offsets_.all[i - 1].last && offsets_.all[i].position > offsets_.all[i - 1].position) continue;
      Bad(offsets_.path, static_cast<int64_t>(i) * kOffsetEntryBytes, "entries do not rise");
      offsets_.all.resize(i);
    }
    for (size_t i = 1; i < times_.all.size(); ++i) {
      if (times_.all[i].timestamp > times_.all[i - 1].timestamp && times_.all[i].offset >= times_.all[i - 1].offset) continue;
      Bad(times_.path, static_cast<int64_t>(i) * kTimeEntryBytes, "entries do not rise");
      times_.all.resize(i);
    }
  }

  // Those that the checkpoint counts speak of what it proves, whatever was appended since.
  void CheckProven(const ProvenState& proven) {
    for (size_t i = 0; i < offsets_.all.size(); ++i) {
      if (offsets_.all[i].last < proven.end) continue;
      Bad(offsets_.path, static_cast<int64_t>(i) * kOffsetEntryBytes, "says offset " + Text(offsets_.all[i].last) + ", and the entry was made when the log ended at " + Text(proven.end) + " or before");
      offsets_.all.resize(i);
    }
  }

  void LoadTxns(uint32_t proven) {
    txns_.clear();
    txn_path_ = JoinPath(dir_, SegmentFileName(base_, kTxnIndexSuffix));
    if (!std::binary_search(listing_.txn_indexes.begin(), listing_.txn_indexes.end(), base_)) return;
    Result<std::string> bytes = io::ReadWholeFile(fs_, txn_path_, kMaxIndexFile);
    if (!bytes.ok()) return Bad(txn_path_, 0, bytes.status().ToString());
    if (proven == UINT32_MAX && bytes->size() % kAbortedTxnBytes != 0) {
      Bad(txn_path_, static_cast<int64_t>(bytes->size() - bytes->size() % kAbortedTxnBytes), "an entry is cut short");
    }
    if (proven != UINT32_MAX) bytes->resize(std::min(bytes->size(), size_t{proven} * kAbortedTxnBytes));
    Result<std::vector<AbortedTxn>> decoded = DecodeTxnIndex(BytesOf(*bytes), base_);
    if (!decoded.ok()) return Bad(txn_path_, 0, decoded.status().what());
    out_.report.index_entries += static_cast<int64_t>(decoded->size());
    for (const AbortedTxn& txn : *decoded) txns_.emplace(txn.last.v, txn);
  }

  void Start() {
    const bool follows = next_.v >= 0;
    if (follows && base_ < next_) {
      if (compacting_) out_.Note(path_ + " begins below the end of the segment before it: the compaction has not removed it yet");
      // The name of one that was cut off may have come back, and begins at the end that was proven when the log went on in the segment before.
      else if (Holds(base_) || (base_ == expected_.holds_below && !expected_.ended_there)) Bad(before_path_, taken_at_, "the batch ends at offset " + Text(next_) + ", and the next segment begins at " + Text(base_));
    } else if (follows && base_ > next_) {
      Gap(0, base_);
    }
    next_ = base_;
    max_ = TimestampAt();
    pending_.reset();
  }

  // Compaction leaves gaps, and a crash may have kept it from saying so.
  void Gap(int64_t position, Offset begin) {
    if (expected_.cleaned_to || gap_told_) return;
    gap_told_ = true;
    // Each segment was begun with a snapshot.
    if (expected_.clean && position == 0 && std::binary_search(listing_.snapshots.begin(), listing_.snapshots.end(), next_) &&
        !std::binary_search(listing_.logs.begin(), listing_.logs.end(), next_)) {
      return Bad(JoinPath(dir_, SegmentFileName(next_, kLogSuffix)), 0, "the segment is missing: offsets " + Text(next_) + " to " + std::to_string(begin.v - 1));
    }
    out_.Note(path_ + " at " + std::to_string(position) + ": offsets " + Text(next_) + " to " + std::to_string(begin.v - 1) + " are not there, which is right for a compacted topic only");
  }

  void EndsAt(int64_t position, const std::string& why) {
    out_.Note(path_ + " at " + std::to_string(position) + ": " + why + "; nothing says that it should hold, and the next start decides from here on");
    over_ = true;
    over_at_ = position;
  }

  void Walk(io::File& file) {
    int64_t from = 0;
    bool lost = false;   // behind damage: where the next batch begins is not known from the one before
    while (from < size_) {
      BatchScanner scanner(file, {.from = from, .end = size_, .check_crc = true});
      BatchScanner::Step step;
      while ((step = scanner.Next()) == BatchScanner::Step::kBatch) {
        // The offset is outside of the CRC: a page that a power cut took may end within its eight bytes.
        if (const Offset base = scanner.head().base; !lost && base < next_ && !Holds(next_)) {
          if (Holds(gap_from_) && base >= gap_from_) Bad(path_, taken_at_, "offsets out of order: the batch ends at " + Text(next_) + ", and the next one begins at " + Text(base));
          return EndsAt(scanner.position(), "offsets out of order");
        }
        Take(scanner, lost);
        lost = false;
      }
      const int64_t at = scanner.position();
      out_.report.bytes += at - from;
      if (step == BatchScanner::Step::kEnd) return;
      if (!Holds(next_)) {
        return EndsAt(at, scanner.status().what());
      }
      const BatchHead& head = scanner.head();
      const bool framed = head.size > 0 && scanner.status().code() == Code::kCorrupt && LooksLikeBatch(file, at + head.size);
      const int64_t resumed = framed ? at + head.size : NextKnown(at);
      if (!lost || framed) {
        std::string what = scanner.status().code() == Code::kCorrupt ? scanner.status().what() : scanner.status().ToString();
        if (framed) what += ", offsets " + Text(head.base) + " to " + Text(head.last());
        else what += resumed < size_ ? "; the index knows the next batch at " + std::to_string(resumed) : "; nothing behind it can be told apart, " + std::to_string(size_ - at) + " bytes";
        Bad(path_, at, std::move(what));
      }
      if (framed) next_ = std::max(next_, head.end());
      lost = !framed;
      Skip(at, resumed);
      from = resumed;
    }
  }

  bool LooksLikeBatch(io::File& file, int64_t position) const {
    if (position == size_) return true;
    uint8_t header[batch::kHeaderBytes];
    Result<size_t> got = file.ReadAt(MutableBytes(header, sizeof header), position);
    if (!got.ok() || *got < sizeof header) return false;
    Result<BatchHead> head = ParseBatchHead(Bytes(header, sizeof header), size_ - position);
    return head.ok() && head->base >= next_;
  }

  int64_t NextKnown(int64_t position) const {
    for (const OffsetEntry& entry : offsets_.all) {
      if (entry.position > position && entry.position < size_) return entry.position;
    }
    return size_;
  }

  // Entries that speak of batches in [from, to) cannot be held against them.
  void Skip(int64_t from, int64_t to) {
    while (offsets_.next() != nullptr && offsets_.next()->position >= from && offsets_.next()->position < to) ++offsets_.at;
    pending_.reset();
    skipped_ = true;
    complete_ = false;
  }

  void Take(BatchScanner& scanner, bool lost) {
    const BatchHead& head = scanner.head();
    const int64_t at = taken_at_ = scanner.position();
    ++out_.report.batches;
    if (lost) {
      if (times_.next() != nullptr) SkipTimesBelow(head.base);
    } else if (head.base < next_) {
      if (Holds(head.base)) Bad(path_, at, "offsets out of order: the batch begins at " + Text(head.base) + ", and " + Text(next_) + " is due");
    } else if (head.base > next_) {
      Gap(at, head.base);
    }
    gap_from_ = head.base > next_ ? next_ : Offset(INT64_MAX);
    if (head.base < base_ || head.last() - base_ > kMaxRelativeOffset) Bad(path_, at, "offset " + Text(head.base) + " cannot be in this segment");
    // What was proven up to there had ended there.
    if (!expected_.clean && !lost && next_ < expected_.holds_below && head.end() > expected_.holds_below && (expected_.ended_there || !expected_.cleaned_to || head.base < expected_.holds_below)) {
      Bad(path_, at, "the batch ends at offset " + Text(head.end()) + ", and the log is known to have ended at " + Text(expected_.holds_below) + " once");
    }
    next_ = head.end();
    CheckEpoch(head, at);
    earlier_ = max_.timestamp;
    if (head.max_timestamp > max_.timestamp) max_ = {head.max_timestamp, head.last()};
    if (!checked_indexes_) return;
    CheckOffsetEntry(head, at);
    CheckTimeEntries(head);
    CheckTxn(scanner);
  }

  void CheckEpoch(const BatchHead& head, int64_t at) {
    if (head.epoch < kNoEpoch || (head.epoch == kNoEpoch && epoch_ != kNoEpoch)) Bad(path_, at, "leader epoch " + std::to_string(head.epoch.v));
    if (head.epoch.v < 0) return;
    if (head.epoch < epoch_) Bad(path_, at, "leader epoch " + std::to_string(head.epoch.v) + " behind " + std::to_string(epoch_.v));
    epoch_ = std::max(epoch_, head.epoch);
    if (epochs_.entries().empty() || head.base < expected_.log_start || (expected_.proven && head.base >= expected_.proven->end)) return;
    const LeaderEpoch said = epochs_.EpochOf(head.base);
    if (said != head.epoch && !epoch_told_) {
      epoch_told_ = true;
      Bad(path_, at, "leader epoch " + std::to_string(head.epoch.v) + ", where " + (said.v < 0 ? std::string("none") : std::to_string(said.v)) + " is what the log's epochs say");
    }
  }

  void CheckOffsetEntry(const BatchHead& head, int64_t at) {
    if (pending_ && head.last() >= pending_->first) {
      if (head.last() != pending_->first) Bad(offsets_.path, pending_->second, "no batch ends at offset " + Text(pending_->first));
      pending_.reset();
    }
    while (offsets_.next() != nullptr && offsets_.next()->position < at) {
      Bad(offsets_.path, EntryAt(offsets_, kOffsetEntryBytes), "no batch begins at position " + std::to_string(offsets_.next()->position));
      ++offsets_.at;
    }
    if (offsets_.next() == nullptr || offsets_.next()->position != at) return;
    const Offset said = offsets_.next()->last;
    if (said < head.last()) {
      Bad(offsets_.path, EntryAt(offsets_, kOffsetEntryBytes), "says offset " + Text(said) + " of the batch at position " + std::to_string(at) + ", which ends at " + Text(head.last()));
    } else if (said > head.last()) {
      pending_ = std::pair(said, EntryAt(offsets_, kOffsetEntryBytes));   // one entry for all batches that were appended at once: the last one's offset
    }
    ++offsets_.at;
  }

  template <class T>
  static int64_t EntryAt(const Entries<T>& entries, uint32_t bytes) { return static_cast<int64_t>(entries.at) * bytes; }

  void SkipTimesBelow(Offset base) {
    while (times_.next() != nullptr && times_.next()->offset < base) ++times_.at;
  }

  void CheckTimeEntries(const BatchHead& head) {
    if (skipped_) SkipTimesBelow(head.base);
    while (times_.next() != nullptr && times_.next()->offset <= head.last()) {
      const TimestampAt& said = *times_.next();
      if (said.offset < head.base) Bad(times_.path, EntryAt(times_, kTimeEntryBytes), "no batch has offset " + Text(said.offset));
      else if (said.timestamp != head.max_timestamp) {
        Bad(times_.path, EntryAt(times_, kTimeEntryBytes), "says time " + std::to_string(said.timestamp.v) + " of offset " + Text(said.offset) + ", whose batch has " +
                                                               std::to_string(head.max_timestamp.v));
      } else if (earlier_ >= said.timestamp && !skipped_) {
        Bad(times_.path, EntryAt(times_, kTimeEntryBytes), "says that time " + std::to_string(said.timestamp.v) + " is first reached at offset " + Text(said.offset) + ", and a batch before has it");
      }
      ++times_.at;
    }
  }

  // An abort marker has an entry, with the first offset of its transaction; an entry has a marker.
  void CheckTxn(BatchScanner& scanner) {
    const BatchHead& head = scanner.head();
    if (!head.has_producer() || (!head.transactional() && !head.control())) return;
    if (!head.control()) {
      open_.emplace(head.producer.v, head.base);
      return;
    }
    Result<Bytes> body = scanner.Body(kMaxControlBatch);
    if (!body.ok()) return;
    Result<std::optional<TxnMarker>> marker = ReadTxnMarker(*body);
    if (!marker.ok()) return Bad(path_, scanner.position(), "a control batch whose record cannot be read");
    if (!*marker) return;
    const auto open = open_.find(head.producer.v);
    std::optional<Offset> first;
    if (open != open_.end()) first = open->second;
    if (open != open_.end()) open_.erase(open);
    if (!(*marker)->abort) return;
    const auto entry = txns_.find(head.base.v);
    const bool proven_later = expected_.proven && head.base >= expected_.proven->end;
    if (entry == txns_.end()) {
      if (first && !proven_later) Bad(txn_path_, 0, "the abort at offset " + Text(head.base) + " has no entry: readers of committed records would be given aborted ones");
      return;
    }
    // What is known exactly where nothing of the log has gone.
    const bool is_known = expected_.clean || (expected_.proven && head.base < expected_.proven->end);
    const bool is_exact = first && (!expected_.cleaned_to || *first >= *expected_.cleaned_to) && is_known && !starts_inside_;
    Offset stable = head.end();
    for (const auto& [producer, begin] : open_) stable = std::min(stable, begin);
    const AbortedTxn& said = entry->second;
    if (said.producer != head.producer || (is_exact && (said.first != *first || said.last_stable != stable)) || (first && said.first > *first) || said.last_stable.v < 0) {
      Bad(txn_path_, 0, "the entry of the abort at offset " + Text(head.base) + " names another transaction");
    }
    txns_.erase(entry);
  }

  void Leftovers() {
    if (offsets_.next() != nullptr) {
      Bad(offsets_.path, EntryAt(offsets_, kOffsetEntryBytes), "speaks of position " + std::to_string(offsets_.next()->position) + ", where no batch begins");
    }
    if (pending_) Bad(offsets_.path, pending_->second, "no batch ends at offset " + Text(pending_->first));
    if (times_.next() != nullptr && !skipped_) Bad(times_.path, EntryAt(times_, kTimeEntryBytes), "speaks of offset " + Text(times_.next()->offset) + ", which no batch has");
    const TimestampMs last = times_.all.empty() ? kNoTimestamp : times_.all.back().timestamp;
    if (complete_ && !times_.zeros && times_.is_there && max_.timestamp.v >= 0 && last != max_.timestamp) {
      Bad(times_.path, static_cast<int64_t>(times_.all.size()) * kTimeEntryBytes, "ends without the largest time of its segment, " + std::to_string(max_.timestamp.v));
    }
    const bool may_lack_markers = skipped_ || (expected_.cleaned_to && base_ < *expected_.cleaned_to) || !expected_.clean;
    if (!txns_.empty() && !may_lack_markers) Bad(txn_path_, 0, "names an abort at offset " + std::to_string(txns_.begin()->first) + ", where there is none");
    skipped_ = false;
  }

  void CheckEnds() {
    const Offset end = std::max(next_, expected_.log_start);
    const std::string last = listing_.logs.empty() ? dir_ : path_;
    if (listing_.logs.empty()) return;
    const ProvenState* proven = expected_.proven ? &*expected_.proven : nullptr;
    if (proven != nullptr && expected_.log_start < proven->end) {
      if (listing_.logs.front() > std::max(expected_.log_start, proven->log_start)) {
        // Retention takes files away before it has said so, and a compaction puts its own in their place.
        out_.Note(dir_ + ": the first segment begins at offset " + Text(listing_.logs.front()) + ", above the start of the log that is known, " + Text(std::max(expected_.log_start, proven->log_start)));
      }
      if (end < proven->end) Bad(last, size_, "the log ends at offset " + Text(end) + ", and the checkpoint proves it up to " + Text(proven->end));
    }
    if (!expected_.clean) return;
    for (const auto& [bound, what] : {std::pair(expected_.recovery_point, "flush"), std::pair(expected_.high_watermark, "high watermark")}) {
      if (bound && bound == expected_.recovery_point && end > *bound) Bad(last, size_, "the log ends at offset " + Text(end) + ", behind where it was when it was stopped, " + Text(*bound));
      if (bound && end < *bound) Bad(last, size_, "the log ends at offset " + Text(end) + ", before its last " + what + " at " + Text(*bound));
    }
  }

  void CheckSnapshots() {
    for (Offset offset : listing_.snapshots) {
      const std::string path = JoinPath(dir_, SegmentFileName(offset, kSnapshotSuffix));
      Result<std::string> bytes = io::ReadWholeFile(fs_, path, kMaxSnapshotBytes);
      ++out_.report.snapshots;
      if (!bytes.ok()) {
        Bad(path, 0, bytes.status().ToString());
        continue;
      }
      ProducerState state;
      const Status decoded = DecodeProducerSnapshot(BytesOf(*bytes), &state);
      if (!decoded.ok()) {
        if (expected_.clean || offset <= expected_.holds_below) Bad(path, 0, decoded.what());
        else out_.Note(path + ": " + decoded.what() + "; made after the checkpoint, and made anew");
        continue;
      }
      for (const auto& [id, producer] : state.all()) {
        const ProducerBatch* last = producer.last_batch();
        if ((last != nullptr && last->last >= offset) || producer.txn_first >= offset) Bad(path, 0, "producer " + std::to_string(id) + " is ahead of the snapshot's offset");
      }
    }
  }

  io::FileSystem& fs_;
  const std::string& dir_;
  const std::string& name_;
  const Expected& expected_;
  Findings& out_;

  DirListing listing_;
  bool compacting_ = false;
  LeaderEpochs epochs_;
  bool epoch_told_ = false, gap_told_ = false;

  // of the log, as far as the walk has come
  Offset next_{-1};
  Offset gap_from_{INT64_MAX};   // where the batch taken last was due, if it begins further up
  LeaderEpoch epoch_ = kNoEpoch;
  std::unordered_map<int64_t, Offset> open_;   // first offsets of transactions, by producer
  bool over_ = false;                          // behind here recovery decides
  int64_t over_at_ = 0;
  bool starts_inside_ = false;   // a transaction may have begun below the log's start

  // of the segment
  Offset base_{0};
  bool last_ = false;
  std::string path_, txn_path_;
  std::string before_path_;   // the segment before
  int64_t taken_at_ = 0;      // the last batch
  int64_t size_ = 0;
  bool checked_indexes_ = false, complete_ = false, skipped_ = false;
  Entries<OffsetEntry> offsets_;
  Entries<TimestampAt> times_;
  std::unordered_map<int64_t, AbortedTxn> txns_;   // by the marker's offset
  std::optional<std::pair<Offset, int64_t>> pending_;   // an offset that a batch must end with, and where the index says so
  TimestampAt max_;
  TimestampMs earlier_ = kNoTimestamp;   // the largest before the batch
};

}  // namespace

void Findings::Add(const std::string& file, const std::string& partition, int64_t position, std::string what) {
  ++report.damaged;
  if (report.damages.size() < kMaxListedDamages) report.damages.push_back({file, partition, position, std::move(what)});
}

void Findings::Note(std::string line) {
  if (report.notes.size() < kMaxListedNotes) report.notes.push_back(std::move(line));
}

void VerifyLog(io::FileSystem& fs, const std::string& dir, const std::string& name, const Expected& expected, Findings* out) {
  LogVerifier(fs, dir, name, expected, out).Run();
}

}  // namespace sluice::log
