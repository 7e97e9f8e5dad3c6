// Kafka's files of one partition: names, suffixes and sizes of entries. The grammar stands in docs/log-format.md.
//
//   <topic>-<partition>/
//     <base offset, 20 digits>.log         record batches, one behind the other
//                            .index        offset index: (relative offset:i32 position:i32)*
//                            .timeindex    time index: (timestamp:i64 relative offset:i32)*
//                            .txnindex     aborted transactions: (version:i16 producer:i64 first:i64 last:i64 last stable:i64)*
//                            .snapshot     producer state at that offset (producer_snapshot.h)
//     leader-epoch-checkpoint              "0\n" count "\n" (epoch " " start offset "\n")*
//     partition.metadata                   "version: 0\ntopic_id: " 22 characters "\n"
// All numbers are big-endian.
//
// Thread: any. Owns: nothing. After error: cannot fail.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/types.h"

namespace sluice::log {

inline constexpr char kLogSuffix[] = ".log";
inline constexpr char kOffsetIndexSuffix[] = ".index";
inline constexpr char kTimeIndexSuffix[] = ".timeindex";
inline constexpr char kTxnIndexSuffix[] = ".txnindex";
inline constexpr char kSnapshotSuffix[] = ".snapshot";
inline constexpr char kDeletedSuffix[] = ".deleted";
inline constexpr char kCleanedSuffix[] = ".cleaned";  // of Kafka's cleaner: not finished, thrown away
inline constexpr char kSwapSuffix[] = ".swap";        // of Kafka's cleaner: finished, put in place
inline constexpr char kLeaderEpochFile[] = "leader-epoch-checkpoint";
inline constexpr char kPartitionMetadataFile[] = "partition.metadata";

inline constexpr int64_t kMaxTextFile = 64 << 20;         // of a text file: the checkpoints of a log and of its directory
inline constexpr uint32_t kOffsetEntryBytes = 8;
inline constexpr uint32_t kTimeEntryBytes = 12;
inline constexpr uint32_t kAbortedTxnBytes = 34;
inline constexpr int64_t kMaxSegmentBytes = INT32_MAX;     // positions in the offset index are int32
inline constexpr int64_t kMaxRelativeOffset = INT32_MAX;   // and so are offsets, counted from the segment's base

// "00000000000000000042.log"
std::string SegmentFileName(Offset base, std::string_view suffix);
// The offset in a name of that form with just this suffix; nothing for any other name.
std::optional<Offset> ParseSegmentFileName(std::string_view name, std::string_view suffix);
std::string JoinPath(const std::string& dir, std::string_view name);

}  // namespace sluice::log
