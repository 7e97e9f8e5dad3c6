#include "log/checkpoint_store.h"

#include <cstring>

#include "base/crc32c.h"

namespace sluice::log {
namespace {

constexpr uint32_t kMagic = 0x50434C53;  // "SLCP"
constexpr uint32_t kCheckpointVersion = 2;        // 1: its reader does not follow the journal from one incarnation to the next
constexpr int64_t kMaxBytes = 1ll << 30;

template <class T>
void Append(std::string* out, T value) {
  out->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

class Taker {
 public:
  explicit Taker(const std::string& bytes) : at_(bytes.data()), left_(bytes.size()) {}
  template <class T>
  bool Take(T* out) {
    if (left_ < sizeof(T)) return false;
    std::memcpy(out, at_, sizeof(T));
    Skip(sizeof(T));
    return true;
  }
  bool Take(size_t n, std::string* out) {
    if (left_ < n) return false;
    out->assign(at_, n);
    Skip(n);
    return true;
  }
  size_t left() const { return left_; }

 private:
  void Skip(size_t n) { at_ += n; left_ -= n; }
  const char* at_;
  size_t left_;
};

uint32_t CrcOf(const char* data, size_t size) { return Crc32c({reinterpret_cast<const uint8_t*>(data), size}); }

}  // namespace

std::string EncodeCheckpoint(const Checkpoint& checkpoint) {
  std::string out;
  Append(&out, kMagic);
  Append(&out, kCheckpointVersion);
  Append(&out, checkpoint.mark.incarnation);
  Append(&out, checkpoint.mark.sequence);
  Append(&out, checkpoint.mark.crc);
  Append(&out, static_cast<uint32_t>(checkpoint.partitions.size()));
  for (const auto& [id, partition] : checkpoint.partitions) {
    out.append(reinterpret_cast<const char*>(id.id.bytes.data()), 16);
    Append(&out, id.partition);
    for (const std::string* text : {&partition.topic, &partition.proven, &partition.quarantined}) {
      Append(&out, static_cast<uint32_t>(text->size()));
      out.append(*text);
    }
  }
  Append(&out, CrcOf(out.data(), out.size()));
  return out;
}

Result<Checkpoint> DecodeCheckpoint(const std::string& bytes, const std::string& path) {
  const Status damaged = Status::Error(Code::kCorrupt, path + " is damaged: it was written whole, so the disk or another program changed it");
  uint32_t crc;
  if (bytes.size() < 4) return damaged;
  std::memcpy(&crc, bytes.data() + bytes.size() - 4, 4);
  if (CrcOf(bytes.data(), bytes.size() - 4) != crc) return damaged;
  Taker in(bytes);
  Checkpoint checkpoint;
  uint32_t magic, version, count;
  if (!in.Take(&magic) || magic != kMagic || !in.Take(&version)) return damaged;
  if (version != 1 && version != kCheckpointVersion) {
    return Status::Error(Code::kUnsupportedFormat, path + " has version " + std::to_string(version) + ", this program reads versions 1 and 2");
  }
  if (!in.Take(&checkpoint.mark.incarnation) || !in.Take(&checkpoint.mark.sequence) || !in.Take(&checkpoint.mark.crc) || !in.Take(&count)) {
    return damaged;
  }
  for (uint32_t i = 0; i < count; ++i) {
    TopicIdPartition id;
    Checkpoint::Partition partition;
    std::string raw_id;
    uint32_t length;
    if (!in.Take(16, &raw_id) || !in.Take(&id.partition)) return damaged;
    std::memcpy(id.id.bytes.data(), raw_id.data(), 16);
    for (std::string* text : {&partition.topic, &partition.proven, &partition.quarantined}) {
      if (!in.Take(&length) || !in.Take(length, text)) return damaged;
    }
    checkpoint.partitions.emplace(id, std::move(partition));
  }
  if (in.left() != 4) return damaged;
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
