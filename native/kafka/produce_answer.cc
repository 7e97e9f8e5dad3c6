#include "kafka/produce_answer.h"

#include <algorithm>

#include "base/start_anew.h"
#include "kafka/plane.h"
#include "kafka/produce_handler.h"

namespace sluice::kafka {
namespace {
constexpr size_t kKeepSlots = 64;  // of an answer that is used again
}

void ProduceSlot::OnReached() { owner->Decided(); }

void ProduceSlot::OnFailed(const Status& why) {
  base = Offset(-1);
  append_time = TimestampMs(-1);
  if (topic->gone) {
    owner->Fail(*this, owner->version() >= kProduceTopicIds ? ErrorCode::kUnknownTopicId : ErrorCode::kUnknownTopicOrPartition);
  } else {
    owner->FailWith(*this, why);
  }
  owner->Decided();
}

ProduceAnswer::~ProduceAnswer() {
  if (work != nullptr) work->owner = nullptr;
}

void ProduceAnswer::Prepare(int32_t correlation_id, int16_t version, const ProduceRequest& request) {
  correlation_id_ = correlation_id;
  version_ = version;
  size_ = request.partitions.size();
  if (capacity_ < size_) {
    capacity_ = std::max(size_, size_t{4});
    slots_ = std::make_unique<ProduceSlot[]>(capacity_);
    for (size_t i = 0; i < capacity_; ++i) slots_[i].owner = this;
  }
  for (const ProduceTopicView& view : request.topics) {
    ProduceTopicSlot topic;
    topic.id = view.id;
    topic.first = view.first;
    topic.count = view.count;
    topic.name_at = static_cast<uint32_t>(names_.size());
    topic.name_bytes = static_cast<uint32_t>(view.name.size());
    names_ += view.name;
    topics_.push_back(topic);
  }
  for (size_t i = 0; i < size_; ++i) slots_[i].index = request.partitions[i].index;
}

void ProduceAnswer::Fail(ProduceSlot& slot, ErrorCode error, std::string message, std::vector<batch::RecordError> records) {
  slot.error = error;
  if (message.empty() && records.empty()) return;
  slot.failure = std::make_unique<ProduceFailure>();
  slot.failure->message = std::move(message);
  slot.failure->records = std::move(records);
}

bool ProduceAnswer::any_error() const {
  for (size_t i = 0; i < size_; ++i) {
    if (slots_[i].error != ErrorCode::kNone && !slots_[i].replaced) return true;
  }
  return false;
}

std::string ProduceAnswer::FirstError() const {
  for (size_t i = 0; i < size_; ++i) {
    const ProduceSlot& slot = slots_[i];
    if (slot.error == ErrorCode::kNone || slot.replaced) continue;
    return std::string(ErrorName(slot.error)) + (slot.topic ? " for " + slot.topic->name + "-" + std::to_string(slot.index) : std::string());
  }
  return {};
}

void ProduceAnswer::AwaitAll(int64_t timeout_us) {
  undecided_ = 1;  // held by this function, so that the answer is not ready before all are looked at
  for (size_t i = 0; i < size_; ++i) {
    ProduceSlot& slot = slots_[i];
    if (slot.replaced || slot.error != ErrorCode::kNone) continue;
    Partition* partition = slot.topic->Find(slot.index);
    if (partition == nullptr || partition->log == nullptr) continue;
    ++undecided_;
    slot.target = slot.last + 1;
    partition->log->Await(&slot);
  }
  if (undecided_ > 1) {
    handler_.waiting().PushBack(this);
    handler_.plane().reactor.Arm(this, timeout_us);
  }
  Decided();
}

void ProduceAnswer::Decided() {
  if (--undecided_ > 0) return;
  handler_.plane().reactor.Disarm(this);
  ListNode<ProduceWaitTag>::Unlink();
  client_->Ready(this);  // may dispose of this
}

void ProduceAnswer::OnTimer() {
  ++undecided_;
  for (size_t i = 0; i < size_; ++i) {
    ProduceSlot& slot = slots_[i];
    if (!slot.is_linked()) continue;
    slot.Unlink();
    slot.base = Offset(-1);
    slot.append_time = TimestampMs(-1);
    slot.error = ErrorCode::kRequestTimedOut;
    --undecided_;
  }
  Decided();
}

void ProduceAnswer::FailTopic(const Topic* topic) {
  ++undecided_;
  for (size_t i = 0; i < size_; ++i) {
    ProduceSlot& slot = slots_[i];
    if (!slot.is_linked() || slot.topic.get() != topic) continue;
    slot.Unlink();
    slot.OnFailed(Status::Error(Code::kNotFound, "the topic was deleted"));
  }
  Decided();
}

void ProduceAnswer::Write(net::Outgoing& out) {
  ProduceResponseWriter writer(WireWriter(out.buffer()), version_);
  writer.Begin(correlation_id_, topics_.size());
  for (const ProduceTopicSlot& topic : topics_) {
    size_t answered = 0;
    for (uint32_t i = topic.first; i < topic.first + topic.count; ++i) answered += !slots_[i].replaced;
    writer.Topic(std::string_view(names_).substr(topic.name_at, topic.name_bytes), topic.id, answered);
    for (uint32_t i = topic.first; i < topic.first + topic.count; ++i) {
      const ProduceSlot& slot = slots_[i];
      if (slot.replaced) continue;
      ProduceOutcome outcome{slot.index, slot.error, slot.base, slot.append_time, slot.log_start};
      if (slot.failure) {
        outcome.message = slot.failure->message;
        outcome.records = &slot.failure->records;
      }
      writer.Partition(outcome);
    }
    writer.EndTopic();
  }
  writer.End();
  out.AddBytes();
}

void ProduceAnswer::Reset() {
  handler_.plane().reactor.Disarm(this);
  ListNode<ProduceWaitTag>::Unlink();
  if (work != nullptr) work->owner = nullptr;
  work = nullptr;
  for (size_t i = 0; i < size_; ++i) {
    ProduceSlot& slot = slots_[i];
    slot.Unlink();
    slot.topic.reset();
    slot.failure.reset();
    slot.replaced = false;
    slot.error = ErrorCode::kNone;
    slot.base = slot.last = slot.log_start = Offset(-1);
    slot.append_time = TimestampMs(-1);
  }
  StartAnew(&topics_);
  StartAnew(&names_);
  size_ = undecided_ = 0;
  ready_ = false;
  client_ = nullptr;
  if (capacity_ > kKeepSlots) {
    slots_.reset();
    capacity_ = 0;
  }
}

void ProduceAnswer::Dispose() {
  Reset();
  handler_.Reuse(this);
}

}  // namespace sluice::kafka
