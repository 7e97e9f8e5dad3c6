// The seam between the data plane and whoever decides (the TypeScript control plane through addon/, or a test).
// The data plane serves Produce and Fetch itself; every other request goes up through ControlPlane and comes back through DataPlane::Respond.
// Each that goes up has a credit, which returns with Respond, CloseConnection or Parked: one of the first two comes for every token, once.
// Thread: home (reactor) thread on both sides; the addon moves it across.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::kafka {

// A request for the control plane. Token: unique while the request is pending, below 2^53.
struct ControlRequest {
  uint64_t token = 0;
  uint64_t connection = 0;
  int16_t api_key = 0;
  int16_t api_version = 0;
  int32_t correlation_id = 0;
  bool has_client_id = false;
  std::string client_id;
  std::string peer;            // "127.0.0.1:50312"
  uint16_t listener = 0;       // index in the list given to Listen
  int64_t received_ms = 0;     // wall clock when the frame was complete
  std::vector<uint8_t> body;   // after the request header
};

class ControlPlane {
 public:
  virtual ~ControlPlane() = default;
  virtual void OnRequest(ControlRequest request) = 0;
  virtual void OnDisconnect(uint64_t connection) = 0;  // its pending tokens have no client any more, and are answered all the same
};

}  // namespace sluice::kafka
