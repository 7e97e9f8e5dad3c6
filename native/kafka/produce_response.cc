#include "kafka/produce_response.h"

namespace sluice::kafka {

void ProduceResponseWriter::Begin(int32_t correlation_id, size_t topics) {
  size_at_ = writer_.position();
  writer_.I32(0);
  writer_.I32(correlation_id);
  if (flexible_) writer_.NoTags();
  writer_.Count(flexible_, topics);
}

void ProduceResponseWriter::Topic(std::string_view name, const TopicId& id, size_t partitions) {
  if (version_ >= kProduceTopicIds) {
    writer_.Uuid(id);
  } else {
    writer_.String(flexible_, name);
  }
  writer_.Count(flexible_, partitions);
}

void ProduceResponseWriter::Partition(const ProduceOutcome& outcome) {
  writer_.I32(outcome.index);
  writer_.I16(static_cast<int16_t>(outcome.error));
  writer_.I64(outcome.base.v);
  writer_.I64(outcome.append_time.v);
  if (version_ >= 5) writer_.I64(outcome.log_start.v);
  if (version_ >= 8) {
    writer_.Count(flexible_, outcome.records == nullptr ? 0 : outcome.records->size());
    if (outcome.records != nullptr) {
      for (const batch::RecordError& error : *outcome.records) {
        writer_.I32(error.index);
        writer_.String(flexible_, error.message);
        if (flexible_) writer_.NoTags();
      }
    }
    if (outcome.message.empty()) {
      writer_.NullString(flexible_);
    } else {
      writer_.String(flexible_, outcome.message);
    }
  }
  if (flexible_) writer_.NoTags();
}

void ProduceResponseWriter::EndTopic() {
  if (flexible_) writer_.NoTags();
}

void ProduceResponseWriter::End() {
  writer_.I32(0);  // throttle time
  if (flexible_) writer_.NoTags();
  writer_.PatchI32(size_at_, static_cast<int32_t>(writer_.position() - size_at_ - 4));
}

}  // namespace sluice::kafka
