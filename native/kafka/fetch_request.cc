#include "kafka/fetch_request.h"

#include "base/start_anew.h"

namespace sluice::kafka {
namespace {

constexpr size_t kMinFetchTopic = 2;
constexpr size_t kMinFetchPartition = 16;

FetchTopicView ReadTopic(WireReader& reader, int16_t version, bool flexible) {
  FetchTopicView topic;
  if (version >= kFetchTopicIds) {
    topic.id = reader.Uuid();
  } else {
    topic.name = reader.String(flexible);
  }
  return topic;
}

}  // namespace

bool FetchRequest::Parse(WireReader& reader, int16_t version) {
  const bool flexible = version >= kFetchFlexible;
  StartAnew(&topics);
  StartAnew(&partitions);
  StartAnew(&forgotten);
  StartAnew(&forgotten_partitions);
  session_id = 0;
  session_epoch = -1;
  replica_id = version <= 14 ? reader.I32() : -1;
  max_wait_ms = reader.I32();
  min_bytes = reader.I32();
  max_bytes = reader.I32();
  isolation = reader.I8();
  if (version >= 7) {
    session_id = reader.I32();
    session_epoch = reader.I32();
  }
  const int64_t topic_count = reader.Rows(flexible, kMinFetchTopic, 0);
  for (int64_t t = 0; t < topic_count && reader.ok(); ++t) {
    FetchTopicView topic = ReadTopic(reader, version, flexible);
    topic.first = static_cast<uint32_t>(partitions.size());
    const int64_t count = reader.Rows(flexible, kMinFetchPartition, partitions.size());
    for (int64_t p = 0; p < count && reader.ok(); ++p) {
      FetchPartitionView partition;
      partition.index = reader.I32();
      if (version >= 9) partition.leader_epoch = reader.I32();
      partition.offset = reader.I64();
      if (version >= 12) partition.last_epoch = reader.I32();
      if (version >= 5) (void)reader.I64();  // a follower's log start
      partition.max_bytes = reader.I32();
      if (flexible) reader.SkipTags();  // a follower's directory and high watermark
      partitions.push_back(partition);
    }
    topic.count = static_cast<uint32_t>(partitions.size()) - topic.first;
    if (flexible) reader.SkipTags();
    topics.push_back(topic);
  }
  if (version >= 7) {
    const int64_t forgotten_count = reader.Rows(flexible, kMinFetchTopic, 0);
    for (int64_t t = 0; t < forgotten_count && reader.ok(); ++t) {
      FetchTopicView topic = ReadTopic(reader, version, flexible);
      topic.first = static_cast<uint32_t>(forgotten_partitions.size());
      const int64_t count = reader.Rows(flexible, 4, forgotten_partitions.size());
      for (int64_t p = 0; p < count && reader.ok(); ++p) forgotten_partitions.push_back(reader.I32());
      topic.count = static_cast<uint32_t>(forgotten_partitions.size()) - topic.first;
      if (flexible) reader.SkipTags();
      forgotten.push_back(topic);
    }
  }
  if (version >= 11) (void)reader.String(flexible);  // rack: there is no other replica to prefer
  if (flexible) {
    reader.Tags([&](uint32_t tag, WireReader& field) {
      if (tag == 1 && version >= 15) replica_id = field.I32();
    });
  }
  return reader.ok();
}

}  // namespace sluice::kafka
