// One client's connection: takes its frames to the handlers in order and sends their answers in order.
//
// A request that waits for something other than durability (the control plane, new records, the pool, room in the journal) holds back its successors.
// Thread: reactor.
// Owns: the connection, the answers not yet written.
// After error: closes; Plane destroys it at the end of the tick.
#pragma once

#include <cstdint>
#include <string>

#include "kafka/answer.h"
#include "kafka/request_header.h"
#include "net/connection.h"

namespace sluice::kafka {

struct Plane;

inline constexpr size_t kMaxAnswersWaiting = 512;  // of one connection; beyond it no further request is taken

class Client final : public net::ConnectionHandler, public ListNode<struct CreditTag> {
 public:
  Client(Plane& plane, uint64_t id, io::Fd socket, io::Peer peer, uint16_t listener);
  ~Client() override;

  uint64_t id() const { return id_; }
  const io::Peer& peer() const { return peer_; }
  uint16_t listener() const { return listener_; }
  net::Connection& connection() { return connection_; }
  bool used_control() const { return used_control_; }
  // Wall clock when the request in execution had come in whole.
  int64_t received_ms() const { return received_ms_; }

  // Takes its place in the order of answers.
  void Add(Answer* answer);
  // The answer can be written: it leaves as soon as those before it have.
  void Ready(Answer* answer);
  // Takes an answer back that will never be written (acks=0, a request withdrawn).
  void Drop(Answer* answer);
  // Bytes of an answer that may have to wait for those before it; taken back when it is written or gone.
  void CountWaiting(int64_t bytes);

  // What arrived cannot be a request: one log line, and the connection is closed.
  void Malformed(const std::string& what);
  // Closed because that is the answer (acks=0 with an error, an API that is not served).
  void CloseFor(const std::string& why);
  // No further request is read; what is in flight is answered, then it is closed.
  void Drain();

  void OnFrame(net::Frame frame) override;
  void OnBadFrame(int32_t size) override;
  void OnPeerDone() override;
  void OnEnd() override { Drain(); }
  void OnClosed(const Status& why) override;

  // A request that came while there was no room in the journal, or no credit for the control plane; executed when there is.
  void ExecuteParked();

 private:
  void Dispatch(net::Frame frame);
  void Park(net::Frame frame);
  void WriteReady();
  void LimitWaiting();

  Plane& plane_;
  const uint64_t id_;
  const io::Peer peer_;
  const uint16_t listener_;
  net::Connection connection_;
  IntrusiveList<Answer, struct AnswerTag> answers_;
  size_t waiting_ = 0;
  int64_t waiting_bytes_ = 0;
  net::Frame parked_;
  int64_t received_ms_ = 0;
  bool used_control_ = false;
  bool too_many_ = false;
  bool draining_ = false;
};

}  // namespace sluice::kafka
