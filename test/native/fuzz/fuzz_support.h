// What the fuzz targets share: a check that ends the process, choices that an input makes, and a disk in memory.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "io/file.h"

namespace sluice::fuzz {

[[noreturn]] inline void Failed(const char* file, int line) {
  std::fprintf(stderr, "%s:%d does not hold\n", file, line);
  std::abort();
}
#define Require(condition) ((condition) ? (void)0 : ::sluice::fuzz::Failed(__FILE__, __LINE__))

class Choices {
 public:
  explicit Choices(Bytes input) : rest_(input) {}
  bool empty() const { return rest_.empty(); }
  uint8_t Byte() {
    if (rest_.empty()) return 0;
    const uint8_t byte = rest_[0];
    rest_ = rest_.subspan(1);
    return byte;
  }
  size_t Below(size_t n) { return n == 0 ? 0 : (static_cast<size_t>(Byte()) << 8 | Byte()) % n; }

 private:
  Bytes rest_;
};

using Content = std::shared_ptr<std::vector<uint8_t>>;

class MemoryFile final : public io::File {
 public:
  explicit MemoryFile(Content content) : content_(std::move(content)) {}
  Result<size_t> ReadAt(MutableBytes out, int64_t position) override {
    Require(position >= 0);
    if (position >= static_cast<int64_t>(content_->size())) return size_t{0};
    const size_t n = std::min(out.size(), content_->size() - static_cast<size_t>(position));
    std::copy_n(content_->begin() + position, n, out.begin());
    return n;
  }
  Result<size_t> ReadAtNoWait(MutableBytes out, int64_t position) override { return ReadAt(out, position); }
  Status WriteAt(Bytes data, int64_t position) override {
    Require(position >= 0 && position < (1 << 26));
    if (content_->size() < static_cast<size_t>(position) + data.size()) content_->resize(static_cast<size_t>(position) + data.size());
    std::copy(data.begin(), data.end(), content_->begin() + position);
    return Status::Ok();
  }
  Status WriteVectorAt(std::span<iovec> parts, int64_t position) override {
    for (const iovec& part : parts) {
      SLUICE_TRY(WriteAt({static_cast<const uint8_t*>(part.iov_base), part.iov_len}, position));
      position += static_cast<int64_t>(part.iov_len);
    }
    return Status::Ok();
  }
  Status Sync() override { return Status::Ok(); }
  void StartWriteback(int64_t, int64_t) override {}
  void DropCache(int64_t, int64_t) override {}
  void ReadAhead(int64_t, int64_t) override {}
  Status Allocate(int64_t) override { return Status::Ok(); }
  Status Truncate(int64_t size) override {
    content_->resize(static_cast<size_t>(size));
    return Status::Ok();
  }
  Result<int64_t> Size() override { return static_cast<int64_t>(content_->size()); }
  int fd() const override { return -1; }

 private:
  Content content_;
};

class MemoryFs final : public io::FileSystem {
 public:
  std::map<std::string, Content> files;
  Result<std::unique_ptr<io::File>> Open(const std::string& path, io::OpenMode mode) override {
    auto at = files.find(path);
    if (at == files.end()) {
      if (mode == io::OpenMode::kRead || mode == io::OpenMode::kReadWrite) return Status::FromErrno(2, "open " + path);
      at = files.emplace(path, std::make_shared<std::vector<uint8_t>>()).first;
    }
    return std::unique_ptr<io::File>(new MemoryFile(at->second));
  }
  Result<std::vector<io::DirEntry>> List(const std::string& dir) override {
    std::vector<io::DirEntry> out;
    for (const auto& [path, content] : files) {
      if (path.compare(0, dir.size() + 1, dir + "/") == 0) out.push_back({path.substr(dir.size() + 1), false});
    }
    return out;
  }
  Result<bool> Exists(const std::string& path) override { return files.count(path) != 0; }
  Result<int64_t> FileSize(const std::string& path) override {
    auto at = files.find(path);
    if (at == files.end()) return Status::FromErrno(2, "stat " + path);
    return static_cast<int64_t>(at->second->size());
  }
  Status SetModifiedMs(const std::string&, int64_t) override { return Status::Ok(); }
  Result<int64_t> ModifiedMs(const std::string&) override { return int64_t{1}; }
  Status MakeDirs(const std::string&) override { return Status::Ok(); }
  Status Rename(const std::string& from, const std::string& to) override {
    auto at = files.find(from);
    if (at == files.end()) return Status::FromErrno(2, "rename " + from);
    files[to] = at->second;
    files.erase(from);
    return Status::Ok();
  }
  Status Remove(const std::string& path) override { return files.erase(path) != 0 ? Status::Ok() : Status::FromErrno(2, "remove " + path); }
  Status RemoveTree(const std::string&) override { return Status::Ok(); }
  Status SyncDir(const std::string&) override { return Status::Ok(); }
  Status SyncAll(const std::string&) override { return Status::Ok(); }
  Result<int64_t> FreeBytes(const std::string&) override { return int64_t{1} << 40; }
  Result<int64_t> TotalBytes(const std::string&) override { return int64_t{1} << 40; }
  Result<uint32_t> DirectAlignment(const std::string&) override { return uint32_t{0}; }
  Result<std::unique_ptr<io::FileLock>> Lock(const std::string&) override { return Status::Error(Code::kLocked, ""); }
};

}  // namespace sluice::fuzz
