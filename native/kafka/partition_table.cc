#include "kafka/partition_table.h"

#include "kafka/data_plane.h"

namespace sluice::kafka {

TopicRef PartitionTable::Publish(const TopicPublication& publication, bool* changed) {
  *changed = false;
  TopicRef topic;
  if (const TopicRef* known = Find(publication.id)) {
    topic = *known;
  } else {
    // A name belongs to one id: a topic that was made anew takes it over.
    if (const TopicRef* old = Find(publication.name)) (void)Withdraw((*old)->id);
    topic = std::make_shared<Topic>();
    topic->name = publication.name;
    topic->id = publication.id;
    by_name_.emplace(topic->name, topic);
    by_id_.emplace(topic->id, topic);
  }
  topic->internal = publication.internal;
  for (const TopicPublication::Partition& row : publication.partitions) {
    if (row.index < 0) continue;
    const size_t index = static_cast<size_t>(row.index);
    if (topic->partitions.size() <= index) topic->partitions.resize(index + 1);
    std::unique_ptr<Partition>& partition = topic->partitions[index];
    if (!partition) {
      partition = std::make_unique<Partition>();
      partition->topic = topic.get();
      partition->index = row.index;
    } else if (partition->epoch == row.epoch && partition->log == row.log) {
      continue;
    }
    *changed = true;
    partition->epoch = row.epoch;
    partition->log = row.log;
  }
  if (*changed) ++topic->generation;
  return topic;
}

TopicRef PartitionTable::Withdraw(const TopicId& id) {
  auto it = by_id_.find(id);
  if (it == by_id_.end()) return nullptr;
  TopicRef topic = it->second;
  by_name_.erase(topic->name);
  by_id_.erase(it);
  topic->gone = true;
  ++topic->generation;
  for (auto& partition : topic->partitions) {
    if (partition) partition->log = nullptr;
  }
  return topic;
}

}  // namespace sluice::kafka
