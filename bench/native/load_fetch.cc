// sluice-load fetch: reads all partitions from where they begin to where they end, each connection its share of them, one request in flight on each,
// several times over with --passes. Offsets and a share of the content are checked (--verify-every), then the records are dropped.
#include <sys/epoll.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <memory>

#include "connection.h"
#include "fetched.h"
#include "options.h"
#include "wire.h"

namespace sluice::bench {
namespace {

class Fetcher {
 public:
  explicit Fetcher(const Options& options) : options_(options), check_(options.batch_records, options.record_size, options.verify_every) {}

  void Prepare() {
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    const int count = std::min(options_.connections, options_.partitions);
    for (int i = 0; i < count; ++i) {
      auto lane = std::make_unique<Lane>();
      for (int p = i; p < options_.partitions; p += count) lane->cursors.push_back({options_.first_partition + p});
      if (!lane->connection.Open(options_.port)) Die(lane->connection.failed());
      lane->begins = FindOffsets(lane->connection, options_.topic, lane->cursors, kEarliest);
      const std::vector<int64_t> ends = FindOffsets(lane->connection, options_.topic, lane->cursors, kLatest);
      for (size_t c = 0; c < ends.size(); ++c) lane->cursors[c].end = ends[c];
      lane->first = lane->cursors;
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.u32 = static_cast<uint32_t>(i);
      epoll_ctl(epoll_, EPOLL_CTL_ADD, lane->connection.fd(), &event);
      lanes_.push_back(std::move(lane));
    }
  }

  void Run() {
    start_ = NowNanos();
    cpu_start_ = CpuSeconds();
    for (int pass = 0; pass < options_.passes; ++pass) RunOnce();
    end_ = NowNanos();
  }

  void Print() const {
    const double seconds = static_cast<double>(end_ - start_) / 1e9;
    std::printf("{\"workload\":\"fetch\",\"seconds\":%.4f,\"requests\":%" PRIu64 ",\"records\":%" PRIu64 ",\"bytes\":%" PRIu64
                ",\"mb_per_s\":%.2f,\"requests_per_s\":%.1f,\"records_per_s\":%.0f,\"client_cpu_s\":%.3f,%s}\n",
                seconds, requests_, records_, bytes_, static_cast<double>(bytes_) / seconds / 1e6, static_cast<double>(requests_) / seconds,
                static_cast<double>(records_) / seconds, CpuSeconds() - cpu_start_, LatencyJson(latencies_).c_str());
  }

 private:
  struct Lane {
    Connection connection;
    std::vector<Cursor> cursors;
    std::vector<Cursor> first;
    std::vector<int64_t> begins;
    std::vector<uint8_t> request;
  };

  void RunOnce() {
    size_t open = 0;
    for (auto& lane : lanes_) {
      lane->cursors = lane->first;
      for (size_t i = 0; i < lane->cursors.size(); ++i) lane->cursors[i].offset = lane->begins[i];
      if (Ask(*lane)) ++open;
    }
    while (open > 0) {
      epoll_event events[64];
      const int ready = epoll_wait(epoll_, events, 64, 30000);
      if (ready == 0) Die("no answer to Fetch within 30 seconds");
      for (int i = 0; i < ready; ++i) {
        Lane& lane = *lanes_[events[i].data.u32];
        lane.connection.Receive();
        Bytes answer;
        uint64_t intended;
        while (lane.connection.Next(&answer, &intended)) {
          latencies_.Record(NowNanos() - intended);
          Take(lane, answer);
          if (!Ask(lane)) --open;
        }
        if (!lane.connection.failed().empty()) Die(lane.connection.failed());
      }
    }
  }

  bool Ask(Lane& lane) {
    std::vector<FetchPosition> positions;
    // What was just read goes to the end of the line, as real consumers do it, so that no partition starves.
    std::rotate(lane.cursors.begin(), lane.cursors.begin() + (lane.cursors.size() > 1 ? 1 : 0), lane.cursors.end());
    for (const Cursor& cursor : lane.cursors) {
      if (cursor.offset < cursor.end) positions.push_back({cursor.partition, cursor.offset});
    }
    if (positions.empty() || (options_.bytes > 0 && bytes_ >= options_.bytes)) return false;
    lane.request = FetchRequest(options_.topic, positions, 500, 1, options_.max_bytes, options_.partition_max_bytes);
    lane.connection.Send(Bytes(lane.request), NowNanos());
    ++requests_;
    while (lane.connection.Flush()) {
    }
    return true;
  }

  void Take(Lane& lane, Bytes answer) {
    ForEachPartition(answer, [&](int32_t partition, Bytes records) {
      bytes_ += records.size();
      for (Cursor& cursor : lane.cursors) {
        if (cursor.partition == partition) records_ += check_.Walk(records, &cursor.offset);
      }
    });
  }

  const Options& options_;
  ContentCheck check_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  int epoll_ = -1;
  uint64_t start_ = 0;
  uint64_t end_ = 0;
  double cpu_start_ = 0;
  uint64_t requests_ = 0;
  uint64_t records_ = 0;
  uint64_t bytes_ = 0;
  Histogram latencies_;
};

}  // namespace

int RunFetch(const Options& options) {
  Fetcher fetcher(options);
  fetcher.Prepare();
  fetcher.Run();
  fetcher.Print();
  return 0;
}

}  // namespace sluice::bench
