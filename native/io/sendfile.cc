// The only file that calls sendfile, splice and cachestat.
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "io/socket.h"

namespace sluice::io {
namespace {

constexpr long kCachestat = 451;  // since Linux 6.5; the same number on every architecture
struct CachestatRange {
  uint64_t offset, length;
};
struct Cachestat {
  uint64_t cached, dirty, writeback, evicted, recently_evicted;
};
constexpr int64_t kPage = 4096;

}  // namespace

ssize_t SendFileRange(int socket, int file, int64_t position, size_t length) {
  for (;;) {
    off_t at = position;
    ssize_t n = ::sendfile(socket, file, &at, length);
    if (n >= 0) return n;
    if (errno != EINTR) return -errno;
  }
}

ssize_t FileToPipe(int file, int64_t position, int pipe, size_t length) {
  size_t done = 0;
  while (done < length) {
    loff_t at = position + static_cast<int64_t>(done);
    ssize_t n = ::splice(file, &at, pipe, nullptr, length - done, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
    if (n > 0) {
      done += static_cast<size_t>(n);
      continue;
    }
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && done == 0) return -errno;
    break;  // the file ended, the pipe is full, or the error will show at the next call
  }
  return static_cast<ssize_t>(done);
}

ssize_t PipeToSocket(int pipe, int socket, size_t length, bool more) {
  for (;;) {
    ssize_t n = ::splice(pipe, nullptr, socket, nullptr, length, SPLICE_F_NONBLOCK | SPLICE_F_MOVE | (more ? SPLICE_F_MORE : 0));
    if (n >= 0) return n;
    if (errno != EINTR) return -errno;
  }
}

Result<Pipe> MakePipe(size_t bytes) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return Status::FromErrno(errno, "pipe");
  Pipe pipe{Fd(ends[0]), Fd(ends[1])};
  // Refused beyond the user's share of pipe memory: the pipe then works with less.
  (void)::fcntl(ends[1], F_SETPIPE_SZ, static_cast<int>(bytes));
  return pipe;
}

PageCacheShare LookAtPageCache(int file, int64_t position, int64_t length) {
  static std::atomic<bool> supported{true};
  PageCacheShare share;
  if (!supported.load(std::memory_order_relaxed)) return share;
  const int64_t first = position / kPage;
  share.pages = length <= 0 ? 0 : (position + length - 1) / kPage - first + 1;
  if (share.pages == 0) {
    share.known = true;
    return share;
  }
  CachestatRange range{static_cast<uint64_t>(first * kPage), static_cast<uint64_t>(share.pages * kPage)};
  Cachestat stat{};
  if (::syscall(kCachestat, file, &range, &stat, 0) != 0) {
    if (errno == ENOSYS || errno == EPERM) supported.store(false, std::memory_order_relaxed);
    return share;
  }
  share.known = true;
  share.cached = static_cast<int64_t>(stat.cached);
  return share;
}

}  // namespace sluice::io
