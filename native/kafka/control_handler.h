// Requests that the control plane answers: handed up, waited for, answered with its bytes.
// Thread: reactor.
// Owns: the table of pending tokens. The answers themselves belong to their clients.
// After error: a token of a peer that has left is unknown, and ignored.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "kafka/control.h"
#include "kafka/request_header.h"

namespace sluice::kafka {

struct Plane;
class Client;
class ControlAnswer;

class ControlHandler {
 public:
  explicit ControlHandler(Plane& plane) : plane_(plane) {}
  // `body` is what follows the header.
  void Execute(Client& client, const RequestHeader& header, Bytes body);
  void Respond(uint64_t token, std::vector<uint8_t> response);
  void CloseConnection(uint64_t token, const std::string& why);
  size_t pending() const { return pending_.size(); }

 private:
  friend class ControlAnswer;
  Plane& plane_;
  std::unordered_map<uint64_t, ControlAnswer*> pending_;
  uint64_t last_token_ = 0;
};

}  // namespace sluice::kafka
