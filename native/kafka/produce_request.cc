#include "kafka/produce_request.h"

#include "base/start_anew.h"

namespace sluice::kafka {
namespace {
// The fewest bytes an element can take, so that a count is held against what is there.
constexpr size_t kMinProduceTopic = 2;
constexpr size_t kMinProducePartition = 5;
}  // namespace

bool ProduceRequest::Parse(WireReader& reader, int16_t version) {
  const bool flexible = version >= kProduceFlexible;
  StartAnew(&topics);
  StartAnew(&partitions);
  bool no_id = false;
  (void)reader.NullableString(flexible, &no_id);
  has_transactional_id = !no_id;
  acks = reader.I16();
  timeout_ms = reader.I32();
  const int64_t topic_count = reader.Rows(flexible, kMinProduceTopic, 0);
  for (int64_t t = 0; t < topic_count && reader.ok(); ++t) {
    ProduceTopicView topic;
    if (version >= kProduceTopicIds) {
      topic.id = reader.Uuid();
    } else {
      topic.name = reader.String(flexible);
    }
    topic.first = static_cast<uint32_t>(partitions.size());
    const int64_t partition_count = reader.Rows(flexible, kMinProducePartition, partitions.size());
    for (int64_t p = 0; p < partition_count && reader.ok(); ++p) {
      ProducePartitionView partition;
      partition.index = reader.I32();
      bool is_null = false;
      partition.records = reader.NullableBytes(flexible, &is_null);
      partition.has_records = !is_null;
      if (flexible) reader.SkipTags();
      partitions.push_back(partition);
    }
    topic.count = static_cast<uint32_t>(partitions.size()) - topic.first;
    if (flexible) reader.SkipTags();
    topics.push_back(topic);
  }
  if (flexible) reader.SkipTags();
  return reader.ok();
}

}  // namespace sluice::kafka
