// The partitions that a Fetch asks for, in their order: of one request, or of a session (KIP-227), where they stay from request to request.
//
// A partition is settled when a look at it found nothing to tell: it then waits on its log and a session's next fetch does not look at it again
// until the log has something new. So a fetch costs what has changed, not what is subscribed.
// Thread: reactor.
// Owns: its partitions.
// After error: cannot fail.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>

#include "base/intrusive_list.h"
#include "kafka/fetch_request.h"
#include "kafka/partition_table.h"
#include "log/log.h"

namespace sluice::kafka {

class FetchAnswer;
class FetchSet;

struct FetchPartition final : log::AdvanceWatcher, ListNode<struct FetchOrderTag> {
  void OnAdvance(log::Log& log) override;
  void OnGone(log::Log& log) override;

  // Finds the topic if it is not known or has gone. Null: there is none.
  Partition* Resolve(PartitionTable& table);
  bool NeedsLook() const { return !settled || topic == nullptr || topic->generation != generation; }
  std::string_view topic_name() const { return topic != nullptr ? std::string_view(topic->name) : std::string_view(name); }
  // Is told of the next advance of this log.
  void WatchLog(log::Log* log);

  FetchSet* set = nullptr;
  bool by_id = false;
  TopicId id;         // by_id
  std::string name;   // else
  TopicRef topic;     // null: not known
  uint32_t generation = 0;  // of the topic when last looked at
  FetchPartitionView asked;
  bool settled = false;
  // Told last in a session: only what differs is told again.
  Offset told_high_watermark{-1};
  Offset told_log_start{-1};
  // Of a waiting fetch.
  int64_t available = 0;
  log::Log* watched = nullptr;
};

struct FetchKey {
  bool by_id;
  TopicId id;
  std::string_view name;
  int32_t index;
};

class FetchSet {
 public:
  ~FetchSet();
  // Adds at the end; with an index, changes what is asked of a partition that is there (settled no longer).
  FetchPartition* Put(const FetchKey& key, const FetchPartitionView& asked, const TopicRef* topic);
  void Remove(const FetchKey& key);
  FetchPartition* Find(const FetchKey& key);
  void MoveToEnd(FetchPartition* partition);
  // Before the first Put: partitions can be found by key, and one named twice is put once.
  void EnableIndex() { indexed_ = true; }

  size_t size() const { return size_; }
  FetchPartition* first() { return order_.front(); }
  FetchPartition* next(FetchPartition* partition) { return order_.Next(partition); }

  FetchAnswer* waiting = nullptr;  // the fetch that waits for something to happen here

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(const FetchPartition* partition) const { return (*this)(KeyOf(*partition)); }
    size_t operator()(const FetchKey& key) const {
      return (key.by_id ? std::hash<TopicId>()(key.id) : std::hash<std::string_view>()(key.name)) * 31 + static_cast<size_t>(key.index);
    }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const FetchPartition* a, const FetchPartition* b) const { return a == b; }
    bool operator()(const FetchKey& key, const FetchPartition* p) const { return Same(key, *p); }
    bool operator()(const FetchPartition* p, const FetchKey& key) const { return Same(key, *p); }
  };
  static FetchKey KeyOf(const FetchPartition& p) { return {p.by_id, p.id, p.name, p.asked.index}; }
  static bool Same(const FetchKey& key, const FetchPartition& p) {
    return key.index == p.asked.index && key.by_id == p.by_id && (key.by_id ? key.id == p.id : key.name == p.name);
  }

  IntrusiveList<FetchPartition, FetchOrderTag> order_;
  std::unordered_set<FetchPartition*, Hash, Equal> index_;
  bool indexed_ = false;
  size_t size_ = 0;
};

}  // namespace sluice::kafka
