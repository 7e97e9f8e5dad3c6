// What worlds on a simulated disk have been through, counted; plain numbers, so that processes can share it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace sluice::test {

enum class Count : size_t {
  kWorlds, kLives, kOperations, kAppends, kRetries, kReads, kDeleteRecords, kDeletedTopics, kModeChanges, kCheckpoints, kCleanings, kCleanStops,
  kPowerCuts, kCutsInside, kCutsInRecovery, kKills, kPagesDropped, kPagesTorn, kNamesDropped,
  kSyncsFailed, kPagesForgotten, kWritesFailed, kReadsFailed, kDiskFull, kQuota, kNamesFailed, kShortReads, kClockJumps,
  kBitFlips, kFlipsRefused, kFlipsOffline, kFlipsReported, kFlipsByReader, kFlipsHarmless,
  kPartitionsCompared, kBatchesCompared, kRetriesRecognised,
  kEnd,
};
inline constexpr size_t kCounts = static_cast<size_t>(Count::kEnd);

struct CountName {
  const char* group;
  const char* name;
};
inline constexpr std::array<CountName, kCounts> kCountNames{{
    {"lived through", "worlds"}, {"lived through", "lives"}, {"lived through", "operations"}, {"operations", "appends"}, {"operations", "idempotent retries"},
    {"operations", "reads"}, {"operations", "delete records"}, {"operations", "topics deleted"}, {"operations", "changes of mode"}, {"operations", "checkpoints"},
    {"operations", "compactions"}, {"operations", "clean stops"},
    {"ends", "power cuts"}, {"ends", "of them inside an operation"}, {"ends", "of them inside recovery"}, {"ends", "kill -9"},
    {"lost in cuts", "unsynced pages"}, {"lost in cuts", "pages torn at 512 bytes"}, {"lost in cuts", "changes of names"},
    {"faults", "failed syncs"}, {"faults", "pages forgotten by them"}, {"faults", "EIO on write (half done)"}, {"faults", "EIO on read"}, {"faults", "ENOSPC"},
    {"faults", "EDQUOT"}, {"faults", "EIO on create, rename, remove"}, {"faults", "short reads"}, {"faults", "clock jumps"},
    {"bits turned at rest", "in all"}, {"bits turned at rest", "start refused, file named"}, {"bits turned at rest", "partition offline, named"},
    {"bits turned at rest", "reported and mended"}, {"bits turned at rest", "found by who reads it (CRC or order)"}, {"bits turned at rest", "without effect: all data right"},
    {"compared", "partitions"}, {"compared", "batches, byte for byte by CRC"}, {"compared", "retries that were recognised"},
}};

struct Tally {
  std::array<int64_t, kCounts> counts{};
  int64_t& operator[](Count what) { return counts[static_cast<size_t>(what)]; }
  int64_t operator[](Count what) const { return counts[static_cast<size_t>(what)]; }
  void Add(const Tally& other) {
    for (size_t i = 0; i < kCounts; ++i) counts[i] += other.counts[i];
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
