#include "kafka/produce_handler.h"

#include <algorithm>

#include "batch/stamp.h"
#include "kafka/plane.h"

namespace sluice::kafka {
namespace {

constexpr std::string_view kAdminClientId = "__admin_client";  // Kafka lets this client write to internal topics
constexpr size_t kSpareAnswers = 256;
// Kafka's own wait ends at once where there is one replica; ours includes a disk, so a producer's tiny timeout must not fail what is under way.
constexpr int64_t kLeastTimeoutMs = 1000;
constexpr int16_t kZstdFrom = 7;

batch::AppendRules RulesOf(const log::LogConfig& config, int64_t now_ms, int16_t version) {
  batch::AppendRules rules;
  rules.max_message_bytes = config.max_message_bytes;
  rules.compacted = config.cleanup_compact;
  rules.log_append_time = config.log_append_time;
  rules.timestamp_before_max_ms = config.timestamp_before_max_ms;
  rules.timestamp_after_max_ms = config.timestamp_after_max_ms;
  rules.now = TimestampMs(now_ms);
  rules.zstd_allowed = version >= kZstdFrom;
  return rules;
}

}  // namespace

void ProduceWork::Run() {
  // Contexts of codecs are large; a pool thread keeps its own.
  static thread_local batch::Decompressor decompressor;
  static thread_local batch::Compressor compressor;
  for (ProduceBatch& item : batches) {
    if (!item.needs_pool()) continue;
    if (item.detail.decompression_needed) {
      item.status = batch::ValidateCompressedRecords(item.view, item.rules, &decompressor, &item.detail);
    }
    if (item.status.ok() && item.recompress) {
      item.status = batch::Recompress(item.view, item.target, &decompressor, &compressor, &item.recompressed);
    }
  }
}

void ProduceWork::Done() {
  if (owner == nullptr) return;
  ProduceAnswer& answer = *owner;
  answer.work = nullptr;
  Client& client = *answer.client();
  handler->Append(answer, batches, frame.chunk);
  client.connection().Release();
  handler->Finish(client, answer, acks, timeout_ms);
}

void ProduceHandler::Reuse(ProduceAnswer* answer) {
  std::unique_ptr<ProduceAnswer> own(answer);
  if (spare_.size() < kSpareAnswers) spare_.push_back(std::move(own));
}

void ProduceHandler::Execute(Client& client, const RequestHeader& header, WireReader& reader, net::Frame frame) {
  ++plane_.stats.produce_requests;
  if (!request_.Parse(reader, header.api_version)) {
    client.Malformed("a Produce request that is cut short or contradicts itself");
    return;
  }
  AnswerPtr<ProduceAnswer> made;
  if (spare_.empty()) {
    made.reset(new ProduceAnswer(*this));
  } else {
    made.reset(spare_.back().release());
    spare_.pop_back();
  }
  ProduceAnswer& answer = *made;
  answer.Prepare(header.correlation_id, header.api_version, request_);
  client.Add(made.release());

  batches_.clear();
  if (FindPartitions(answer, header)) Validate(answer, header);
  const bool pool = std::any_of(batches_.begin(), batches_.end(), [](const ProduceBatch& item) { return item.needs_pool(); });
  if (!pool) {
    Append(answer, batches_, frame.chunk);
    Finish(client, answer, request_.acks, request_.timeout_ms);
    return;
  }
  auto work = std::make_unique<ProduceWork>();
  work->owner = &answer;
  work->handler = this;
  work->shared = plane_.shared;
  work->frame = std::move(frame);
  work->batches = std::move(batches_);
  work->acks = request_.acks;
  work->timeout_ms = request_.timeout_ms;
  answer.work = work.get();
  client.connection().Hold();
  plane_.env.pool->Submit(std::move(work));
}

// Resolves every partition and takes its one batch. False when the whole request is refused.
bool ProduceHandler::FindPartitions(ProduceAnswer& answer, const RequestHeader& header) {
  ++request_number_;
  bool transactional = request_.has_transactional_id;
  for (const ProduceTopicView& view : request_.topics) {
    const bool by_id = header.api_version >= kProduceTopicIds;
    const TopicRef* topic = by_id ? plane_.table.Find(view.id) : plane_.table.Find(view.name);
    for (uint32_t i = view.first; i < view.first + view.count; ++i) {
      ProduceSlot& slot = answer.slot(i);
      Partition* partition = topic == nullptr ? nullptr : (*topic)->Find(slot.index);
      if (partition == nullptr) {
        slot.error = topic == nullptr && by_id ? ErrorCode::kUnknownTopicId : ErrorCode::kUnknownTopicOrPartition;
      } else {
        slot.topic = *topic;
        if (partition->seen_by == request_number_) answer.slot(partition->seen_at).replaced = true;  // the last one counts, as in Kafka
        partition->seen_by = request_number_;
        partition->seen_at = i;
      }
      const ProducePartitionView& records = request_.partitions[i];
      Result<batch::BatchView> parsed = records.has_records ? batch::ParseProduced(records.records)
                                                            : Result<batch::BatchView>(Status::Error(Code::kInvalidRecord, "no records"));
      if (parsed.ok() && parsed->transactional()) transactional = true;
      if (slot.error != ErrorCode::kNone) continue;
      if (!parsed.ok()) {
        answer.FailWith(slot, parsed.status());
        continue;
      }
      ProduceBatch& item = batches_.emplace_back();
      item.slot = i;
      item.view = *parsed;
    }
  }
  if (!transactional) return true;
  // Transactions are not served: an error that clients take as final, at once.
  for (size_t i = 0; i < answer.size(); ++i) {
    answer.slot(i).failure.reset();
    answer.Fail(answer.slot(i), ErrorCode::kTransactionalIdAuthorizationFailed, "this broker does not serve transactions yet");
  }
  batches_.clear();
  return false;
}

void ProduceHandler::Validate(ProduceAnswer& answer, const RequestHeader& header) {
  const bool internal_allowed = header.has_client_id && header.client_id == kAdminClientId;
  const bool acks_ok = request_.acks >= -1 && request_.acks <= 1;
  for (ProduceBatch& item : batches_) {
    ProduceSlot& slot = answer.slot(item.slot);
    if (slot.replaced) continue;
    Partition* partition = slot.topic->Find(slot.index);
    item.status = Status::Error(Code::kInvalid, "refused");
    if (header.api_version < kZstdFrom && item.view.codec_id() == static_cast<int>(batch::Codec::kZstd)) {
      answer.Fail(slot, ErrorCode::kUnsupportedCompressionType, "zstd needs Produce version 7");
    } else if (!acks_ok) {
      answer.Fail(slot, ErrorCode::kInvalidRequiredAcks);
    } else if (slot.topic->internal && !internal_allowed) {
      answer.Fail(slot, ErrorCode::kInvalidTopic, "an internal topic");
    } else if (partition->log == nullptr) {
      answer.Fail(slot, ErrorCode::kKafkaStorageError);
    } else {
      const log::LogConfig& config = partition->log->config();
      item.rules = RulesOf(config, plane_.reactor.wall_ms(), header.api_version);
      item.status = batch::ValidateForAppend(item.view, item.rules, &item.detail);
      if (config.compression < 0 || !batch::NeedsRecompression(item.view, static_cast<batch::Codec>(config.compression))) continue;
      item.recompress = true;
      item.target.codec = static_cast<batch::Codec>(config.compression);
      item.target.level = config.compression_level;
      item.target.max_batch_bytes = config.max_message_bytes;
    }
  }
}

void ProduceHandler::Append(ProduceAnswer& answer, std::vector<ProduceBatch>& batches, const net::ChunkRef& chunk) {
  bool staged = false;
  for (ProduceBatch& item : batches) {
    ProduceSlot& slot = answer.slot(item.slot);
    if (slot.replaced || slot.error != ErrorCode::kNone) continue;
    // Between validation and this, the pool may have had the request and the topic may have gone.
    Partition* partition = slot.topic->gone ? nullptr : slot.topic->Find(slot.index);
    log::Log* log = partition == nullptr ? nullptr : partition->log;
    if (log == nullptr) {
      answer.Fail(slot, slot.topic->gone ? (answer.version() >= kProduceTopicIds ? ErrorCode::kUnknownTopicId : ErrorCode::kUnknownTopicOrPartition)
                                         : ErrorCode::kKafkaStorageError);
      continue;
    }
    if (!item.status.ok()) {
      answer.Fail(slot, ErrorOf(item.status.code()), item.status.what(), std::move(item.detail.errors));
      slot.log_start = log->log_start();
      continue;
    }
    // The frame's memory is ours to stamp; views are const because parsing must not write.
    const Bytes bytes = item.recompressed.empty() ? item.view.bytes() : item.recompressed.bytes();
    const MutableBytes batch(const_cast<uint8_t*>(bytes.data()), bytes.size());
    if (!item.rules.log_append_time) batch::StampTimestamps(batch, false, item.detail.max_timestamp);
    const bool marked = log->has_staged();
    Result<log::AppendResult> appended = log->Append(batch, log::AppendOrigin::kClient, TimestampMs(plane_.reactor.wall_ms()));
    slot.log_start = log->log_start();
    if (!appended.ok()) {
      const Code code = appended.code();
      answer.Fail(slot, code == Code::kTooLarge ? ErrorCode::kRecordListTooLarge : ErrorOf(code), appended.status().what());
      continue;
    }
    slot.base = appended->base;
    slot.last = appended->last;
    slot.append_time = appended->log_append_time;
    if (appended->duplicate) continue;
    if (!marked) plane_.dir.MarkStaged(log);
    if (item.recompressed.empty()) {
      staged = true;
    } else {
      plane_.KeepForCommit(std::move(item.recompressed));
    }
  }
  if (staged) plane_.KeepForCommit(chunk);
}

void ProduceHandler::Finish(Client& client, ProduceAnswer& answer, int16_t acks, int32_t timeout_ms) {
  if (acks != 0) {
    answer.AwaitAll(std::max<int64_t>(timeout_ms, kLeastTimeoutMs) * 1000);
    return;
  }
  // No answer is expected; the closed connection tells the producer that something went wrong.
  const std::string error = answer.any_error() ? answer.FirstError() : std::string();
  client.Drop(&answer);
  if (!error.empty()) client.CloseFor("a Produce with acks=0 failed: " + error);
}

void ProduceHandler::TopicGone(const Topic* topic) {
  IntrusiveList<ProduceAnswer, ProduceWaitTag> all;
  all.TakeAll(&waiting_);
  while (ProduceAnswer* answer = all.PopFront()) {
    waiting_.PushBack(answer);
    answer->FailTopic(topic);
  }
}

}  // namespace sluice::kafka
