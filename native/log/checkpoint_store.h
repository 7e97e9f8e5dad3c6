// Sluice's checkpoint: what every log had proven when the journal was cut, in one file that is replaced whole.
//
//   checkpoint = "SLCP" version:u32 incarnation:u64 sequence:u64 crc-of-that-frame:u32 count:u32 partition* crc32c:u32     (little-endian)
//   partition  = topic-id:16 partition:i32 text text text     text = length:u32 bytes: topic name, proven state, why it is quarantined
//
// Thread: any, blocking.
#pragma once

#include <string>
#include <unordered_map>

#include "base/result.h"
#include "base/types.h"
#include "io/file.h"
#include "log/journal.h"

namespace sluice::log {

struct Checkpoint {
  struct Partition {
    std::string topic;
    std::string proven;        // Log::EncodeProven
    std::string quarantined;   // not empty: recovery found it damaged and left its files alone; says why
  };
  JournalMark mark;
  std::unordered_map<TopicIdPartition, Partition> partitions;
};

inline constexpr char kCheckpointName[] = "checkpoint";

std::string EncodeCheckpoint(const Checkpoint& checkpoint);
Result<Checkpoint> DecodeCheckpoint(const std::string& bytes, const std::string& path);
// kNotFound when there is none.
Result<Checkpoint> ReadCheckpoint(io::FileSystem& fs, const std::string& journal_dir);
Status WriteCheckpoint(io::FileSystem& fs, const std::string& journal_dir, const std::string& encoded);

}  // namespace sluice::log
