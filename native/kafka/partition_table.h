// What exists: the topics as the control plane has published them, by name and by id.
//
// A Topic object lives as long as somebody holds a TopicRef, and says by `gone` that it was withdrawn; publishing an id again changes its object in
// place and its generation, so that whoever holds a Partition* beside the TopicRef sees the change.
// Thread: reactor.
// Owns: the topics. Logs belong to LogDir; `log` is null while a partition is offline, and for good once the topic is gone.
// After error: cannot fail.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/types.h"
#include "log/log.h"

namespace sluice::kafka {

struct TopicPublication;
struct Topic;

struct Partition {
  Topic* topic = nullptr;
  int32_t index = 0;
  LeaderEpoch epoch{0};
  log::Log* log = nullptr;
  // Scratch of the handlers: which request saw this partition last, and at which place.
  uint64_t seen_by = 0;
  uint32_t seen_at = 0;
  uint64_t fetched_by = 0;
  struct FetchPartition* fetched_at = nullptr;
};

struct Topic {
  std::string name;
  TopicId id;
  bool internal = false;
  bool gone = false;
  uint32_t generation = 0;
  std::vector<std::unique_ptr<Partition>> partitions;  // by index; null: no such partition

  Partition* Find(int32_t index) const {
    return index >= 0 && static_cast<size_t>(index) < partitions.size() ? partitions[static_cast<size_t>(index)].get() : nullptr;
  }
};
using TopicRef = std::shared_ptr<Topic>;

class PartitionTable {
 public:
  // Returns the topic; *changed is set when it was there before with other epochs, logs or partitions.
  TopicRef Publish(const TopicPublication& publication, bool* changed);
  // The withdrawn topic, or null.
  TopicRef Withdraw(const TopicId& id);

  const TopicRef* Find(std::string_view name) const {
    auto it = by_name_.find(name);
    return it == by_name_.end() ? nullptr : &it->second;
  }
  const TopicRef* Find(const TopicId& id) const {
    auto it = by_id_.find(id);
    return it == by_id_.end() ? nullptr : &it->second;
  }

 private:
  std::unordered_map<std::string_view, TopicRef> by_name_;  // keys lie in the topics
  std::unordered_map<TopicId, TopicRef> by_id_;
};

}  // namespace sluice::kafka
