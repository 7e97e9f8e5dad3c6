// Small requests and their answers: epoll with receive and send, or completions of an io_uring.
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <thread>

#include "ring.h"
#include "trial.h"

namespace sluice::bench {
namespace {

constexpr size_t kRequest = 170;  // about a Produce request of one record of 100 bytes, and its answer
constexpr size_t kAnswer = 60;
constexpr int kMaxDepth = 64;
constexpr size_t kReceive = 256u << 10;

struct Load {
  int connections;
  int depth;  // requests in flight on each
};

using Fds = std::vector<int>;

// The answers due when `received` more bytes have come, where some of a request may have come before.
class Requests {
 public:
  size_t AnswersFor(size_t received) {
    received_ += received;
    const size_t whole = received_ / kRequest;
    received_ -= whole * kRequest;
    return whole;
  }

 private:
  size_t received_ = 0;
};

// Serves until every peer has closed its side.
std::string ServeByEpoll(const Fds& fds) {
  const io::Fd epoll(epoll_create1(EPOLL_CLOEXEC));
  std::vector<Requests> requests(fds.size());
  for (size_t i = 0; i < fds.size(); ++i) {
    epoll_event event{.events = EPOLLIN, .data = {.u64 = i}};
    epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fds[i], &event);
  }
  const Pages in(kReceive);
  const Pages answers(kMaxDepth * kAnswer);
  for (size_t open = fds.size(); open > 0;) {
    epoll_event events[64];
    const int ready = epoll_wait(epoll.get(), events, 64, -1);
    for (int i = 0; i < ready; ++i) {
      const size_t at = events[i].data.u64;
      const ssize_t received = recv(fds[at], in.data(), in.size(), MSG_DONTWAIT);
      if (received < 0) continue;
      if (received == 0) {
        epoll_ctl(epoll.get(), EPOLL_CTL_DEL, fds[at], nullptr);
        --open;
        continue;
      }
      const size_t due = requests[at].AnswersFor(static_cast<size_t>(received)) * kAnswer;
      if (due > 0 && send(fds[at], answers.data(), due, MSG_NOSIGNAL) < 0) Die("send");
    }
  }
  return "";
}

constexpr uint64_t kSent = UINT64_MAX;

// Multishot receives into provided buffers; answers by the ring too, or by send().
std::string ServeByRing(const Fds& fds, unsigned flags, bool send_by_ring) {
  Ring ring(512, flags);
  if (!ring.refusal().empty()) return ring.refusal();
  ReceiveBuffers buffers(&ring, 256, 8192);
  if (!buffers.refusal().empty()) return buffers.refusal();
  std::vector<Requests> requests(fds.size());
  const Pages answers(kMaxDepth * kAnswer);
  for (size_t i = 0; i < fds.size(); ++i) buffers.Receive(fds[i], i);
  size_t open = fds.size();
  size_t sending = 0;
  while (open > 0 || sending > 0) {
    const int submitted = io_uring_submit_and_wait(ring.get(), 1);
    if (submitted < 0 && submitted != -EINTR) return std::string("io_uring: ") + strerror(-submitted);
    unsigned head = 0;
    unsigned seen = 0;
    io_uring_cqe* done = nullptr;
    io_uring_for_each_cqe(ring.get(), head, done) {
      ++seen;
      if (done->user_data == kSent) {
        --sending;
        continue;
      }
      const size_t at = done->user_data;
      if (done->res > 0) {
        buffers.GiveBack(done->flags >> IORING_CQE_BUFFER_SHIFT);
        const size_t due = requests[at].AnswersFor(static_cast<size_t>(done->res)) * kAnswer;
        if (due > 0 && send_by_ring) {
          io_uring_sqe* entry = ring.Next();
          io_uring_prep_send(entry, fds[at], answers.data(), due, MSG_NOSIGNAL);
          io_uring_sqe_set_data64(entry, kSent);
          ++sending;
        } else if (due > 0 && send(fds[at], answers.data(), due, MSG_NOSIGNAL) < 0) {
          Die("send");
        }
      }
      if (done->res == 0 || (done->res < 0 && done->res != -ENOBUFS && done->res != -EINTR)) {
        if (done->res < 0 && done->res != -ECONNRESET) return std::string("a multishot receive: ") + strerror(-done->res);
        --open;
      } else if ((done->flags & IORING_CQE_F_MORE) == 0) {
        buffers.Receive(fds[at], at);
      }
    }
    io_uring_cq_advance(ring.get(), seen);
  }
  return "";
}

struct Answered {
  Histogram latency;
  uint64_t count = 0;
  double cpu_seconds = 0;
};

// Keeps `depth` requests on their way on each connection, for so long.
Answered Ask(const Fds& fds, int depth, double seconds) {
  struct Peer {
    uint64_t sent_at[kMaxDepth];
    uint64_t sent = 0;
    uint64_t answered = 0;
    size_t received = 0;
  };
  std::vector<Peer> peers(fds.size());
  const io::Fd epoll(epoll_create1(EPOLL_CLOEXEC));
  const Pages requests(kMaxDepth * kRequest);
  const Pages in(kReceive);
  const auto ask = [&](size_t at, size_t count) {
    Peer& peer = peers[at];
    const uint64_t now = NowNanos();
    for (size_t i = 0; i < count; ++i) peer.sent_at[peer.sent++ % kMaxDepth] = now;
    if (send(fds[at], requests.data(), count * kRequest, MSG_NOSIGNAL) < 0 && errno != EPIPE && errno != ECONNRESET) Die("send");
  };
  for (size_t i = 0; i < fds.size(); ++i) {
    epoll_event event{.events = EPOLLIN, .data = {.u64 = i}};
    epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fds[i], &event);
    ask(i, static_cast<size_t>(depth));
  }
  Answered result;
  const double cpu_before = CpuSeconds(RUSAGE_THREAD);
  for (const double until = NowSeconds() + seconds; NowSeconds() < until;) {
    epoll_event events[64];
    const int ready = epoll_wait(epoll.get(), events, 64, 1000);
    const uint64_t now = NowNanos();
    for (int i = 0; i < ready; ++i) {
      const size_t at = events[i].data.u64;
      Peer& peer = peers[at];
      const ssize_t received = recv(fds[at], in.data(), in.size(), MSG_DONTWAIT);
      if (received <= 0) continue;
      peer.received += static_cast<size_t>(received);
      size_t whole = 0;
      for (; peer.received >= kAnswer; peer.received -= kAnswer, ++whole) result.latency.Record(now - peer.sent_at[peer.answered++ % kMaxDepth]);
      result.count += whole;
      if (whole > 0) ask(at, whole);
    }
  }
  result.cpu_seconds = CpuSeconds(RUSAGE_THREAD) - cpu_before;
  for (const int fd : fds) shutdown(fd, SHUT_WR);
  return result;
}

std::pair<std::optional<Pass>, std::string> PassOf(const std::function<std::string(const Fds&)>& serve, Load load, double seconds) {
  std::vector<Ends> ends;
  Fds servers;
  Fds clients;
  for (int i = 0; i < load.connections; ++i) {
    ends.push_back(Connect());
    servers.push_back(ends.back().server.get());
    clients.push_back(ends.back().client.get());
  }
  const double before = CpuSeconds();
  std::string refusal;
  std::thread server([&] {
    refusal = serve(servers);
    for (const int fd : servers) shutdown(fd, SHUT_RDWR);  // a client whose server refused is not to wait
  });
  const Answered answered = Ask(clients, load.depth, seconds);
  server.join();
  if (!refusal.empty()) return {std::nullopt, refusal};
  const auto count = static_cast<double>(answered.count);
  return {Pass{count / seconds, (CpuSeconds() - before - answered.cpu_seconds) / count * 1e6, answered.latency}, ""};
}

}  // namespace

std::vector<Trial> SocketTrials(const TrialOptions& options) {
  std::vector<Trial> trials;
  for (const Load load : {Load{1, 1}, Load{1, 64}, Load{64, 1}}) {
    const auto way = [&](std::string name, std::function<std::string(const Fds&)> serve) {
      return Way{std::move(name), [=, seconds = options.seconds] { return PassOf(serve, load, seconds); }};
    };
    trials.push_back({"requests of " + std::to_string(kRequest) + " bytes, " + std::to_string(load.connections) + " connections, each with " +
                          std::to_string(load.depth) + " in flight",
                      "requests a second", "us each",
                      {way("epoll, recv, send", ServeByEpoll),
                       way("multishot receives, send()", [](const Fds& fds) { return ServeByRing(fds, 0, false); }),
                       way("multishot receives, sends by the ring", [](const Fds& fds) { return ServeByRing(fds, 0, true); }),
                       way("the same with one issuer and deferred task work",
                           [](const Fds& fds) { return ServeByRing(fds, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN, true); })}});
  }
  return trials;
}

}  // namespace sluice::bench
