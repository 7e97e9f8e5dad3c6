// The whole data plane under a script that the input writes: requests good, bent and meaningless on several connections, control answers,
// topics that come and go, time that passes. After each script nothing may be left behind.
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "../kafka/wire_out.h"
#include "../support/temp_dir.h"
#include "base/assert.h"
#include "batch/builder.h"
#include "batch/stamp.h"
#include "kafka/data_plane.h"

namespace sluice::kafka {
namespace {

using test::Blob;

class SkewClock final : public io::Clock {
 public:
  int64_t WallMs() override { return io::RealClock().WallMs() + added_us / 1000; }
  int64_t MonotonicUs() override { return io::RealClock().MonotonicUs() + added_us; }
  int64_t added_us = 0;
};

class Quiet final : public log::Reporter {
 public:
  void Report(log::Severity, const std::string&) override {}
};

class CallWatcher final : public net::Watcher {
 public:
  explicit CallWatcher(std::function<void()> call) : call_(std::move(call)) {}
  void OnEvents(uint32_t) override { call_(); }

 private:
  std::function<void()> call_;
};

class Control final : public ControlPlane {
 public:
  void OnRequest(ControlRequest request) override { tokens.push_back(request.token); }
  void OnDisconnect(uint64_t) override {}
  std::vector<uint64_t> tokens;
};

class Script {
 public:
  Script(const uint8_t* data, size_t size) : p_(data), end_(data + size) {}
  bool more() const { return p_ < end_; }
  uint8_t Byte() { return more() ? *p_++ : uint8_t{0}; }
  int64_t Number() {
    const uint8_t kind = Byte();
    if (kind < 200) return kind % 8 - 1;
    if (kind < 230) return Byte();
    int64_t v = 0;
    for (int i = 0; i < 8; ++i) v = static_cast<int64_t>(static_cast<uint64_t>(v) << 8 | Byte());
    return v;
  }
  int32_t Times(uint32_t factor) { return static_cast<int32_t>(static_cast<uint32_t>(Number()) * factor); }
  Blob Bytes(size_t most) {
    const size_t n = std::min({most, size_t{Byte()}, static_cast<size_t>(end_ - p_)});
    Blob out(p_, p_ + n);
    p_ += n;
    return out;
  }

 private:
  const uint8_t* p_;
  const uint8_t* end_;
};

struct World {
  World() {
    env.fs = &io::RealFileSystem();
    env.clock = &clock;
    pool = io::MakePool(1).take();
    env.pool = pool.get();
    writer = io::MakeAsyncWriter(io::Driver::kAuto).take();
    env.writer = writer.get();
    env.reporter = &reporter;
    reactor = net::Reactor::Create(clock).take();
    writer_watcher = std::make_unique<CallWatcher>([this] { writer->Reap(); });
    pool_watcher = std::make_unique<CallWatcher>([this] { pool->RunCompletions(); });
    SLUICE_ASSERT(reactor->Watch(writer->event_fd(), EPOLLIN, writer_watcher.get()).ok());
    SLUICE_ASSERT(reactor->Watch(pool->event_fd(), EPOLLIN, pool_watcher.get()).ok());
    log::LogDirOptions options;
    options.path = temp / "data";
    options.journal_bytes = 8 << 20;
    dir = log::LogDir::Open(env, options).take();
    reactor->OnTickEnd([this] { dir->Commit(); });
    std::vector<log::PartitionSpec> specs;
    for (uint8_t t = 0; t < 3; ++t) {
      for (int p = 0; p < 2; ++p) {
        log::LogConfig config;
        config.durability = t == 0 ? log::Durability::kFsync : log::Durability::kOs;
        config.cleanup_compact = t == 2;
        config.compression = t == 2 ? int8_t{3} : int8_t{-1};
        config.segment_bytes = 1 << 16;
        config.segment_index_bytes = 4096;
        config.max_message_bytes = 20000;
        config.retention_bytes = 1 << 20;
        config.file_delete_delay_ms = 0;
        specs.push_back({{std::string(1, static_cast<char>('a' + t)), p}, IdOf(t), LeaderEpoch(1), config});
      }
    }
    bool ready = false;
    dir->OpenPartitions(specs, [&](std::vector<log::OpenOutcome> outcomes) {
      for (size_t i = 0; i < outcomes.size(); ++i) {
        SLUICE_ASSERT(outcomes[i].status.ok());
        logs.push_back(outcomes[i].log);
      }
      dir->FinishRecovery(true, [&](Result<log::RecoveryReport>) { ready = true; });
    });
    while (!ready) reactor->RunOnce(1);
    PlaneConfig config;
    config.max_request_bytes = 1 << 20;
    config.request_memory_bytes = 1 << 20;
    config.fetch_session_slots = 3;
    config.served = {{0, 3, 13}, {1, 4, 18}, {3, 0, 13}};
    plane = std::make_unique<DataPlane>(*reactor, env, *dir, control, config);
    for (uint8_t t = 0; t < 3; ++t) Publish(t);
  }
  static TopicId IdOf(uint8_t t) {
    TopicId id;
    id.bytes.fill(static_cast<uint8_t>(t + 1));
    return id;
  }
  void Publish(uint8_t t, int32_t epoch = 1) {
    TopicPublication topic{std::string(1, static_cast<char>('a' + t)), IdOf(t), t == 1, {}};
    for (int p = 0; p < 2; ++p) topic.partitions.push_back({p, LeaderEpoch(epoch), logs[t * size_t{2} + static_cast<size_t>(p)]});
    plane->PublishTopic(topic);
  }

  sluice::test::TempDir temp;
  SkewClock clock;
  Quiet reporter;
  Control control;
  log::Env env;
  std::unique_ptr<net::Reactor> reactor;
  std::unique_ptr<io::Executor> pool;
  std::unique_ptr<io::AsyncWriter> writer;
  std::unique_ptr<CallWatcher> writer_watcher, pool_watcher;
  std::unique_ptr<log::LogDir> dir;
  std::unique_ptr<DataPlane> plane;
  std::vector<log::Log*> logs;
};

Blob BatchOf(Script& script) {
  batch::BatchBuilder builder;
  batch::BatchOptions options;
  const uint8_t shape = script.Byte();
  options.codec = static_cast<batch::Codec>(shape % 5);
  if ((shape & 0x20) != 0) {
    options.producer_id = ProducerId(script.Byte() % 3);
    options.producer_epoch = ProducerEpoch(script.Byte() % 2);
    options.base_sequence = script.Byte() % 4;
  }
  options.transactional = (shape & 0x1f) == 0x1f;
  builder.Start(options);
  const Blob value(script.Byte() * size_t{40}, shape);
  for (int i = 0; i <= shape % 3; ++i) {
    batch::RecordInput record;
    record.value = Bytes(value);
    if ((shape & 0x40) != 0) record.key = Bytes(value).first(std::min<size_t>(1, value.size()));
    record.timestamp = TimestampMs(io::RealClock().WallMs());
    (void)builder.Append(record);
  }
  Result<Bytes> bytes = builder.Finish();
  Blob batch(bytes->begin(), bytes->end());
  const uint8_t bend = script.Byte();
  if (bend >= 128) {
    batch[(bend * size_t{3} + script.Byte()) % batch.size()] = script.Byte();
    if ((bend & 1) != 0) batch::StampCrc(batch);
  }
  return batch;
}

std::string NameOf(Script& script) { return std::string(1, static_cast<char>('a' + script.Byte() % 4)); }
Blob IdFor(const std::string& name) { return Blob(16, static_cast<uint8_t>(name[0] - 'a' + 1)); }

Blob RequestOf(Script& script) {
  const uint8_t kind = script.Byte();
  const int32_t correlation = script.Byte();
  switch (kind % 4) {
    case 0: {
      const int16_t version = static_cast<int16_t>(3 + script.Byte() % 11);
      std::vector<test::ProduceRow> rows;
      for (int i = script.Byte() % 4; i >= 0; --i) {
        const std::string name = NameOf(script);
        test::ProduceRow row{name, IdFor(name), static_cast<int32_t>(script.Byte() % 3), std::nullopt};
        if (script.Byte() != 7) row.records = BatchOf(script);
        rows.push_back(row);
      }
      return test::Produce(version, correlation, static_cast<int16_t>(script.Byte() % 4 - 1), rows, static_cast<int32_t>(script.Number()));
    }
    case 1: {
      const int16_t version = static_cast<int16_t>(4 + script.Byte() % 15);
      test::FetchSpec spec;
      for (int i = script.Byte() % 5; i > 0; --i) {
        test::FetchRow row;
        row.topic = NameOf(script);
        row.id = IdFor(row.topic);
        row.partition = script.Byte() % 3;
        row.offset = script.Number();
        row.max_bytes = script.Times(100);
        row.leader_epoch = script.Byte() % 4 - 1;
        row.last_epoch = script.Byte() % 8 == 0 ? 1 : -1;
        (script.Byte() % 5 == 0 ? spec.forget : spec.rows).push_back(row);
      }
      spec.max_wait_ms = script.Times(100);
      spec.min_bytes = script.Times(50);
      spec.isolation = static_cast<int8_t>(script.Byte() % 8 == 0 ? script.Byte() : script.Byte() % 2);
      spec.session_id = static_cast<int32_t>(script.Number());
      spec.session_epoch = script.Byte() % 6 - 1;
      if (script.Byte() % 16 == 0) spec.replica_id = 2;
      return test::Fetch(version, correlation, spec);
    }
    case 2: return test::Request(script.Byte() % 8 == 0 ? 18 : 3, script.Byte() % 14, correlation, true, script.Bytes(200));
    default: return script.Byte() % 2 == 0 ? test::Framed(script.Bytes(200)) : script.Bytes(200);
  }
}

}  // namespace
}  // namespace sluice::kafka

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice;
  using namespace sluice::kafka;
  static World& world = *new World();
  Script script(data, size);
  std::vector<int> peers;
  const auto connect = [&] {
    int ends[2];
    SLUICE_ASSERT(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    world.plane->Adopt(ends[0], "fuzz", 0);
    peers.push_back(ends[1]);
  };
  connect();
  std::vector<uint8_t> sink(1 << 16);
  int32_t epoch = 1;
  while (script.more()) {
    const uint8_t what = script.Byte();
    const size_t peer = peers.empty() ? 0 : what % peers.size();
    switch (script.Byte() % 12) {
      case 0:
        if (peers.size() < 4) connect();
        break;
      case 1:
        if (!peers.empty()) {
          ::close(peers[peer]);
          peers.erase(peers.begin() + static_cast<ptrdiff_t>(peer));
        }
        break;
      case 2: world.clock.added_us += what * 1000ll; break;
      case 3: world.plane->WithdrawTopic(World::IdOf(what % 3)); break;
      case 4: world.Publish(what % 3, epoch += what % 2); break;
      case 5:
        if (!world.control.tokens.empty()) {
          if (what % 16 == 1) world.plane->Parked(world.control.tokens.back());
          if (what % 8 == 0) world.plane->CloseConnection(world.control.tokens.back(), "fuzz");
          else world.plane->Respond(world.control.tokens.back(), Blob(what, 1));
          world.control.tokens.pop_back();
        }
        break;
      case 6:
        if (!peers.empty()) ::shutdown(peers[peer], SHUT_WR);
        break;
      case 7: world.reactor->RunOnce(0); break;
      case 8:
        if (!peers.empty()) (void)!::read(peers[peer], sink.data(), sink.size());
        break;
      default:
        if (!peers.empty()) {
          Blob request = RequestOf(script);
          (void)::send(peers[peer], request.data(), request.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        }
    }
    if (what % 2 == 0) world.reactor->RunOnce(0);
  }
  for (int peer : peers) ::close(peer);
  // Everything comes to its end, and nothing is left.
  for (int round = 0; world.plane->stats().connections > 0 || world.pool->pending() > 0; ++round) {
    SLUICE_ASSERT_OP(round, <, 100000);
    world.reactor->RunOnce(round < 10 ? 0 : 1);
    for (uint64_t token : world.control.tokens) world.plane->Respond(token, Blob(4, 0));
    world.control.tokens.clear();
    if (round == 1000) world.clock.added_us += 4000000000000ll;
  }
  for (int i = 0; i < 3; ++i) world.reactor->RunOnce(0);
  for (uint64_t token : world.control.tokens) world.plane->Respond(token, Blob(4, 0));
  world.control.tokens.clear();
  bool caught_up = false;
  world.plane->WhenCaughtUp([&] { caught_up = true; });
  for (int i = 0; i < 5 && !caught_up; ++i) world.reactor->RunOnce(0);
  SLUICE_ASSERT(caught_up);
  SLUICE_ASSERT_OP(world.plane->stats().response_memory, ==, 0);
  SLUICE_ASSERT_OP(world.plane->stats().request_memory, ==, 0);
  SLUICE_ASSERT_OP(world.plane->stats().waiting, ==, 0);
  for (uint8_t t = 0; t < 3; ++t) world.Publish(t, 1);
  world.dir->OnTimer();
  return 0;
}
