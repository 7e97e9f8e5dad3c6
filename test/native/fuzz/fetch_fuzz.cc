// Any bytes as a Fetch of any version.
#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "kafka/fetch_request.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const int16_t version = static_cast<int16_t>(4 + data[0] % 15);
  sluice::kafka::WireReader reader(sluice::Bytes(data + 1, size - 1));
  static sluice::kafka::FetchRequest request;
  if (!request.Parse(reader, version)) return 0;
  size_t partitions = 0, forgotten = 0;
  for (const auto& topic : request.topics) {
    SLUICE_ASSERT_OP(topic.first, ==, partitions);
    partitions += topic.count;
  }
  for (const auto& topic : request.forgotten) {
    SLUICE_ASSERT_OP(topic.first, ==, forgotten);
    forgotten += topic.count;
  }
  SLUICE_ASSERT_OP(partitions, ==, request.partitions.size());
  SLUICE_ASSERT_OP(forgotten, ==, request.forgotten_partitions.size());
  SLUICE_ASSERT_OP(partitions * 16 + forgotten * 4, <=, size);
  return 0;
}
