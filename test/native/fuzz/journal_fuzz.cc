// Fuzzes what a start reads of a log directory before any log: the journal, its checkpoint, and Kafka's small files. One kind of input goes to a
// decoder as it is, with a CRC that holds where there is one; the other writes a journal as an input says, with frames that are bent before or after
// their CRC, and follows its chain. What is refused is fine; entries that were never written, or lie outside of a file, are not.
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "base/crc32c.h"
#include "fuzz_support.h"
#include "log/checkpoint_store.h"
#include "log/journal.h"
#include "log/journal_reader.h"
#include "log/kafka_files.h"

namespace sluice::log {
namespace {

using fuzz::Choices;
using fuzz::MemoryFs;

constexpr char kDir[] = "/j";
constexpr size_t kMaxFiles = 6;
constexpr size_t kMaxFrames = 24;

TopicIdPartition PartitionOf(uint8_t choice) {
  TopicIdPartition id;
  id.id.bytes[0] = static_cast<uint8_t>(1 + choice % 3);
  id.partition = choice % 2;
  return id;
}

// What was written, to hold what is read against it.
struct Written {
  std::set<std::vector<uint8_t>> entries;
  bool foreign = false;   // a frame says something else under a CRC that holds
};

// Continues the chain that ends with *crc.
std::vector<uint8_t> Frame(Choices& in, FrameHeader header, uint32_t* crc, Written* written) {
  std::vector<uint8_t> frame(kFrameHeaderBytes);
  header.entries = static_cast<uint32_t>(in.Below(5));
  for (uint32_t i = 0; i < header.entries; ++i) {
    const std::vector<uint8_t> payload(in.Below(in.Byte() % 8 == 0 ? 9000 : 90), in.Byte());
    Entry entry;
    entry.kind = static_cast<EntryKind>(1 + in.Byte() % 5);
    entry.id = PartitionOf(in.Byte());
    entry.base = Offset(in.Byte());
    entry.end = Offset(in.Byte());
    entry.payload = payload;
    std::vector<uint8_t> bytes(kEntryHeaderBytes);
    EncodeEntryHeader(entry, bytes.data());
    bytes.insert(bytes.end(), payload.begin(), payload.end());
    frame.insert(frame.end(), bytes.begin(), bytes.end());
    written->entries.insert(std::move(bytes));
  }
  header.length = static_cast<uint32_t>(frame.size());
  header.prev_crc = *crc;
  // Bent under a CRC that holds: only another program does that, but lengths must not be believed even so.
  const uint8_t bend = in.Byte();
  written->foreign = written->foreign || (bend >= 1 && bend <= 4);
  if (bend == 1) header.entries += in.Byte();
  if (bend == 2) header.length += in.Byte();
  if (bend == 3) header.continues = in.Byte();
  EncodeFrameHeader(header, frame.data());
  if (bend == 4 && frame.size() > kFrameHeaderBytes) frame[kFrameHeaderBytes + in.Below(frame.size() - kFrameHeaderBytes)] ^= static_cast<uint8_t>(1 + in.Byte() % 255);
  *crc = header.crc = FrameCrc(frame);
  EncodeFrameHeader(header, frame.data());
  if (bend == 5) frame[in.Below(frame.size())] ^= static_cast<uint8_t>(1 + in.Byte() % 255);
  return frame;
}

void FollowChain(Choices in) {
  MemoryFs fs;
  JournalMark from;
  from.incarnation = 1 + in.Byte() % 2;
  from.sequence = in.Byte() % 4;
  Written written;
  uint64_t incarnation = 1, sequence = 1;
  uint32_t crc = from.crc;
  const size_t files = 1 + in.Below(kMaxFiles);
  for (size_t f = 0; f < files; ++f) {
    std::vector<uint8_t> file;
    FrameHeader header;
    if (f > 0 && in.Byte() % 4 == 0) header.continues = incarnation++;
    for (size_t n = in.Below(kMaxFrames); n > 0; --n) {
      header.incarnation = incarnation;
      header.sequence = sequence++;
      std::vector<uint8_t> frame = Frame(in, header, &crc, &written);
      if (header.sequence == from.sequence && header.incarnation == from.incarnation) from.crc = crc;
      frame.resize(static_cast<size_t>(RoundUpToBlock(static_cast<int64_t>(frame.size()))));
      const uint8_t fate = in.Byte();
      if (fate == 1) continue;                                            // never reached the disk
      if (fate == 2) file.insert(file.end(), frame.begin(), frame.end());  // twice
      if (fate == 3) --sequence;
      if (fate == 4) frame.resize(in.Below(frame.size() + 1));
      file.insert(file.end(), frame.begin(), frame.end());
      header.continues = 0;
    }
    file.resize(file.size() + in.Below(3) * static_cast<size_t>(kJournalBlock));
    if (!file.empty() && in.Byte() % 8 == 0) file.resize(in.Below(file.size()));
    fs.files[std::string(kDir) + "/" + Journal::FileName(in.Byte() % 8)] = std::make_shared<std::vector<uint8_t>>(std::move(file));
  }
  Result<std::unique_ptr<JournalReader>> reader = JournalReader::Scan(fs, kDir, from);
  if (!reader.ok()) {
    Require(reader.code() == Code::kCorrupt);
    return;
  }
  int64_t entries = 0;
  std::vector<uint8_t> buffer;
  for (const TopicIdPartition& id : (*reader)->Partitions()) {
    const std::vector<JournalReader::Ref>* refs = (*reader)->EntriesOf(id);
    Require(refs != nullptr && !refs->empty());
    for (const JournalReader::Ref& ref : *refs) {
      Result<Entry> entry = (*reader)->Read(ref, &buffer);
      Require(entry.ok() && entry->id == id && ref.length == buffer.size() && ref.position >= static_cast<int64_t>(kFrameHeaderBytes));
      Require(written.foreign || written.entries.count(buffer) != 0);
      ++entries;
    }
  }
  Require(entries == (*reader)->entries());
  Require((*reader)->files().size() + (*reader)->leftovers().size() == fs.files.size());
  Require((*reader)->MakeDurable().ok());
}

void DecodeCheckpointBytes(std::string bytes) {
  const uint32_t crc = Crc32c({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
  bytes.append(reinterpret_cast<const char*>(&crc), sizeof(crc));
  Result<Checkpoint> checkpoint = DecodeCheckpoint(bytes, "checkpoint");
  if (!checkpoint.ok()) return;
  Result<Checkpoint> again = DecodeCheckpoint(EncodeCheckpoint(*checkpoint), "checkpoint");
  Require(again.ok() && again->partitions.size() == checkpoint->partitions.size() && again->mark.sequence == checkpoint->mark.sequence);
}

void ReadKafkaFile(uint8_t which, const std::string& text) {
  MemoryFs fs;
  const auto put = [&](const std::string& path) { fs.files[path] = std::make_shared<std::vector<uint8_t>>(text.begin(), text.end()); };
  switch (which % 4) {
    case 0: {
      put(std::string("/d/") + kMetaPropertiesName);
      Result<MetaProperties> properties = ReadMetaProperties(fs, "/d");
      Require(properties.ok() || (properties.code() == Code::kInvalid && properties.status().ToString().find(kMetaPropertiesName) != std::string::npos));
      return;
    }
    case 1: {
      put("/d/offsets");
      Result<OffsetsByPartition> offsets = ReadOffsets(fs, "/d/offsets");
      if (!offsets.ok()) {
        Require(offsets.code() == Code::kCorrupt && offsets.status().ToString().find("/d/offsets") != std::string::npos);
        return;
      }
      Require(WriteOffsets(fs, "/d/again", *offsets).ok());
      Result<OffsetsByPartition> again = ReadOffsets(fs, "/d/again");
      Require(again.ok() && again->size() == offsets->size());
      return;
    }
    case 2: {
      put("/d/t-0/partition.metadata");
      Require(ReadPartitionTopicId(fs, "/d/t-0").ok() || text.size() > 4096);
      return;
    }
    case 3: {
      const std::optional<TopicPartition> name = ParseFolderName(text);
      if (name) Require(name->partition >= 0 && text.rfind(name->topic + "-", 0) == 0);
      (void)IsAsideName(text, kStraySuffix);
      return;
    }
  }
}

}  // namespace
}  // namespace sluice::log

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const sluice::Bytes rest(data + 1, size - 1);
  const std::string text(rest.begin(), rest.end());
  if ((data[0] & 0x80) == 0) sluice::log::FollowChain(sluice::fuzz::Choices(rest));
  else if ((data[0] & 0x40) == 0) sluice::log::DecodeCheckpointBytes(text);
  else sluice::log::ReadKafkaFile(data[0], text);
  return 0;
}
