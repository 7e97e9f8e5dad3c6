// A whole data plane on the test's own thread: real log directory, real sockets, a control plane that the test plays. Time can be moved.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "batch/builder.h"
#include "kafka/data_plane.h"
#include "kafka/wire.h"
#include "log/fault_fs.h"
#include "support/temp_dir.h"
#include "support/test_env.h"

namespace sluice::kafka::test {

// Real time, and what the test adds to it.
// Stands still unless a test moves it, however long the machine takes.
class SkewClock final : public io::Clock {
 public:
  int64_t WallMs() override { return wall_ms_ + added_us / 1000; }
  int64_t MonotonicUs() override { return monotonic_us_ + added_us; }
  std::atomic<int64_t> added_us = 0;   // other threads look at it too

 private:
  const int64_t wall_ms_ = io::RealClock().WallMs();
  const int64_t monotonic_us_ = io::RealClock().MonotonicUs();
};

class FakeControl final : public ControlPlane {
 public:
  void OnRequest(ControlRequest request) override { requests.push_back(std::move(request)); }
  void OnDisconnect(uint64_t connection) override { gone.push_back(connection); }
  std::vector<ControlRequest> requests;
  std::vector<uint64_t> gone;
};

class CallWatcher final : public net::Watcher {
 public:
  explicit CallWatcher(std::function<void()> call) : call_(std::move(call)) {}
  void OnEvents(uint32_t) override { call_(); }

 private:
  std::function<void()> call_;
};

// The real writer, but for completions that the test keeps back: a disk that does not come back.
class HeldWriter final : public io::AsyncWriter {
 public:
  explicit HeldWriter(io::AsyncWriter& real) : real_(real) {}
  void Submit(io::WriteOp* op) override {
    if (hold) {
      held_.push_back(op);
    } else {
      real_.Submit(op);
    }
  }
  void Flush() override { real_.Flush(); }
  size_t Reap() override { return real_.Reap(); }
  void Drain() override {
    Release();
    real_.Drain();
  }
  bool HasCompletions() const override { return real_.HasCompletions(); }
  int event_fd() const override { return real_.event_fd(); }
  size_t pending() const override { return real_.pending() + held_.size(); }
  const char* driver() const override { return real_.driver(); }
  void Release() {
    hold = false;
    for (io::WriteOp* op : held_) real_.Submit(op);
    held_.clear();
    real_.Flush();
  }
  bool hold = false;

 private:
  io::AsyncWriter& real_;
  std::vector<io::WriteOp*> held_;
};

// One end of a connection; reads what is there when asked.
class Peer {
 public:
  explicit Peer(int fd) : fd_(fd) {}
  ~Peer() { Close(); }
  Peer(Peer&& o) noexcept : fd_(std::exchange(o.fd_, -1)), in_(std::move(o.in_)), ended_(o.ended_) {}
  void Close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  void HalfClose() { ::shutdown(fd_, SHUT_WR); }
  int fd() const { return fd_; }
  // All of it, as far as the socket takes it at once; returns what it took.
  size_t Send(const Blob& bytes, size_t from = 0) {
    size_t done = from;
    while (done < bytes.size()) {
      ssize_t n = ::send(fd_, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n <= 0) break;
      done += static_cast<size_t>(n);
    }
    return done;
  }
  void Drain(size_t most = SIZE_MAX) {
    uint8_t buffer[65536];
    while (!ended_ && most > 0) {
      ssize_t n = ::recv(fd_, buffer, std::min(sizeof buffer, most), MSG_DONTWAIT);
      if (n < 0 && errno == EAGAIN) return;
      if (n <= 0) {
        ended_ = true;
        return;
      }
      in_.insert(in_.end(), buffer, buffer + n);
      most -= static_cast<size_t>(n);
    }
  }
  bool ended() {
    Drain();
    return ended_;
  }
  size_t unread() const { return in_.size(); }
  std::optional<Blob> Frame() {
    Drain();
    if (in_.size() < 4) return std::nullopt;
    const size_t size = static_cast<size_t>(In(Blob(in_.begin(), in_.begin() + 4), false).I32());
    if (in_.size() < 4 + size) return std::nullopt;
    Blob frame(in_.begin() + 4, in_.begin() + 4 + static_cast<ptrdiff_t>(size));
    in_.erase(in_.begin(), in_.begin() + 4 + static_cast<ptrdiff_t>(size));
    return frame;
  }

 private:
  int fd_;
  Blob in_;
  bool ended_ = false;
};

inline Blob MakeBatch(int records = 1, size_t value_bytes = 100, batch::BatchOptions options = {}, bool keys = false) {
  batch::BatchBuilder builder;
  builder.Start(options);
  std::vector<uint8_t> value(value_bytes);
  for (int i = 0; i < records; ++i) {
    for (size_t j = 0; j < value.size(); ++j) value[j] = static_cast<uint8_t>(i * 31 + j * 7);
    batch::RecordInput record;
    record.value = Bytes(value);
    if (keys) record.key = Bytes(value).first(std::min<size_t>(4, value.size()));
    record.timestamp = TimestampMs(io::RealClock().WallMs());
    EXPECT_TRUE(builder.Append(record).ok());
  }
  Result<Bytes> bytes = builder.Finish();
  EXPECT_TRUE(bytes.ok());
  return Blob(bytes->begin(), bytes->end());
}

class PlaneFixture : public ::testing::Test {
 protected:
  PlaneFixture() : env_(std::make_unique<sluice::test::TestEnv>()), writer_(env_->writer()), plane_env_(env_->env()) {
    plane_env_.writer = &writer_;
    plane_env_.clock = &clock_;
    for (int16_t key : {3, 10, 11, 12}) config_.served.push_back({key, 0, 9});
    config_.served.push_back({0, 3, 13});
    config_.served.push_back({1, 4, 18});
    log_config_.durability = log::Durability::kFsync;
  }
  ~PlaneFixture() override {
    plane_.reset();
    writer_.Drain();
    dir_.reset();
    reactor_.reset();
  }

  // Opens the directory with a topic "t" of `partitions` partitions and "u" with one, and starts the plane.
  void Start(int partitions = 3) {
    Result<std::unique_ptr<net::Reactor>> reactor = net::Reactor::Create(clock_);
    ASSERT_TRUE(reactor.ok());
    reactor_ = reactor.take();
    writer_watcher_ = std::make_unique<CallWatcher>([this] { env_->writer().Reap(); });
    pool_watcher_ = std::make_unique<CallWatcher>([this] { env_->pool().RunCompletions(); });
    ASSERT_TRUE(reactor_->Watch(env_->writer().event_fd(), EPOLLIN, writer_watcher_.get()).ok());
    ASSERT_TRUE(reactor_->Watch(env_->pool().event_fd(), EPOLLIN, pool_watcher_.get()).ok());
    log::LogDirOptions options;
    options.path = temp_ / "data";
    options.journal_bytes = 16 << 20;
    Result<std::unique_ptr<log::LogDir>> dir = log::LogDir::Open(plane_env_, options);
    ASSERT_TRUE(dir.ok()) << dir.status().ToString();
    dir_ = dir.take();
    reactor_->OnTickEnd([this] { dir_->Commit(); });
    AddTopic("t", 1, partitions);
    AddTopic("u", 2, 1);
    bool recovered = false;
    dir_->FinishRecovery(true, [&](Result<log::RecoveryReport> report) { recovered = report.ok(); });
    ASSERT_TRUE(Until([&] { return recovered; }));
    plane_ = std::make_unique<DataPlane>(*reactor_, plane_env_, *dir_, control_, config_);
    for (const TopicPublication& topic : topics_) plane_->PublishTopic(topic);
    Result<std::vector<uint16_t>> ports = plane_->Listen({{"PLAINTEXT", "127.0.0.1", 0}});
    ASSERT_TRUE(ports.ok());
    port_ = ports->front();
  }

  static TopicId IdOf(uint8_t n) {
    TopicId id;
    id.bytes.fill(n);
    return id;
  }
  static Blob IdBlob(uint8_t n) { return Blob(16, n); }

  void AddTopic(const std::string& name, uint8_t id, int partitions, bool internal = false) {
    std::vector<log::PartitionSpec> specs;
    for (int i = 0; i < partitions; ++i) specs.push_back({{name, i}, IdOf(id), LeaderEpoch(5), log_config_});
    TopicPublication topic{name, IdOf(id), internal, {}};
    bool opened = false;
    dir_->OpenPartitions(std::move(specs), [&](std::vector<log::OpenOutcome> outcomes) {
      for (size_t i = 0; i < outcomes.size(); ++i) {
        EXPECT_TRUE(outcomes[i].status.ok()) << outcomes[i].status.ToString();
        topic.partitions.push_back({static_cast<int32_t>(i), LeaderEpoch(5), outcomes[i].log});
      }
      opened = true;
    });
    ASSERT_TRUE(Until([&] { return opened; }));
    topics_.push_back(topic);
    if (plane_) plane_->PublishTopic(topic);
  }
  log::Log* LogOf(uint8_t id, int partition) { return dir_->Find({IdOf(id), partition}); }

  // Runs the reactor until it holds; false after a time that only a hang can take.
  bool Until(const std::function<bool()>& done) {
    const int64_t deadline = io::RealClock().MonotonicUs() + 20000000;
    while (!done()) {
      if (io::RealClock().MonotonicUs() > deadline) return false;
      reactor_->RunOnce(5);
    }
    return true;
  }
  // Enough ticks for everything that is going to happen without more input.
  void Settle() {
    for (int i = 0; i < 20; ++i) reactor_->RunOnce(0);
    (void)Until([&] { return env_->pool().pending() == 0 && env_->writer().pending() == 0; });
    for (int i = 0; i < 20; ++i) reactor_->RunOnce(0);
  }
  // The same where the disk is held.
  void Settle0() {
    for (int i = 0; i < 20; ++i) reactor_->RunOnce(1);
  }
  void Advance(int64_t ms) { clock_.added_us += ms * 1000; }

  Peer Connect() {
    int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0) << strerror(errno);
    return Peer(fd);
  }
  // The next frame of the peer; empty (and a failed test) when none comes.
  Blob Next(Peer& peer) {
    std::optional<Blob> frame;
    EXPECT_TRUE(Until([&] { return (frame = peer.Frame()).has_value() || peer.ended(); }));
    if (!frame) frame = peer.Frame();
    EXPECT_TRUE(frame.has_value());
    return frame.value_or(Blob());
  }
  Blob Ask(Peer& peer, const Blob& request) {
    size_t sent = 0;
    EXPECT_TRUE(Until([&] { return (sent = peer.Send(request, sent)) == request.size(); }));
    return Next(peer);
  }
  bool Ends(Peer& peer) {
    return Until([&] { return peer.ended(); });
  }
  ProduceReply AskProduce(Peer& peer, int16_t version, int16_t acks, const std::vector<ProduceRow>& rows) {
    return ReadProduce(version, Ask(peer, Produce(version, ++correlation_, acks, rows)));
  }
  FetchReply AskFetch(Peer& peer, int16_t version, const FetchSpec& spec) {
    return ReadFetch(version, Ask(peer, Fetch(version, ++correlation_, spec)));
  }
  // Appends one batch of `records` records to partition 0 of "t" and waits until it is visible.
  void Fill(Peer& peer, int records = 1, size_t value_bytes = 100, const std::string& topic = "t", int partition = 0) {
    const ProduceReply reply = AskProduce(peer, 7, -1, {{topic, Blob(16), partition, MakeBatch(records, value_bytes)}});
    ASSERT_EQ(reply.rows.size(), 1u);
    ASSERT_EQ(reply.rows[0].error, 0);
  }

  sluice::test::TempDir temp_;
  SkewClock clock_;
  FakeControl control_;
  PlaneConfig config_;
  log::LogConfig log_config_;
  std::unique_ptr<sluice::test::TestEnv> env_;
  log::test::FaultFs fault_fs_;   // of a test that puts it into plane_env_
  HeldWriter writer_;
  log::Env plane_env_;
  std::unique_ptr<net::Reactor> reactor_;
  std::unique_ptr<CallWatcher> writer_watcher_, pool_watcher_;
  std::unique_ptr<log::LogDir> dir_;
  std::vector<TopicPublication> topics_;
  std::unique_ptr<DataPlane> plane_;
  uint16_t port_ = 0;
  int32_t correlation_ = 0;
};

}  // namespace sluice::kafka::test
