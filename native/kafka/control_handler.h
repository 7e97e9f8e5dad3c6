// Requests that the control plane answers: handed up, waited for, answered with its bytes.
//
// A request goes up with a credit: one of a number, and its bytes of a sum. It covers all that the control plane does for it and returns with the
// answer, whether its client is still there or not; or earlier, when the control plane only keeps it until other requests come (Parked). Without a credit
// the request waits here, and its connection is not read. Heartbeats have credits of their own, so that no other request can keep them.
// Thread: reactor.
// Owns: the table of pending tokens. The answers themselves belong to their clients.
// After error: a token that is not pending is ignored.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/intrusive_list.h"
#include "kafka/client.h"
#include "kafka/control.h"
#include "kafka/request_header.h"

namespace sluice::kafka {

struct Plane;
class Client;
class ControlAnswer;

inline constexpr size_t kControlRequests = 1024;
inline constexpr int64_t kControlBytes = 32 << 20;  // or one request, however large
inline constexpr size_t kHeartbeats = 1024;
inline constexpr int64_t kHeartbeatBytes = 4 << 10;  // a larger one is treated as any request

class ControlHandler {
 public:
  explicit ControlHandler(Plane& plane) : plane_(plane) {}
  // `body` is what follows the header. False: no credit is left. EndTick calls the client's ExecuteParked when there is one.
  bool Execute(Client& client, const RequestHeader& header, Bytes body);
  void Respond(uint64_t token, std::vector<uint8_t> response);
  void CloseConnection(uint64_t token, const std::string& why);
  // The control plane is done with it but for the answer, which waits for others.
  void Parked(uint64_t token);
  void EndTick();
  size_t pending() const { return pending_.size(); }
  // Everything received by then is up, or answered.
  bool HandedUp(int64_t received_by_ms);

 private:
  friend class ControlAnswer;
  struct Lane {
    size_t requests = 0;  // that are up
    int64_t bytes = 0;
    IntrusiveList<Client, struct CreditTag> waiting;
  };
  struct Pending {
    ControlAnswer* answer = nullptr;  // null: the client has gone
    Lane* lane = nullptr;             // null: the credit has returned
    int64_t bytes = 0;
  };
  bool HasCredit(const Lane& lane, int64_t bytes) const;
  void Return(Pending& pending);
  void Admit(Lane& lane);

  Plane& plane_;
  Lane requests_, heartbeats_;
  bool admitting_ = false;
  std::unordered_map<uint64_t, Pending> pending_;
  uint64_t last_token_ = 0;
};

}  // namespace sluice::kafka
