// A Produce request (versions 3 to 13) as views into the frame it came in.
//
//   transactionalId:nullableString acks:i16 timeoutMs:i32 topic*
//   topic = name:string (to 12) | id:uuid (from 13), partition*      partition = index:i32 records:nullableBytes
//
// Thread: any. Owns: two lists, kept from request to request; everything else are views.
// After error: the lists hold a part of the request.
#pragma once

#include <string_view>
#include <vector>

#include "kafka/wire_reader.h"

namespace sluice::kafka {

inline constexpr int16_t kProduceFlexible = 9;
inline constexpr int16_t kProduceTopicIds = 13;

struct ProducePartitionView {
  int32_t index = 0;
  bool has_records = false;
  Bytes records;
};

struct ProduceTopicView {
  std::string_view name;  // to version 12
  TopicId id;             // from version 13
  uint32_t first = 0;     // its partitions: [first, first + count)
  uint32_t count = 0;
};

struct ProduceRequest {
  bool has_transactional_id = false;
  int16_t acks = 0;
  int32_t timeout_ms = 0;
  std::vector<ProduceTopicView> topics;
  std::vector<ProducePartitionView> partitions;

  // Reads the body. False: cut short, lengths that lie, or null where null may not be.
  bool Parse(WireReader& reader, int16_t version);
};

}  // namespace sluice::kafka
