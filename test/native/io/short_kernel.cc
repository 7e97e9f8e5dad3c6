#include "io/short_kernel.h"

#include <fcntl.h>
#include <liburing.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <vector>

namespace sluice::io::test {
namespace {

constexpr size_t kSector = 4096;   // what O_DIRECT can be cut to

std::atomic<bool> on{false};
std::atomic<uint64_t> turns{0};
std::array<std::atomic<int64_t>, static_cast<size_t>(Cut::kEnd)> cuts{};

// The same sequence each time, whatever thread asks.
uint64_t Next() {
  uint64_t x = (turns.fetch_add(1) + 1) * 0x9E3779B97F4A7C15ull;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  return x ^ (x >> 31);
}
bool Chance(int percent) { return on && static_cast<int>(Next() % 100) < percent; }
bool Comes(Cut kind, int percent) {
  if (!Chance(percent)) return false;
  ++cuts[static_cast<size_t>(kind)];
  return true;
}
bool Interrupted() {
  if (!Comes(Cut::kInterrupted, 25)) return false;
  errno = EINTR;
  return true;
}
size_t Shorter(int fd, size_t length, Cut kind = Cut::kShort) {
  const size_t unit = (::fcntl(fd, F_GETFL) & O_DIRECT) != 0 ? kSector : 1;
  if (length <= unit || !Comes(kind, 60)) return length;
  return unit * (1 + Next() % (length / unit));
}
// The front of `parts`, as much as a shorter call would take.
std::vector<iovec> Front(int fd, const iovec* parts, int count) {
  std::vector<iovec> front(parts, parts + count);
  size_t length = 0;
  for (const iovec& part : front) length += part.iov_len;
  size_t left = Shorter(fd, length);
  for (iovec& part : front) {
    part.iov_len = std::min(part.iov_len, left);
    left -= part.iov_len;
  }
  return front;
}

// Completions that have come and that nobody has seen.
void Interrupt(io_uring* ring) {
  unsigned head;
  io_uring_cqe* cqe;
  io_uring_for_each_cqe(ring, head, cqe) {
    if (cqe->res > 0 && Comes(Cut::kCompletedInterrupted, 20)) cqe->res = Next() % 2 == 0 ? -EINTR : -EAGAIN;
  }
}

}  // namespace

ShortKernel::ShortKernel() { on = true; }
ShortKernel::~ShortKernel() { on = false; }
int64_t CutsOf(Cut kind) { return cuts[static_cast<size_t>(kind)]; }

extern "C" {

// Node's build calls the names with 64, others those without.
#define SLUICE_WRAP_BOTH(type, name, name64, parameters, body) \
  type __real_##name parameters;                               \
  type __wrap_##name parameters { body(__real_##name) }        \
  type __wrap_##name64 parameters { body(__real_##name) }

#define SLUICE_BODY(real) return Interrupted() ? -1 : real(fd, data, Shorter(fd, length), at);
SLUICE_WRAP_BOTH(ssize_t, pread, pread64, (int fd, void* data, size_t length, off_t at), SLUICE_BODY)
SLUICE_WRAP_BOTH(ssize_t, pwrite, pwrite64, (int fd, const void* data, size_t length, off_t at), SLUICE_BODY)
#undef SLUICE_BODY

#define SLUICE_BODY(real)                                     \
  if (Interrupted()) return -1;                               \
  const std::vector<iovec> front = Front(fd, parts, count);   \
  return real(fd, front.data(), static_cast<int>(front.size()), at);
SLUICE_WRAP_BOTH(ssize_t, pwritev, pwritev64, (int fd, const iovec* parts, int count, off_t at), SLUICE_BODY)
#undef SLUICE_BODY

#define SLUICE_BODY(real)                                     \
  if (Interrupted()) return -1;                               \
  if (Comes(Cut::kAgain, 10)) {                               \
    errno = EAGAIN;                                           \
    return -1;                                                \
  }                                                           \
  const std::vector<iovec> front = Front(fd, parts, count);   \
  return real(fd, front.data(), static_cast<int>(front.size()), at, flags);
SLUICE_WRAP_BOTH(ssize_t, preadv2, preadv64v2, (int fd, const iovec* parts, int count, off_t at, int flags), SLUICE_BODY)
#undef SLUICE_BODY

#define SLUICE_BODY(real) return Interrupted() ? -1 : real(fd, size);
SLUICE_WRAP_BOTH(int, ftruncate, ftruncate64, (int fd, off_t size), SLUICE_BODY)
#undef SLUICE_BODY
#define SLUICE_BODY(real) return Interrupted() ? -1 : real(fd, mode, at, size);
SLUICE_WRAP_BOTH(int, fallocate, fallocate64, (int fd, int mode, off_t at, off_t size), SLUICE_BODY)
#undef SLUICE_BODY

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd) { return Interrupted() ? -1 : __real_fdatasync(fd); }

ssize_t __real_splice(int in, loff_t* in_at, int out, loff_t* out_at, size_t length, unsigned flags);
ssize_t __wrap_splice(int in, loff_t* in_at, int out, loff_t* out_at, size_t length, unsigned flags) {
  return Interrupted() ? -1 : __real_splice(in, in_at, out, out_at, Shorter(in, length), flags);
}

// Takes some of what is offered, or nothing; of what it takes, it writes less.
int __real_io_uring_submit(io_uring* ring);
int __wrap_io_uring_submit(io_uring* ring) {
  if (!on) return __real_io_uring_submit(ring);
  if (Interrupted()) return -EINTR;
  if (Comes(Cut::kAgain, 10)) return -EAGAIN;
  const unsigned tail = ring->sq.sqe_tail;
  for (unsigned at = ring->sq.sqe_head; at != tail; ++at) {
    io_uring_sqe& sqe = ring->sq.sqes[at & ring->sq.ring_mask];
    if (sqe.opcode == IORING_OP_WRITE) sqe.len = static_cast<unsigned>(Shorter(sqe.fd, sqe.len, Cut::kCompletedShort));
  }
  if (tail - ring->sq.sqe_head > 1 && Comes(Cut::kSubmittedInPart, 50)) ring->sq.sqe_tail = ring->sq.sqe_head + 1;
  const int taken = __real_io_uring_submit(ring);
  ring->sq.sqe_tail = tail;
  Interrupt(ring);
  return taken;
}

int __real___io_uring_get_cqe(io_uring* ring, io_uring_cqe** cqe, unsigned submit, unsigned wait, sigset_t* mask);
int __wrap___io_uring_get_cqe(io_uring* ring, io_uring_cqe** cqe, unsigned submit, unsigned wait, sigset_t* mask) {
  if (on && wait > 0 && Interrupted()) return -EINTR;
  const int result = __real___io_uring_get_cqe(ring, cqe, submit, wait, mask);
  if (on && result == 0) Interrupt(ring);
  return result;
}

}  // extern "C"

}  // namespace sluice::io::test
