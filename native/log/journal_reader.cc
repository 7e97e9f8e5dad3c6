#include "log/journal_reader.h"

#include <algorithm>
#include <unordered_set>

#include "log/doubt.h"

namespace sluice::log {
namespace {

// Reads the frame at `position` whole and checks it; nothing where there is no valid frame.
std::optional<FrameHeader> ReadFrame(io::File& file, int64_t bytes, int64_t position, std::vector<uint8_t>* buffer, Status* failure) {
  if (position + static_cast<int64_t>(kFrameHeaderBytes) > bytes) return std::nullopt;
  buffer->resize(static_cast<size_t>(std::min(kJournalBlock, bytes - position)));
  Result<size_t> n = file.ReadAt(*buffer, position);
  if (!n.ok()) {
    *failure = n.status();
    return std::nullopt;
  }
  std::optional<FrameHeader> header = DecodeFrameHeader(Bytes(buffer->data(), *n));
  if (!header || position + header->length > bytes) return std::nullopt;
  if (header->length > *n) {
    size_t had = *n;
    buffer->resize(header->length);
    n = file.ReadAt(MutableBytes(buffer->data() + had, header->length - had), position + static_cast<int64_t>(had));
    if (!n.ok()) {
      *failure = n.status();
      return std::nullopt;
    }
    if (had + *n < header->length) return std::nullopt;
  }
  if (FrameCrc(Bytes(buffer->data(), header->length)) != header->crc) return std::nullopt;
  return header;
}

}  // namespace

Result<std::unique_ptr<JournalReader>> JournalReader::Scan(io::FileSystem& fs, const std::string& dir, const JournalMark& from) {
  auto reader = std::make_unique<JournalReader>();
  Result<std::vector<io::DirEntry>> names = fs.List(dir);
  if (!names.ok()) return names.status();
  for (const io::DirEntry& entry : *names) {
    if (entry.name == kSyncFailedName) SLUICE_TRY(WriteAgain(fs, dir));
  }
  std::vector<Source>& sources = reader->sources_;
  for (const io::DirEntry& entry : *names) {
    if (entry.is_dir || entry.name.rfind("journal-", 0) != 0) continue;
    Source source;
    source.path = dir + "/" + entry.name;
    Result<std::unique_ptr<io::File>> file = fs.Open(source.path, io::OpenMode::kRead);
    if (!file.ok()) return file.status();
    source.file = file.take();
    Result<int64_t> bytes = source.file->Size();
    if (!bytes.ok()) return bytes.status();
    source.bytes = *bytes;
    Status failure;
    std::optional<FrameHeader> first = ReadFrame(*source.file, source.bytes, 0, &reader->buffer_, &failure);
    if (!failure.ok()) return failure;
    if (!first) {
      reader->leftovers_.push_back(source.path);
      continue;
    }
    source.first = *first;
    sources.push_back(std::move(source));
  }
  std::sort(sources.begin(), sources.end(), [](const Source& a, const Source& b) {
    return std::pair(a.first.incarnation, a.first.sequence) < std::pair(b.first.incarnation, b.first.sequence);
  });
  reader->end_ = from;
  std::unordered_set<uint64_t> chain{from.incarnation};
  for (;;) {
    const auto heir = std::find_if(sources.begin(), sources.end(), [&](const Source& source) {
      return source.first.continues == reader->end_.incarnation && chain.count(source.first.incarnation) == 0;
    });
    if (heir == sources.end()) {
      SLUICE_TRY(reader->FollowIncarnation(UINT64_MAX));
      break;
    }
    SLUICE_TRY(reader->FollowIncarnation(heir->first.sequence - 1));
    if (reader->end_.sequence + 1 != heir->first.sequence || reader->end_.crc != heir->first.prev_crc) {
      return Status::Error(Code::kCorrupt, dir + " has lost frames that were durable: it can be read up to frame " + std::to_string(reader->end_.sequence) + ", and " +
                                               heir->path + " goes on behind frame " + std::to_string(heir->first.sequence - 1) + "; the disk or another program changed it");
    }
    reader->end_.incarnation = heir->first.incarnation;
    chain.insert(heir->first.incarnation);
    ++reader->incarnations_;
  }
  for (Source& source : sources) {
    source.needed = chain.count(source.first.incarnation) != 0;
    (source.needed ? reader->files_ : reader->leftovers_).push_back(source.path);
    if (source.needed) reader->file_bytes_ += source.bytes;
  }
  return reader;
}

Status JournalReader::FollowIncarnation(uint64_t last) {
  const auto of = [this](size_t i) { return i < sources_.size() && sources_[i].first.incarnation == end_.incarnation; };
  // The first frame wanted lies in the file with the greatest first sequence not above it.
  size_t start = sources_.size();
  for (size_t i = 0; i < sources_.size(); ++i) {
    if (of(i) && sources_[i].first.sequence <= end_.sequence + 1) start = i;
  }
  for (size_t i = start; of(i) && end_.sequence < last; ++i) {
    const uint64_t before = end_.sequence;
    if (sources_[i].first.sequence > before + 1) break;
    bool progressed = false;
    SLUICE_TRY(WalkFrom(i, last, &progressed));
    // A file that begins before the mark may hold nothing behind it; any other must carry the chain on.
    if (!progressed && sources_[i].first.sequence > before) break;
  }
  return Status::Ok();
}

Status JournalReader::WalkFrom(size_t source, uint64_t last, bool* progressed) {
  Source& from = sources_[source];
  int64_t position = 0;
  // Frames before the wanted one are walked for their lengths only; their chain need not begin at the mark.
  for (uint64_t next = from.first.sequence; next <= last; ++next) {
    Status failure;
    std::optional<FrameHeader> header = ReadFrame(*from.file, from.bytes, position, &buffer_, &failure);
    if (!failure.ok()) return failure;
    if (!header || header->incarnation != end_.incarnation || header->sequence != next) return Status::Ok();
    bytes_read_ += header->length;
    if (next > end_.sequence) {
      if (header->prev_crc != end_.crc) return Status::Ok();
      Index(static_cast<uint32_t>(source), position, Bytes(buffer_.data(), header->length), header->entries);
      end_.sequence = next;
      end_.crc = header->crc;
      ++frames_;
      *progressed = true;
    }
    position += RoundUpToBlock(header->length);
  }
  return Status::Ok();
}

Status JournalReader::MakeDurable() const {
  for (const Source& source : sources_) {
    if (source.needed) SLUICE_TRY(source.file->Sync());
  }
  return Status::Ok();
}

void JournalReader::Index(uint32_t file, int64_t position, Bytes frame, uint32_t count) {
  Bytes rest = frame.subspan(kFrameHeaderBytes);
  for (uint32_t i = 0; i < count; ++i) {
    int64_t at = position + static_cast<int64_t>(frame.size() - rest.size());
    std::optional<Entry> entry = TakeEntry(&rest);
    if (!entry) return;  // the CRC held, so only a foreign writer gets here; what follows is not ours
    ++entries_;
    by_partition_[entry->id].push_back({file, static_cast<uint32_t>(kEntryHeaderBytes + entry->payload.size()), at});
  }
}

const std::vector<JournalReader::Ref>* JournalReader::EntriesOf(const TopicIdPartition& id) const {
  auto it = by_partition_.find(id);
  return it == by_partition_.end() ? nullptr : &it->second;
}

std::vector<TopicIdPartition> JournalReader::Partitions() const {
  std::vector<TopicIdPartition> ids;
  ids.reserve(by_partition_.size());
  for (const auto& [id, refs] : by_partition_) ids.push_back(id);
  return ids;
}

Result<Entry> JournalReader::Read(const Ref& ref, std::vector<uint8_t>* buffer) const {
  buffer->resize(ref.length);
  const Source& source = sources_[ref.file];
  Result<size_t> n = source.file->ReadAt(*buffer, ref.position);
  if (!n.ok()) return n.status();
  Bytes rest(buffer->data(), *n);
  std::optional<Entry> entry = TakeEntry(&rest);
  if (!entry || *n < ref.length) {
    return Status::Error(Code::kCorrupt, source.path + " changed at position " + std::to_string(ref.position) + " while it was read");
  }
  return *entry;
}

}  // namespace sluice::log
