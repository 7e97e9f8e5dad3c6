// sluice-load produce: closed loop (as fast as the answers come, `depth` requests in flight on each connection) or open loop (requests
// have intended times from a fixed rate, and a late one counts from when it was meant to leave: no coordinated omission).
#include <sys/epoll.h>

#include <cinttypes>
#include <cstdio>
#include <memory>

#include "connection.h"
#include "options.h"
#include "wire.h"

namespace sluice::bench {
namespace {

constexpr uint64_t kMostBehind = 10'000'000'000;  // nanoseconds

class Producer {
 public:
  explicit Producer(const Options& options) : options_(options) {}

  void Prepare() {
    const int per_request = std::min(options_.partitions_per_request, options_.partitions);
    records_per_request_ = static_cast<uint64_t>(per_request) * static_cast<uint64_t>(options_.batch_records);
    for (int key = 0; key < std::max(options_.keys, 1); key += options_.batch_records) {
      const std::vector<uint8_t> batch = BuildBatch(options_.batch_records, options_.record_size, 1, options_.keys == 0 ? -1 : key);
      bytes_per_request_ = static_cast<uint64_t>(per_request) * batch.size();
      for (int first = 0; first < options_.partitions; first += per_request) {
        std::vector<int32_t> group;
        for (int p = first; p < std::min(first + per_request, options_.partitions); ++p) group.push_back(options_.first_partition + p);
        requests_.push_back(ProduceRequest(options_.topic, group, Bytes(batch), static_cast<int16_t>(options_.acks)));
      }
    }
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < options_.connections; ++i) {
      connections_.push_back(std::make_unique<Connection>());
      if (!connections_.back()->Open(options_.port)) Die(connections_.back()->failed());
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.u32 = static_cast<uint32_t>(i);
      epoll_ctl(epoll_, EPOLL_CTL_ADD, connections_.back()->fd(), &event);
      writable_wanted_.push_back(false);
      last_offsets_.emplace_back(static_cast<size_t>(options_.partitions), -1);
    }
  }

  void Run() {
    const double rate = options_.requests_per_second > 0
                            ? options_.requests_per_second
                            : options_.megabytes_per_second * 1e6 / static_cast<double>(bytes_per_request_);
    interval_ = rate > 0 ? 1e9 / rate : 0;
    total_ = options_.bytes > 0 ? (options_.bytes + bytes_per_request_ - 1) / bytes_per_request_ : UINT64_MAX;
    start_ = NowNanos();
    cpu_start_ = CpuSeconds();
    record_from_ = start_ + static_cast<uint64_t>(options_.warmup_seconds * 1e9);
    until_ = options_.bytes > 0 ? UINT64_MAX : record_from_ + static_cast<uint64_t>(options_.seconds * 1e9);
    while (answered_ < sent_ || MaySend()) {
      Wait(Fill());
    }
    end_ = NowNanos();
    // What was meant to be sent and never was has waited until now at least.
    if (interval_ > 0) {
      for (uint64_t i = sent_; i < total_ && IntendedOf(i) < until_ && IntendedOf(i) < end_; ++i) {
        if (IntendedOf(i) >= record_from_) latencies_.Record(end_ - IntendedOf(i));
      }
    }
  }

  void Print() const {
    const double seconds = static_cast<double>(end_ - start_) / 1e9;
    const double bytes = static_cast<double>(answered_ * bytes_per_request_);
    std::printf("{\"workload\":\"produce\",\"seconds\":%.4f,\"requests\":%" PRIu64 ",\"records\":%" PRIu64
                ",\"bytes\":%.0f,\"mb_per_s\":%.2f,\"requests_per_s\":%.1f,\"records_per_s\":%.0f,\"client_cpu_s\":%.3f,%s}\n",
                seconds, answered_, answered_ * records_per_request_, bytes, bytes / seconds / 1e6, static_cast<double>(answered_) / seconds,
                static_cast<double>(answered_ * records_per_request_) / seconds, CpuSeconds() - cpu_start_, LatencyJson(latencies_).c_str());
  }

 private:
  uint64_t IntendedOf(uint64_t request) const { return start_ + static_cast<uint64_t>(static_cast<double>(request) * interval_); }

  // In the open loop the intended time decides, so that a broker that cannot keep up is measured with all its delay; but a run that
  // is too far behind ends.
  bool MaySend() const {
    if (sent_ >= total_) return false;
    if (interval_ <= 0) return NowNanos() < until_;
    if (until_ == UINT64_MAX) return true;
    return IntendedOf(sent_) < until_ && NowNanos() < until_ + kMostBehind;
  }

  // Sends whatever is due and fits. False: only an answer makes room for more.
  bool Fill() {
    size_t full = 0;
    while (MaySend()) {
      if (full == connections_.size()) return false;
      const uint64_t now = NowNanos();
      uint64_t intended = now;
      if (interval_ > 0) {
        intended = IntendedOf(sent_);
        if (intended > now) return true;
      }
      const size_t index = next_connection_;
      Connection& connection = *connections_[index];
      next_connection_ = (next_connection_ + 1) % connections_.size();
      const bool is_full = options_.acks == 0 ? connection.sending() : connection.in_flight() >= static_cast<size_t>(options_.depth);
      if (is_full) {
        ++full;
        continue;
      }
      full = 0;
      connection.Send(Bytes(requests_[next_request_]), intended);
      next_request_ = (next_request_ + 1) % requests_.size();
      ++sent_;
      Flush(index);
    }
    return true;
  }

  void Flush(size_t index) {
    Connection& connection = *connections_[index];
    const bool more = connection.Flush();
    if (!connection.failed().empty()) Die(connection.failed());
    if (options_.acks == 0) {
      while (!more && connection.PopUnanswered()) ++answered_;
    }
    if (more != writable_wanted_[index]) {
      writable_wanted_[index] = more;
      epoll_event event{};
      event.events = EPOLLIN | (more ? EPOLLOUT : 0u);
      event.data.u32 = static_cast<uint32_t>(index);
      epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.fd(), &event);
    }
  }

  void Wait(bool has_room) {
    timespec timeout{1, 0};
    if (interval_ > 0 && has_room && MaySend()) {
      const uint64_t now = NowNanos();
      const uint64_t due = IntendedOf(sent_);
      // What has become due since Fill looked leaves at once.
      if (due < now + 1000000000ull) timeout = {0, due > now ? static_cast<long>(due - now) : 0};
    }
    if (options_.acks == 0 && interval_ == 0 && !AnySending()) return;
    epoll_event events[256];
    const int ready = epoll_pwait2(epoll_, events, 256, &timeout, nullptr);
    for (int i = 0; i < ready; ++i) {
      const size_t index = events[i].data.u32;
      if (events[i].events & EPOLLOUT) Flush(index);
      if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) Answers(index);
    }
  }

  bool AnySending() const {
    for (const auto& connection : connections_) {
      if (connection->sending()) return true;
    }
    return false;
  }

  void Answers(size_t index) {
    Connection& connection = *connections_[index];
    connection.Receive();
    Bytes answer;
    uint64_t intended;
    uint64_t now = 0;
    while (connection.Next(&answer, &intended)) {
      if (now == 0) now = NowNanos();
      Check(answer, &last_offsets_[index]);
      ++answered_;
      if (intended >= record_from_) latencies_.Record(now - intended);
    }
    if (!connection.failed().empty()) Die(connection.failed());
  }

  // What is acknowledged has no error, and on one connection a partition's offsets only grow.
  void Check(Bytes answer, std::vector<int64_t>* last_offsets) const {
    Reader in(answer);
    for (int32_t topics = in.I32(); topics > 0 && in.ok(); --topics) {
      in.String();
      for (int32_t partitions = in.I32(); partitions > 0 && in.ok(); --partitions) {
        const int32_t partition = in.I32();
        const int16_t error = in.I16();
        const int64_t base = in.I64();
        in.I64();
        in.I64();
        if (error != 0) Die("partition " + std::to_string(partition) + " answered Produce with error " + std::to_string(error));
        const size_t place = static_cast<size_t>(partition - options_.first_partition);
        if (place >= last_offsets->size()) Die("an answer names partition " + std::to_string(partition) + ", which nobody wrote to");
        int64_t& last = (*last_offsets)[place];
        if (base <= last) Die("partition " + std::to_string(partition) + " gave offset " + std::to_string(base) + " after " + std::to_string(last));
        last = base;
      }
    }
    if (!in.ok()) Die("an answer to Produce does not parse");
  }

  const Options& options_;
  std::vector<std::vector<uint8_t>> requests_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<bool> writable_wanted_;
  std::vector<std::vector<int64_t>> last_offsets_;  // by connection and partition
  int epoll_ = -1;
  uint64_t records_per_request_ = 0;
  uint64_t bytes_per_request_ = 0;
  double interval_ = 0;
  uint64_t total_ = 0;
  uint64_t start_ = 0;
  uint64_t record_from_ = 0;
  uint64_t until_ = UINT64_MAX;
  uint64_t end_ = 0;
  double cpu_start_ = 0;
  uint64_t sent_ = 0;
  uint64_t answered_ = 0;
  size_t next_connection_ = 0;
  size_t next_request_ = 0;
  Histogram latencies_;
};

}  // namespace

int RunProduce(const Options& options) {
  Producer producer(options);
  producer.Prepare();
  producer.Run();
  producer.Print();
  return 0;
}

}  // namespace sluice::bench
