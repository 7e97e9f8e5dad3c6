// Executes Fetch: finds or makes the session, and starts the answer. Keeps the lists of fetches that wait and of those due at the end of the tick.
// Thread: reactor.
// Owns: the session cache; answers belong to their clients.
// After error: a request that cannot be read closes its connection; anything else is an error in the response.
#pragma once

#include <memory>

#include "kafka/fetch_answer.h"
#include "kafka/fetch_request.h"
#include "kafka/fetch_session.h"

namespace sluice::kafka {

struct Plane;

class FetchHandler {
 public:
  FetchHandler(Plane& plane, uint32_t seed) : plane_(plane), sessions_(seed) {}
  void Execute(Client& client, const RequestHeader& header, WireReader& reader);
  // A topic was withdrawn, or its partitions changed.
  void TopicChanged(const Topic* topic);
  // Before the connections are flushed.
  void EndTick();

  Plane& plane() { return plane_; }
  FetchSessionCache& sessions() { return sessions_; }
  IntrusiveList<FetchAnswer, FetchWaitTag>& waiting() { return waiting_; }
  IntrusiveList<FetchAnswer, FetchDueTag>& due() { return due_; }
  // Once in a while a session's fetch looks at every partition: a log start that moves tells nobody.
  bool LooksAtAll(FetchSession& session) const { return session.looks++ % 16 == 0; }

 private:
  std::shared_ptr<FetchSet> SetOf(bool indexed, bool by_id);

  Plane& plane_;
  FetchSessionCache sessions_;
  IntrusiveList<FetchAnswer, FetchWaitTag> waiting_;
  IntrusiveList<FetchAnswer, FetchDueTag> due_;
  FetchRequest request_;
  uint64_t request_number_ = 0;
};

}  // namespace sluice::kafka
