// sluice-load e2e: one record at a time through the broker, from the moment it was meant to be sent to the moment a long-polling
// consumer on another connection has it. Without a rate the next record leaves when the last one has arrived.
#include <sys/epoll.h>

#include <cinttypes>
#include <cstdio>

#include "connection.h"
#include "fetched.h"
#include "options.h"
#include "wire.h"

namespace sluice::bench {
namespace {

class EndToEnd {
 public:
  explicit EndToEnd(const Options& options) : options_(options), request_(BuildRequest(options)), check_(1, options.record_size, 1) {}

  void Run() {
    if (!producer_.Open(options_.port)) Die(producer_.failed());
    if (!consumer_.Open(options_.port)) Die(consumer_.failed());
    next_offset_ = FindOffsets(consumer_, options_.topic, {{options_.first_partition}}, kLatest).front();
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    for (Connection* each : {&producer_, &consumer_}) {
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.ptr = each;
      epoll_ctl(epoll_, EPOLL_CTL_ADD, each->fd(), &event);
    }
    start_ = NowNanos();
    cpu_start_ = CpuSeconds();
    Poll();
    while (arrived_ < options_.count) {
      SendDue();
      Wait();
    }
    end_ = NowNanos();
  }

  void Print() const {
    const double seconds = static_cast<double>(end_ - start_) / 1e9;
    std::printf("{\"workload\":\"e2e\",\"seconds\":%.4f,\"records\":%" PRIu64 ",\"records_per_s\":%.1f,\"client_cpu_s\":%.3f,%s,\"ack\":{%s}}\n", seconds,
                arrived_, static_cast<double>(arrived_) / seconds, CpuSeconds() - cpu_start_, LatencyJson(latencies_).c_str(),
                LatencyJson(acks_).c_str());
  }

 private:
  static std::vector<uint8_t> BuildRequest(const Options& options) {
    const std::vector<uint8_t> batch = BuildBatch(1, options.record_size, 1);
    return ProduceRequest(options.topic, {options.first_partition}, Bytes(batch), static_cast<int16_t>(options.acks));
  }

  uint64_t IntendedOf(uint64_t record) const {
    return start_ + static_cast<uint64_t>(static_cast<double>(record) * 1e9 / options_.requests_per_second);
  }

  void SendDue() {
    while (sent_ < options_.count) {
      uint64_t intended = NowNanos();
      if (options_.requests_per_second > 0) {
        if (IntendedOf(sent_) > intended) return;
        intended = IntendedOf(sent_);
      } else if (sent_ > arrived_ || acked_ < sent_) {
        return;
      }
      producer_.Send(Bytes(request_), intended);
      intended_.push_back(intended);
      ++sent_;
      while (producer_.Flush()) {
      }
    }
  }

  void Poll() {
    fetch_ = FetchRequest(options_.topic, {{options_.first_partition, next_offset_}}, 1000, 1, options_.max_bytes, options_.partition_max_bytes);
    consumer_.Send(Bytes(fetch_), 0);
    while (consumer_.Flush()) {
    }
  }

  void Wait() {
    timespec timeout{1, 0};
    if (options_.requests_per_second > 0 && sent_ < options_.count) {
      const uint64_t now = NowNanos();
      const uint64_t due = IntendedOf(sent_);
      const uint64_t left = due > now ? due - now : 0;
      if (left < 1000000000ull) timeout = {0, static_cast<long>(left)};
    }
    epoll_event events[2];
    const int ready = epoll_pwait2(epoll_, events, 2, &timeout, nullptr);
    for (int i = 0; i < ready; ++i) {
      Connection& connection = *static_cast<Connection*>(events[i].data.ptr);
      connection.Receive();
      Bytes answer;
      uint64_t intended;
      while (connection.Next(&answer, &intended)) {
        if (&connection == &producer_) {
          acks_.Record(NowNanos() - intended);
          ++acked_;
          CheckProduced(answer);
        } else {
          TakeFetched(answer);
          Poll();
        }
      }
      if (!connection.failed().empty()) Die(connection.failed());
    }
  }

  static void CheckProduced(Bytes answer) {
    Reader in(answer);
    in.I32();
    in.String();
    in.I32();
    in.I32();
    const int16_t error = in.I16();
    if (!in.ok() || error != 0) Die("Produce was answered with error " + std::to_string(error));
  }

  void TakeFetched(Bytes answer) {
    ForEachPartition(answer, [&](int32_t, Bytes records) {
      const int64_t before = next_offset_;
      const uint64_t count = check_.Walk(records, &next_offset_);
      if (next_offset_ - before != static_cast<int64_t>(count)) Die("a record came twice");
      const uint64_t now = NowNanos();
      for (uint64_t i = 0; i < count; ++i) latencies_.Record(now - intended_[arrived_++]);
    });
  }

  const Options& options_;
  const std::vector<uint8_t> request_;
  ContentCheck check_;
  std::vector<uint8_t> fetch_;
  Connection producer_;
  Connection consumer_;
  int epoll_ = -1;
  int64_t next_offset_ = 0;
  std::vector<uint64_t> intended_;
  uint64_t start_ = 0;
  uint64_t end_ = 0;
  double cpu_start_ = 0;
  uint64_t sent_ = 0;
  uint64_t acked_ = 0;
  uint64_t arrived_ = 0;
  Histogram latencies_;
  Histogram acks_;
};

}  // namespace

int RunEndToEnd(const Options& options) {
  EndToEnd run(options);
  run.Run();
  run.Print();
  return 0;
}

}  // namespace sluice::bench
