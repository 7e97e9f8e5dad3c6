// The command line of sluice-load, and what every workload needs to print.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "clock.h"
#include "histogram.h"

namespace sluice::bench {

struct Options {
  uint16_t port = 9092;
  std::string topic = "load";
  int partitions = 1;
  int first_partition = 0;
  std::vector<std::pair<std::string, std::string>> configs;
  int record_size = 1024;
  int batch_records = 60;           // records in a batch; 1 for the one-record workloads
  int keys = 0;                     // of each partition, one after the other, over again; 0: records have none
  int partitions_per_request = 1;   // batches in a produce request
  int connections = 1;
  int depth = 5;                    // requests in flight on a connection
  int acks = -1;
  uint64_t bytes = 0;               // record bytes to send or read; 0: for `seconds`
  double seconds = 5;
  double megabytes_per_second = 0;  // 0: closed loop. Otherwise open loop with intended send times.
  double requests_per_second = 0;   // the same, counted in requests
  double warmup_seconds = 0;        // not recorded
  int max_bytes = 50 << 20;
  int partition_max_bytes = 1 << 20;
  int verify_every = 16;            // the content of one fetched batch in so many is compared; 0: none
  int passes = 1;                   // fetch: times over
  int consumers = 1;                // tail
  std::string directory;            // forget
  uint64_t count = 1000;            // e2e: records
};

// Exits with code 2 and one line when the command line is wrong.
Options ParseOptions(int argc, char** argv, int first);

// Mean and percentiles in microseconds as the inside of a JSON object, with a list of [per cent, microseconds] for plots.
std::string LatencyJson(const Histogram& histogram);

[[noreturn]] void Die(const std::string& what);

int RunCreate(const Options& options);
int RunDelete(const Options& options);
int RunProduce(const Options& options);
int RunFetch(const Options& options);
int RunEndToEnd(const Options& options);
int RunTail(const Options& options);
int RunAwaitProduce(const Options& options);
int RunForget(const Options& options);

}  // namespace sluice::bench
