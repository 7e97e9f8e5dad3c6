// A listening socket: accepts a bounded number of connections a tick, and does not spin when the process is out of descriptors.
// Thread: reactor.
// Owns: the socket, and one spare descriptor to turn a connection away with.
// After error: it pauses and tries again.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "io/socket.h"
#include "net/reactor.h"

namespace sluice::net {

class Listener final : public Watcher, private Timer {
 public:
  using OnAccept = std::function<void(io::Fd socket, io::Peer peer)>;
  using OnTrouble = std::function<void(const std::string& line)>;
  static Result<std::unique_ptr<Listener>> Open(Reactor& reactor, const std::string& host, uint16_t port, int backlog, int receive_buffer_bytes,
                                                OnAccept on_accept, OnTrouble on_trouble);
  ~Listener() override;

  uint16_t port() const { return port_; }
  // Leaves waiting connections in the kernel's queue until Resume. Both may be called again.
  void Pause();
  void Resume();
  void OnEvents(uint32_t events) override;

 private:
  Listener(Reactor& reactor, io::Fd socket, uint16_t port, OnAccept on_accept, OnTrouble on_trouble);
  void OnTimer() override;
  void OutOfDescriptors(int error);
  void Rest();
  void Update();

  Reactor& reactor_;
  const io::Fd socket_;
  const uint16_t port_;
  const OnAccept on_accept_;
  const OnTrouble on_trouble_;
  io::Fd spare_;
  bool paused_ = false;   // by the owner
  bool resting_ = false;  // out of descriptors or of memory
  bool watched_ = false;
};

}  // namespace sluice::net
