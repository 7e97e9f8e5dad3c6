#include "io/real_file.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace sluice::io {
namespace {

constexpr int64_t kSyncPiece = 1 << 20;

}  // namespace

RealFile::~RealFile() { ::close(fd_); }

Result<size_t> RealFile::ReadAt(MutableBytes out, int64_t position) {
  size_t done = 0;
  while (done < out.size()) {
    ssize_t n = ::pread(fd_, out.data() + done, out.size() - done, position + static_cast<int64_t>(done));
    if (n < 0) {
      if (errno == EINTR) continue;
      return Status::FromErrno(errno, "read");
    }
    if (n == 0) break;
    done += static_cast<size_t>(n);
  }
  return done;
}

Result<size_t> RealFile::ReadAtNoWait(MutableBytes out, int64_t position) {
  size_t done = 0;
  while (done < out.size()) {
    iovec part{out.data() + done, out.size() - done};
    ssize_t n = ::preadv2(fd_, &part, 1, position + static_cast<int64_t>(done), RWF_NOWAIT);
    if (n < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN && done > 0) break;
      if (errno == EOPNOTSUPP) return Status::FromErrno(EAGAIN, "read without waiting");
      return Status::FromErrno(errno, "read without waiting");
    }
    if (n == 0) break;
    done += static_cast<size_t>(n);
  }
  return done;
}

Status RealFile::WriteAt(Bytes data, int64_t position) {
  size_t done = 0;
  while (done < data.size()) {
    ssize_t n = ::pwrite(fd_, data.data() + done, data.size() - done, position + static_cast<int64_t>(done));
    if (n < 0) {
      if (errno == EINTR) continue;
      return Status::FromErrno(errno, "write");
    }
    if (n == 0) return Status::FromErrno(EIO, "write of nothing");
    done += static_cast<size_t>(n);
  }
  return Status::Ok();
}

Status RealFile::WriteVectorAt(std::span<iovec> parts, int64_t position) {
  while (!parts.empty()) {
    int count = static_cast<int>(std::min<size_t>(parts.size(), IOV_MAX));
    ssize_t n = ::pwritev(fd_, parts.data(), count, position);
    if (n < 0) {
      if (errno == EINTR) continue;
      return Status::FromErrno(errno, "write");
    }
    if (n == 0) return Status::FromErrno(EIO, "write of nothing");
    position += n;
    size_t left = static_cast<size_t>(n);
    while (!parts.empty() && left >= parts[0].iov_len) {
      left -= parts[0].iov_len;
      parts = parts.subspan(1);
    }
    if (left > 0) {
      parts[0].iov_base = static_cast<uint8_t*>(parts[0].iov_base) + left;
      parts[0].iov_len -= left;
    }
    // Parts of no length at the end would otherwise look like a write of nothing.
    while (!parts.empty() && parts[0].iov_len == 0) parts = parts.subspan(1);
  }
  return Status::Ok();
}

// A whole segment handed to the disk at once fills its queue, and the journal's writes wait behind that: so two pieces at a time.
Status RealFile::WriteOut() {
  struct stat now{};
  if (::fstat(fd_, &now) != 0) return Status::FromErrno(errno, "fstat");
  int64_t waited = std::min<int64_t>(written_out_.load(std::memory_order_relaxed), now.st_size) / kSyncPiece * kSyncPiece;
  for (int64_t at = waited; at < now.st_size; at += kSyncPiece) {
    if (::sync_file_range(fd_, at, kSyncPiece, SYNC_FILE_RANGE_WRITE) != 0) return Status::FromErrno(errno, "sync_file_range");
    if (at == waited) continue;
    // Waiting is told of what could not be written, and nobody after it: not fdatasync either.
    if (::sync_file_range(fd_, waited, at - waited, SYNC_FILE_RANGE_WAIT_BEFORE) != 0) return Status::FromErrno(errno, "sync_file_range");
    waited = at;
  }
  written_out_.store(now.st_size, std::memory_order_relaxed);
  return Status::Ok();
}

Status RealFile::Sync() {
  SLUICE_TRY(WriteOut());
  while (::fdatasync(fd_) != 0) {
    if (errno != EINTR) return Status::FromErrno(errno, "fdatasync");
  }
  return Status::Ok();
}

void RealFile::StartWriteback(int64_t position, int64_t length) {
  (void)::sync_file_range(fd_, position, length, SYNC_FILE_RANGE_WRITE);
}

void RealFile::DropCache(int64_t position, int64_t length) { (void)::posix_fadvise(fd_, position, length, POSIX_FADV_DONTNEED); }

void RealFile::ReadAhead(int64_t position, int64_t length) { (void)::posix_fadvise(fd_, position, length, POSIX_FADV_WILLNEED); }

void RealFile::ReadNothingAhead() { (void)::posix_fadvise(fd_, 0, 0, POSIX_FADV_RANDOM); }

Status RealFile::Truncate(int64_t size) {
  while (::ftruncate(fd_, size) != 0) {
    if (errno != EINTR) return Status::FromErrno(errno, "truncate");
  }
  return Status::Ok();
}

Status RealFile::Allocate(int64_t size) {
  while (::fallocate(fd_, 0, 0, size) != 0) {
    if (errno != EINTR) return Status::FromErrno(errno, "allocate");
  }
  return Status::Ok();
}

Result<int64_t> RealFile::Size() {
  struct stat st;
  if (::fstat(fd_, &st) != 0) return Status::FromErrno(errno, "stat");
  return static_cast<int64_t>(st.st_size);
}

}  // namespace sluice::io
