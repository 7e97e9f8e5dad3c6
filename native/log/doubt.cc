#include "log/doubt.h"

#include <algorithm>
#include <vector>

namespace sluice::log {
namespace {

constexpr int64_t kMostNotes = 1 << 20;
constexpr int64_t kSearchBytes = 1 << 20;

std::string NoteIn(const std::string& dir) { return dir + "/" + kSyncFailedName; }

Status WriteFileAgain(io::FileSystem& fs, const std::string& path) {
  Result<std::unique_ptr<io::File>> file = fs.Open(path, io::OpenMode::kReadWrite);
  if (!file.ok()) return file.status();
  Result<int64_t> size = (*file)->Size();
  if (!size.ok()) return size.status();
  std::vector<uint8_t> piece(static_cast<size_t>(std::min(kSearchBytes, *size)));
  for (int64_t at = 0; at < *size; at += kSearchBytes) {
    Result<size_t> got = (*file)->ReadAt(piece, at);
    if (!got.ok()) return got.status();
    SLUICE_TRY((*file)->WriteAt(Bytes(piece).first(*got), at));
  }
  return Status::Ok();
}

// Whether the name begins with one of the lines.
bool IsNamed(const std::string& stems, const std::string& name) {
  for (size_t begin = 0; begin < stems.size();) {
    const size_t end = std::min(stems.find('\n', begin), stems.size());
    if (name.compare(0, end - begin, stems, begin, end - begin) == 0) return true;
    begin = end + 1;
  }
  return stems.empty();   // it could be made, and not written
}

}  // namespace

Status NoteFailedSync(io::FileSystem& fs, const std::string& dir, const std::string& stems) {
  Result<std::unique_ptr<io::File>> file = fs.Open(NoteIn(dir), io::OpenMode::kCreate);
  if (!file.ok()) return file.status();
  Result<int64_t> size = (*file)->Size();
  if (!size.ok()) return size.status();
  return (*file)->WriteAt({reinterpret_cast<const uint8_t*>(stems.data()), stems.size()}, *size);
}

Status LostIfFull(Status status) {
  return status.code() == Code::kNoSpace ? Status::Error(Code::kIo, status.what(), status.sys_errno()) : status;
}

Status WholeSync::Run() {
  std::lock_guard lock(mutex_);
  if (!failed_.ok()) return failed_;
  Status synced = LostIfFull(fs_.SyncAll(log_dir_));
  if (synced.code() != Code::kIo) return synced;
  failed_ = synced;
  (void)NoteFailedSync(fs_, log_dir_, kEveryStem);
  return synced;
}

void NoteDoubts(io::FileSystem& fs, const std::string& log_dir, const Doubts& doubts, bool all) {
  for (const auto& [dir, stems] : doubts) {
    const Code noted = NoteFailedSync(fs, dir, stems).code();
    if (noted != Code::kOk && noted != Code::kNotFound) all = false;   // not found: deleted meanwhile
  }
  if (all) (void)fs.Remove(NoteIn(log_dir));
}

Status SpreadDoubt(io::FileSystem& fs, const std::string& log_dir) {
  const std::string note = NoteIn(log_dir);
  Result<bool> noted = fs.Exists(note);
  if (!noted.ok()) return noted.status();
  if (!*noted) return Status::Ok();
  Result<std::vector<io::DirEntry>> entries = fs.List(log_dir);
  if (!entries.ok()) return entries.status();
  for (const io::DirEntry& entry : *entries) {
    if (entry.is_dir) SLUICE_TRY(NoteFailedSync(fs, log_dir + "/" + entry.name, kEveryStem));
  }
  return fs.Remove(note);
}

void NoteCut(io::FileSystem& fs, const std::string& dir) { (void)fs.Open(dir + "/" + kCutName, io::OpenMode::kCreate); }

Status WriteAgain(io::FileSystem& fs, const std::string& dir) {
  const std::string note = NoteIn(dir);
  Result<std::string> stems = io::ReadWholeFile(fs, note, kMostNotes);
  if (!stems.ok()) return stems.status();
  Result<std::vector<io::DirEntry>> entries = fs.List(dir);
  if (!entries.ok()) return entries.status();
  for (const io::DirEntry& entry : *entries) {
    if (!entry.is_dir && entry.name != kSyncFailedName && IsNamed(*stems, entry.name)) SLUICE_TRY(WriteFileAgain(fs, dir + "/" + entry.name));
  }
  return fs.Remove(note);
}

}  // namespace sluice::log
