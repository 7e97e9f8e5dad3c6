// File on a descriptor of the real kernel. Internal to io/: everybody else sees io/file.h.
#pragma once

#include <atomic>

#include "io/file.h"

namespace sluice::io {

class RealFile final : public File {
 public:
  explicit RealFile(int fd) : fd_(fd) {}
  ~RealFile() override;
  Result<size_t> ReadAt(MutableBytes out, int64_t position) override;
  Result<size_t> ReadAtNoWait(MutableBytes out, int64_t position) override;
  Status WriteAt(Bytes data, int64_t position) override;
  Status WriteVectorAt(std::span<iovec> parts, int64_t position) override;
  Status Sync() override;
  Status WriteOut() override;
  void StartWriteback(int64_t position, int64_t length) override;
  void DropCache(int64_t position, int64_t length) override;
  void ReadAhead(int64_t position, int64_t length) override;
  void ReadNothingAhead() override;
  Status Truncate(int64_t size) override;
  Status Allocate(int64_t size) override;
  Result<int64_t> Size() override;
  int fd() const override { return fd_; }

 private:
  const int fd_;
  std::atomic<int64_t> written_out_ = 0;  // where the next sync expects the first dirty page; the sync itself leaves nothing out
};

}  // namespace sluice::io
