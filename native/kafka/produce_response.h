// Writes a Produce response (versions 3 to 13), piece by piece in the order of the wire.
// Thread: that of the buffer. Owns: nothing. After error: cannot fail.
#pragma once

#include <string_view>
#include <vector>

#include "batch/validate.h"
#include "kafka/errors.h"
#include "kafka/produce_request.h"
#include "kafka/wire_writer.h"

namespace sluice::kafka {

struct ProduceOutcome {
  int32_t index = 0;
  ErrorCode error = ErrorCode::kNone;
  Offset base{-1};
  TimestampMs append_time{-1};
  Offset log_start{-1};
  std::string_view message;                           // empty: null
  const std::vector<batch::RecordError>* records = nullptr;
};

class ProduceResponseWriter {
 public:
  ProduceResponseWriter(WireWriter writer, int16_t version) : writer_(writer), version_(version), flexible_(version >= kProduceFlexible) {}
  void Begin(int32_t correlation_id, size_t topics);
  void Topic(std::string_view name, const TopicId& id, size_t partitions);
  void Partition(const ProduceOutcome& outcome);
  void EndTopic();
  // Sets the size in front.
  void End();

 private:
  WireWriter writer_;
  const int16_t version_;
  const bool flexible_;
  size_t size_at_ = 0;
};

}  // namespace sluice::kafka
