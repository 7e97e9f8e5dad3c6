// sluice-load tail: consumers of what is being written. Each is a connection of its own that long-polls all partitions from their ends on; after
// --seconds it prints what they received together. "ready" goes to standard error once all of them wait.
#include <sys/epoll.h>

#include <cinttypes>
#include <cstdio>
#include <memory>

#include "connection.h"
#include "fetched.h"
#include "options.h"
#include "wire.h"

namespace sluice::bench {
namespace {

constexpr int32_t kMaxWaitMs = 500;

class Tail {
 public:
  explicit Tail(const Options& options) : options_(options), check_(options.batch_records, options.record_size, options.verify_every) {}

  void Run() {
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < options_.consumers; ++i) {
      auto consumer = std::make_unique<Consumer>();
      for (int p = 0; p < options_.partitions; ++p) consumer->cursors.push_back({options_.first_partition + p});
      if (!consumer->connection.Open(options_.port)) Die(consumer->connection.failed());
      const std::vector<int64_t> ends = FindOffsets(consumer->connection, options_.topic, consumer->cursors, kLatest);
      for (size_t c = 0; c < ends.size(); ++c) consumer->cursors[c].offset = ends[c];
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.u32 = static_cast<uint32_t>(i);
      epoll_ctl(epoll_, EPOLL_CTL_ADD, consumer->connection.fd(), &event);
      consumers_.push_back(std::move(consumer));
    }
    for (auto& each : consumers_) Poll(*each);
    std::fprintf(stderr, "ready\n");
    start_ = NowNanos();
    cpu_start_ = CpuSeconds();
    const uint64_t until = start_ + static_cast<uint64_t>(options_.seconds * 1e9);
    for (uint64_t now = start_; now < until; now = NowNanos()) {
      epoll_event events[64];
      const int ready = epoll_wait(epoll_, events, 64, static_cast<int>((until - now) / 1000000 + 1));
      for (int i = 0; i < ready; ++i) Receive(*consumers_[events[i].data.u32]);
    }
    end_ = NowNanos();
  }

  void Print() const {
    const double seconds = static_cast<double>(end_ - start_) / 1e9;
    std::printf("{\"workload\":\"tail\",\"seconds\":%.4f,\"requests\":%" PRIu64 ",\"records\":%" PRIu64 ",\"bytes\":%" PRIu64
                ",\"mb_per_s\":%.2f,\"requests_per_s\":%.1f,\"records_per_s\":%.0f,\"client_cpu_s\":%.3f}\n",
                seconds, requests_, records_, bytes_, static_cast<double>(bytes_) / seconds / 1e6, static_cast<double>(requests_) / seconds,
                static_cast<double>(records_) / seconds, CpuSeconds() - cpu_start_);
  }

 private:
  struct Consumer {
    Connection connection;
    std::vector<Cursor> cursors;
    std::vector<uint8_t> request;
  };

  void Poll(Consumer& consumer) {
    std::vector<FetchPosition> positions;
    for (const Cursor& cursor : consumer.cursors) positions.push_back({cursor.partition, cursor.offset});
    consumer.request = FetchRequest(options_.topic, positions, kMaxWaitMs, 1, options_.max_bytes, options_.partition_max_bytes);
    consumer.connection.Send(Bytes(consumer.request), NowNanos());
    ++requests_;
    while (consumer.connection.Flush()) {
    }
  }

  void Receive(Consumer& consumer) {
    consumer.connection.Receive();
    Bytes answer;
    uint64_t intended;
    while (consumer.connection.Next(&answer, &intended)) {
      ForEachPartition(answer, [&](int32_t partition, Bytes records) {
        bytes_ += records.size();
        records_ += check_.Walk(records, &consumer.cursors[static_cast<size_t>(partition - options_.first_partition)].offset);
      });
      Poll(consumer);
    }
    if (!consumer.connection.failed().empty()) Die(consumer.connection.failed());
  }

  const Options& options_;
  ContentCheck check_;
  std::vector<std::unique_ptr<Consumer>> consumers_;
  int epoll_ = -1;
  uint64_t start_ = 0;
  uint64_t end_ = 0;
  double cpu_start_ = 0;
  uint64_t requests_ = 0;
  uint64_t records_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace

int RunTail(const Options& options) {
  Tail tail(options);
  tail.Run();
  tail.Print();
  return 0;
}

}  // namespace sluice::bench
