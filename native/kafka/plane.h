// The inside of DataPlane: what clients and handlers share. Not for other folders.
// Thread: reactor.
// Owns: everything listed; members are destroyed from the last to the first.
// After error: see DataPlane.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/buffer.h"
#include "kafka/admission.h"
#include "kafka/client.h"
#include "kafka/control_handler.h"
#include "kafka/data_plane.h"
#include "kafka/fetch_handler.h"
#include "kafka/partition_table.h"
#include "kafka/produce_handler.h"
#include "net/connection.h"
#include "net/listener.h"

namespace sluice::kafka {

struct Plane {
  Plane(net::Reactor& reactor, const log::Env& env, log::LogDir& dir, ControlPlane& control, const PlaneConfig& config);
  ~Plane();

  // A line about a peer; at most kMaxLinesPerSecond, then one that counts what was left out.
  void Report(log::Severity severity, const std::string& line);

  void ApplyConfig(const PlaneConfig& next);
  bool Serves(int16_t key, int16_t version) const;
  // Bytes that staged batches lie in stay until the tick's Commit is over.
  void KeepForCommit(const net::ChunkRef& chunk) { kept_chunks.push_back(chunk); }
  void KeepForCommit(Buffer buffer) { kept_buffers.push_back(std::move(buffer)); }
  void EndTick();

  // Newcomers are let in.
  bool admits() const { return admitting_; }
  void WhenCaughtUp(std::function<void()> done);
  void Accept(io::Fd socket, io::Peer peer, uint16_t listener);
  void Remove(Client* client);
  // A directory that is offline has no room either, but answers: with an error.
  bool HasRoom() const { return dir.HasRoom() || !dir.status().ok(); }
  // The journal had no room for this client's Produce: ExecuteParked is called when it has.
  void WaitForRoom(Client* client) { waiting_for_room.push_back(client->id()); }

  net::Reactor& reactor;
  const log::Env env;
  log::LogDir& dir;
  ControlPlane& control;
  PlaneConfig config;
  PlaneStats stats;
  std::shared_ptr<net::Shared> shared;
  PartitionTable table;

  std::vector<net::ChunkRef> kept_chunks;
  std::vector<Buffer> kept_buffers;
  std::vector<uint64_t> waiting_for_room;

  ControlHandler controls;
  ProduceHandler produce;
  FetchHandler fetch;

  std::unordered_map<uint64_t, std::unique_ptr<Client>> clients;
  Admission admission;
  uint64_t last_client = 0;
  std::vector<std::unique_ptr<net::Listener>> listeners;
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);

 private:
  struct CatchUp {
    std::function<void()> done;
    size_t ticks_left = 0;  // the kernel tells of ready descriptors in turn: after so many ticks all have had theirs
    bool asked_now = true;  // in this tick, behind its events
    int64_t read_ms = 0;
  };
  void AdmitConnections();
  void FinishCatchUps();

  std::vector<ApiVersionRange> served_;  // by key
  std::vector<CatchUp> catch_ups_;
  bool admitting_ = true;
  bool opens_later_ = false;
  int64_t second_ = 0;  // of the lines counted
  int lines_ = 0;
  int64_t suppressed_ = 0;
};

}  // namespace sluice::kafka
