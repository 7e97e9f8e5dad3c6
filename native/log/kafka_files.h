// The files that Kafka keeps at the top of a log directory: identity, offset checkpoints and the mark of a clean stop. Kafka's names and bytes.
// Thread: any, blocking.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/types.h"
#include "io/file.h"

namespace sluice::log {

inline constexpr char kMetaPropertiesName[] = "meta.properties";
inline constexpr char kCleanMarkName[] = ".kafka_cleanshutdown";
inline constexpr char kLockName[] = ".lock";
inline constexpr char kRecoveryPointsName[] = "recovery-point-offset-checkpoint";
inline constexpr char kLogStartsName[] = "log-start-offset-checkpoint";
inline constexpr char kHighWatermarksName[] = "replication-offset-checkpoint";

// Version 1 of meta.properties (KIP-631, KIP-858).
struct MetaProperties {
  std::string cluster_id;
  int32_t node_id = -1;
  std::string directory_id;
};
// kNotFound when there is none; kInvalid names the line that is wrong.
Result<MetaProperties> ReadMetaProperties(io::FileSystem& fs, const std::string& dir);
Status WriteMetaProperties(io::FileSystem& fs, const std::string& dir, const MetaProperties& properties);

struct ByName {
  bool operator()(const TopicPartition& a, const TopicPartition& b) const {
    return a.topic != b.topic ? a.topic < b.topic : a.partition < b.partition;
  }
};
using OffsetsByPartition = std::map<TopicPartition, Offset, ByName>;
// "0\n<count>\n<topic> <partition> <offset>\n"...; empty when the file is missing; kCorrupt names the line, or says that the CRC is not `crc`.
Result<OffsetsByPartition> ReadOffsets(io::FileSystem& fs, const std::string& path, std::optional<uint32_t> crc = std::nullopt);
Status WriteOffsets(io::FileSystem& fs, const std::string& path, const OffsetsByPartition& offsets);
uint32_t CrcOfOffsets(const OffsetsByPartition& offsets);   // of the file with them

// What a clean stop notes beside its mark: the CRC32C of the three checkpoint files, which have none of their own. Kafka reads over it, and takes it away with the mark.
struct StopNote {
  std::optional<std::array<uint32_t, 3>> crcs;   // of recovery points, log starts, high watermarks; nothing where Kafka made the mark
  std::optional<uint32_t> CrcOf(std::string_view name) const;
};
// Kafka's clean-shutdown mark: {"version":0,"brokerEpoch":N}, and the note.
Status WriteCleanMark(io::FileSystem& fs, const std::string& dir, int64_t broker_epoch, const StopNote& note);
// kCorrupt where the note is damaged.
Result<StopNote> ReadStopNote(io::FileSystem& fs, const std::string& dir);

// "topic-3" to its parts; nothing when the name is no partition folder's (also for -delete, -future and -stray folders).
std::optional<TopicPartition> ParseFolderName(const std::string& name);

// The topic id in a partition folder's partition.metadata; zero when there is none to read (a crash right after the folder was made).
Result<TopicId> ReadPartitionTopicId(io::FileSystem& fs, const std::string& partition_dir);

// The broker's own topics, Kafka's names.
bool IsInternalTopic(const std::string& topic);

// What Kafka renames a partition's folder to: "<topic>-<partition>.<32 hex digits><suffix>", the topic cut so that it stays a file name.
std::string AsideName(const TopicPartition& name, const std::string& suffix);
inline constexpr char kStraySuffix[] = "-stray";
inline constexpr char kDeleteSuffix[] = "-delete";
// Is this such a name?
bool IsAsideName(const std::string& name, const std::string& suffix);

// 16 random bytes as Kafka writes ids: 22 characters that do not begin with '-'.
std::string NewId();

}  // namespace sluice::log
