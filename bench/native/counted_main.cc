// sluice-counted: the hot paths on fixed inputs, for valgrind's callgrind to count their instructions. Run by scripts/test/instructions.mjs; outside of
// valgrind it only proves that the work can be done. Time, threads and the network have no part in it, so the counts are the same at every run.
#include <valgrind/callgrind.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "batch/validate.h"
#include "io/file.h"
#include "kafka/fetch_request.h"
#include "kafka/produce_request.h"
#include "log/log.h"
#include "net/frame_reader.h"
#include "wire.h"

namespace sluice::bench {
namespace {

constexpr int kRequests = 200;
constexpr int kPartitions = 16;
constexpr int64_t kNow = 1700000000000;

void Must(bool held, const char* what) {
  if (held) return;
  std::fprintf(stderr, "sluice-counted: %s\n", what);
  std::exit(1);
}

class StillClock final : public io::Clock {
 public:
  int64_t WallMs() override { return kNow; }
  int64_t MonotonicUs() override { return kNow * 1000; }
};

class Silent final : public log::Reporter {
 public:
  void Report(log::Severity, const std::string& line) override { Must(false, line.c_str()); }
};

// Once to reach the working state, then counted.
void Count(const char* name, const std::function<void()>& work) {
  work();
  CALLGRIND_TOGGLE_COLLECT;
  work();
  CALLGRIND_TOGGLE_COLLECT;
  CALLGRIND_DUMP_STATS_AT(name);
}

std::vector<uint8_t> Produced(int records, int record_size) {
  std::vector<int32_t> partitions;
  for (int32_t p = 0; p < kPartitions; ++p) partitions.push_back(p);
  return ProduceRequest("topic", partitions, Bytes(BuildBatch(records, record_size, 1)), -1);
}

// What stands behind the size, key, version, correlation id and client id.
Bytes BodyOf(const std::vector<uint8_t>& frame) {
  const size_t head = kRequestPrefix + 2 + std::strlen("sluice-load");
  return Bytes(frame).subspan(head);
}

void Receive(const std::vector<uint8_t>& request) {
  net::Budget budget(256 << 20);
  net::ChunkPool pool(budget);
  net::FrameReader reader(pool);
  int frames = 0;
  size_t sent = 0;
  for (int total = kRequests; frames < total;) {
    net::Frame frame;
    if (reader.Next(64 << 20, &frame) == net::FrameReader::Step::kFrame) {
      ++frames;
      continue;
    }
    const MutableBytes room = reader.Room();
    size_t filled = 0;
    while (filled < room.size() && sent < request.size() * static_cast<size_t>(total)) {
      const size_t at = sent % request.size();
      const size_t part = std::min(request.size() - at, room.size() - filled);
      std::memcpy(room.data() + filled, request.data() + at, part);
      filled += part;
      sent += part;
    }
    reader.Filled(filled);
  }
}

void ParseProduce(const std::vector<uint8_t>& request) {
  kafka::ProduceRequest parsed;
  for (int i = 0; i < kRequests; ++i) {
    kafka::WireReader reader(BodyOf(request));
    Must(parsed.Parse(reader, kProduceVersion) && parsed.partitions.size() == kPartitions, "a Produce request does not parse");
  }
}

void Validate(const std::vector<uint8_t>& batch) {
  batch::AppendRules rules;
  rules.now = TimestampMs(kNow);
  rules.timestamp_after_max_ms = INT64_MAX;
  batch::ValidationDetail detail;
  for (int i = 0; i < kRequests; ++i) {
    const Result<batch::BatchView> view = batch::ParseProduced(Bytes(batch));
    Must(view.ok() && batch::ValidateForAppend(*view, rules, &detail).ok(), "a batch is not valid");
  }
}

class Partition {
 public:
  explicit Partition(const std::string& directory) {
    env_.fs = &io::RealFileSystem();
    env_.clock = &clock_;
    env_.reporter = &silent_;
    log::LogConfig config;
    config.durability = log::Durability::kOs;
    config.retention_ms = -1;
    TopicId id;
    id.bytes = {1};
    Result<std::unique_ptr<log::Log>> log = log::Log::Load(env_, directory, {"topic", 0}, id, config, LeaderEpoch(0), log::LoadState());
    Must(log.ok(), "the log cannot be made");
    log_ = log.take();
  }

  void Append(const std::vector<uint8_t>& batch) {
    for (int i = 0; i < kRequests; ++i) {
      std::vector<uint8_t> own = batch;
      Must(log_->Append(MutableBytes(own.data(), own.size()), log::AppendOrigin::kClient, TimestampMs(kNow)).ok(), "an append is refused");
      Must(log_->WriteStaged({}, {}).ok(), "a write fails");
      log_->AdvanceHighWatermark(log_->written_end());
    }
  }

  void PlanFetches(int records) {
    for (int i = 0; i < kRequests; ++i) {
      const Result<log::LogSlice> slice = log_->Read(Offset(i * records), 1 << 20, true, log_->high_watermark(), log::ReadMode::kBlocking);
      Must(slice.ok() && slice->length > 0, "a fetch finds nothing");
    }
  }

 private:
  StillClock clock_;
  Silent silent_;
  log::Env env_;
  std::unique_ptr<log::Log> log_;
};

void ParseFetch() {
  std::vector<FetchPosition> positions;
  for (int32_t p = 0; p < kPartitions; ++p) positions.push_back({p, p * 1000});
  const std::vector<uint8_t> request = FetchRequest("topic", positions, 500, 1, 50 << 20, 1 << 20);
  kafka::FetchRequest parsed;
  for (int i = 0; i < kRequests; ++i) {
    kafka::WireReader reader(BodyOf(request));
    Must(parsed.Parse(reader, kFetchVersion) && parsed.partitions.size() == kPartitions, "a Fetch request does not parse");
  }
}

void Run(const std::string& directory) {
  const std::vector<uint8_t> large = BuildBatch(60, 1024, 1), small = BuildBatch(1, 100, 1);
  const std::vector<uint8_t> request = Produced(4, 1024), one = Produced(1, 100);
  Count("frames of 64 KiB received", [&] { Receive(request); });
  Count("frames of 3 KiB received", [&] { Receive(one); });
  Count("Produce requests of 16 partitions parsed", [&] { ParseProduce(one); });
  Count("batches of 60 KiB validated", [&] { Validate(large); });
  Count("batches of one record validated", [&] { Validate(small); });
  Partition busy(directory + "/topic-0"), quiet(directory + "/topic-1");
  Count("batches of 60 KiB appended", [&] { busy.Append(large); });
  Count("batches of one record appended", [&] { quiet.Append(small); });
  Count("Fetch requests of 16 partitions parsed", ParseFetch);
  Count("fetches planned", [&] { busy.PlanFetches(60); });
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "sluice-counted <empty directory>\n");
    return 2;
  }
  sluice::bench::Run(argv[1]);
  return 0;
}
