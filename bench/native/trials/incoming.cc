// Large requests: from a socket into memory that holds one as a whole, and from there into the page cache.
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>

#include "ring.h"
#include "trial.h"

namespace sluice::bench {
namespace {

constexpr size_t kFrame = 900u << 10;
constexpr size_t kReceive = 256u << 10;
constexpr uint64_t kFile = 512ull << 20;

using Write = std::function<void(const uint8_t*, size_t)>;

// Fills `frame` from the socket; false when the peer has closed it.
bool Fill(int fd, uint8_t* frame) {
  for (size_t at = 0; at < kFrame;) {
    const ssize_t received = recv(fd, frame + at, std::min(kReceive, kFrame - at), 0);
    if (received <= 0) return false;
    at += static_cast<size_t>(received);
  }
  return true;
}

std::string IntoOneBuffer(int fd, const Write& write, bool huge) {
  const Pages frame(kFrame, huge);
  while (Fill(fd, frame.data())) write(frame.data(), kFrame);
  return "";
}

// As an allocator does it that gives large blocks back at once.
std::string IntoNewMemory(int fd, const Write& write) {
  for (;;) {
    void* frame = mmap(nullptr, kFrame, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (frame == MAP_FAILED) Die("mmap");
    const bool filled = Fill(fd, static_cast<uint8_t*>(frame));
    if (filled) write(static_cast<uint8_t*>(frame), kFrame);
    munmap(frame, kFrame);
    if (!filled) return "";
  }
}

// The kernel chooses the buffers, so a frame is put together from pieces: copied once more.
std::string ByMultishot(int fd, const Write& write) {
  Ring ring(64, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
  if (!ring.refusal().empty()) return ring.refusal();
  ReceiveBuffers buffers(&ring, 16, 64u << 10);
  if (!buffers.refusal().empty()) return buffers.refusal();
  const Pages frame(kFrame);
  size_t filled = 0;
  buffers.Receive(fd, 0);
  for (;;) {
    const int submitted = io_uring_submit_and_wait(ring.get(), 1);
    if (submitted < 0 && submitted != -EINTR) return std::string("io_uring: ") + strerror(-submitted);
    io_uring_cqe* done = nullptr;
    while (io_uring_peek_cqe(ring.get(), &done) == 0) {
      const int result = done->res;
      const unsigned flags = done->flags;
      io_uring_cqe_seen(ring.get(), done);
      if (result == 0) return "";
      if (result < 0 && result != -ENOBUFS) return std::string("a multishot receive: ") + strerror(-result);
      if (result > 0) {
        const unsigned id = flags >> IORING_CQE_BUFFER_SHIFT;
        const uint8_t* piece = buffers.Of(id);
        for (size_t left = static_cast<size_t>(result); left > 0;) {
          const size_t part = std::min(left, kFrame - filled);
          std::memcpy(frame.data() + filled, piece, part);
          piece += part;
          left -= part;
          filled += part;
          if (filled < kFrame) continue;
          write(frame.data(), kFrame);
          filled = 0;
        }
        buffers.GiveBack(id);
      }
      if ((flags & IORING_CQE_F_MORE) == 0) buffers.Receive(fd, 0);
    }
  }
}

std::pair<std::optional<Pass>, std::string> PassOf(const std::function<std::string(int, const Write&)>& receive, const TrialOptions& options, bool writes) {
  const io::Fd file = writes ? WrittenFile(options.directory, kFile) : io::Fd();
  uint64_t at = 0;
  const Write write = [&](const uint8_t* data, size_t size) {
    if (!writes) return;
    if (at + size > kFile) at = 0;
    if (pwrite(file.get(), data, size, static_cast<off_t>(at)) != static_cast<ssize_t>(size)) Die("write");
    at += size;
  };
  const Ends ends = Connect();
  const double before = CpuSeconds();
  const double started = NowSeconds();
  uint64_t sent = 0;
  double sender_cpu = 0;
  std::thread sender([&] {
    const Pages frame(kFrame);
    const double until = NowSeconds() + options.seconds;
    const double cpu_before = CpuSeconds(RUSAGE_THREAD);
    while (NowSeconds() < until) {
      const ssize_t n = send(ends.client.get(), frame.data(), frame.size(), MSG_NOSIGNAL);
      if (n <= 0) break;
      sent += static_cast<uint64_t>(n);
    }
    sender_cpu = CpuSeconds(RUSAGE_THREAD) - cpu_before;
    shutdown(ends.client.get(), SHUT_WR);
  });
  const std::string refusal = receive(ends.server.get(), write);
  shutdown(ends.server.get(), SHUT_RDWR);
  sender.join();
  if (!refusal.empty()) return {std::nullopt, refusal};
  const auto bytes = static_cast<double>(sent);
  return {Pass{bytes / (NowSeconds() - started) / 1e6, (CpuSeconds() - before - sender_cpu) / bytes * 1e9, std::nullopt}, ""};
}

}  // namespace

std::vector<Trial> IncomingTrials(const TrialOptions& options) {
  std::vector<Trial> trials;
  for (const bool writes : {false, true}) {
    const auto way = [&](std::string name, std::function<std::string(int, const Write&)> receive) {
      return Way{std::move(name), [=] { return PassOf(receive, options, writes); }};
    };
    trials.push_back({std::string("requests of 900 KiB received") + (writes ? " and written to the page cache" : ""),
                      "MB/s",
                      "s/GB",
                      {way("recv into the same memory", [](int fd, const Write& write) { return IntoOneBuffer(fd, write, false); }),
                       way("recv into the same memory, huge pages", [](int fd, const Write& write) { return IntoOneBuffer(fd, write, true); }),
                       way("recv into new memory each time", IntoNewMemory), way("multishot into buffers of 64 KiB, copied together", ByMultishot)}});
  }
  return trials;
}

}  // namespace sluice::bench
