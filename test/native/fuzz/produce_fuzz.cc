// Any bytes as a Produce of any version, down to the validation of its batches.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/assert.h"
#include "batch/validate.h"
#include "kafka/produce_request.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const int16_t version = static_cast<int16_t>(3 + data[0] % 11);
  const sluice::Bytes body(data + 1, size - 1);
  sluice::kafka::WireReader reader(body);
  static sluice::kafka::ProduceRequest request;
  if (!request.Parse(reader, version)) return 0;
  size_t partitions = 0, bytes = 0;
  for (const auto& topic : request.topics) {
    SLUICE_ASSERT_OP(topic.first, ==, partitions);
    partitions += topic.count;
    bytes += topic.name.size();
  }
  SLUICE_ASSERT_OP(partitions, ==, request.partitions.size());
  for (const auto& partition : request.partitions) {
    bytes += partition.records.size();
    if (partition.has_records && !partition.records.empty()) {
      SLUICE_ASSERT(partition.records.data() >= body.data() && partition.records.data() + partition.records.size() <= body.data() + body.size());
    }
    sluice::Result<sluice::batch::BatchView> view = sluice::batch::ParseProduced(partition.records);
    if (!view.ok()) continue;
    sluice::batch::ValidationDetail detail;
    (void)sluice::batch::ValidateForAppend(*view, {}, &detail);
  }
  SLUICE_ASSERT_OP(bytes, <=, size);
  return 0;
}
