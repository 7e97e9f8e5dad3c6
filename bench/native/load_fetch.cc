// sluice-load fetch: reads all partitions from the beginning to where they end, each connection its share of them, one request in
// flight on each. The records are walked batch by batch (and their CRC checked with --verify), then dropped.
#include <sys/epoll.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <memory>

#include "connection.h"
#include "options.h"
#include "wire.h"

namespace sluice::bench {
namespace {

struct Cursor {
  int32_t partition;
  int64_t offset = 0;
  int64_t end = 0;
};

class Fetcher {
 public:
  explicit Fetcher(const Options& options) : options_(options) {}

  void Prepare() {
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    const int count = std::min(options_.connections, options_.partitions);
    for (int i = 0; i < count; ++i) {
      auto lane = std::make_unique<Lane>();
      for (int p = i; p < options_.partitions; p += count) lane->cursors.push_back({options_.first_partition + p});
      if (!lane->connection.Open(options_.port)) Die(lane->connection.failed());
      FindEnds(*lane);
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
    size_t open = 0;
    for (auto& lane : lanes_) {
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
    end_ = NowNanos();
    if (!valid_) Die("a fetched batch is not valid");
  }

  void Print() const {
    const double seconds = static_cast<double>(end_ - start_) / 1e9;
    std::printf("{\"workload\":\"fetch\",\"seconds\":%.4f,\"requests\":%" PRIu64 ",\"records\":%" PRIu64 ",\"bytes\":%" PRIu64
                ",\"mb_per_s\":%.2f,\"records_per_s\":%.0f,\"client_cpu_s\":%.3f,%s}\n",
                seconds, requests_, records_, bytes_, static_cast<double>(bytes_) / seconds / 1e6, static_cast<double>(records_) / seconds,
                CpuSeconds() - cpu_start_, LatencyJson(latencies_).c_str());
  }

 private:
  struct Lane {
    Connection connection;
    std::vector<Cursor> cursors;
    std::vector<uint8_t> request;
  };

  void FindEnds(Lane& lane) {
    Writer out;
    out.Begin(kListOffsets, kListOffsetsVersion);
    out.I32(-1);
    out.I8(0);
    out.I32(1);
    out.String(options_.topic);
    out.I32(static_cast<int32_t>(lane.cursors.size()));
    for (const Cursor& cursor : lane.cursors) {
      out.I32(cursor.partition);
      out.I64(-1);
    }
    std::vector<uint8_t> answer;
    if (!lane.connection.Call(out.End(), &answer)) Die(lane.connection.failed());
    Reader in{Bytes(answer)};
    in.I32();
    in.I32();
    in.String();
    for (int32_t partitions = in.I32(); partitions > 0 && in.ok(); --partitions) {
      const int32_t partition = in.I32();
      const int16_t error = in.I16();
      in.I64();
      const int64_t offset = in.I64();
      if (error != 0) Die("ListOffsets was answered with error " + std::to_string(error));
      for (Cursor& cursor : lane.cursors) {
        if (cursor.partition == partition) cursor.end = offset;
      }
    }
    if (!in.ok()) Die("the answer to ListOffsets does not parse");
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
    Reader in(answer);
    in.I32();
    const int16_t error = in.I16();
    if (error != 0) Die("Fetch was answered with error " + std::to_string(error));
    in.I32();
    for (int32_t topics = in.I32(); topics > 0 && in.ok(); --topics) {
      in.String();
      for (int32_t partitions = in.I32(); partitions > 0 && in.ok(); --partitions) {
        const int32_t partition = in.I32();
        const int16_t partition_error = in.I16();
        if (partition_error != 0) Die("a partition answered Fetch with error " + std::to_string(partition_error));
        in.I64();
        in.I64();
        in.I64();
        for (int32_t aborted = in.I32(); aborted > 0 && in.ok(); --aborted) {
          in.I64();
          in.I64();
        }
        in.I32();
        const int32_t size = in.I32();
        const Bytes records = in.Raw(size < 0 ? 0 : size);
        bytes_ += records.size();
        for (Cursor& cursor : lane.cursors) {
          if (cursor.partition == partition) cursor.offset = WalkBatches(records, cursor.offset, options_.verify, &records_, &valid_);
        }
      }
    }
    if (!in.ok()) Die("an answer to Fetch does not parse");
  }

  const Options& options_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  int epoll_ = -1;
  uint64_t start_ = 0;
  uint64_t end_ = 0;
  double cpu_start_ = 0;
  uint64_t requests_ = 0;
  uint64_t records_ = 0;
  uint64_t bytes_ = 0;
  bool valid_ = true;
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
