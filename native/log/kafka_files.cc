#include "log/kafka_files.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <vector>

#include "base/assert.h"
#include "base/crc32c.h"
#include "log/log_format.h"

namespace sluice::log {
namespace {

bool ParseInt(const std::string& text, int64_t* out) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

uint32_t CrcOf(const std::string& text) { return Crc32c({reinterpret_cast<const uint8_t*>(text.data()), text.size()}); }

std::string Trimmed(const std::string& text) {
  size_t begin = text.find_first_not_of(" \t");
  size_t end = text.find_last_not_of(" \t");
  return begin == std::string::npos ? std::string() : text.substr(begin, end - begin + 1);
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  size_t begin = 0;
  while (begin < text.size()) {
    size_t end = text.find('\n', begin);
    if (end == std::string::npos) end = text.size();
    size_t stop = end > begin && text[end - 1] == '\r' ? end - 1 : end;
    lines.push_back(text.substr(begin, stop - begin));
    begin = end + 1;
  }
  return lines;
}

}  // namespace

Result<MetaProperties> ReadMetaProperties(io::FileSystem& fs, const std::string& dir) {
  const std::string path = dir + "/" + kMetaPropertiesName;
  Result<std::string> text = io::ReadWholeFile(fs, path, kMaxTextFile);
  if (!text.ok()) return text.status();
  MetaProperties properties;
  int64_t version = -1;
  for (const std::string& line : Lines(*text)) {
    if (line.empty() || line[0] == '#') continue;
    size_t equals = line.find('=');
    if (equals == std::string::npos) return Status::Error(Code::kInvalid, path + " has a line that is no key=value: " + line);
    std::string key = Trimmed(line.substr(0, equals)), value = Trimmed(line.substr(equals + 1));
    int64_t number = 0;
    if (key == "cluster.id") properties.cluster_id = value;
    if (key == "directory.id") properties.directory_id = value;
    if (key == "version" || key == "node.id") {
      if (!ParseInt(value, &number) || number < 0 || number > INT32_MAX) return Status::Error(Code::kInvalid, path + " has " + key + "=" + value + ", a whole number is expected");
      if (key == "version") version = number;
      if (key == "node.id") properties.node_id = static_cast<int32_t>(number);
    }
  }
  if (version != 1) {
    return Status::Error(Code::kInvalid, path + " has version=" + (version < 0 ? std::string("nothing") : std::to_string(version)) +
                                             "; version=1 (KRaft) is what can be opened");
  }
  return properties;
}

Status WriteMetaProperties(io::FileSystem& fs, const std::string& dir, const MetaProperties& properties) {
  time_t now = ::time(nullptr);
  tm parts;
  ::gmtime_r(&now, &parts);
  char date[64];
  ::strftime(date, sizeof(date), "%a %b %d %H:%M:%S UTC %Y", &parts);
  std::string text = "#\n#" + std::string(date) + "\ncluster.id=" + properties.cluster_id + "\ndirectory.id=" + properties.directory_id +
                     "\nnode.id=" + std::to_string(properties.node_id) + "\nversion=1\n";
  return io::WriteFileAtomically(fs, dir + "/" + kMetaPropertiesName, text);
}

Result<OffsetsByPartition> ReadOffsets(io::FileSystem& fs, const std::string& path, std::optional<uint32_t> crc) {
  OffsetsByPartition offsets;
  Result<std::string> text = io::ReadWholeFile(fs, path, kMaxTextFile);
  if (!text.ok() && (text.code() != Code::kNotFound || crc)) return text.status();
  if (!text.ok()) return offsets;
  if (crc && CrcOf(*text) != *crc) return Status::Error(Code::kCorrupt, path + " is not as the clean stop has left it: its CRC does not match");
  auto damaged = [&](size_t line) {
    return Status::Error(Code::kCorrupt, path + " line " + std::to_string(line + 1) + " is not as Kafka writes it");
  };
  std::vector<std::string> lines = Lines(*text);
  int64_t count = 0;
  if (text->empty()) return offsets;  // Kafka, too, takes an empty file as no entries
  if (lines.empty() || lines[0] != "0") return damaged(0);
  if (lines.size() < 2 || !ParseInt(lines[1], &count) || count != static_cast<int64_t>(lines.size()) - 2) return damaged(1);
  for (size_t i = 2; i < lines.size(); ++i) {
    size_t second = lines[i].rfind(' ');
    size_t first = second == std::string::npos || second == 0 ? std::string::npos : lines[i].rfind(' ', second - 1);
    int64_t partition, offset;
    if (first == std::string::npos || !ParseInt(lines[i].substr(first + 1, second - first - 1), &partition) ||
        partition < 0 || partition > INT32_MAX || !ParseInt(lines[i].substr(second + 1), &offset) || offset < 0) {
      return damaged(i);
    }
    offsets[TopicPartition{lines[i].substr(0, first), static_cast<int32_t>(partition)}] = Offset(offset);
  }
  return offsets;
}

namespace {

std::string TextOf(const OffsetsByPartition& offsets) {
  std::string text = "0\n" + std::to_string(offsets.size()) + "\n";
  for (const auto& [name, offset] : offsets) {
    text += name.topic + " " + std::to_string(name.partition) + " " + std::to_string(offset.v) + "\n";
  }
  return text;
}

constexpr std::string_view kNoteKey = "\"sluice.crc32c\":\"";
constexpr size_t kCrcDigits = 8;

std::string Hex(uint32_t crc) {
  char text[kCrcDigits + 1];
  std::snprintf(text, sizeof text, "%08x", crc);
  return text;
}

}  // namespace

Status WriteOffsets(io::FileSystem& fs, const std::string& path, const OffsetsByPartition& offsets) { return io::WriteFileAtomically(fs, path, TextOf(offsets)); }

uint32_t CrcOfOffsets(const OffsetsByPartition& offsets) { return CrcOf(TextOf(offsets)); }

std::optional<uint32_t> StopNote::CrcOf(std::string_view name) const {
  constexpr std::array<std::string_view, 3> kNames{kRecoveryPointsName, kLogStartsName, kHighWatermarksName};
  const auto at = std::find(kNames.begin(), kNames.end(), name);
  return crcs && at != kNames.end() ? std::optional((*crcs)[static_cast<size_t>(at - kNames.begin())]) : std::nullopt;
}

Status WriteCleanMark(io::FileSystem& fs, const std::string& dir, int64_t broker_epoch, const StopNote& note) {
  std::string text = "{\"version\":0,\"brokerEpoch\":" + std::to_string(broker_epoch);
  if (note.crcs) {
    std::string crcs;
    for (uint32_t crc : *note.crcs) crcs += Hex(crc);
    text += "," + std::string(kNoteKey) + crcs + Hex(CrcOf(crcs)) + "\"";   // and of themselves: or a bit of them would condemn a file that is right
  }
  return io::WriteFileAtomically(fs, dir + "/" + kCleanMarkName, text + "}");
}

Result<StopNote> ReadStopNote(io::FileSystem& fs, const std::string& dir) {
  const std::string path = dir + "/" + kCleanMarkName;
  Result<std::string> text = io::ReadWholeFile(fs, path, kMaxTextFile);
  if (!text.ok()) return text.status();
  StopNote note;
  const size_t at = text->find(kNoteKey);
  if (at == std::string::npos) return note;
  const std::string crcs = text->substr(at + kNoteKey.size(), 3 * kCrcDigits);
  if (text->compare(at + kNoteKey.size() + crcs.size(), kCrcDigits, Hex(CrcOf(crcs))) != 0) return Status::Error(Code::kCorrupt, path + ": what it notes of the checkpoints is damaged");
  note.crcs.emplace();
  for (size_t i = 0; i < 3; ++i) (*note.crcs)[i] = static_cast<uint32_t>(std::strtoul(crcs.substr(i * kCrcDigits, kCrcDigits).c_str(), nullptr, 16));
  return note;
}

std::optional<TopicPartition> ParseFolderName(const std::string& name) {
  size_t dash = name.rfind('-');
  int64_t partition;
  if (dash == std::string::npos || dash == 0 || !ParseInt(name.substr(dash + 1), &partition) || partition < 0 || partition > INT32_MAX) {
    return std::nullopt;
  }
  return TopicPartition{name.substr(0, dash), static_cast<int32_t>(partition)};
}

Result<TopicId> ReadPartitionTopicId(io::FileSystem& fs, const std::string& partition_dir) {
  Result<std::string> text = io::ReadWholeFile(fs, partition_dir + "/partition.metadata", 4096);
  if (!text.ok()) return text.code() == Code::kNotFound ? Result<TopicId>(TopicId()) : text.status();
  TopicId id;
  for (const std::string& line : Lines(*text)) {
    if (line.rfind("topic_id:", 0) == 0 && !TopicId::Parse(Trimmed(line.substr(9)), &id)) id = TopicId();
  }
  return id;
}

bool IsInternalTopic(const std::string& topic) {
  constexpr std::array kInternal{"__cluster_metadata", "__consumer_offsets", "__transaction_state", "__share_group_state"};
  return std::any_of(kInternal.begin(), kInternal.end(), [&](const char* name) { return topic == name; });
}

std::string AsideName(const TopicPartition& name, const std::string& suffix) {
  uint8_t random[16];
  SLUICE_ASSERT(::getrandom(random, sizeof(random), 0) == static_cast<ssize_t>(sizeof(random)));
  constexpr char kHex[] = "0123456789abcdef";
  std::string tail = "-" + std::to_string(name.partition) + ".";
  for (uint8_t byte : random) {
    tail.push_back(kHex[byte >> 4]);
    tail.push_back(kHex[byte & 15]);
  }
  tail += suffix;
  return name.topic.substr(0, 255 - tail.size()) + tail;
}

bool IsAsideName(const std::string& name, const std::string& suffix) {
  if (name.size() <= suffix.size() || name.compare(name.size() - suffix.size(), suffix.size(), suffix) != 0) return false;
  const std::string rest = name.substr(0, name.size() - suffix.size());
  const size_t dot = rest.rfind('.');
  return dot != std::string::npos && dot + 1 < rest.size() && ParseFolderName(rest.substr(0, dot)).has_value();
}

std::string NewId() {
  for (;;) {
    TopicId id;
    SLUICE_ASSERT(::getrandom(id.bytes.data(), id.bytes.size(), 0) == static_cast<ssize_t>(id.bytes.size()));
    id.bytes[6] = static_cast<uint8_t>((id.bytes[6] & 0x0f) | 0x40);  // a random UUID, RFC 4122 version 4
    id.bytes[8] = static_cast<uint8_t>((id.bytes[8] & 0x3f) | 0x80);
    std::string text = id.ToString();
    if (text[0] != '-') return text;
  }
}

}  // namespace sluice::log
