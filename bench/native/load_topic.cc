// sluice-load create and delete: a topic with its configs, ready to be written when the command returns.
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "connection.h"
#include "options.h"
#include "wire.h"

namespace sluice::bench {
namespace {

constexpr int16_t kTopicAlreadyExists = 36;
constexpr int16_t kUnknownTopic = 3;
constexpr int kAttempts = 2000;
constexpr useconds_t kFirstPause = 2000, kLongestPause = 500000;

bool HasLeaders(Connection& connection, const Options& options) {
  Writer out;
  out.Begin(kMetadata, kMetadataVersion);
  out.I32(1);
  out.String(options.topic);
  out.I8(0);  // no auto-creation
  std::vector<uint8_t> answer;
  if (!connection.Call(out.End(), &answer)) Die(connection.failed());
  Reader in{Bytes(answer)};
  in.I32();  // throttle
  for (int32_t brokers = in.I32(); brokers > 0 && in.ok(); --brokers) {
    in.I32();
    in.String();
    in.I32();
    in.String();
  }
  in.String();  // cluster id
  in.I32();     // controller
  if (in.I32() != 1 || in.I16() != 0) return false;
  in.String();
  in.I8();
  int led = 0;
  for (int32_t partitions = in.I32(); partitions > 0 && in.ok(); --partitions) {
    const int16_t error = in.I16();
    in.I32();
    const int32_t leader = in.I32();
    for (int32_t list = 0; list < 2; ++list) {
      for (int32_t nodes = in.I32(); nodes > 0 && in.ok(); --nodes) in.I32();
    }
    if (error == 0 && leader >= 0) ++led;
  }
  return in.ok() && led == options.partitions;
}

// The leader answers for every partition: on Kafka that comes a little after the metadata says so.
bool LeadersAnswer(Connection& connection, const Options& options) {
  Writer out;
  out.Begin(kListOffsets, kListOffsetsVersion);
  out.I32(-1);
  out.I8(0);
  out.I32(1);
  out.String(options.topic);
  out.I32(options.partitions);
  for (int32_t partition = 0; partition < options.partitions; ++partition) {
    out.I32(partition);
    out.I64(-1);
  }
  std::vector<uint8_t> answer;
  if (!connection.Call(out.End(), &answer)) Die(connection.failed());
  Reader in{Bytes(answer)};
  in.I32();
  in.I32();
  in.String();
  int ready = 0;
  for (int32_t partitions = in.I32(); partitions > 0 && in.ok(); --partitions) {
    in.I32();
    if (in.I16() == 0) ++ready;
    in.I64();
    in.I64();
  }
  return in.ok() && ready == options.partitions;
}

}  // namespace

int RunCreate(const Options& options) {
  Connection connection;
  if (!connection.Open(options.port)) Die(connection.failed());
  Writer out;
  out.Begin(kCreateTopics, kCreateTopicsVersion);
  out.I32(1);
  out.String(options.topic);
  out.I32(options.partitions);
  out.I16(1);
  out.I32(0);
  out.I32(static_cast<int32_t>(options.configs.size()));
  for (const auto& [name, value] : options.configs) {
    out.String(name);
    out.String(value);
  }
  out.I32(30000);
  out.I8(0);
  std::vector<uint8_t> answer;
  if (!connection.Call(out.End(), &answer)) Die(connection.failed());
  Reader in{Bytes(answer)};
  in.I32();
  in.I32();
  in.String();
  const int16_t error = in.I16();
  if (!in.ok() || (error != 0 && error != kTopicAlreadyExists)) {
    Die("CreateTopics was answered with error " + std::to_string(error) + " " + std::string(in.String()));
  }
  // Asking about thousands of partitions is work for the broker too: the pauses grow.
  useconds_t pause = kFirstPause;
  for (int i = 0; i < kAttempts; ++i) {
    if (HasLeaders(connection, options) && LeadersAnswer(connection, options)) return 0;
    usleep(pause);
    pause = std::min(pause * 3 / 2, kLongestPause);
  }
  Die("the topic has no leaders");
}

int RunDelete(const Options& options) {
  Connection connection;
  if (!connection.Open(options.port)) Die(connection.failed());
  Writer out;
  out.Begin(kDeleteTopics, kDeleteTopicsVersion);
  out.I32(1);
  out.String(options.topic);
  out.I32(30000);
  std::vector<uint8_t> answer;
  if (!connection.Call(out.End(), &answer)) Die(connection.failed());
  Reader in{Bytes(answer)};
  in.I32();
  in.I32();
  in.String();
  const int16_t error = in.I16();
  if (!in.ok() || (error != 0 && error != kUnknownTopic)) Die("DeleteTopics was answered with error " + std::to_string(error));
  return 0;
}

}  // namespace sluice::bench
