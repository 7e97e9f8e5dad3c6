// What worlds on a simulated disk have been through, counted; plain numbers, so that processes can share it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace sluice::test {

enum class Count : size_t {
  kWorlds, kFlipWorlds, kLives, kOperations, kAppends, kRetries, kReads, kDeleteRecords, kDeletedTopics, kModeChanges, kCheckpoints, kCleanings, kCleanStops,
  kPowerCuts, kCutsInside, kCutsInRecovery, kKills, kPagesDropped, kPagesTorn, kNamesDropped,
  kSyncsFailed, kPagesForgotten, kWritesFailed, kReadsFailed, kDiskFull, kQuota, kNamesFailed, kNoDescriptor, kShortReads, kClockJumps,
  kPartitionsCompared, kBatchesCompared, kRetriesRecognised,
  kEnd,
};
inline constexpr size_t kCounts = static_cast<size_t>(Count::kEnd);

struct CountName {
  const char* group;
  const char* name;
};
inline constexpr std::array<CountName, kCounts> kCountNames{{
    {"lived through", "worlds"}, {"lived through", "worlds with bits turned at rest"}, {"lived through", "lives"}, {"lived through", "operations"}, {"operations", "appends"}, {"operations", "idempotent retries"},
    {"operations", "reads"}, {"operations", "delete records"}, {"operations", "topics deleted"}, {"operations", "changes of mode"}, {"operations", "checkpoints"},
    {"operations", "compactions"}, {"operations", "clean stops"},
    {"ends", "power cuts"}, {"ends", "of them inside an operation"}, {"ends", "of them inside recovery"}, {"ends", "kill -9"},
    {"lost in cuts", "unsynced pages"}, {"lost in cuts", "pages torn at 512 bytes"}, {"lost in cuts", "changes of names"},
    {"faults", "failed syncs"}, {"faults", "pages forgotten by them"}, {"faults", "EIO on write (half done)"}, {"faults", "EIO on read"}, {"faults", "ENOSPC"},
    {"faults", "EDQUOT"}, {"faults", "EIO on create, rename, remove"}, {"faults", "EMFILE"}, {"faults", "short reads"}, {"faults", "clock jumps"},
    {"compared", "partitions"}, {"compared", "batches, byte for byte by CRC"}, {"compared", "retries that were recognised"},
}};

// Bits turned at rest: in which kind of file, and what became of it.
enum class FlipKind : size_t {
  kSegment, kOffsetIndex, kTimeIndex, kTxnIndex, kSnapshot, kEpochs, kPartitionMetadata, kJournal, kCheckpoint, kMetaProperties, kMark, kRecoveryPoints, kLogStarts,
  kHighWatermarks, kOther,
  kEnd,
};
inline constexpr size_t kFlipKinds = static_cast<size_t>(FlipKind::kEnd);
inline constexpr std::array<const char*, kFlipKinds> kFlipKindNames{
    "segments", "offset indexes", "time indexes", "transaction indexes", "producer snapshots", "leader epochs", "partition.metadata", "journal files", "journal's checkpoint",
    "meta.properties", "mark of a clean stop", "recovery points", "log starts", "high watermarks", "what is not used"};
enum class FlipFate : size_t {
  kByVerify, kByStart, kRefused, kOffline,   // who told of it; more than one may have
  kUntold,                                   // nobody: all data right
  kTorn,                                     // nobody: taken for a write that the crash had torn
  kEnd,
};
inline constexpr size_t kFlipFates = static_cast<size_t>(FlipFate::kEnd);
inline constexpr std::array<const char*, kFlipFates> kFlipFateNames{
    "found by verify", "told by a start that went on", "start refused", "partition offline", "nothing told and nothing wrong", "taken for a torn write"};

struct Tally {
  std::array<int64_t, kCounts> counts{};
  std::array<int64_t, kFlipKinds> flips{};
  std::array<std::array<int64_t, kFlipFates>, kFlipKinds> fates{};
  int64_t& operator[](Count what) { return counts[static_cast<size_t>(what)]; }
  int64_t operator[](Count what) const { return counts[static_cast<size_t>(what)]; }
  void Add(const Tally& other) {
    for (size_t i = 0; i < kCounts; ++i) counts[i] += other.counts[i];
    for (size_t kind = 0; kind < kFlipKinds; ++kind) {
      flips[kind] += other.flips[kind];
      for (size_t fate = 0; fate < kFlipFates; ++fate) fates[kind][fate] += other.fates[kind][fate];
    }
  }
};

// Of a world, what is lived through; what stays is decided by the same numbers as in the whole, so that a failure can be looked for in less.
struct Script {
  struct Range {
    int life, first, last;   // steps
  };
  bool whole = true;
  std::vector<Range> ranges;
  bool HasLife(int life) const {
    if (whole) return true;
    for (const Range& range : ranges) {
      if (range.life == life) return true;
    }
    return false;
  }
  bool HasStep(int life, int step) const {
    if (whole) return true;
    for (const Range& range : ranges) {
      if (range.life == life && step >= range.first && step <= range.last) return true;
    }
    return false;
  }
};

// Where a world is: read by whoever finds it dead.
struct Place {
  int life = 0, step = 0, steps = 0;
};

}  // namespace sluice::test
