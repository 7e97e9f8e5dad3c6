#include "log/index_file.h"

#include <algorithm>

#include "base/assert.h"

namespace sluice::log {
namespace {
constexpr int64_t kKeepEntries = 128;  // stay in memory after a flush
}  // namespace

int64_t IndexFile::count() const {
  std::lock_guard lock(mutex_);
  return tail_first_ + static_cast<int64_t>(tail_.size() / entry_bytes_);
}

int64_t IndexFile::unflushed() const {
  std::lock_guard lock(mutex_);
  return tail_first_ + static_cast<int64_t>(tail_.size() / entry_bytes_) - file_entries_;
}

void IndexFile::Append(const uint8_t* entry) {
  std::lock_guard lock(mutex_);
  tail_.insert(tail_.end(), entry, entry + entry_bytes_);
}

void IndexFile::AdoptFile(int64_t entries) {
  std::lock_guard lock(mutex_);
  file_entries_ = tail_first_ = entries;
  tail_.clear();
  length_exact_ = false;
}

Status IndexFile::Flush(io::FileSystem& fs, const std::string& path) {
  {
    std::lock_guard lock(mutex_);
    if (tail_first_ + static_cast<int64_t>(tail_.size() / entry_bytes_) == file_entries_ && length_exact_) return Status::Ok();
  }
  {
    std::unique_lock writing(writing_, std::try_to_lock);
    if (!writing.owns_lock()) return Status::Error(Code::kWouldBlock, path + " is being written by another thread");
    SLUICE_TRY(WriteLocked(fs, path));
  }
  Trim();
  return Status::Ok();
}

void IndexFile::Trim() {
  std::lock_guard lock(mutex_);
  const int64_t drop = file_entries_ - tail_first_ - kKeepEntries;
  if (drop <= 0) return;
  tail_.erase(tail_.begin(), tail_.begin() + drop * entry_bytes_);
  tail_.shrink_to_fit();
  tail_first_ += drop;
}

Status IndexFile::WriteOut(io::FileSystem& fs, const std::string& path) {
  std::lock_guard writing(writing_);
  return WriteLocked(fs, path);
}

Status IndexFile::WriteAway(io::FileSystem& fs, const std::string& path) {
  SLUICE_TRY(WriteOut(fs, path));
  std::lock_guard lock(mutex_);
  file_.reset();
  return Status::Ok();
}

Status IndexFile::WriteLocked(io::FileSystem& fs, const std::string& path) {
  std::shared_ptr<io::File> file;
  std::vector<uint8_t> fresh;
  int64_t at = 0;
  {
    std::lock_guard lock(mutex_);
    const int64_t count = tail_first_ + static_cast<int64_t>(tail_.size() / entry_bytes_);
    if (count == file_entries_ && length_exact_) return Status::Ok();
    SLUICE_ASSERT_OP(tail_first_, <=, file_entries_);
    fresh.assign(tail_.begin() + (file_entries_ - tail_first_) * entry_bytes_, tail_.end());
    at = file_entries_ * entry_bytes_;
    file = file_;
  }
  if (file == nullptr) {
    Result<std::unique_ptr<io::File>> opened = fs.Open(path, io::OpenMode::kCreate);
    if (!opened.ok()) return opened.status();
    file = std::shared_ptr<io::File>(opened.take());
  }
  const int64_t end = at + static_cast<int64_t>(fresh.size());
  // The write is checked against what the file had before: bytes of an earlier life behind the end would look like entries.
  if (!fresh.empty()) SLUICE_TRY(file->WriteAt(fresh, at));
  Result<int64_t> size = file->Size();
  if (!size.ok()) return size.status();
  if (*size < end) return Status::Error(Code::kCorrupt, path + " is shorter than its entries");
  if (*size > end) SLUICE_TRY(file->Truncate(end));
  std::lock_guard lock(mutex_);
  file_ = std::move(file);
  file_entries_ = end / entry_bytes_;
  length_exact_ = true;
  unsynced_ = true;
  return Status::Ok();
}

Status IndexFile::Sync(io::FileSystem& fs, const std::string& path) {
  {
    std::lock_guard lock(mutex_);
    if (!unsynced_) return Status::Ok();
  }
  Result<std::shared_ptr<io::File>> file = OpenFile(fs, path, ReadMode::kBlocking);
  return file.ok() ? (*file)->Sync() : file.status();
}

void IndexFile::MarkSynced() {
  std::lock_guard lock(mutex_);
  unsynced_ = false;
}

void IndexFile::DropTail() {
  std::lock_guard lock(mutex_);
  SLUICE_ASSERT_OP(tail_first_ + static_cast<int64_t>(tail_.size() / entry_bytes_), ==, file_entries_);
  tail_first_ = file_entries_;
  std::vector<uint8_t>().swap(tail_);
}

void IndexFile::ReplaceFile(int64_t entries) {
  std::lock_guard lock(mutex_);
  file_entries_ = tail_first_ = entries;
  std::vector<uint8_t>().swap(tail_);
  length_exact_ = true;
  unsynced_ = false;
  file_.reset();
}

void IndexFile::CloseIdle() {
  std::lock_guard lock(mutex_);
  if (!unsynced_) file_.reset();
}

IndexSnapshot IndexFile::Snapshot(bool copy) const {
  std::lock_guard lock(mutex_);
  IndexSnapshot snapshot;
  snapshot.tail_first = tail_first_;
  snapshot.count = tail_first_ + static_cast<int64_t>(tail_.size() / entry_bytes_);
  if (copy && !tail_.empty()) {
    snapshot.owned = std::make_shared<const std::vector<uint8_t>>(tail_);
    snapshot.tail = *snapshot.owned;
  } else {
    snapshot.tail = tail_;
  }
  return snapshot;
}

Result<std::shared_ptr<io::File>> IndexFile::OpenFile(io::FileSystem& fs, const std::string& path, ReadMode mode) {
  {
    std::lock_guard lock(mutex_);
    if (file_ != nullptr) return file_;
  }
  if (mode == ReadMode::kNoWait) return Status::Error(Code::kWouldBlock, path + " is not open");
  Result<std::unique_ptr<io::File>> opened = fs.Open(path, io::OpenMode::kReadWrite);
  if (!opened.ok()) return opened.status();
  std::lock_guard lock(mutex_);
  if (file_ == nullptr) file_ = std::shared_ptr<io::File>(opened.take());
  return file_;
}

Result<const uint8_t*> IndexReader::At(int64_t slot) {
  SLUICE_ASSERT(slot >= 0 && slot < snapshot_.count);
  if (slot >= snapshot_.tail_first) return snapshot_.tail.data() + (slot - snapshot_.tail_first) * entry_bytes_;
  if (slot >= block_first_ && slot < block_first_ + block_count_) return block_ + (slot - block_first_) * entry_bytes_;
  const int64_t per_block = kBlockBytes / entry_bytes_;
  const int64_t first = slot / per_block * per_block;
  return Fill(first, std::min(per_block, snapshot_.tail_first - first), slot);
}

Result<const uint8_t*> IndexReader::One(int64_t slot) {
  SLUICE_ASSERT(slot >= 0 && slot < snapshot_.count);
  if (slot >= snapshot_.tail_first) return snapshot_.tail.data() + (slot - snapshot_.tail_first) * entry_bytes_;
  if (slot >= block_first_ && slot < block_first_ + block_count_) return block_ + (slot - block_first_) * entry_bytes_;
  return Fill(slot, 1, slot);
}

Result<const uint8_t*> IndexReader::Fill(int64_t first, int64_t wanted, int64_t slot) {
  SLUICE_ASSERT(file_ != nullptr);
  block_count_ = 0;
  MutableBytes out(block_, static_cast<size_t>(wanted * entry_bytes_));
  Result<size_t> got = mode_ == ReadMode::kNoWait ? file_->ReadAtNoWait(out, first * entry_bytes_) : file_->ReadAt(out, first * entry_bytes_);
  if (!got.ok()) return got.status();
  block_first_ = first;
  block_count_ = static_cast<int64_t>(*got) / entry_bytes_;
  if (slot >= block_first_ + block_count_) {
    block_count_ = 0;
    if (mode_ == ReadMode::kNoWait) return Status::Error(Code::kWouldBlock, "index entry");
    return Status::Error(Code::kCorrupt, "index file ends before its entries");
  }
  return block_ + (slot - block_first_) * entry_bytes_;
}

}  // namespace sluice::log
