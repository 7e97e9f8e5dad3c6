#include "net/listener.h"

#include <fcntl.h>
#include <sys/epoll.h>

#include <cerrno>
#include <cstring>

namespace sluice::net {
namespace {
constexpr int kMaxAcceptsPerTick = 64;
constexpr int64_t kRestUs = 100000;
}  // namespace

Result<std::unique_ptr<Listener>> Listener::Open(Reactor& reactor, const std::string& host, uint16_t port, int backlog, int receive_buffer_bytes,
                                                 OnAccept on_accept, OnTrouble on_trouble) {
  Result<io::Fd> socket = io::ListenTcp(host, port, backlog);
  if (!socket.ok()) return socket.status();
  io::TuneListener(socket->get(), receive_buffer_bytes);
  Result<uint16_t> bound = io::LocalPort(socket->get());
  if (!bound.ok()) return bound.status();
  std::unique_ptr<Listener> listener(new Listener(reactor, socket.take(), *bound, std::move(on_accept), std::move(on_trouble)));
  SLUICE_TRY(reactor.Watch(listener->socket_.get(), EPOLLIN, listener.get()));
  listener->watched_ = true;
  return listener;
}

Listener::Listener(Reactor& reactor, io::Fd socket, uint16_t port, OnAccept on_accept, OnTrouble on_trouble)
    : reactor_(reactor), socket_(std::move(socket)), port_(port), on_accept_(std::move(on_accept)), on_trouble_(std::move(on_trouble)),
      spare_(::open("/dev/null", O_RDONLY | O_CLOEXEC)) {}

Listener::~Listener() {
  if (watched_) reactor_.Unwatch(socket_.get());
}

void Listener::Pause() {
  paused_ = true;
  Update();
}

void Listener::Resume() {
  paused_ = false;
  Update();
}

void Listener::Update() {
  const bool want = !paused_ && !resting_;
  if (want == watched_) return;
  if (!want) {
    reactor_.Unwatch(socket_.get());
    watched_ = false;
    return;
  }
  watched_ = reactor_.Watch(socket_.get(), EPOLLIN, this).ok();
  if (!watched_) Rest();   // the kernel is out of memory for it
}

void Listener::Rest() {
  resting_ = true;
  reactor_.Arm(this, kRestUs);
}

void Listener::OnTimer() {
  resting_ = false;
  if (!spare_.open()) spare_ = io::Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  Update();
}

void Listener::OnEvents(uint32_t) {
  for (int i = 0; i < kMaxAcceptsPerTick && !paused_; ++i) {
    io::Peer peer;
    const int fd = io::Accept(socket_.get(), &peer);
    if (fd >= 0) {
      on_accept_(io::Fd(fd), std::move(peer));
      continue;
    }
    if (fd == -EAGAIN) return;
    if (fd == -EMFILE || fd == -ENFILE || fd == -ENOBUFS || fd == -ENOMEM) {
      OutOfDescriptors(-fd);
      return;
    }
    // Anything else (ECONNABORTED, EPERM, network errors) belongs to one connection that is gone already.
  }
}

void Listener::OutOfDescriptors(int error) {
  on_trouble_("listener on port " + std::to_string(port_) + ": a connection was turned away: " + std::strerror(error));
  if (spare_.open()) {
    spare_.Reset();
    io::Peer peer;
    const int fd = io::Accept(socket_.get(), &peer);
    if (fd >= 0) io::Fd(fd).Reset();
    spare_ = io::Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  }
  Rest();
  Update();
}

}  // namespace sluice::net
