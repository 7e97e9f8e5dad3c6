#include "kafka/data_plane.h"

#include <random>

#include "kafka/plane.h"

namespace sluice::kafka {
namespace {

constexpr int kMaxLinesPerSecond = 10;
constexpr size_t kConnectionsPerTick = 128;  // that the reactor comes to at least
constexpr int64_t kAbandonUs = 2000000;  // CloseAll: what has not been sent by then is dropped

}  // namespace

Plane::Plane(net::Reactor& r, const log::Env& e, log::LogDir& d, ControlPlane& c, const PlaneConfig& first)
    : reactor(r),
      env(e),
      dir(d),
      control(c),
      shared(std::make_shared<net::Shared>(r, *e.pool, first.request_memory_bytes)),
      controls(*this),
      produce(*this),
      fetch(*this, std::random_device()()) {
  ApplyConfig(first);
  shared->PaceReads([this] { return dir.write_times(reactor.now_us()); });
}

Plane::~Plane() {
  *alive = false;
  listeners.clear();
  clients.clear();
}

void Plane::ApplyConfig(const PlaneConfig& next) {
  config = next;
  shared->budget.SetLimit(next.request_memory_bytes);
  shared->max_frame = static_cast<int32_t>(std::min<int64_t>(next.max_request_bytes, next.connection_memory_bytes));
  shared->idle_us = next.idle_ms < 0 || next.idle_ms > INT64_MAX / 1000 ? INT64_MAX : std::max<int64_t>(next.idle_ms * 1000, 1);
  shared->out_limit = next.response_memory_bytes;
  fetch.sessions().SetSlots(next.fetch_session_slots);
  admission.Configure(next);
  served_.clear();
  for (const ApiVersionRange& range : next.served) {
    if (range.key < 0) continue;
    const size_t key = static_cast<size_t>(range.key);
    if (served_.size() <= key) served_.resize(key + 1, {0, 0, -1});
    served_[key] = range;
  }
  AdmitConnections();
  shared->send_buffers.Configure(next.send_buffer_bytes, next.max_send_buffer_bytes, next.socket_memory_bytes);
}

bool Plane::Serves(int16_t key, int16_t version) const {
  if (key < 0 || static_cast<size_t>(key) >= served_.size()) return false;
  const ApiVersionRange& range = served_[static_cast<size_t>(key)];
  return version >= range.min && version <= range.max;
}

// Newcomers beyond max.connections, or its rate, wait.
void Plane::AdmitConnections() {
  const bool room = admission.IsOpen(reactor.now_us());
  if (const int64_t us = admission.OpensInUs(reactor.now_us()); us > 0 && !opens_later_) {
    opens_later_ = true;
    reactor.After(us, [this, alive = alive] {
      if (!*alive) return;
      opens_later_ = false;
      AdmitConnections();
    });
  }
  if (room == admitting_) return;
  admitting_ = room;
  for (auto& listener : listeners) {
    if (room) {
      listener->Resume();
    } else {
      listener->Pause();
    }
  }
}

void Plane::Report(log::Severity severity, const std::string& line) {
  const int64_t second = reactor.now_us() / 1000000;
  if (second != second_) {
    if (suppressed_ > 0) env.reporter->Report(log::Severity::kWarn, std::to_string(suppressed_) + " more lines about connections were left out");
    second_ = second;
    lines_ = 0;
    suppressed_ = 0;
  }
  if (++lines_ > kMaxLinesPerSecond) {
    ++suppressed_;
    return;
  }
  env.reporter->Report(severity, line);
}

void Plane::WhenCaughtUp(std::function<void()> done) {
  catch_ups_.push_back({std::move(done), clients.size() / kConnectionsPerTick + 2});
  reactor.Again();
}

void Plane::FinishCatchUps() {
  if (catch_ups_.empty()) return;
  std::vector<CatchUp> all;
  all.swap(catch_ups_);
  for (CatchUp& one : all) {
    if (one.ticks_left > 0) {
      one.ticks_left = one.asked_now || !reactor.saw_all() ? one.ticks_left - 1 : 0;
      one.asked_now = false;
      one.read_ms = reactor.wall_ms();
      if (one.ticks_left > 0) reactor.Again();
    }
    if (one.ticks_left == 0 && controls.HandedUp(one.read_ms)) {
      one.done();
    } else {
      catch_ups_.push_back(std::move(one));
    }
  }
}

void Plane::EndTick() {
  FinishCatchUps();
  kept_chunks.clear();
  kept_buffers.clear();
  controls.EndTick();
  fetch.EndTick();
  shared->EndTick();
  if (!waiting_for_room.empty() && HasRoom()) {
    std::vector<uint64_t> waiting;
    waiting.swap(waiting_for_room);
    for (uint64_t id : waiting) {
      auto it = clients.find(id);
      if (it != clients.end()) it->second->ExecuteParked();
    }
    reactor.Again();
  }
  if (!fetch.due().empty()) reactor.Again();
}

void Plane::Accept(io::Fd socket, io::Peer peer, uint16_t listener) {
  if (!admission.Enter(peer.host, reactor.now_us())) {
    Report(log::Severity::kInfo, "connection from " + peer.name + " refused: max.connections.per.ip is reached");
    AdmitConnections();
    return;
  }
  io::TuneConnection(socket.get(), config.receive_buffer_bytes);
  const uint64_t id = ++last_client;
  auto client = std::make_unique<Client>(*this, id, std::move(socket), std::move(peer), listener);
  Client* made = client.get();
  clients.emplace(id, std::move(client));
  Status started = made->connection().Start();
  if (!started.ok()) made->connection().Close(started);
  AdmitConnections();
}

void Plane::Remove(Client* client) {
  if (client->used_control()) control.OnDisconnect(client->id());
  admission.Leave(client->peer().host);
  clients.erase(client->id());
  AdmitConnections();
}

struct DataPlane::Impl : Plane {
  using Plane::Plane;
};

DataPlane::DataPlane(net::Reactor& reactor, const log::Env& env, log::LogDir& dir, ControlPlane& control, const PlaneConfig& config)
    : impl_(std::make_unique<Impl>(reactor, env, dir, control, config)) {
  // Behind LogDir::Commit, which whoever composes the engine has registered before.
  Plane* plane = impl_.get();
  reactor.OnTickEnd([plane, alive = plane->alive] {
    if (*alive) plane->EndTick();
  });
  dir.OnRoom([plane, alive = plane->alive] {
    if (*alive) plane->reactor.Again();
  });
}

DataPlane::~DataPlane() = default;

void DataPlane::SetConfig(const PlaneConfig& config) { impl_->ApplyConfig(config); }

Result<std::vector<uint16_t>> DataPlane::Listen(const std::vector<ListenerSpec>& specs) {
  std::vector<std::unique_ptr<net::Listener>> opened;
  std::vector<uint16_t> ports;
  Plane* plane = impl_.get();
  for (const ListenerSpec& spec : specs) {
    const uint16_t index = static_cast<uint16_t>(plane->listeners.size() + opened.size());
    Result<std::unique_ptr<net::Listener>> listener = net::Listener::Open(
        plane->reactor, spec.host, spec.port, plane->config.listen_backlog, plane->config.receive_buffer_bytes,
        [plane, index](io::Fd socket, io::Peer peer) { plane->Accept(std::move(socket), std::move(peer), index); },
        [plane](const std::string& line) { plane->Report(log::Severity::kWarn, line); });
    if (!listener.ok()) {
      return Status::Error(Code::kIo, "cannot listen on " + spec.host + ":" + std::to_string(spec.port) + ": " + listener.status().what(),
                           listener.status().sys_errno());
    }
    if (!plane->admits()) listener.value()->Pause();
    ports.push_back(listener.value()->port());
    opened.push_back(listener.take());
  }
  for (auto& listener : opened) plane->listeners.push_back(std::move(listener));
  return ports;
}

void DataPlane::Adopt(int fd, const std::string& peer, uint16_t listener) { impl_->Accept(io::Fd(fd), io::Peer{peer, peer}, listener); }

void DataPlane::StopAccepting() {
  impl_->listeners.clear();
}

void DataPlane::CloseAll() {
  Plane* plane = impl_.get();
  for (auto& [id, client] : plane->clients) client->Drain();
  plane->reactor.After(kAbandonUs, [plane, alive = plane->alive] {
    if (!*alive) return;
    for (auto& [id, client] : plane->clients) client->connection().Close(Status::Ok());
  });
}

void DataPlane::PublishTopic(const TopicPublication& publication) {
  bool changed = false;
  const TopicRef topic = impl_->table.Publish(publication, &changed);
  if (changed) impl_->fetch.TopicChanged(topic.get());
}

void DataPlane::WithdrawTopic(const TopicId& id) {
  const TopicRef topic = impl_->table.Withdraw(id);
  if (!topic) return;
  impl_->fetch.TopicChanged(topic.get());
  impl_->produce.TopicGone(topic.get());
}

void DataPlane::Respond(uint64_t token, std::vector<uint8_t> response) { impl_->controls.Respond(token, std::move(response)); }
void DataPlane::Parked(uint64_t token) { impl_->controls.Parked(token); }
void DataPlane::CloseConnection(uint64_t token, const std::string& why) { impl_->controls.CloseConnection(token, why); }

void DataPlane::WhenCaughtUp(std::function<void()> done) { impl_->WhenCaughtUp(std::move(done)); }

PlaneStats DataPlane::stats() const {
  PlaneStats stats = impl_->stats;
  stats.connections = static_cast<int64_t>(impl_->clients.size());
  stats.bytes_in = impl_->shared->bytes_in;
  stats.bytes_out = impl_->shared->bytes_out;
  stats.request_memory = impl_->shared->budget.used();
  stats.response_memory = impl_->shared->out_memory;
  stats.sessions = static_cast<int64_t>(impl_->fetch.sessions().size());
  stats.waiting = static_cast<int64_t>(impl_->fetch.waiting().size() + impl_->produce.waiting().size() + impl_->controls.pending());
  return stats;
}

}  // namespace sluice::kafka
