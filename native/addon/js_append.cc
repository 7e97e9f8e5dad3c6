// Appending from JavaScript. Bytes are copied once on the JavaScript thread; building and compressing happen elsewhere.
#include "addon/convert.h"
#include "addon/js_engine.h"
#include "addon/packed_appends.h"
#include "batch/batch_view.h"
#include "batch/stamp.h"
#include "batch/validate.h"

namespace sluice::addon {
namespace {

Napi::Value AppendOutcomeToJs(Napi::Env env, const log::AppendResult& result) {
  Napi::Object out = Napi::Object::New(env);
  out.Set("baseOffset", OffsetToJs(env, result.base));
  out.Set("lastOffset", OffsetToJs(env, result.last));
  out.Set("logAppendTimeMs", Napi::Number::New(env, static_cast<double>(result.log_append_time.v)));
  return out;
}

void Settle(const Promise& promise, Result<log::AppendResult> result) {
  if (!result.ok()) {
    promise.Reject(result.status());
    return;
  }
  promise.Resolve([result = result.take()](Napi::Env env) { return AppendOutcomeToJs(env, result); });
}

}  // namespace

Napi::Value JsEngine::AppendPacked(const Napi::CallbackInfo& info) {
  TopicId topic;
  int64_t flight = 0, count = 0;
  Bytes bytes;
  if (!ToTopicId(info[0], &topic) || !ToInt64(info[1], "flight", &flight) || !ToInt64(info[2], "count", &count) || !ToBytes(info[3], "bytes", &bytes)) {
    return info.Env().Undefined();
  }
  Result<std::shared_ptr<PackedAppends>> parsed = PackedAppends::Parse(std::vector<uint8_t>(bytes.begin(), bytes.end()), static_cast<size_t>(count));
  if (!parsed.ok()) {
    ThrowType(info.Env(), parsed.status().what());
    return info.Env().Undefined();
  }
  bridge_->Hold(static_cast<size_t>(count));
  const auto offer = [bridge = bridge_, flight](size_t first, size_t some, const Result<log::AppendResult>& result) {
    bridge->OfferAppended({flight, first, some, result});
  };
  Engine* engine = engine_.get();
  if (!opened_ || !engine->Post([engine, topic, packed = parsed.take(), offer] { PackedAppends::Submit(packed, *engine, topic, offer); })) {
    offer(0, static_cast<size_t>(count), Status::Error(Code::kClosed, opened_ ? "the engine is closed" : "the engine is not open"));
  }
  return info.Env().Undefined();
}

Napi::Value JsEngine::AppendBatch(const Napi::CallbackInfo& info) {
  TopicIdPartition id;
  Bytes bytes;
  if (!ToPartitionRef(info[0], &id) || !ToBytes(info[1], "batch", &bytes)) return info.Env().Undefined();
  auto copy = std::make_shared<std::vector<uint8_t>>(bytes.begin(), bytes.end());
  return AskLog(info.Env(), id, [id, copy](Engine& engine, log::Log& log, Promise promise) {
    Result<batch::BatchView> view = batch::ParseProduced(Bytes(copy->data(), copy->size()));
    if (!view.ok()) {
      promise.Reject(view.status());
      return;
    }
    copy->resize(view->size());
    auto rules = std::make_shared<batch::AppendRules>();
    rules->max_message_bytes = log.config().max_message_bytes;
    rules->compacted = log.config().cleanup_compact;
    rules->log_append_time = log.config().log_append_time;
    rules->timestamp_before_max_ms = log.config().timestamp_before_max_ms;
    rules->timestamp_after_max_ms = log.config().timestamp_after_max_ms;
    rules->now = TimestampMs(engine.clock().WallMs());
    rules->always_look_inside = true;
    rules->max_decompressed_bytes = std::max<int64_t>(rules->max_decompressed_bytes, rules->max_message_bytes);
    engine.BuildAndAppend(
        id, view->compressed(),
        [copy, rules]() -> Result<std::vector<uint8_t>> {
          batch::BatchView whole(Bytes(copy->data(), copy->size()));
          batch::ValidationDetail detail;
          Status valid = batch::ValidateForAppend(whole, *rules, &detail);
          if (valid.ok() && detail.decompression_needed) {
            batch::Decompressor decompressor;
            valid = batch::ValidateCompressedRecords(whole, *rules, &decompressor, &detail);
          }
          if (!valid.ok()) return valid;
          if (!rules->log_append_time) batch::StampTimestamps(MutableBytes(copy->data(), copy->size()), false, detail.max_timestamp);
          return std::move(*copy);
        },
        [promise](Result<log::AppendResult> result) { Settle(promise, std::move(result)); });
  });
}

Napi::Value JsEngine::WhenDurable(const Napi::CallbackInfo& info) {
  TopicIdPartition id;
  int64_t end = 0;
  if (!ToPartitionRef(info[0], &id) || !ToInt64(info[1], "end", &end)) return info.Env().Undefined();
  return AskLog(info.Env(), id, [end](Engine& engine, log::Log& log, Promise promise) {
    engine.dir().WhenDurable(&log, Offset(end), [promise](Status status) {
      if (status.ok()) {
        promise.Resolve([](Napi::Env env) { return env.Undefined(); });
      } else {
        promise.Reject(status);
      }
    });
  });
}

}  // namespace sluice::addon
