// One non-blocking connection of the load generator: prepared requests go out with only their correlation id changed, answers come
// back in order.
//
// Thread: the loop's. Owns: the socket, the receive buffer; the requests it sends belong to the caller and must outlive the sending.
// After error: `failed()` says what happened; nothing more is sent.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace sluice::bench {

class Connection {
 public:
  // Connects, blocking, to 127.0.0.1. Returns false with the reason in failed().
  bool Open(uint16_t port);
  ~Connection();
  Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int fd() const { return fd_; }
  const std::string& failed() const { return failed_; }

  // Queues a prepared request. `intended` is the time from which its latency counts.
  void Send(Bytes request, uint64_t intended);
  // Writes what the socket takes. True when something is left, to be tried when the socket is writable.
  bool Flush();
  // Reads what is there. Complete answers are then taken with Next.
  void Receive();
  // The next complete answer, behind its length and correlation id; empty when there is none. The view holds until the next Receive.
  // Sets the intended time of its request.
  bool Next(Bytes* answer, uint64_t* intended);
  // The request was sent with acks=0: it has no answer.
  bool PopUnanswered();
  size_t in_flight() const { return waiting_.size(); }
  bool sending() const { return !outgoing_.empty(); }

  // Sends one request and waits for its answer, blocking the loop. For preparation only.
  bool Call(Bytes request, std::vector<uint8_t>* answer);

 private:
  struct Outgoing {
    uint8_t prefix[12];
    Bytes rest;
    size_t sent;
  };
  struct Waiting {
    int32_t correlation;
    uint64_t intended;
  };
  void Fail(const char* what);

  int fd_ = -1;
  int32_t next_correlation_ = 1;
  std::string failed_;
  std::deque<Outgoing> outgoing_;
  std::deque<Waiting> waiting_;
  std::vector<uint8_t> buffer_;
  size_t begin_ = 0;  // of what is not yet taken
  size_t end_ = 0;
};


}  // namespace sluice::bench
