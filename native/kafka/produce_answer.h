// A Produce in execution: what became of each partition, and the wait until all of it is durable (or in the page cache, by the log's mode).
// Holds no byte of the request, so that receive memory is free while the disk works.
// Thread: reactor.
// Owns: its slots; objects are used again by their ProduceHandler.
// After error: a partition's failure is in its slot; the others go on.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kafka/answer.h"
#include "kafka/partition_table.h"
#include "kafka/produce_request.h"
#include "kafka/produce_response.h"
#include "net/timers.h"

namespace sluice::kafka {

class ProduceHandler;
struct ProduceWork;

struct ProduceFailure {
  std::string message;
  std::vector<batch::RecordError> records;
};

struct ProduceSlot final : log::OffsetWaiter {
  void OnReached() override;
  void OnFailed(const Status& why) override;

  class ProduceAnswer* owner = nullptr;
  TopicRef topic;  // null: unknown
  int32_t index = 0;
  bool replaced = false;  // a later entry of the same request names the same partition
  ErrorCode error = ErrorCode::kNone;
  Offset base{-1};
  Offset last{-1};
  TimestampMs append_time{-1};
  Offset log_start{-1};
  std::unique_ptr<ProduceFailure> failure;
};

struct ProduceTopicSlot {
  TopicId id;
  uint32_t first = 0, count = 0;
  uint32_t name_at = 0, name_bytes = 0;  // in the answer's names
};

class ProduceAnswer final : public Answer, private net::Timer, public ListNode<struct ProduceWaitTag> {
 public:
  explicit ProduceAnswer(ProduceHandler& handler) : handler_(handler) {}
  ~ProduceAnswer() override;

  void Prepare(int32_t correlation_id, int16_t version, const ProduceRequest& request);
  size_t size() const { return size_; }
  ProduceSlot& slot(size_t i) { return slots_[i]; }
  void Fail(ProduceSlot& slot, ErrorCode error, std::string message = {}, std::vector<batch::RecordError> records = {});
  void FailWith(ProduceSlot& slot, const Status& why) { Fail(slot, ErrorOf(why.code()), why.what()); }
  bool any_error() const;
  std::string FirstError() const;

  // Waits for the slots that were appended; then the answer is ready. At most `timeout_us`.
  void AwaitAll(int64_t timeout_us);
  // The topic is withdrawn: what still waits for it fails.
  void FailTopic(const Topic* topic);

  void Write(net::Outgoing& out) override;
  void Dispose() override;

  ProduceWork* work = nullptr;  // on the pool now
  int16_t version() const { return version_; }

 private:
  friend struct ProduceSlot;
  void OnTimer() override;
  void Decided();
  void Reset();

  ProduceHandler& handler_;
  int32_t correlation_id_ = 0;
  int16_t version_ = 0;
  std::vector<ProduceTopicSlot> topics_;
  std::string names_;
  std::unique_ptr<ProduceSlot[]> slots_;
  size_t capacity_ = 0;
  size_t size_ = 0;
  size_t undecided_ = 0;
};

}  // namespace sluice::kafka
