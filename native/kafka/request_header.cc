#include "kafka/request_header.h"

#include <cstddef>

namespace sluice::kafka {
namespace {

constexpr int16_t kNever = INT16_MAX;
// By api key, 0 to 94. Keys that no version of Kafka 4 serves (4 to 7) never get far enough for it to matter.
constexpr int16_t kFirstFlexible[] = {
    9,  12, 6, 9, 4, 4, 6, 3,      // Produce .. ControlledShutdown
    8,  6,  3, 6, 4, 4, 4, 5, 3,   // OffsetCommit .. ListGroups
    kNever,                        // SaslHandshake
    3,  5,  4, 2, 2, 4,            // ApiVersions .. OffsetForLeaderEpoch
    3,  3,  3, 1, 3, 2, 2, 2,      // AddPartitionsToTxn .. DeleteAcls
    4,  2,  2, 2, 2, 2,            // DescribeConfigs .. CreatePartitions
    2,  2,  2, 2, 2, 2, 1,         // CreateDelegationToken .. IncrementalAlterConfigs
    0,  0,                         // AlterPartitionReassignments, ListPartitionReassignments
    kNever,                        // OffsetDelete
    1,  1,  0, 0, 0, 1, 1,         // DescribeClientQuotas .. EndQuorumEpoch
};
constexpr size_t kListed = sizeof kFirstFlexible / sizeof kFirstFlexible[0];
static_assert(kListed == 55, "55 (DescribeQuorum) and what came after it were flexible from the start");

}  // namespace

int16_t FirstFlexibleVersion(int16_t api_key) {
  return api_key >= 0 && static_cast<size_t>(api_key) < kListed ? kFirstFlexible[api_key] : int16_t{0};
}

bool ParseRequestHeader(WireReader& reader, RequestHeader* out) {
  out->api_key = reader.I16();
  out->api_version = reader.I16();
  out->correlation_id = reader.I32();
  bool is_null = false;
  out->client_id = reader.NullableString(false, &is_null);
  out->has_client_id = !is_null;
  if (reader.ok() && out->api_version >= FirstFlexibleVersion(out->api_key)) reader.SkipTags();
  return reader.ok();
}

}  // namespace sluice::kafka
