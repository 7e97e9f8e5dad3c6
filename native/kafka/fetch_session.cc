#include "kafka/fetch_session.h"

#include <tuple>

namespace sluice::kafka {

SessionRef FetchSessionCache::Find(int32_t id) const {
  auto it = sessions_.find(id);
  return it == sessions_.end() ? nullptr : it->second;
}

SessionRef FetchSessionCache::Create(int64_t now_ms, bool privileged, bool uses_ids, std::shared_ptr<FetchSet> set) {
  if (slots_ <= 0) return nullptr;
  if (sessions_.size() >= static_cast<size_t>(slots_) && !Evict(now_ms, privileged, set->size())) return nullptr;
  while (!MayGrow(set->size())) {
    if (!Evict(now_ms, privileged, set->size())) return nullptr;
  }
  auto session = std::make_shared<FetchSession>();
  std::uniform_int_distribution<int32_t> any(1, INT32_MAX - 1);
  do {
    session->id = any(random_);
  } while (sessions_.contains(session->id));
  session->privileged = privileged;
  session->uses_ids = uses_ids;
  session->created_ms = now_ms;
  session->epoch = NextSessionEpoch(kInitialEpoch);
  session->set = std::move(set);
  sessions_.emplace(session->id, session);
  Touch(*session, now_ms);
  return session;
}

void FetchSessionCache::Touch(FetchSession& session, int64_t now_ms) {
  session.used_ms = now_ms;
  partitions_ -= session.cached_size;
  session.cached_size = session.set->size();
  partitions_ += session.cached_size;
  session.Unlink();
  by_use_.PushBack(&session);
}

bool FetchSessionCache::Remove(int32_t id) {
  auto it = sessions_.find(id);
  if (it == sessions_.end()) return false;
  it->second->Unlink();
  partitions_ -= it->second->cached_size;
  sessions_.erase(it);
  return true;
}

// A session unused for long may go. Else the smallest one that is not new, if the one asked for is larger; a follower's pushes out any consumer's.
bool FetchSessionCache::Evict(int64_t now_ms, bool privileged, size_t size) {
  FetchSession* oldest = by_use_.front();
  if (oldest == nullptr) return false;
  if (now_ms - oldest->used_ms > kSessionEvictionMs) return Remove(oldest->id);
  FetchSession* least = nullptr;
  const auto rank = [](const FetchSession& s) { return std::make_tuple(s.privileged, s.cached_size, s.id); };
  by_use_.ForEach([&](FetchSession* session) {
    const bool old = session->used_ms - session->created_ms > kSessionEvictionMs;
    if (!old && !(privileged && !session->privileged)) return;
    if (least == nullptr || rank(*session) < rank(*least)) least = session;
  });
  if (least == nullptr || std::make_tuple(privileged, size, int32_t{0}) < rank(*least)) return false;
  return Remove(least->id);
}

}  // namespace sluice::kafka
