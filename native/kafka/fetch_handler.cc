#include "kafka/fetch_handler.h"

#include <algorithm>

#include "kafka/plane.h"

namespace sluice::kafka {
namespace {
// A response's size is an int32: room for one batch beyond the limit and for the bytes around the records.
constexpr int64_t kMaxResponseBytes = int64_t{1} << 30;
}  // namespace

// The request's partitions in its order; one that is named twice stands where it was first, with what was asked last, as in Kafka.
std::shared_ptr<FetchSet> FetchHandler::SetOf(bool indexed, bool by_id) {
  auto set = std::make_shared<FetchSet>();
  if (indexed) set->EnableIndex();
  ++request_number_;
  for (const FetchTopicView& view : request_.topics) {
    const TopicRef* topic = by_id ? plane_.table.Find(view.id) : plane_.table.Find(view.name);
    for (uint32_t i = view.first; i < view.first + view.count; ++i) {
      const FetchPartitionView& asked = request_.partitions[i];
      Partition* partition = topic == nullptr ? nullptr : (*topic)->Find(asked.index);
      if (partition != nullptr && partition->fetched_by == request_number_) {
        partition->fetched_at->asked = asked;
        continue;
      }
      FetchPartition* put = set->Put({by_id, view.id, view.name, asked.index}, asked, topic);
      if (partition == nullptr) continue;
      partition->fetched_by = request_number_;
      partition->fetched_at = put;
    }
  }
  return set;
}

void FetchHandler::Execute(Client& client, const RequestHeader& header, WireReader& reader) {
  ++plane_.stats.fetch_requests;
  if (!request_.Parse(reader, header.api_version)) {
    client.Malformed("a Fetch request that is cut short or contradicts itself");
    return;
  }
  FetchParams params;
  params.correlation_id = header.correlation_id;
  params.version = header.api_version;
  params.replica_id = request_.replica_id;
  params.max_wait_us = int64_t{std::max(request_.max_wait_ms, 0)} * 1000;
  params.max_bytes = std::clamp<int64_t>(std::min(request_.max_bytes, plane_.config.fetch_max_bytes), 0, kMaxResponseBytes);
  params.min_bytes = std::min<int64_t>(request_.min_bytes, params.max_bytes);
  params.committed = request_.isolation == 1;
  params.by_id = header.api_version >= kFetchTopicIds;
  auto* answer = new FetchAnswer(*this, params);  // the client's from here on
  client.Add(answer);

  if (request_.isolation != 0 && request_.isolation != 1) {
    if (header.api_version < kFetchTopicIds) {
      for (const FetchTopicView& topic : request_.topics) {
        for (uint32_t i = topic.first; i < topic.first + topic.count; ++i) {
          answer->AddRefusedRow(topic, request_.partitions[i].index, ErrorCode::kUnknownServerError);
        }
      }
    }
    answer->Refuse(ErrorCode::kUnknownServerError);
    return;
  }
  const int32_t id = request_.session_id, epoch = request_.session_epoch;
  if (epoch == kInitialEpoch || epoch == kFinalEpoch) {
    if (id != kNoSession) sessions_.Remove(id);
    const bool make = epoch == kInitialEpoch;
    answer->Start(make ? FetchKind::kFull : FetchKind::kSessionless, SetOf(make, params.by_id), nullptr);
    return;
  }
  SessionRef session = sessions_.Find(id);
  if (!session) {
    answer->Refuse(ErrorCode::kFetchSessionIdNotFound);
    return;
  }
  if (session->epoch != epoch) {
    answer->Refuse(ErrorCode::kInvalidFetchSessionEpoch);
    return;
  }
  if (session->uses_ids != params.by_id) {
    answer->Refuse(ErrorCode::kFetchSessionTopicIdError);
    return;
  }
  if (!sessions_.MayGrow(request_.partitions.size())) {
    // Its client asks for all of it again then, and may have to do without a session.
    sessions_.Remove(id);
    answer->Refuse(ErrorCode::kFetchSessionIdNotFound);
    return;
  }
  FetchSet& set = *session->set;
  if (set.waiting != nullptr) set.waiting->Superseded();
  for (const FetchTopicView& view : request_.topics) {
    const TopicRef* topic = params.by_id ? plane_.table.Find(view.id) : plane_.table.Find(view.name);
    for (uint32_t i = view.first; i < view.first + view.count; ++i) {
      set.Put({params.by_id, view.id, view.name, request_.partitions[i].index}, request_.partitions[i], topic);
    }
  }
  for (const FetchTopicView& view : request_.forgotten) {
    for (uint32_t i = view.first; i < view.first + view.count; ++i) {
      set.Remove({params.by_id, view.id, view.name, request_.forgotten_partitions[i]});
    }
  }
  if (set.size() == 0) {
    sessions_.Remove(id);
    answer->Start(FetchKind::kSessionless, SetOf(false, params.by_id), nullptr);
    return;
  }
  sessions_.Touch(*session, plane_.reactor.wall_ms());
  session->epoch = NextSessionEpoch(session->epoch);
  answer->Start(FetchKind::kIncremental, session->set, session);
}

void FetchHandler::TopicChanged(const Topic* topic) {
  waiting_.ForEach([topic](FetchAnswer* answer) { answer->TopicChanged(topic); });
}

void FetchHandler::EndTick() {
  while (FetchAnswer* answer = due_.PopFront()) answer->CompleteDue();
}

}  // namespace sluice::kafka
