#include "bare_storage.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/crc32c.h"
#include "wire.h"

namespace sluice::bench {
namespace {

constexpr uint64_t kSegmentSize = 512ull << 20;
constexpr uint64_t kJournalSize = 256ull << 20;
constexpr size_t kBlock = 8u << 20;
constexpr size_t kSector = 4096;

[[noreturn]] void Die(const char* what) {
  std::perror(what);
  std::exit(1);
}

void WriteAll(int fd, const uint8_t* data, size_t size, uint64_t at) {
  while (size > 0) {
    const ssize_t wrote = pwrite(fd, data, size, static_cast<off_t>(at));
    if (wrote <= 0) Die("sluice-bare: write");
    data += wrote;
    size -= static_cast<size_t>(wrote);
    at += static_cast<uint64_t>(wrote);
  }
}

}  // namespace

Storage::Storage(Work work, const std::string& directory) : work_(work) {
  if (work_ == Work::kWrite || work_ == Work::kJournal) {
    segment_ = open((directory + "/segment").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
    if (segment_ < 0) Die("sluice-bare: segment");
  }
  if (work_ == Work::kJournal) {
    block_ = static_cast<uint8_t*>(std::aligned_alloc(kSector, kBlock));
    std::memset(block_, 0, kBlock);
    journal_ = open((directory + "/journal").c_str(), O_CREAT | O_RDWR | O_CLOEXEC | O_DIRECT | O_DSYNC, 0644);
    if (journal_ < 0) Die("sluice-bare: journal");
    for (uint64_t at = 0; at < kJournalSize; at += kBlock) WriteAll(journal_, block_, kBlock, at);
  }
}

Storage::~Storage() {
  if (segment_ >= 0) close(segment_);
  if (journal_ >= 0) close(journal_);
  std::free(block_);
}

void Storage::Append(Bytes bytes) {
  if (work_ == Work::kReceive) return;
  crc_ ^= Crc32c(bytes);
  if (work_ == Work::kCrc) return;
  if (segment_at_ + bytes.size() > kSegmentSize) segment_at_ = 0;
  WriteAll(segment_, bytes.data(), bytes.size(), segment_at_);
  segment_at_ += bytes.size();
  if (work_ != Work::kJournal) return;
  while (!bytes.empty()) {
    const size_t part = std::min(bytes.size(), kBlock - block_used_);
    std::memcpy(block_ + block_used_, bytes.data(), part);
    block_used_ += part;
    bytes = bytes.subspan(part);
    if (block_used_ == kBlock) Commit();
  }
}

void Storage::Commit() {
  if (block_used_ == 0) return;
  const size_t padded = (block_used_ + kSector - 1) / kSector * kSector;
  if (journal_at_ + padded > kJournalSize) journal_at_ = 0;
  WriteAll(journal_, block_, padded, journal_at_);
  journal_at_ += padded;
  block_used_ = 0;
}

FetchFile::FetchFile(const std::string& directory, uint64_t bytes, int batch_records, int record_size) : batch_records_(batch_records) {
  fd_ = open((directory + "/fetch").c_str(), O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0644);
  if (fd_ < 0) Die("sluice-bare: fetch file");
  std::vector<uint8_t> batch = BuildBatch(batch_records, record_size, 1);
  batch_size_ = batch.size();
  batches_ = bytes / batch_size_;
  for (uint64_t i = 0; i < batches_; ++i) {
    const uint64_t base = i * static_cast<uint64_t>(batch_records);
    for (int b = 0; b < 8; ++b) batch[static_cast<size_t>(b)] = static_cast<uint8_t>(base >> (8 * (7 - b)));
    WriteAll(fd_, batch.data(), batch.size(), i * batch_size_);
  }
}

FetchFile::~FetchFile() {
  if (fd_ >= 0) close(fd_);
}

}  // namespace sluice::bench
