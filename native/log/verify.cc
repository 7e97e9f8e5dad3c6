#include "log/verify.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>

#include "log/batch_scanner.h"
#include "log/checkpoint_store.h"
#include "log/cleaner.h"
#include "log/journal_reader.h"
#include "log/kafka_files.h"
#include "log/log_dir_impl.h"
#include "log/log_format.h"
#include "log/log_impl.h"
#include "log/verify_log.h"

namespace sluice::log {
namespace {

constexpr char kMetadataTopic[] = "__cluster_metadata";
constexpr std::string_view kMetadataSnapshotSuffix = ".checkpoint";

}  // namespace

struct Verifier::Impl {
  struct Partition {
    std::string folder;
    TopicPartition name;
    Expected expected;
  };

  io::FileSystem& fs;
  std::string path;
  std::unique_ptr<io::FileLock> lock;
  bool clean = false;
  StopNote note;
  std::vector<Partition> partitions;
  std::mutex mutex;    // guards all
  Findings all;

  explicit Impl(io::FileSystem& file_system, std::string dir) : fs(file_system), path(std::move(dir)) {}

  void Bad(const std::string& file, const Status& why) { all.Add(file, "", 0, why.code() == Code::kCorrupt ? why.what() : why.ToString()); }
  std::string PathOf(std::string_view name) const { return JoinPath(path, name); }

  Status TakeLock() {
    Result<bool> there = fs.Exists(PathOf(kLockName));
    if (!there.ok()) return there.status();
    if (!*there) return Status::Ok();   // every engine makes it before anything else
    Result<std::unique_ptr<io::FileLock>> taken = fs.Lock(PathOf(kLockName));
    if (taken.code() == Code::kLocked) {
      return Status::Error(Code::kLocked, "directory " + path + " is in use, " + taken.status().what() + ": stop the broker, or check a snapshot of its file system");
    }
    // On a file system that is mounted for reading nobody can be writing either.
    if (taken.ok()) lock = taken.take();
    return Status::Ok();
  }

  OffsetsByPartition Offsets(const char* name) {
    Result<OffsetsByPartition> offsets = ReadOffsets(fs, PathOf(name), note.CrcOf(name));
    if (offsets.ok()) return offsets.take();
    Bad(PathOf(name), offsets.status());
    return {};
  }

  Status Prepare(const std::string& topic) {
    Result<std::vector<io::DirEntry>> entries = fs.List(path);
    if (!entries.ok()) return entries.status();
    SLUICE_TRY(TakeLock());
    std::sort(entries->begin(), entries->end(), [](const io::DirEntry& a, const io::DirEntry& b) { return a.name < b.name; });
    for (const io::DirEntry& entry : *entries) {
      if (!entry.is_dir || entry.name == kJournalFolder) continue;
      if (std::optional<TopicPartition> name = ParseFolderName(entry.name)) {
        if (topic.empty() || name->topic == topic) partitions.push_back({entry.name, *name, {}});
      } else if (topic.empty()) {
        all.Note(PathOf(entry.name) + " is no partition's folder: not checked");
      }
    }
    Result<MetaProperties> identity = ReadMetaProperties(fs, path);
    if (identity.code() == Code::kNotFound && partitions.empty()) {
      return Status::Error(Code::kNotFound, topic.empty() ? path + " is no log directory: no meta.properties and no partition in it" : "no partition of topic " + topic + " in " + path);
    }
    if (identity.code() == Code::kNotFound) all.Note(path + " has no meta.properties: taken for a copy of some partitions, all of which must hold");
    else if (!identity.ok()) Bad(PathOf(kMetaPropertiesName), identity.status());
    if (!topic.empty() && partitions.empty()) return Status::Error(Code::kNotFound, "no partition of topic " + topic + " in " + path);

    Result<bool> mark = fs.Exists(PathOf(kCleanMarkName));
    if (!mark.ok()) return mark.status();
    clean = *mark || identity.code() == Code::kNotFound;
    if (*mark) {
      Result<StopNote> read = ReadStopNote(fs, path);
      if (read.ok()) note = *read; else Bad(PathOf(kCleanMarkName), read.status());
    }
    const OffsetsByPartition points = Offsets(kRecoveryPointsName), starts = Offsets(kLogStartsName), watermarks = Offsets(kHighWatermarksName),
                             cleaned = Offsets(kCleanedOffsetsName);
    const auto of = [](const OffsetsByPartition& offsets, const TopicPartition& name) {
      auto at = offsets.find(name);
      return at == offsets.end() ? std::nullopt : std::optional(at->second);
    };
    CompareTopicIds();
    std::set<std::string> folders;
    for (Partition& partition : partitions) {
      Expected& expected = partition.expected;
      folders.insert(partition.folder);
      expected.clean = clean;
      expected.recovery_point = of(points, partition.name);
      expected.high_watermark = of(watermarks, partition.name);
      expected.holds_below = expected.files_hold_below = expected.recovery_point.value_or(Offset(0));
      expected.log_start = of(starts, partition.name).value_or(Offset(0));
      expected.cleaned_to = of(cleaned, partition.name);
      if (*mark && !expected.recovery_point && HoldsNothing(partition)) {
        expected.clean = false;
        all.Note(PathOf(partition.folder) + ": made after the clean stop, by a start that came no further");
      }
      if (partition.name.topic == kMetadataTopic) expected.log_start = OldestSnapshot(partition);
    }
    for (const auto& [name, offset] : points) {
      if (clean && (topic.empty() || name.topic == topic) && folders.count(name.ToString()) == 0 && offset.v > 0) {
        all.Add(PathOf(kRecoveryPointsName), name.ToString(), 0, "the partition's folder is missing");
      }
    }
    return CheckJournal();
  }

  bool HoldsNothing(const Partition& partition) {
    Result<DirListing> listing = ListPartition(fs, PathOf(partition.folder));
    return listing.ok() && std::all_of(listing->logs.begin(), listing->logs.end(), [&](Offset base) {
      Result<int64_t> size = fs.FileSize(JoinPath(PathOf(partition.folder), SegmentFileName(base, kLogSuffix)));
      return size.ok() && *size == 0;
    });
  }

  // The metadata's log begins at a snapshot, and no checkpoint says so.
  Offset OldestSnapshot(const Partition& partition) {
    Offset oldest(0);
    Result<std::vector<io::DirEntry>> names = fs.List(PathOf(partition.folder));
    if (!names.ok()) return oldest;
    for (const io::DirEntry& entry : *names) {
      if (!entry.name.ends_with(kMetadataSnapshotSuffix) || entry.name.size() < 20) continue;
      const std::optional<Offset> end = ParseSegmentFileName(entry.name.substr(0, 20), "");
      if (end && (oldest.v == 0 || *end < oldest)) oldest = *end;
    }
    return oldest;
  }

  void CompareTopicIds() {
    std::map<std::string, std::pair<TopicId, std::string>> topics;
    for (const Partition& partition : partitions) {
      Result<TopicId> id = ReadPartitionTopicId(fs, PathOf(partition.folder));
      if (!id.ok() || id->IsZero()) continue;
      const auto& [first, folder] = topics.try_emplace(partition.name.topic, *id, partition.folder).first->second;
      if (first == *id) continue;
      all.Add(JoinPath(PathOf(partition.folder), kPartitionMetadataFile), partition.folder, 0, "topic id " + id->ToString() + ", and " + folder + " has " + first.ToString());
    }
  }

  // The checkpoint says how far each log holds, the journal's chain what comes on top of it.
  Status CheckJournal() {
    const std::string dir = PathOf(kJournalFolder);
    Result<Checkpoint> stored = ReadCheckpoint(fs, dir);
    if (!stored.ok()) {
      if (stored.code() != Code::kNotFound) Bad(JoinPath(dir, kCheckpointName), stored.status());
      return Status::Ok();
    }
    Result<std::unique_ptr<JournalReader>> reader = JournalReader::Scan(fs, dir, stored->mark);
    if (!reader.ok()) Bad(dir, reader.status());
    const int64_t entries = reader.ok() ? (*reader)->entries() : 0;
    if (clean && entries > 0) all.Add(dir, "", 0, "a journal in use beside the mark of a clean stop: another program stopped here since");
    clean = clean && entries == 0;
    if (clean) return Status::Ok();   // the last start ended before it took the mark away
    if (reader.ok()) {
      all.report.journal_frames = (*reader)->frames();
      LookBehind(dir, **reader);
    }
    for (Partition& partition : partitions) {
      Expected& expected = partition.expected;
      Result<TopicId> id = ReadPartitionTopicId(fs, PathOf(partition.folder));
      expected.clean = false;
      if (!id.ok() || id->IsZero()) continue;
      const TopicIdPartition key{*id, partition.name.partition};
      const auto named = stored->partitions.find(key);
      if (named == stored->partitions.end()) {
        expected.holds_below = Offset(0);   // made after the checkpoint: only the journal speaks of it, Kafka's files of an earlier topic of its name
        if (partition.name.topic != kMetadataTopic) expected.log_start = Offset(0);
      } else if (!named->second.quarantined.empty()) {
        all.Add(PathOf(partition.folder), partition.folder, 0, "set aside by an earlier start: " + named->second.quarantined);
        expected.holds_below = Offset(0);
      } else if (!named->second.proven.empty()) {
        Result<ProvenState> proven = DecodeProvenState(named->second.proven);
        if (!proven.ok()) {
          all.Add(JoinPath(dir, kCheckpointName), partition.folder, 0, proven.status().what());
          expected.holds_below = Offset(0);
        } else {
          expected.holds_below = proven->end;
          expected.ended_there = true;
          expected.log_start = proven->log_start;
          expected.proven = proven.take();
        }
      }
      expected.files_hold_below = expected.holds_below;
      if (reader.ok()) FollowEntries(**reader, key, partition);
    }
    return Status::Ok();
  }

  void FollowEntries(const JournalReader& reader, const TopicIdPartition& key, Partition& partition) {
    const std::vector<JournalReader::Ref>* refs = reader.EntriesOf(key);
    if (refs == nullptr) return;
    std::vector<uint8_t> buffer;
    Offset synced(0);
    for (const JournalReader::Ref& ref : *refs) {
      if (ref.length != kEntryHeaderBytes) continue;
      Result<Entry> entry = reader.Read(ref, &buffer);
      if (!entry.ok()) return Bad(PathOf(kJournalFolder), entry.status());
      if (entry->kind == EntryKind::kLogStart) partition.expected.log_start = std::max(partition.expected.log_start, entry->base);
      if (entry->kind == EntryKind::kSynced) synced = std::max(synced, entry->base);
    }
    // What had left the log by then needs not be there.
    if (synced <= partition.expected.log_start || synced < partition.expected.holds_below) return;
    partition.expected.holds_below = synced;
    partition.expected.ended_there = true;
  }

  // The chain ends where a frame does not continue it: torn by the crash, unless later frames are there that were begun only after it was durable.
  void LookBehind(const std::string& dir, JournalReader& reader) {
    Result<std::optional<JournalReader::Lost>> lost = reader.FindLost(true);
    if (!lost.ok()) return Bad(dir, lost.status());
    if (*lost) {
      all.Add((*lost)->path, "", (*lost)->position, "frame " + std::to_string((*lost)->sequence) + " is whole, and frame " + std::to_string(reader.end().sequence + 1) +
                                                        ", which was durable before it was begun, is not: acknowledged records are lost");
    }
  }

  void Check(size_t index) {
    const Partition& partition = partitions[index];
    Findings own;
    VerifyLog(fs, PathOf(partition.folder), partition.folder, partition.expected, &own);
    if (partition.name.topic == kMetadataTopic) CheckMetadataSnapshots(partition, &own);
    std::lock_guard guard(mutex);
    VerifyReport& sum = all.report;
    sum.partitions += own.report.partitions;
    sum.segments += own.report.segments;
    sum.batches += own.report.batches;
    sum.index_entries += own.report.index_entries;
    sum.snapshots += own.report.snapshots;
    sum.bytes += own.report.bytes;
    sum.damaged += own.report.damaged - static_cast<int64_t>(own.report.damages.size());
    for (Damage& damage : own.report.damages) all.Add(damage.file, damage.partition, damage.position, std::move(damage.what));
    for (std::string& note : own.report.notes) all.Note(std::move(note));
  }

  void CheckMetadataSnapshots(const Partition& partition, Findings* out) {
    const std::string dir = PathOf(partition.folder);
    Result<std::vector<io::DirEntry>> names = fs.List(dir);
    if (!names.ok()) return;
    for (const io::DirEntry& entry : *names) {
      if (entry.is_dir || !entry.name.ends_with(kMetadataSnapshotSuffix)) continue;
      const std::string file_path = JoinPath(dir, entry.name);
      Result<std::unique_ptr<io::File>> file = fs.Open(file_path, io::OpenMode::kRead);
      Result<int64_t> size = file.ok() ? (*file)->Size() : Result<int64_t>(file.status());
      ++out->report.snapshots;
      if (!size.ok()) {
        out->Add(file_path, partition.folder, 0, size.status().ToString());
        continue;
      }
      BatchScanner scanner(**file, {.from = 0, .end = *size, .check_crc = true});
      BatchScanner::Step step;
      while ((step = scanner.Next()) == BatchScanner::Step::kBatch) {}
      if (step == BatchScanner::Step::kBad) out->Add(file_path, partition.folder, scanner.position(), scanner.status().ToString());
      else if (*size == 0) out->Add(file_path, partition.folder, 0, "a snapshot without a record");
    }
  }
};

Verifier::Verifier(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Verifier::~Verifier() = default;

Result<std::unique_ptr<Verifier>> Verifier::Open(io::FileSystem& fs, const std::string& dir, const std::string& topic) {
  auto impl = std::make_unique<Impl>(fs, dir);
  SLUICE_TRY(impl->Prepare(topic));
  return std::unique_ptr<Verifier>(new Verifier(std::move(impl)));
}

size_t Verifier::partitions() const { return impl_->partitions.size(); }
void Verifier::CheckPartition(size_t index) { impl_->Check(index); }

VerifyReport Verifier::Finish() {
  VerifyReport report = std::move(impl_->all.report);
  report.clean = impl_->clean;
  std::sort(report.damages.begin(), report.damages.end(), [](const Damage& a, const Damage& b) { return std::tie(a.file, a.position) < std::tie(b.file, b.position); });
  std::sort(report.notes.begin(), report.notes.end());
  impl_->lock.reset();
  return report;
}

}  // namespace sluice::log
