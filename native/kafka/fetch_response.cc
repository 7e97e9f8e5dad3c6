#include "kafka/fetch_response.h"

namespace sluice::kafka {

FetchResponseWriter::FetchResponseWriter(net::Outgoing& out, int16_t version)
    : out_(out), writer_(out.buffer()), version_(version), flexible_(version >= kFetchFlexible) {}

void FetchResponseWriter::Begin(int32_t correlation_id, ErrorCode error, int32_t session_id, size_t topics) {
  size_at_ = writer_.position();
  writer_.I32(0);
  writer_.I32(correlation_id);
  if (flexible_) writer_.NoTags();
  writer_.I32(0);  // throttle time
  if (version_ >= 7) {
    writer_.I16(static_cast<int16_t>(error));
    writer_.I32(session_id);
  }
  writer_.Count(flexible_, topics);
}

void FetchResponseWriter::Topic(std::string_view name, const TopicId& id, size_t partitions) {
  if (version_ >= kFetchTopicIds) {
    writer_.Uuid(id);
  } else {
    writer_.String(flexible_, name);
  }
  writer_.Count(flexible_, partitions);
}

void FetchResponseWriter::Partition(FetchOutcome& outcome) {
  writer_.I32(outcome.index);
  writer_.I16(static_cast<int16_t>(outcome.error));
  writer_.I64(outcome.high_watermark.v);
  writer_.I64(outcome.last_stable.v);
  if (version_ >= 5) writer_.I64(outcome.log_start.v);
  if (outcome.tell_aborted) {
    writer_.Count(flexible_, outcome.aborted.size());
    for (const log::AbortedTransaction& aborted : outcome.aborted) {
      writer_.I64(aborted.producer.v);
      writer_.I64(aborted.first_offset.v);
      if (flexible_) writer_.NoTags();
    }
  } else {
    writer_.NullCount(flexible_);
  }
  if (version_ >= 11) writer_.I32(-1);  // preferred read replica
  const int64_t length = outcome.slice.length;
  if (flexible_) {
    writer_.UnsignedVarint(static_cast<uint32_t>(length) + 1);
  } else {
    writer_.I32(static_cast<int32_t>(length));
  }
  if (length > 0) {
    out_.AddBytes();
    net::FileRange range;
    range.file = &outcome.slice.segment->log_file();
    range.path = &outcome.slice.segment->log_path();
    range.position = outcome.slice.position.v;
    range.length = length;
    range.hot = outcome.slice.hot;
    range.pin = std::move(outcome.slice.segment);
    out_.AddRange(std::move(range));
    range_bytes_ += length;
  }
  if (!flexible_) return;
  const bool diverging = outcome.diverging.epoch.v >= 0;
  const bool leader = version_ >= 16 && outcome.leader_id >= 0;
  writer_.UnsignedVarint(static_cast<uint32_t>(diverging) + static_cast<uint32_t>(leader));
  if (diverging) {
    writer_.UnsignedVarint(0);
    writer_.UnsignedVarint(4 + 8 + 1);
    writer_.I32(outcome.diverging.epoch.v);
    writer_.I64(outcome.diverging.end.v);
    writer_.NoTags();
  }
  if (leader) {
    writer_.UnsignedVarint(1);
    writer_.UnsignedVarint(4 + 4 + 1);
    writer_.I32(outcome.leader_id);
    writer_.I32(outcome.leader_epoch.v);
    writer_.NoTags();
  }
}

void FetchResponseWriter::EndTopic() {
  if (flexible_) writer_.NoTags();
}

void FetchResponseWriter::End() {
  if (flexible_) writer_.NoTags();
  writer_.PatchI32(size_at_, static_cast<int32_t>(static_cast<int64_t>(writer_.position() - size_at_ - 4) + range_bytes_));
  out_.AddBytes();
}

}  // namespace sluice::kafka
