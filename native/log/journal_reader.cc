#include "log/journal_reader.h"

#include <algorithm>
#include <tuple>

#include "log/doubt.h"

namespace sluice::log {
namespace {

constexpr size_t kReadBytes = 1 << 20;

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

// Of the first block of a file: what takes over may have been damaged where it stands first.
std::optional<FrameHeader> CopyOfTakeOver(Bytes block) {
  if (block.size() < static_cast<size_t>(kTakeOverCopy) + kFrameHeaderBytes) return std::nullopt;
  const Bytes copy = block.subspan(static_cast<size_t>(kTakeOverCopy), kFrameHeaderBytes);
  std::optional<FrameHeader> header = DecodeFrameHeader(copy);
  if (!header || header->continues == 0 || header->length != kFrameHeaderBytes || FrameCrc(copy) != header->crc) return std::nullopt;
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
  for (const io::DirEntry& entry : *names) {
    if (!entry.is_dir && entry.name.rfind("journal-", 0) == 0) SLUICE_TRY(reader->AddFile(fs, dir + "/" + entry.name));
  }
  std::vector<Source>& sources = reader->sources_;
  const auto key = [](const Source& source) {
    return source.first ? std::tuple(0, source.first->incarnation, source.first->sequence) : std::tuple(1, uint64_t{0}, uint64_t{0});
  };
  std::stable_sort(sources.begin(), sources.end(), [&](const Source& a, const Source& b) { return key(a) < key(b); });
  reader->end_ = from;
  std::unordered_set<uint64_t> chain{from.incarnation};
  for (;;) {
    Result<bool> found = reader->FindHeir(&chain);
    if (!found.ok()) return found.status();
    if (!*found) break;
    ++reader->incarnations_;
  }
  SLUICE_TRY(reader->FollowIncarnation(UINT64_MAX));
  for (Source& source : sources) {
    source.needed = source.first && chain.count(source.first->incarnation) != 0;
    (source.needed ? reader->files_ : reader->leftovers_).push_back(source.path);
    if (source.needed) reader->file_bytes_ += source.bytes;
  }
  return reader;
}

Status JournalReader::AddFile(io::FileSystem& fs, const std::string& path) {
  Source source;
  source.path = path;
  Result<std::unique_ptr<io::File>> file = fs.Open(path, io::OpenMode::kRead);
  if (!file.ok()) return file.status();
  source.file = file.take();
  Result<int64_t> bytes = source.file->Size();
  if (!bytes.ok()) return bytes.status();
  source.bytes = *bytes;
  Status failure;
  source.first = ReadFrame(*source.file, source.bytes, 0, &buffer_, &failure);
  if (!failure.ok()) return failure;
  if (!source.first) {
    source.first = CopyOfTakeOver(buffer_);
    source.copied = source.first.has_value();
  }
  // Zeros: nothing was written to it yet. Anything else may be a frame that changed since, and those behind it are needed.
  const bool begun = std::any_of(buffer_.begin(), buffer_.begin() + static_cast<ptrdiff_t>(std::min(buffer_.size(), kFrameHeaderBytes)), [](uint8_t byte) { return byte != 0; });
  if (!source.first && begun) {
    Result<std::optional<FrameHeader>> next = NextFrame(source, kJournalBlock, &source.from);
    if (!next.ok()) return next.status();
    source.first = *next;
  }
  sources_.push_back(std::move(source));
  return Status::Ok();
}

Result<std::optional<FrameHeader>> JournalReader::NextFrame(Source& source, int64_t from, int64_t* position) {
  for (int64_t at = from; at < source.bytes; at += kJournalBlock) {
    Status failure;
    std::optional<FrameHeader> header = ReadFrame(*source.file, source.bytes, at, &buffer_, &failure);
    if (!failure.ok()) return failure;
    if (!header) continue;
    *position = at;
    return header;
  }
  return std::optional<FrameHeader>();
}

// Goes on to the incarnation that took over from the last one so far, where there is one.
Result<bool> JournalReader::FindHeir(std::unordered_set<uint64_t>* chain) {
  for (const Source& heir : sources_) {
    if (!heir.first || heir.first->continues != end_.incarnation || chain->count(heir.first->incarnation) != 0) continue;
    SLUICE_TRY(FollowIncarnation(heir.first->sequence - 1));
    if (end_.sequence + 1 != heir.first->sequence || end_.crc != heir.first->prev_crc) {
      return Status::Error(Code::kCorrupt, heir.path.substr(0, heir.path.rfind('/')) + " has lost frames that were durable: it can be read up to frame " +
                                               std::to_string(end_.sequence) + ", and " + heir.path + " goes on behind frame " +
                                               std::to_string(heir.first->sequence - 1) + "; the disk or another program changed it");
    }
    end_.incarnation = heir.first->incarnation;
    chain->insert(end_.incarnation);
    return true;
  }
  // The frame that takes over says nothing that is not known but its incarnation: where it is damaged, the frame that follows it proves what it was.
  std::vector<const Source*> orphans;
  for (const Source& source : sources_) {
    if (source.first && source.from == 0 && source.first->sequence >= end_.sequence + 2 && chain->count(source.first->incarnation) == 0) orphans.push_back(&source);
  }
  std::sort(orphans.begin(), orphans.end(), [](const Source* a, const Source* b) { return a->first->sequence < b->first->sequence; });
  for (const Source* orphan : orphans) {
    const uint64_t incarnation = orphan->first->continues != 0 ? orphan->first->continues : orphan->first->incarnation;
    SLUICE_TRY(FollowIncarnation(orphan->first->sequence - 2));
    if (end_.sequence + 2 != orphan->first->sequence || chain->count(incarnation) != 0) continue;
    const JournalMark taken_over = MarkOfTakeOver(end_, incarnation);
    if (orphan->first->prev_crc != taken_over.crc) continue;
    end_ = taken_over;
    chain->insert(incarnation);
    return true;
  }
  return false;
}

Result<std::optional<JournalReader::Lost>> JournalReader::FindLost(bool everywhere) {
  std::vector<uint8_t> piece(kReadBytes);
  for (const Source& source : sources_) {
    // In a file that this incarnation has not begun, as far as can be seen, the first frame is missing at most together with those that were under way.
    const bool begun = source.walked > 0 || source.from > 0 || (source.Of(end_.incarnation) && source.first->sequence > end_.sequence);
    if (!begun && !everywhere) continue;
    for (int64_t from = source.walked; from < source.bytes; from += static_cast<int64_t>(piece.size())) {
      Result<size_t> got = source.file->ReadAt(piece, from);
      if (!got.ok()) return got.status();
      for (size_t at = 0; at < *got; at += static_cast<size_t>(kJournalBlock)) {
        const std::optional<FrameHeader> header = DecodeFrameHeader(Bytes(piece.data() + at, *got - at));
        if (!header || header->incarnation != end_.incarnation || header->sequence <= end_.sequence + kFramesInFlight) continue;
        Status failure;
        const int64_t position = from + static_cast<int64_t>(at);
        const std::optional<FrameHeader> whole = ReadFrame(*source.file, source.bytes, position, &buffer_, &failure);
        if (!failure.ok()) return failure;
        if (whole) return std::optional<Lost>(Lost{source.path, position, whole->sequence});
      }
    }
  }
  return std::optional<Lost>();
}

Status JournalReader::FollowIncarnation(uint64_t last) {
  const auto of = [this](size_t i) { return i < sources_.size() && sources_[i].Of(end_.incarnation); };
  // The first frame wanted lies in the file with the greatest first sequence not above it.
  size_t start = sources_.size();
  for (size_t i = 0; i < sources_.size(); ++i) {
    if (of(i) && sources_[i].first->sequence <= end_.sequence + 1) start = i;
  }
  for (size_t i = start; of(i) && end_.sequence < last; ++i) {
    const uint64_t before = end_.sequence;
    if (sources_[i].first->sequence > before + 1) break;
    bool progressed = false;
    SLUICE_TRY(WalkFrom(i, last, &progressed));
    // A file that begins before the mark may hold nothing behind it; any other must carry the chain on.
    if (!progressed && sources_[i].first->sequence > before) break;
  }
  return Status::Ok();
}

Status JournalReader::WalkFrom(size_t source, uint64_t last, bool* progressed) {
  Source& from = sources_[source];
  int64_t position = from.from;
  // Frames before the wanted one are walked for their lengths only; their chain need not begin at the mark.
  for (uint64_t next = from.first->sequence; next <= last; ++next) {
    Status failure;
    std::optional<FrameHeader> header = ReadFrame(*from.file, from.bytes, position, &buffer_, &failure);
    if (!failure.ok()) return failure;
    if (!header && position == 0 && from.copied) header = from.first;
    if ((!header || header->incarnation != end_.incarnation || header->sequence != next) && next <= end_.sequence) {
      // It is covered, so it may be damaged: what counts is where those behind it begin.
      Result<std::optional<FrameHeader>> found = NextFrame(from, position + kJournalBlock, &position);
      if (!found.ok()) return found.status();
      header = *found;
      if (header && header->incarnation == end_.incarnation && header->sequence > next && header->sequence <= end_.sequence + 1) next = header->sequence;
    }
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
    from.walked = position;
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
