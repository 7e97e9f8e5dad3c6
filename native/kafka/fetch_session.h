// Fetch sessions (KIP-227) and the cache of them, with Kafka's rules of who may push out whom.
// Thread: reactor.
// Owns: the sessions in the cache; a fetch in flight shares its own, so that a session pushed out meanwhile still answers.
// After error: no session is made; the fetch is answered without one.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <unordered_map>

#include "base/intrusive_list.h"
#include "kafka/fetch_set.h"

namespace sluice::kafka {

inline constexpr int32_t kNoSession = 0;
inline constexpr int32_t kInitialEpoch = 0;
inline constexpr int32_t kFinalEpoch = -1;
inline constexpr int64_t kSessionEvictionMs = 120000;
inline constexpr size_t kMaxSessionPartitions = 1000000;  // of all sessions, some 250 bytes each; Kafka bounds the sessions only

constexpr int32_t NextSessionEpoch(int32_t epoch) { return epoch < 0 ? kFinalEpoch : (epoch == INT32_MAX ? 1 : epoch + 1); }

struct FetchSession final : ListNode<struct SessionUseTag> {
  int32_t id = kNoSession;
  bool privileged = false;  // of a follower
  bool uses_ids = false;
  int64_t created_ms = 0;
  int64_t used_ms = 0;
  int32_t epoch = 0;
  size_t cached_size = 0;  // when last used
  uint64_t looks = 0;
  std::shared_ptr<FetchSet> set;
};
using SessionRef = std::shared_ptr<FetchSession>;

class FetchSessionCache {
 public:
  explicit FetchSessionCache(uint32_t seed) : random_(seed) {}
  void SetSlots(int32_t slots) { slots_ = slots; }

  SessionRef Find(int32_t id) const;
  // False: the session may not grow by so many partitions.
  bool MayGrow(size_t partitions) const { return partitions_ + partitions <= kMaxSessionPartitions; }
  // Null when there is no room and nothing may be pushed out.
  SessionRef Create(int64_t now_ms, bool privileged, bool uses_ids, std::shared_ptr<FetchSet> set);
  bool Remove(int32_t id);
  void Touch(FetchSession& session, int64_t now_ms);
  size_t size() const { return sessions_.size(); }

 private:
  bool Evict(int64_t now_ms, bool privileged, size_t size);

  int32_t slots_ = 0;
  size_t partitions_ = 0;  // in all sessions, each as when last used
  std::mt19937 random_;
  std::unordered_map<int32_t, SessionRef> sessions_;
  IntrusiveList<FetchSession, SessionUseTag> by_use_;  // least lately used first
};

}  // namespace sluice::kafka
