// sluice-load: a light load generator for Kafka-compatible brokers on this machine. One thread, plain sockets and epoll, requests
// built once (CRC included) and sent many times, so that the broker is what is measured. Prints one JSON line.
//   sluice-load create|delete --port P --topic T [--partitions N] [--config name=value]...
//   sluice-load produce --port P --topic T --partitions N --bytes B [--record-size 1024 --batch-records 60 --keys 0 --connections 1 --depth 5
//                       --partitions-per-request 1 --acks -1 --rate MB/s | --request-rate R --warmup S --seconds S]
//   sluice-load fetch   --port P --topic T --partitions N [--connections 1 --bytes B --max-bytes 52428800 --partition-bytes 1048576
//                       --passes 1 --verify-every 16 --record-size 1024 --batch-records 60]
//   sluice-load tail    --port P --topic T --partitions N --consumers C --seconds S [as for fetch]
//   sluice-load e2e     --port P --topic T --count N [--record-size 100 --request-rate R]
//   sluice-load await-produce --port P --topic T --first-partition N --seconds S
//   sluice-load forget  --directory D
#include "options.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace sluice::bench {

void Die(const std::string& what) {
  std::fprintf(stderr, "sluice-load: %s\n", what.c_str());
  std::exit(1);
}

namespace {

[[noreturn]] void Usage(const std::string& what) {
  std::fprintf(stderr, "sluice-load: %s\n", what.c_str());
  std::exit(2);
}

constexpr double kPlotted[] = {0, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.95, 99.99, 99.999, 100};

double Number(const char* name, const char* text, double least, double most) {
  char* end = nullptr;
  const double value = std::strtod(text, &end);
  if (end == text || *end != '\0' || !(value >= least && value <= most)) {
    Usage(std::string(name) + " is '" + text + "', not a number from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return value;
}

}  // namespace

Options ParseOptions(int argc, char** argv, int first) {
  Options out;
  for (int i = first; i < argc; ++i) {
    const std::string name = argv[i];
    if (i + 1 >= argc) Usage(name + " needs a value");
    const char* value = argv[++i];
    auto number = [&](double least, double most) { return Number(name.c_str(), value, least, most); };
    if (name == "--port") out.port = static_cast<uint16_t>(number(1, 65535));
    else if (name == "--topic") out.topic = value;
    else if (name == "--partitions") out.partitions = static_cast<int>(number(1, 100000));
    else if (name == "--first-partition") out.first_partition = static_cast<int>(number(0, 100000));
    else if (name == "--record-size") out.record_size = static_cast<int>(number(0, 1 << 26));
    else if (name == "--batch-records") out.batch_records = static_cast<int>(number(1, 1 << 20));
    else if (name == "--keys") out.keys = static_cast<int>(number(0, 100'000'000));
    else if (name == "--partitions-per-request") out.partitions_per_request = static_cast<int>(number(1, 100000));
    else if (name == "--connections") out.connections = static_cast<int>(number(1, 10000));
    else if (name == "--depth") out.depth = static_cast<int>(number(1, 1000));
    else if (name == "--acks") out.acks = static_cast<int>(number(-1, 1));
    else if (name == "--bytes") out.bytes = static_cast<uint64_t>(number(0, 1e15));
    else if (name == "--seconds") out.seconds = number(0.01, 3600);
    else if (name == "--rate") out.megabytes_per_second = number(0, 1e6);
    else if (name == "--request-rate") out.requests_per_second = number(0, 1e8);
    else if (name == "--warmup") out.warmup_seconds = number(0, 3600);
    else if (name == "--max-bytes") out.max_bytes = static_cast<int>(number(1, 1 << 30));
    else if (name == "--partition-bytes") out.partition_max_bytes = static_cast<int>(number(1, 1 << 30));
    else if (name == "--verify-every") out.verify_every = static_cast<int>(number(0, 1 << 30));
    else if (name == "--passes") out.passes = static_cast<int>(number(1, 1000));
    else if (name == "--consumers") out.consumers = static_cast<int>(number(1, 1000));
    else if (name == "--directory") out.directory = value;
    else if (name == "--count") out.count = static_cast<uint64_t>(number(1, 1e12));
    else if (name == "--config") {
      const char* equals = std::strchr(value, '=');
      if (equals == nullptr) Usage("--config needs name=value");
      out.configs.emplace_back(std::string(value, equals), equals + 1);
    } else {
      Usage("there is no option " + name);
    }
  }
  return out;
}

std::string LatencyJson(const Histogram& histogram) {
  char text[256];
  auto us = [&](double q) { return static_cast<double>(histogram.Quantile(q)) / 1000; };
  std::snprintf(text, sizeof(text), "\"mean_us\":%.1f,\"p50_us\":%.1f,\"p95_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.1f", histogram.Mean() / 1000,
                us(0.5), us(0.95), us(0.99), us(0.999), static_cast<double>(histogram.Max()) / 1000);
  std::string json = text;
  json += ",\"percentiles\":[";
  bool is_first = true;
  for (const double percent : kPlotted) {
    std::snprintf(text, sizeof(text), "%s[%g,%.1f]", is_first ? "" : ",", percent, us(percent / 100));
    json += text;
    is_first = false;
  }
  return json + "]";
}

}  // namespace sluice::bench

int main(int argc, char** argv) {
  using namespace sluice::bench;
  const std::string command = argc > 1 ? argv[1] : "";
  const Options options = ParseOptions(argc, argv, 2);
  if (command == "create") return RunCreate(options);
  if (command == "delete") return RunDelete(options);
  if (command == "produce") return RunProduce(options);
  if (command == "fetch") return RunFetch(options);
  if (command == "e2e") return RunEndToEnd(options);
  if (command == "tail") return RunTail(options);
  if (command == "await-produce") return RunAwaitProduce(options);
  if (command == "forget") return RunForget(options);
  std::fprintf(stderr, "sluice-load: the command is one of create, delete, produce, fetch, tail, e2e, await-produce, forget\n");
  return 2;
}
