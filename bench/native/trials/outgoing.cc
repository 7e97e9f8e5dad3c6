// A file that lies in memory, to a socket.
#include <fcntl.h>
#include <sys/sendfile.h>
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

constexpr uint64_t kFile = 512ull << 20;
constexpr size_t kPiece = 1u << 20;
constexpr int kSendBuffer = 384 << 10;  // what is twice as much to the kernel

struct Source {
  int file;
  int socket;
  off_t at = 0;

  size_t Step(ssize_t sent) {
    if (sent <= 0) Die("send");
    at = (at + sent) % static_cast<off_t>(kFile);
    return static_cast<size_t>(sent);
  }
  size_t Left() const { return std::min<size_t>(kPiece, kFile - static_cast<size_t>(at)); }
};

// Each sends pieces until `until` and returns how many bytes that were, or why not.
using Send = std::function<std::pair<uint64_t, std::string>(Source, double until)>;

std::pair<uint64_t, std::string> BySendfile(Source source, double until) {
  uint64_t sent = 0;
  while (NowSeconds() < until) {
    off_t from = source.at;
    sent += source.Step(sendfile(source.socket, source.file, &from, source.Left()));
  }
  return {sent, ""};
}

std::pair<uint64_t, std::string> BySplice(Source source, double until) {
  int ends[2];   // unlike the reactor's they wait
  if (pipe2(ends, O_CLOEXEC) != 0) Die("pipe");
  const io::Fd out(ends[0]);
  const io::Fd in(ends[1]);
  fcntl(in.get(), F_SETPIPE_SZ, static_cast<int>(kPiece));
  uint64_t sent = 0;
  while (NowSeconds() < until) {
    off_t from = source.at;
    const ssize_t filled = splice(source.file, &from, in.get(), nullptr, source.Left(), SPLICE_F_MOVE);
    if (filled <= 0) Die("splice");
    for (ssize_t left = filled; left > 0;) {
      const ssize_t moved = splice(out.get(), nullptr, source.socket, nullptr, static_cast<size_t>(left), SPLICE_F_MOVE);
      if (moved <= 0) Die("splice");
      left -= moved;
    }
    sent += source.Step(filled);
  }
  return {sent, ""};
}

std::pair<uint64_t, std::string> ByReading(Source source, double until) {
  const Pages piece(256u << 10);
  uint64_t sent = 0;
  while (NowSeconds() < until) {
    const ssize_t got = pread(source.file, piece.data(), std::min(piece.size(), source.Left()), source.at);
    if (got <= 0) Die("read");
    if (send(source.socket, piece.data(), static_cast<size_t>(got), MSG_NOSIGNAL) != got) Die("send");
    sent += source.Step(got);
  }
  return {sent, ""};
}

// The memory may be used again once the kernel says so, in a second completion.
std::pair<uint64_t, std::string> ByZeroCopySend(Source source, double until) {
  Ring ring(8);
  if (!ring.refusal().empty()) return {0, ring.refusal()};
  const Pages piece(256u << 10);
  uint64_t sent = 0;
  while (NowSeconds() < until) {
    const ssize_t got = pread(source.file, piece.data(), std::min(piece.size(), source.Left()), source.at);
    if (got <= 0) Die("read");
    io_uring_sqe* entry = ring.Next();
    io_uring_prep_send_zc(entry, source.socket, piece.data(), static_cast<size_t>(got), MSG_NOSIGNAL | MSG_WAITALL, 0);
    io_uring_submit(ring.get());
    for (bool more = true; more;) {
      io_uring_cqe* done = nullptr;
      if (io_uring_wait_cqe(ring.get(), &done) != 0) continue;
      const int result = done->res;
      const unsigned flags = done->flags;
      io_uring_cqe_seen(ring.get(), done);
      if ((flags & IORING_CQE_F_NOTIF) == 0 && result != got) return {0, std::string("send_zc: ") + (result < 0 ? strerror(-result) : "a part only")};
      more = (flags & IORING_CQE_F_MORE) != 0;
    }
    sent += source.Step(got);
  }
  return {sent, ""};
}

std::pair<std::optional<Pass>, std::string> PassOf(const Send& send, const TrialOptions& options) {
  const io::Fd file = WrittenFile(options.directory, kFile);
  const Ends ends = Connect();
  setsockopt(ends.server.get(), SOL_SOCKET, SO_SNDBUF, &kSendBuffer, sizeof kSendBuffer);
  double receiver_cpu = 0;
  const double before = CpuSeconds();
  std::thread receiver([&] {
    const Pages in(1u << 20);
    while (recv(ends.client.get(), in.data(), in.size(), 0) > 0) {}
    receiver_cpu = CpuSeconds(RUSAGE_THREAD);
  });
  const double started = NowSeconds();
  const auto [sent, refusal] = send({file.get(), ends.server.get()}, started + options.seconds);
  const double took = NowSeconds() - started;
  shutdown(ends.server.get(), SHUT_RDWR);
  receiver.join();
  if (!refusal.empty()) return {std::nullopt, refusal};
  const auto bytes = static_cast<double>(sent);
  return {Pass{bytes / took / 1e6, (CpuSeconds() - before - receiver_cpu) / bytes * 1e9, std::nullopt}, ""};
}

}  // namespace

std::vector<Trial> OutgoingTrials(const TrialOptions& options) {
  const auto way = [&](std::string name, Send send) { return Way{std::move(name), [=] { return PassOf(send, options); }}; };
  return {{"a file in the page cache to a socket, by pieces of 1 MiB",
           "MB/s",
           "s/GB",
           {way("sendfile", BySendfile), way("splice through a pipe of 1 MiB", BySplice), way("read 256 KiB, send", ByReading),
            way("read 256 KiB, send without copying (SEND_ZC)", ByZeroCopySend)}}};
}

}  // namespace sluice::bench
