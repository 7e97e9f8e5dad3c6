// A directory as some end has left it, and what one bit of one of its files says: whether verify must see it turned, and what may be missing then. Everything is
// read from the bytes that are still right.
//
// Thread: one. Owns: nothing of the disk. What cannot be read is an assertion: nothing is damaged yet.
#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "log/batch_scanner.h"
#include "log/checkpoint_store.h"
#include "log/journal_format.h"
#include "log/kafka_files.h"
#include "log/leader_epochs.h"
#include "log/log_dir_impl.h"
#include "log/log_format.h"
#include "log/offset_index.h"
#include "log/proven_state.h"
#include "log/time_index.h"
#include "recovery_model.h"
#include "support/sim_disk.h"
#include "support/tally.h"

namespace sluice::log::test {

using sluice::test::FlipKind;
using sluice::test::kFlipKinds;
using sluice::test::SimDisk;

struct Flip {
  FlipKind kind = FlipKind::kOther;
  std::string path, folder;   // the folder of a partition, empty for a file of the directory
  int64_t position = 0;
  int bit = 0;
  std::string ToString() const { return "bit " + std::to_string(bit) + " at " + std::to_string(position) + " of " + path; }
};

// What of a partition may differ.
struct Lenience {
  bool told = false;              // anything may be missing, where somebody has said so
  int64_t whole_below = 0;        // ... from this offset on
  bool offline = false;           // it may be closed, with a reason that names it
  bool nobodys = false;           // ... by a folder that is not its own: nothing of it is in there, and a later start may have set that aside
  int64_t torn_end = INT64_MAX;   // nobody needs to tell of what is missing from here on
  bool start_back = false;        // the start may lie where it had been before it was moved
  bool untold_aborts = false;     // what it says of aborted transactions may be wrong
  std::optional<int64_t> moved;   // the one batch that may lie at other offsets, by its right one
  std::optional<int64_t> end;     // where it ends if it is served: a clean stop has written that down
};

enum class Must : uint8_t { kNot, kMay, kMust };

// What follows from a turned bit.
struct Meaning {
  Must verify = Must::kMay, refused = Must::kNot;
  std::string file;           // as verify must name it, where that is exact
  int64_t position = -1;
  std::map<std::string, Lenience> of;   // by folder
  bool torn = false;
  std::string why;            // for who reads a failure
};

class FlipImage {
 public:
  FlipImage(SimDisk& disk, std::vector<const Part*> parts, bool clean) : disk_(disk), parts_(std::move(parts)), clean_(clean) {
    for (const std::string& path : disk_.Files()) {
      if (path.rfind("/data/", 0) != 0 || *disk_.FileSize(path) == 0) continue;
      files_[static_cast<size_t>(KindOf(path))].push_back(path);
    }
    for (const char* name : {kRecoveryPointsName, kLogStartsName}) {
      Result<OffsetsByPartition> offsets = ReadOffsets(disk_, std::string("/data/") + name);
      if (offsets.ok()) (name == kRecoveryPointsName ? points_ : starts_) = offsets.take();
    }
    ReadJournal();
  }

  bool clean() const { return clean_; }

  Flip Choose(std::mt19937_64& random) const {
    // Most of the bytes are in segments and the journal; the other kinds are as interesting.
    constexpr std::array<int, kFlipKinds> kWeights{8, 3, 3, 2, 3, 2, 2, 8, 2, 1, 1, 1, 2, 1, 1};
    int all = 0;
    for (size_t i = 0; i < kFlipKinds; ++i) all += files_[i].empty() ? 0 : kWeights[i];
    int64_t at = Below(random, std::max(1, all));
    Flip flip;
    for (size_t i = 0; i < kFlipKinds; ++i) {
      if (files_[i].empty() || (at -= kWeights[i]) >= 0) continue;
      flip.kind = static_cast<FlipKind>(i);
      flip.path = files_[i][static_cast<size_t>(Below(random, static_cast<int64_t>(files_[i].size())))];
      break;
    }
    flip.position = Below(random, *disk_.FileSize(flip.path));
    flip.bit = static_cast<int>(Below(random, 8));
    if (flip.kind == FlipKind::kSegment) AimAtBatch(random, &flip);
    if (flip.kind == FlipKind::kJournal) AimAtFrame(random, &flip);
    flip.folder = FolderOf(flip.path);
    return flip;
  }

  Meaning MeaningOf(const Flip& flip) const {
    Meaning out;
    std::string damaged = Read(flip.path);
    damaged[static_cast<size_t>(flip.position)] = static_cast<char>(damaged[static_cast<size_t>(flip.position)] ^ (1 << flip.bit));
    const Part* part = LivePart(flip.folder);
    if (!flip.folder.empty() && part == nullptr) {
      out.why = "the folder is nobody's";
      out.of[flip.folder].offline = out.of[flip.folder].nobodys = flip.kind == FlipKind::kPartitionMetadata;   // whose it is cannot be said any more
      return out;
    }
    switch (flip.kind) {
      case FlipKind::kSegment: OfSegment(flip, *part, &out); break;
      case FlipKind::kOffsetIndex: OfOffsetIndex(flip, damaged, &out); break;
      case FlipKind::kTimeIndex: OfTimeIndex(flip, damaged, &out); break;
      case FlipKind::kTxnIndex: OfTxnIndex(flip, &out); break;
      case FlipKind::kSnapshot: {
        const auto offset = ParseSegmentFileName(NameOf(flip.path), kSnapshotSuffix);
        out.verify = offset && (clean_ || offset->v <= HoldsBelow(flip.folder)) ? Must::kMust : Must::kMay;
        break;
      }
      case FlipKind::kEpochs: OfEpochs(flip, damaged, &out); break;
      case FlipKind::kPartitionMetadata: OfPartitionMetadata(flip, damaged, &out); break;
      case FlipKind::kJournal: OfJournal(flip, &out); break;
      case FlipKind::kCheckpoint:
        out.verify = out.refused = Must::kMust;
        out.file = flip.path;
        out.position = 0;
        break;
      case FlipKind::kMetaProperties: out.refused = Must::kMay; break;
      case FlipKind::kMark: out.why = "the mark"; break;
      case FlipKind::kRecoveryPoints:
      case FlipKind::kLogStarts:
      case FlipKind::kHighWatermarks: OfOffsets(flip, damaged, &out); break;
      default:
        out.verify = Must::kNot;
        out.why = "nobody reads it";
    }
    return out;
  }

 private:
  struct Frame {
    std::string path;
    int64_t position = 0;
    FrameHeader header;
  };
  struct BatchAt {
    int64_t position, size, base, end, time;
    int32_t epoch;
  };

  static int64_t Below(std::mt19937_64& random, int64_t n) { return static_cast<int64_t>(random() % static_cast<uint64_t>(n)); }
  static std::string NameOf(const std::string& path) { return path.substr(path.rfind('/') + 1); }
  static std::string FolderOf(const std::string& path) {
    const std::string inside = path.substr(6);
    const size_t slash = inside.find('/');
    const std::string folder = slash == std::string::npos ? "" : inside.substr(0, slash);
    return ParseFolderName(folder) ? folder : "";
  }
  static FlipKind KindOf(const std::string& path) {
    const std::string name = NameOf(path), folder = path.substr(6, std::max<size_t>(path.rfind('/'), 6) - 6);
    if (folder == kJournalFolder) return name == kCheckpointName ? FlipKind::kCheckpoint : name.rfind("journal-", 0) == 0 ? FlipKind::kJournal : FlipKind::kOther;
    if (folder.empty()) {
      if (name == kMetaPropertiesName) return FlipKind::kMetaProperties;
      if (name == kCleanMarkName) return FlipKind::kMark;
      if (name == kRecoveryPointsName) return FlipKind::kRecoveryPoints;
      if (name == kLogStartsName) return FlipKind::kLogStarts;
      if (name == kHighWatermarksName) return FlipKind::kHighWatermarks;
      return FlipKind::kOther;
    }
    if (!ParseFolderName(folder)) return FlipKind::kOther;
    if (name == kPartitionMetadataFile) return FlipKind::kPartitionMetadata;
    if (name == kLeaderEpochFile) return FlipKind::kEpochs;
    if (ParseSegmentFileName(name, kLogSuffix)) return FlipKind::kSegment;
    if (ParseSegmentFileName(name, kOffsetIndexSuffix)) return FlipKind::kOffsetIndex;
    if (ParseSegmentFileName(name, kTimeIndexSuffix)) return FlipKind::kTimeIndex;
    if (ParseSegmentFileName(name, kTxnIndexSuffix)) return FlipKind::kTxnIndex;
    if (ParseSegmentFileName(name, kSnapshotSuffix)) return FlipKind::kSnapshot;
    return FlipKind::kOther;
  }
  std::string Read(const std::string& path) const {
    Result<std::string> bytes = io::ReadWholeFile(disk_, path, INT64_MAX);
    SLUICE_ASSERT(bytes.ok());
    return bytes.take();
  }

  // --- partitions
  const Part* LivePart(const std::string& folder) const {
    for (const Part* part : parts_) {
      if (part->name.ToString() != folder) continue;
      Result<TopicId> id = ReadPartitionTopicId(disk_, "/data/" + folder);
      return id.ok() && *id == part->id ? part : nullptr;
    }
    return nullptr;
  }
  const ProvenState* Proven(const std::string& folder) const {
    auto at = proven_.find(folder);
    return at == proven_.end() ? nullptr : &at->second;
  }
  // Below here, the directory says, batches hold as they lie in their segments.
  int64_t HoldsBelow(const std::string& folder) const {
    if (clean_) return INT64_MAX;
    if (checkpoint_) {
      auto synced = synced_.find(folder);
      const ProvenState* proven = Proven(folder);
      return std::max(proven == nullptr ? 0 : proven->end.v, synced == synced_.end() ? 0 : synced->second);
    }
    auto point = points_.find(*ParseFolderName(folder));
    return point == points_.end() ? 0 : point->second.v;
  }
  int64_t LogStart(const std::string& folder) const {
    auto moved = moved_.find(folder);
    int64_t start = moved == moved_.end() ? 0 : moved->second;
    if (const ProvenState* proven = Proven(folder)) return std::max(start, proven->log_start.v);
    if (checkpoint_) return start;   // begun since: the file may speak of an earlier topic of its name
    auto kafkas = starts_.find(*ParseFolderName(folder));
    return std::max(start, kafkas == starts_.end() ? 0 : kafkas->second.v);
  }
  // The base offsets of its segments, rising.
  std::vector<int64_t> Bases(const std::string& folder) const {
    std::vector<int64_t> bases;
    Result<std::vector<io::DirEntry>> entries = disk_.List("/data/" + folder);
    SLUICE_ASSERT(entries.ok());
    for (const io::DirEntry& entry : *entries) {
      if (auto base = ParseSegmentFileName(entry.name, kLogSuffix)) bases.push_back(base->v);
    }
    std::sort(bases.begin(), bases.end());
    return bases;
  }
  static int64_t BaseOf(const std::string& path) { return std::strtoll(NameOf(path).substr(0, 20).c_str(), nullptr, 10); }
  std::optional<int64_t> NextBase(const Flip& flip) const {
    const std::vector<int64_t> bases = Bases(flip.folder);
    auto next = std::upper_bound(bases.begin(), bases.end(), BaseOf(flip.path));
    return next == bases.end() ? std::nullopt : std::optional(*next);
  }
  bool IsBelowStart(const Flip& flip) const {
    const std::optional<int64_t> next = NextBase(flip);
    return !clean_ && next && *next <= LogStart(flip.folder);
  }
  // Does anybody rely on this index, rather than make it anew?
  bool IsChecked(const Flip& flip) const {
    if (IsBelowStart(flip) || !*disk_.Exists(SegmentOf(flip))) return false;
    if (clean_) return true;
    if (const ProvenState* proven = Proven(flip.folder)) return BaseOf(flip.path) <= proven->segment_base.v;
    if (checkpoint_) return false;   // begun since: what was synced of it is its data
    const std::optional<int64_t> next = NextBase(flip);
    return next && *next <= HoldsBelow(flip.folder);
  }
  std::vector<BatchAt> Batches(const std::string& path) const {
    std::vector<BatchAt> out;
    Result<std::unique_ptr<io::File>> file = disk_.Open(path, io::OpenMode::kRead);
    if (!file.ok()) return out;
    BatchScanner scanner(**file, {.from = 0, .end = *(*file)->Size(), .check_crc = true});
    while (scanner.Next() == BatchScanner::Step::kBatch) {
      const BatchHead& head = scanner.head();
      out.push_back({scanner.position(), head.size, head.base.v, head.end().v, head.max_timestamp.v, head.epoch.v});
    }
    return out;
  }
  int64_t EndOf(const std::string& folder) const {
    const int64_t last = Bases(folder).back();
    const std::vector<BatchAt> batches = Batches("/data/" + folder + "/" + SegmentFileName(Offset(last), kLogSuffix));
    return std::max(batches.empty() ? last : batches.back().end, LogStart(folder));
  }
  std::string SegmentOf(const Flip& flip) const { return "/data/" + flip.folder + "/" + SegmentFileName(Offset(BaseOf(flip.path)), kLogSuffix); }

  // --- where to turn a bit
  void AimAtBatch(std::mt19937_64& random, Flip* flip) const {
    const std::vector<BatchAt> batches = Batches(flip->path);
    if (batches.empty() || Below(random, 10) == 0) return;
    const BatchAt& batch = batches[static_cast<size_t>(Below(random, static_cast<int64_t>(batches.size())))];
    const int64_t within = Below(random, 3) == 0 ? 21 : Below(random, 2) == 0 ? static_cast<int64_t>(batch::kHeaderBytes) : batch.size;
    flip->position = batch.position + Below(random, within);
  }
  void AimAtFrame(std::mt19937_64& random, Flip* flip) const {
    if (frames_.empty() || Below(random, 10) == 0) return;
    const bool alive = !chain_.empty() && Below(random, 4) != 0;
    const Frame& frame = alive ? frames_[chain_[static_cast<size_t>(Below(random, static_cast<int64_t>(chain_.size())))]]
                               : frames_[static_cast<size_t>(Below(random, static_cast<int64_t>(frames_.size())))];
    flip->path = frame.path;
    const int64_t within = Below(random, 2) == 0 ? static_cast<int64_t>(kFrameHeaderBytes) : Below(random, 6) == 0 ? RoundUpToBlock(frame.header.length) : frame.header.length;
    flip->position = frame.position + Below(random, within);
  }

  // --- what a bit says
  void OfSegment(const Flip& flip, const Part& part, Meaning* out) const {
    if (IsBelowStart(flip)) {
      out->why = "the segment is below the log's start";
      // The log goes on in it if nothing was written to the next: what lies behind the damage is not always found.
      const ProvenState* active = Proven(flip.folder);
      out->of[flip.folder].told = active != nullptr && BaseOf(flip.path) == active->segment_base.v;
      return;
    }
    const std::vector<BatchAt> batches = Batches(flip.path);
    auto hit = std::find_if(batches.begin(), batches.end(), [&](const BatchAt& batch) { return flip.position < batch.position + batch.size; });
    if (hit == batches.end()) {
      SLUICE_ASSERT(!clean_);
      out->why = "behind the last batch that holds";
      return;
    }
    const int64_t field = flip.position - hit->position;
    const bool has_epoch = field >= 12 && field < 16, has_base = field < 8;
    const ProvenState* proven = Proven(flip.folder);
    Lenience& lenience = out->of[flip.folder];
    lenience.told = true;
    if (clean_) lenience.end = EndOf(flip.folder);
    if (hit->base < HoldsBelow(flip.folder)) {
      out->why = "a batch that holds, offsets " + std::to_string(hit->base) + " to " + std::to_string(hit->end - 1);
      out->verify = Must::kMust;
      lenience.offline = true;
      lenience.whole_below = 0;   // whoever looks for it from the start of the segment, or from an index entry, does not come past it
      lenience.moved = hit->base;
      if (has_epoch && (hit->base < LogStart(flip.folder) || (!clean_ && (proven == nullptr || hit->base >= proven->end.v)))) out->verify = Must::kMay;   // nothing says which it was
      if (has_base && hit->base < LogStart(flip.folder)) out->verify = Must::kMay;
      if (has_base || has_epoch) return;   // shows at its neighbour, in an index or in the next segment
      out->file = flip.path;
      out->position = hit->position;
      return;
    }
    if (IsJournaled(part, BaseOf(flip.path), *hit)) {
      out->of.clear();
      out->why = "the journal has the batch, too";
      return;
    }
    out->why = "a batch that nothing proves, at offset " + std::to_string(hit->base);
    lenience.whole_below = hit->base;
    lenience.offline = true;
  }

  // An entry is as good as another if it leads to the same answers.
  void OfOffsetIndex(const Flip& flip, const std::string& damaged, Meaning* out) const {
    const ProvenState* proven = Proven(flip.folder);
    const bool is_active = !clean_ && proven != nullptr && BaseOf(flip.path) == proven->segment_base.v;
    const int64_t slot = flip.position / kOffsetEntryBytes, all = static_cast<int64_t>(damaged.size()) / kOffsetEntryBytes;
    const int64_t count = is_active ? std::min<int64_t>(all, proven->offset_entries) : all;
    if (!IsChecked(flip) || slot >= count) {
      out->why = "made anew";
      return;
    }
    const Offset base(BaseOf(flip.path));
    const auto entry = [&](int64_t i) { return DecodeOffsetEntry(base, reinterpret_cast<const uint8_t*>(damaged.data()) + i * kOffsetEntryBytes); };
    const OffsetEntry now = entry(slot);
    bool begins = false, ends = false;
    int64_t least = 0;
    for (const BatchAt& batch : Batches(SegmentOf(flip))) {
      if (batch.position == now.position) {
        begins = true;
        least = batch.end - 1;
      }
      ends |= batch.end - 1 == now.last.v && (!is_active || now.last < proven->end);
    }
    const bool rises = (slot == 0 || (entry(slot - 1).last < now.last && entry(slot - 1).position < now.position)) &&
                       (slot + 1 >= count || (entry(slot + 1).last > now.last && entry(slot + 1).position > now.position));
    if (begins && ends && now.last.v >= least && rises) {
      out->why = "the entry names other batches that are right, too";
      return;
    }
    out->why = "entry " + std::to_string(slot) + " of " + std::to_string(count) + " names offset " + std::to_string(now.last.v) + " at " + std::to_string(now.position);
    out->verify = Must::kMust;
    out->file = flip.path;
  }

  void OfTimeIndex(const Flip& flip, const std::string& damaged, Meaning* out) const {
    const int64_t slot = flip.position / kTimeEntryBytes, count = static_cast<int64_t>(damaged.size()) / kTimeEntryBytes;
    const ProvenState* proven = Proven(flip.folder);
    const bool cut = !clean_ && proven != nullptr && BaseOf(flip.path) == proven->segment_base.v && slot >= proven->time_entries;
    if (!IsChecked(flip) || slot >= count || cut) {
      out->why = "made anew";
      return;
    }
    const TimestampAt now = DecodeTimeEntry(Offset(BaseOf(flip.path)), reinterpret_cast<const uint8_t*>(damaged.data()) + slot * kTimeEntryBytes);
    int64_t before = INT64_MIN;
    for (const BatchAt& batch : Batches(SegmentOf(flip))) {
      if (now.offset.v >= batch.base && now.offset.v < batch.end && now.timestamp.v == batch.time && before < batch.time) {
        out->why = "the entry names the same batch";
        return;
      }
      before = std::max(before, batch.time);
    }
    out->verify = Must::kMust;
    out->file = flip.path;
  }

  void OfTxnIndex(const Flip& flip, Meaning* out) const {
    const int64_t slot = flip.position / kAbortedTxnBytes;
    const ProvenState* proven = Proven(flip.folder);
    const bool cut = !clean_ && proven != nullptr && BaseOf(flip.path) == proven->segment_base.v && slot >= proven->aborted;
    const bool is_start_known = Bases(flip.folder).front() == 0;   // of every transaction
    if (!IsChecked(flip) || cut) {
      out->why = "made anew";
      return;
    }
    // Where a transaction began is known as long as nothing of the log has gone.
    out->of[flip.folder].untold_aborts = !is_start_known;
    if (!is_start_known) return;
    out->verify = Must::kMust;
    out->file = flip.path;
  }

  void OfEpochs(const Flip& flip, const std::string& damaged, Meaning* out) const {
    Result<LeaderEpochs> epochs = LeaderEpochs::Decode(damaged);
    const bool well_formed = epochs.ok() && static_cast<size_t>(std::count(damaged.begin(), damaged.end(), '\n')) == epochs->entries().size() + 2;
    bool right = true;
    for (int64_t base : Bases(flip.folder)) {
      for (const BatchAt& batch : Batches("/data/" + flip.folder + "/" + SegmentFileName(Offset(base), kLogSuffix))) {
        right &= !well_formed || batch.base < LogStart(flip.folder) || epochs->EpochOf(Offset(batch.base)).v == batch.epoch;
      }
    }
    out->verify = !well_formed || (clean_ && !right) ? Must::kMust : Must::kMay;
    if (!well_formed) out->file = flip.path;
    out->why = well_formed ? "well-formed" : "not well-formed";
  }

  void OfPartitionMetadata(const Flip& flip, const std::string& damaged, Meaning* out) const {
    constexpr std::string_view kBegin = "version: 0\ntopic_id: ";
    TopicId id;
    const bool begins = damaged.compare(0, kBegin.size(), kBegin) == 0;
    const bool is_id = begins && TopicId::Parse(damaged.substr(kBegin.size()), &id);
    out->verify = is_id ? Must::kMay : Must::kMust;
    if (!is_id) out->file = flip.path;
    out->of[flip.folder] = {.told = true, .offline = true};
    out->why = is_id ? "another topic's id" : "not well-formed";
  }

  void OfOffsets(const Flip& flip, const std::string& damaged, Meaning* out) const {
    // As long as there is a journal with a checkpoint, these are old.
    if (!clean_ && checkpoint_) return;
    (void)damaged;
    out->verify = clean_ ? Must::kMust : Must::kMay;
    out->file = flip.path;
    if (flip.kind == FlipKind::kLogStarts) {
      for (const Part* part : parts_) out->of[part->name.ToString()].start_back = true;
    }
  }

  // --- the journal
  void ReadJournal() {
    const std::string dir = std::string("/data/") + kJournalFolder;
    if (clean_) return;
    Result<Checkpoint> stored = ReadCheckpoint(disk_, dir);
    if (!stored.ok()) return;
    checkpoint_ = stored.take();
    for (const std::string& path : files_[static_cast<size_t>(FlipKind::kJournal)]) {
      const std::string bytes = Read(path);
      // Zeros: to its readers it was not begun. The write of its first frame was in flight when the process was killed, and that of a later one has landed.
      if (std::all_of(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(std::min(bytes.size(), kFrameHeaderBytes)), [](char byte) { return byte == 0; })) continue;
      for (size_t at = 0; at < bytes.size();) {
        const Bytes rest(reinterpret_cast<const uint8_t*>(bytes.data()) + at, bytes.size() - at);
        const std::optional<FrameHeader> header = DecodeFrameHeader(rest);
        if (header && header->length <= rest.size() && FrameCrc(rest.first(header->length)) == header->crc) {
          frames_.push_back({path, static_cast<int64_t>(at), *header});
          at += static_cast<size_t>(RoundUpToBlock(header->length));
        } else {
          at += static_cast<size_t>(kJournalBlock);
        }
      }
    }
    FollowChain();
    for (const auto& [id, partition] : checkpoint_->partitions) {
      const std::string folder = TopicPartition{partition.topic, id.partition}.ToString();
      const Part* part = LivePart(folder);
      if (part == nullptr || part->id != id.id || partition.proven.empty()) continue;
      Result<ProvenState> proven = DecodeProvenState(partition.proven);
      SLUICE_ASSERT(proven.ok());
      proven_.emplace(folder, proven.take());
    }
    ForEntries(chain_.size(), [&](const std::string& folder, const Entry& entry) {
      if (entry.kind == EntryKind::kSynced) synced_[folder] = std::max(synced_[folder], entry.base.v);
      if (entry.kind == EntryKind::kLogStart) moved_[folder] = std::max(moved_[folder], entry.base.v);
    });
    // What was synced and has left the log since needs not be there.
    std::erase_if(synced_, [&](const auto& item) { return item.second <= LogStart(item.first); });
  }
  void FollowChain() {
    JournalMark end = checkpoint_->mark;
    for (;;) {
      std::optional<size_t> next, heir;
      for (size_t i = 0; i < frames_.size(); ++i) {
        const FrameHeader& header = frames_[i].header;
        if (header.sequence != end.sequence + 1 || header.prev_crc != end.crc) continue;
        if (header.incarnation == end.incarnation) next = i;
        if (header.continues == end.incarnation) heir = i;
      }
      if (heir) next = heir;
      if (!next) return;
      chain_.push_back(*next);
      end = {frames_[*next].header.incarnation, frames_[*next].header.sequence, frames_[*next].header.crc};
    }
  }
  // The entries of the first `count` frames of the chain, of partitions that are there.
  template <class Take>
  void ForEntries(size_t count, Take take) const {
    for (size_t i = 0; i < count; ++i) {
      const Frame& frame = frames_[chain_[i]];
      std::vector<uint8_t> bytes(frame.header.length);
      Result<std::unique_ptr<io::File>> file = disk_.Open(frame.path, io::OpenMode::kRead);
      SLUICE_ASSERT(file.ok() && *(*file)->ReadAt(bytes, frame.position) == bytes.size());
      Bytes rest = Bytes(bytes).subspan(kFrameHeaderBytes);
      for (uint32_t n = 0; n < frame.header.entries; ++n) {
        const std::optional<Entry> entry = TakeEntry(&rest);
        SLUICE_ASSERT(entry);
        for (const Part* part : parts_) {
          if (part->id == entry->id.id) take(part->name.ToString(), *entry);
        }
      }
    }
  }
  bool IsJournaled(const Part& part, int64_t segment, const BatchAt& batch) const {
    bool found = false;
    ForEntries(chain_.size(), [&](const std::string& folder, const Entry& entry) {
      found |= folder == part.name.ToString() && entry.kind == EntryKind::kBatch && entry.base.v == batch.base && entry.end.v == batch.end && entry.position.v == batch.position &&
               entry.segment_base.v == segment;
    });
    return found;
  }

  void OfJournal(const Flip& flip, Meaning* out) const {
    out->verify = Must::kNot;
    auto hit = std::find_if(frames_.begin(), frames_.end(), [&](const Frame& frame) {
      return frame.path == flip.path && flip.position >= frame.position && flip.position < frame.position + frame.header.length;
    });
    if (hit == frames_.end()) {
      out->why = "in no frame";
      return;
    }
    const auto in_chain = std::find(chain_.begin(), chain_.end(), static_cast<size_t>(hit - frames_.begin()));
    if (in_chain == chain_.end()) {
      out->why = "in a frame that nobody needs";
      return;
    }
    const FrameHeader& last = frames_[chain_.back()].header;
    const std::string what = "frame " + std::to_string(hit->header.sequence) + ", of " + std::to_string(last.sequence);
    if (hit->header.continues != 0) {
      out->why = "takes over, " + what;
      return;
    }
    if (hit->header.incarnation != last.incarnation || last.sequence - hit->header.sequence >= 8) {
      out->why = what + ", which later ones prove";
      out->verify = out->refused = Must::kMust;
      return;
    }
    out->why = what + ", one of the last eight";
    out->verify = Must::kNot;
    // Behind a frame that the crash has torn there may be whole ones, whose file the chain has not reached.
    for (const Frame& frame : frames_) {
      if (frame.header.incarnation != last.incarnation || frame.header.sequence < hit->header.sequence + 8) continue;
      out->why += ", which one behind a torn one proves";
      out->verify = Must::kMust;
      out->refused = Must::kMay;
    }
    out->torn = true;
    const size_t left = static_cast<size_t>(in_chain - chain_.begin());
    std::map<std::string, int64_t> ends;
    ForEntries(left, [&](const std::string& folder, const Entry& entry) {
      if (entry.kind == EntryKind::kBatch) ends[folder] = std::max(ends[folder], entry.end.v);
      if (entry.kind == EntryKind::kSynced) ends[folder] = std::max(ends[folder], entry.base.v);
    });
    for (const Part* part : parts_) {
      const std::string folder = part->name.ToString();
      const ProvenState* proven = Proven(folder);
      out->of[folder].torn_end = std::max(ends[folder], proven == nullptr ? 0 : proven->end.v);
    }
    size_t seen = 0;
    std::map<std::string, std::array<size_t, 2>> starts;
    for (size_t count : {left, chain_.size()}) {
      ForEntries(count, [&](const std::string& folder, const Entry& entry) { starts[folder][seen] += entry.kind == EntryKind::kLogStart ? 1 : 0; });
      ++seen;
    }
    for (const auto& [folder, counts] : starts) out->of[folder].start_back = counts[0] != counts[1];
  }

  SimDisk& disk_;
  const std::vector<const Part*> parts_;
  const bool clean_;
  std::array<std::vector<std::string>, kFlipKinds> files_;
  OffsetsByPartition points_, starts_;
  std::optional<Checkpoint> checkpoint_;
  std::map<std::string, ProvenState> proven_;       // by folder
  std::map<std::string, int64_t> synced_, moved_;   // by folder, what the journal says
  std::vector<Frame> frames_;                        // whole ones, of any age
  std::vector<size_t> chain_;                        // those that recovery replays, in order
};

}  // namespace sluice::log::test
