#include "kafka/fetch_set.h"

#include "kafka/fetch_answer.h"

namespace sluice::kafka {

void FetchPartition::OnAdvance(log::Log&) {
  settled = false;
  if (set->waiting != nullptr) {
    set->waiting->Advanced(this);
  } else {
    log::AdvanceWatcher::Unlink();  // the next look at it watches again
  }
}

void FetchPartition::OnGone(log::Log&) {
  settled = false;
  watched = nullptr;
  if (set->waiting != nullptr) set->waiting->Hurry();
}

void FetchPartition::WatchLog(log::Log* log) {
  if (log::AdvanceWatcher::is_linked()) {
    if (watched == log) return;
    log::AdvanceWatcher::Unlink();
  }
  watched = log;
  log->Watch(this);
}

Partition* FetchPartition::Resolve(PartitionTable& table) {
  if (topic == nullptr || topic->gone) {
    const TopicRef* found = by_id ? table.Find(id) : table.Find(name);
    topic = found == nullptr ? nullptr : *found;
    if (topic == nullptr) return nullptr;
  }
  generation = topic->generation;
  return topic->Find(asked.index);
}

FetchSet::~FetchSet() {
  while (FetchPartition* partition = order_.PopFront()) delete partition;
}

FetchPartition* FetchSet::Put(const FetchKey& key, const FetchPartitionView& asked, const TopicRef* topic) {
  if (indexed_) {
    if (FetchPartition* known = Find(key)) {
      known->asked = asked;
      known->settled = false;
      return known;
    }
  }
  auto* partition = new FetchPartition();
  partition->set = this;
  partition->by_id = key.by_id;
  partition->id = key.id;
  if (!key.by_id) partition->name = std::string(key.name);
  if (topic != nullptr) partition->topic = *topic;
  partition->asked = asked;
  order_.PushBack(partition);
  ++size_;
  if (indexed_) index_.insert(partition);
  return partition;
}

FetchPartition* FetchSet::Find(const FetchKey& key) {
  auto it = index_.find(key);
  return it == index_.end() ? nullptr : *it;
}

void FetchSet::Remove(const FetchKey& key) {
  auto it = index_.find(key);
  if (it == index_.end()) return;
  FetchPartition* partition = *it;
  index_.erase(it);
  --size_;
  delete partition;
}

void FetchSet::MoveToEnd(FetchPartition* partition) {
  partition->ListNode<FetchOrderTag>::Unlink();
  order_.PushBack(partition);
}

}  // namespace sluice::kafka
