// A Fetch request (versions 4 to 18) as views into the frame it came in.
//
//   replicaId:i32 (to 14) maxWaitMs:i32 minBytes:i32 maxBytes:i32 isolation:i8 [sessionId:i32 sessionEpoch:i32] (from 7)
//   topic* [forgotten*] (from 7) [rack:string] (from 11)            tagged: 0 clusterId, 1 replicaState (from 15)
//   partition = index:i32 [leaderEpoch:i32] (from 9) fetchOffset:i64 [lastFetchedEpoch:i32] (from 12) [logStart:i64] (from 5) maxBytes:i32
//
// Thread: any. Owns: its lists, kept from request to request; everything else are views.
// After error: the lists hold a part of the request.
#pragma once

#include <string_view>
#include <vector>

#include "kafka/wire_reader.h"

namespace sluice::kafka {

inline constexpr int16_t kFetchFlexible = 12;
inline constexpr int16_t kFetchTopicIds = 13;

struct FetchPartitionView {
  int32_t index = 0;
  int32_t leader_epoch = -1;
  int64_t offset = 0;
  int32_t last_epoch = -1;
  int32_t max_bytes = 0;
};

struct FetchTopicView {
  std::string_view name;  // to version 12
  TopicId id;             // from version 13
  uint32_t first = 0;     // of partitions, or of forgotten partitions
  uint32_t count = 0;
};

struct FetchRequest {
  int32_t replica_id = -1;
  int32_t max_wait_ms = 0;
  int32_t min_bytes = 0;
  int32_t max_bytes = INT32_MAX;
  int8_t isolation = 0;
  int32_t session_id = 0;
  int32_t session_epoch = -1;
  std::vector<FetchTopicView> topics;
  std::vector<FetchPartitionView> partitions;
  std::vector<FetchTopicView> forgotten;
  std::vector<int32_t> forgotten_partitions;

  bool Parse(WireReader& reader, int16_t version);
};

}  // namespace sluice::kafka
