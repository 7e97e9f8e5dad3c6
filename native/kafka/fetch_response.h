// Writes a Fetch response (versions 4 to 18) into an outgoing queue: bytes, and the records as file ranges between them.
// Thread: reactor. Owns: nothing. After error: cannot fail.
#pragma once

#include <string_view>
#include <vector>

#include "kafka/errors.h"
#include "kafka/fetch_request.h"
#include "kafka/wire_writer.h"
#include "log/log.h"
#include "net/outgoing.h"

namespace sluice::kafka {

struct FetchOutcome {
  int32_t index = 0;
  ErrorCode error = ErrorCode::kNone;
  Offset high_watermark{-1};
  Offset last_stable{-1};
  Offset log_start{-1};
  log::EpochEnd diverging;  // epoch -1: none
  int32_t leader_id = -1;   // told with an error about leadership, from version 16
  LeaderEpoch leader_epoch{-1};
  bool tell_aborted = false;  // read_committed: a list, else null
  std::vector<log::AbortedTransaction> aborted;
  log::LogSlice slice;
};

class FetchResponseWriter {
 public:
  FetchResponseWriter(net::Outgoing& out, int16_t version);
  void Begin(int32_t correlation_id, ErrorCode error, int32_t session_id, size_t topics);
  void Topic(std::string_view name, const TopicId& id, size_t partitions);
  // Takes the slice.
  void Partition(FetchOutcome& outcome);
  void EndTopic();
  void End();

 private:
  net::Outgoing& out_;
  WireWriter writer_;
  const int16_t version_;
  const bool flexible_;
  size_t size_at_ = 0;
  int64_t range_bytes_ = 0;
};

}  // namespace sluice::kafka
