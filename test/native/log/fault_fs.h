// The real file system with faults: writes that fail (whole or half way), syncs that fail, files that cannot be made.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "io/file.h"

namespace sluice::log::test {

class FaultFs final : public io::FileSystem {
 public:
  // Writes may add this many bytes, then they fail with `write_errno`, the last one half done.
  int64_t bytes_left = INT64_MAX;
  int write_errno = 28;  // ENOSPC
  bool fail_sync = false;
  bool fail_create = false;
  bool fail_truncate = false;
  bool fail_rename = false;
  std::string fail_rename_of;   // the end of a path
  bool reads_would_block = false;   // ReadAtNoWait finds nothing in memory
  std::atomic<int> opens = 0;
  std::function<void()> before_log_write;   // on the thread that is about to write to a .log file

  Result<std::unique_ptr<io::File>> Open(const std::string& path, io::OpenMode mode) override {
    if (fail_create && (mode == io::OpenMode::kCreate || mode == io::OpenMode::kCreateNew) && !*real_.Exists(path)) {
      return Status::FromErrno(write_errno, "open " + path);
    }
    ++opens;
    Result<std::unique_ptr<io::File>> file = real_.Open(path, mode);
    if (!file.ok()) return file.status();
    return std::unique_ptr<io::File>(new FaultFile(this, file.take(), path.size() > 4 && path.compare(path.size() - 4, 4, ".log") == 0));
  }
  Result<std::vector<io::DirEntry>> List(const std::string& dir) override { return real_.List(dir); }
  Result<bool> Exists(const std::string& path) override { return real_.Exists(path); }
  Result<int64_t> FileSize(const std::string& path) override { return real_.FileSize(path); }
  Status SetModifiedMs(const std::string& path, int64_t ms) override { return real_.SetModifiedMs(path, ms); }
  Result<int64_t> ModifiedMs(const std::string& path) override { return real_.ModifiedMs(path); }
  Status MakeDirs(const std::string& dir) override { return real_.MakeDirs(dir); }
  Status Rename(const std::string& from, const std::string& to) override {
    return fail_rename || (!fail_rename_of.empty() && from.ends_with(fail_rename_of)) ? Status::FromErrno(5, "rename") : real_.Rename(from, to);
  }
  Status Remove(const std::string& path) override { return real_.Remove(path); }
  Status RemoveTree(const std::string& dir) override { return real_.RemoveTree(dir); }
  Status SyncDir(const std::string& dir) override { return real_.SyncDir(dir); }
  Status SyncAll(const std::string& path) override { return real_.SyncAll(path); }
  Result<int64_t> FreeBytes(const std::string& path) override { return real_.FreeBytes(path); }
  Result<int64_t> TotalBytes(const std::string& path) override { return real_.TotalBytes(path); }
  Result<uint32_t> DirectAlignment(const std::string& dir) override { return real_.DirectAlignment(dir); }
  Result<std::unique_ptr<io::FileLock>> Lock(const std::string& path) override { return real_.Lock(path); }

 private:
  class FaultFile final : public io::File {
   public:
    FaultFile(FaultFs* fs, std::unique_ptr<io::File> file, bool is_log) : fs_(fs), file_(std::move(file)), is_log_(is_log) {}
    Result<size_t> ReadAt(MutableBytes out, int64_t position) override { return file_->ReadAt(out, position); }
    Result<size_t> ReadAtNoWait(MutableBytes out, int64_t position) override {
      if (fs_->reads_would_block) return Status::FromErrno(11, "read without waiting");
      return file_->ReadAtNoWait(out, position);
    }
    Status WriteAt(Bytes data, int64_t position) override {
      iovec part{const_cast<uint8_t*>(data.data()), data.size()};
      return WriteVectorAt({&part, 1}, position);
    }
    Status WriteVectorAt(std::span<iovec> parts, int64_t position) override {
      if (is_log_ && fs_->before_log_write) fs_->before_log_write();
      for (const iovec& part : parts) {
        const int64_t size = static_cast<int64_t>(part.iov_len);
        const int64_t taken = std::min(size, fs_->bytes_left);
        SLUICE_TRY(file_->WriteAt({static_cast<uint8_t*>(part.iov_base), static_cast<size_t>(taken)}, position));
        position += taken;
        if (fs_->bytes_left != INT64_MAX) fs_->bytes_left -= taken;
        if (taken < size) return Status::FromErrno(fs_->write_errno, "write");
      }
      return Status::Ok();
    }
    Status Sync() override { return fs_->fail_sync ? Status::FromErrno(5, "fdatasync") : file_->Sync(); }
    void StartWriteback(int64_t position, int64_t length) override { file_->StartWriteback(position, length); }
    void DropCache(int64_t position, int64_t length) override { file_->DropCache(position, length); }
    void ReadAhead(int64_t position, int64_t length) override { file_->ReadAhead(position, length); }
    Status Truncate(int64_t size) override { return fs_->fail_truncate ? Status::FromErrno(5, "truncate") : file_->Truncate(size); }
    Status Allocate(int64_t size) override { return file_->Allocate(size); }
    Result<int64_t> Size() override { return file_->Size(); }
    int fd() const override { return file_->fd(); }

   private:
    FaultFs* const fs_;
    std::unique_ptr<io::File> file_;
    const bool is_log_;
  };
  io::FileSystem& real_ = io::RealFileSystem();
};

}  // namespace sluice::log::test
