// Kafka's protocol on top of the logs: listeners and connections, frames, Produce, Fetch with sessions and long polls, budgets, and the
// partition table that the control plane publishes. Lives on one reactor.
// Thread: reactor.
// Owns: connections, fetch sessions, waiting requests. Logs belong to LogDir.
// After error: a connection's error closes that connection; nothing here stops the reactor.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kafka/control.h"
#include "log/log_dir.h"
#include "net/reactor.h"

namespace sluice::kafka {

struct ListenerSpec {
  std::string name;   // "PLAINTEXT"
  std::string host;   // address to bind; "" or "0.0.0.0": all
  uint16_t port = 0;  // 0: chosen by the kernel
};

struct ApiVersionRange {
  int16_t key, min, max;       // served; requests outside are answered or closed as Kafka does
};

struct HostLimit {
  std::string host;            // an address
  int32_t connections;
};

struct PlaneConfig {
  int32_t node_id = 1;
  int32_t max_request_bytes = 104857600;        // socket.request.max.bytes
  int64_t idle_ms = 600000;                     // connections.max.idle.ms
  int32_t max_connections = 2147483647;         // max.connections
  int32_t max_connections_per_ip = 2147483647;  // max.connections.per.ip
  std::vector<HostLimit> per_ip_overrides;      // max.connections.per.ip.overrides
  int32_t max_connection_rate = 2147483647;     // max.connection.creation.rate
  int32_t send_buffer_bytes = 102400;           // socket.send.buffer.bytes, -1: the kernel's
  int32_t max_send_buffer_bytes = 384 << 10;    // sluice.socket.send.buffer.max.bytes
  int32_t receive_buffer_bytes = 102400;        // socket.receive.buffer.bytes, -1: the kernel's
  int32_t listen_backlog = 50;                  // socket.listen.backlog.size
  int64_t request_memory_bytes = 256ll << 20;   // sluice.memory.request.bytes: all frames being received or waiting
  int64_t connection_memory_bytes = 104857600 + (1 << 20);
  int64_t response_memory_bytes = 256ll << 20;  // sluice.memory.response.bytes: answers that have not been sent
  int64_t socket_memory_bytes = 256ll << 20;    // sluice.memory.socket.bytes: the kernel's buffers of all connections
  int32_t fetch_max_bytes = 57671680;           // fetch.max.bytes
  int32_t fetch_session_slots = 1000;           // max.incremental.fetch.session.cache.slots
  std::vector<ApiVersionRange> served;
};

// One topic as the control plane publishes it. Publishing an id again replaces what was there; partitions without a log (offline) have log == nullptr.
struct TopicPublication {
  std::string name;
  TopicId id;
  bool internal = false;
  struct Partition { int32_t index; LeaderEpoch epoch; log::Log* log; };
  std::vector<Partition> partitions;
};

struct PlaneStats {
  int64_t connections = 0, requests = 0, produce_requests = 0, fetch_requests = 0, bytes_in = 0, bytes_out = 0, request_memory = 0, response_memory = 0, sessions = 0,
          waiting = 0, control_requests = 0;
};

class DataPlane {
 public:
  DataPlane(net::Reactor& reactor, const log::Env& env, log::LogDir& dir, ControlPlane& control, const PlaneConfig& config);
  ~DataPlane();

  void SetConfig(const PlaneConfig& config);                 // dynamic settings
  Result<std::vector<uint16_t>> Listen(const std::vector<ListenerSpec>& listeners);  // bound ports; kIo "address in use" names host:port
  // Takes a connected socket as if it had been accepted: for tests, fuzzing and sockets that are handed over.
  void Adopt(int fd, const std::string& peer, uint16_t listener);
  void StopAccepting();
  void CloseAll();                                           // after answers in flight are sent or abandoned

  void PublishTopic(const TopicPublication& topic);
  void WithdrawTopic(const TopicId& id);                     // fails what waits on it with UNKNOWN_TOPIC_OR_PARTITION / UNKNOWN_TOPIC_ID

  // The whole response behind the 4-byte size: header and body. Unknown tokens (the peer left) are ignored.
  void Respond(uint64_t token, std::vector<uint8_t> response);
  void CloseConnection(uint64_t token, const std::string& why);  // instead of an answer
  void Parked(uint64_t token);  // nothing is left to do for it but to answer, once other requests have come

  // Runs `done` when every request that had arrived whole, on a connection that is being read, has been taken.
  void WhenCaughtUp(std::function<void()> done);

  PlaneStats stats() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::kafka
