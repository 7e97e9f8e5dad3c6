#include "log/checkpoint_store.h"

#include <cstring>

#include "log/checkpoint_bytes.h"

namespace sluice::log {
namespace {

constexpr uint32_t kMagic = 0x50434C53;  // "SLCP"
constexpr uint32_t kCheckpointVersion = 2;        // 1: its reader does not follow the journal from one incarnation to the next
constexpr int64_t kMaxBytes = 1ll << 30;
constexpr size_t kMinPartitionBytes = 16 + 4 + 3 * 4;

}  // namespace

std::string EncodeCheckpoint(const Checkpoint& checkpoint) {
  std::string out;
  PutNumber(&out, kMagic);
  PutNumber(&out, kCheckpointVersion);
  PutNumber(&out, checkpoint.mark.incarnation);
  PutNumber(&out, checkpoint.mark.sequence);
  PutNumber(&out, checkpoint.mark.crc);
  PutNumber(&out, static_cast<uint32_t>(checkpoint.partitions.size()));
  for (const auto& [id, partition] : checkpoint.partitions) {
    out.append(reinterpret_cast<const char*>(id.id.bytes.data()), 16);
    PutNumber(&out, id.partition);
    for (const std::string* text : {&partition.topic, &partition.proven, &partition.quarantined}) {
      PutNumber(&out, static_cast<uint32_t>(text->size()));
      out.append(*text);
    }
  }
  PutNumber(&out, SumOf(out));
  return out;
}

Result<Checkpoint> DecodeCheckpoint(const std::string& bytes, const std::string& path) {
  const Status damaged = Status::Error(Code::kCorrupt, path + " is damaged: it was written whole, so the disk or another program changed it");
  const std::optional<std::string_view> summed = Summed(bytes);
  if (!summed) return damaged;
  NumberReader in(*summed);
  if (in.Take<uint32_t>() != kMagic) return damaged;
  const uint32_t version = in.Take<uint32_t>();
  if (!in.ok()) return damaged;
  if (version != 1 && version != kCheckpointVersion) {
    return Status::Error(Code::kUnsupportedFormat, path + " has version " + std::to_string(version) + ", this program reads versions 1 and 2");
  }
  Checkpoint checkpoint;
  checkpoint.mark.incarnation = in.Take<uint64_t>();
  checkpoint.mark.sequence = in.Take<uint64_t>();
  checkpoint.mark.crc = in.Take<uint32_t>();
  for (uint32_t n = in.TakeCount(kMinPartitionBytes); n > 0 && in.ok(); --n) {
    TopicIdPartition id;
    Checkpoint::Partition partition;
    const std::string_view raw_id = in.TakeBytes(sizeof id.id.bytes);
    if (!in.ok()) return damaged;
    std::memcpy(id.id.bytes.data(), raw_id.data(), raw_id.size());
    id.partition = in.Take<int32_t>();
    for (std::string* text : {&partition.topic, &partition.proven, &partition.quarantined}) *text = in.TakeBytes(in.Take<uint32_t>());
    checkpoint.partitions.emplace(id, std::move(partition));
  }
  if (!in.done()) return damaged;
  return checkpoint;
}

Result<Checkpoint> ReadCheckpoint(io::FileSystem& fs, const std::string& journal_dir) {
  const std::string path = journal_dir + "/" + kCheckpointName;
  Result<std::string> bytes = io::ReadWholeFile(fs, path, kMaxBytes);
  if (!bytes.ok()) return bytes.status();
  return DecodeCheckpoint(*bytes, path);
}

Status WriteCheckpoint(io::FileSystem& fs, const std::string& journal_dir, const std::string& encoded) {
  return io::WriteFileAtomically(fs, journal_dir + "/" + kCheckpointName, encoded);
}

}  // namespace sluice::log
