// Where a log's ends, times and epochs lie, and waiting for more, from JavaScript.
#include <algorithm>
#include <unordered_map>

#include "addon/convert.h"
#include "addon/js_engine.h"

namespace sluice::addon {
namespace {

struct FoundToJs {
  std::optional<log::TimestampOffset> found;
  Napi::Value operator()(Napi::Env env) const {
    if (!found) return env.Null();
    Napi::Object out = Napi::Object::New(env);
    out.Set("offset", OffsetToJs(env, found->offset));
    out.Set("timestampMs", Napi::BigInt::New(env, found->timestamp.v));
    out.Set("leaderEpoch", Napi::Number::New(env, found->epoch.v));
    return out;
  }
};

void FindOnPool(Engine& engine, const Promise& promise, std::function<Result<std::optional<log::TimestampOffset>>()> find) {
  auto result = std::make_shared<Result<std::optional<log::TimestampOffset>>>(std::optional<log::TimestampOffset>());
  engine.pool().Submit(io::MakeJob([result, find = std::move(find)] { *result = find(); },
                                   [result, promise] {
                                     if (result->ok()) {
                                       promise.Resolve(FoundToJs{result->value()});
                                     } else {
                                       promise.Reject(result->status());
                                     }
                                   }));
}

// A reader that waits for records: woken by the log, by its timer or by cancelWait. Deletes itself.
class Waiting final : public log::OffsetWaiter {
 public:
  static std::unordered_map<double, Waiting*>& All() {
    thread_local std::unordered_map<double, Waiting*> all;  // of this engine's thread
    return all;
  }
  Waiting(Engine& engine, log::Log& log, Promise promise, double id) : engine_(engine), log_(&log), promise_(std::move(promise)), id_(id) {}
  void Start(Offset offset, int64_t timeout_ms) {
    target = offset + 1;
    All()[id_] = this;
    timer_ = engine_.reactor().After(timeout_ms * 1000, [this] {
      timer_ = 0;
      OnFailed(Status::Error(Code::kTimeout, "no record came in time"));
    });
    log_->Await(this);
  }
  void OnReached() override {
    promise_.Resolve([ends = EndsOf(*log_)](Napi::Env env) {
      Napi::Object out = Napi::Object::New(env);
      ends.Fill(env, out);
      return out;
    });
    End();
  }
  void OnFailed(const Status& why) override {
    promise_.Reject(why);
    End();
  }

 private:
  void End() {
    if (timer_ != 0) engine_.reactor().Cancel(timer_);
    All().erase(id_);
    delete this;  // unlinks itself
  }
  Engine& engine_;
  log::Log* log_;
  Promise promise_;
  double id_;
  net::TimerId timer_ = 0;
};

}  // namespace

Napi::Value JsEngine::WaitForOffset(const Napi::CallbackInfo& info) {
  TopicIdPartition id;
  int64_t offset = 0, timeout_ms = 0, wait_id = 0;
  if (!ToPartitionRef(info[0], &id) || !ToInt64(info[1], "offset", &offset) || !ToInt64(info[2], "timeoutMs", &timeout_ms) ||
      !ToInt64(info[3], "waitId", &wait_id)) {
    return info.Env().Undefined();
  }
  return AskLog(info.Env(), id, [offset, timeout_ms, wait_id](Engine& engine, log::Log& log, Promise promise) {
    (new Waiting(engine, log, std::move(promise), static_cast<double>(wait_id)))->Start(Offset(offset), std::clamp<int64_t>(timeout_ms, 0, INT32_MAX));
  });
}

Napi::Value JsEngine::CancelWait(const Napi::CallbackInfo& info) {
  int64_t wait_id = 0;
  if (!ToInt64(info[0], "waitId", &wait_id)) return info.Env().Undefined();
  engine_->Post([wait_id] {
    auto& all = Waiting::All();
    auto it = all.find(static_cast<double>(wait_id));
    if (it != all.end()) it->second->OnFailed(Status::Error(Code::kClosed, "the wait was cancelled"));
  });
  return info.Env().Undefined();
}

Napi::Value JsEngine::Ends(const Napi::CallbackInfo& info) {
  TopicIdPartition id;
  if (!ToPartitionRef(info[0], &id)) return info.Env().Undefined();
  return AskBehindAppends(info.Env(), id, [](Engine&, log::Log& log, Promise promise) {
    promise.Resolve([ends = EndsOf(log)](Napi::Env env) {
      Napi::Object out = Napi::Object::New(env);
      ends.Fill(env, out);
      return out;
    });
  });
}

Napi::Value JsEngine::FindTimestamp(const Napi::CallbackInfo& info) {
  TopicIdPartition id;
  int64_t timestamp = 0;
  if (!ToPartitionRef(info[0], &id) || !ToInt64(info[1], "timestampMs", &timestamp)) return info.Env().Undefined();
  return AskLog(info.Env(), id, [timestamp](Engine& engine, log::Log& log, Promise promise) {
    FindOnPool(engine, promise, log.FindTimestamp(TimestampMs(timestamp)));
  });
}

Napi::Value JsEngine::FindMaxTimestamp(const Napi::CallbackInfo& info) {
  TopicIdPartition id;
  if (!ToPartitionRef(info[0], &id)) return info.Env().Undefined();
  return AskLog(info.Env(), id, [](Engine& engine, log::Log& log, Promise promise) { FindOnPool(engine, promise, log.FindMaxTimestamp()); });
}

Napi::Value JsEngine::EpochOf(const Napi::CallbackInfo& info) {
  TopicIdPartition id;
  int64_t offset = 0;
  if (!ToPartitionRef(info[0], &id) || !ToInt64(info[1], "offset", &offset)) return info.Env().Undefined();
  return AskLog(info.Env(), id, [offset](Engine&, log::Log& log, Promise promise) {
    promise.Resolve([epoch = log.EpochOf(Offset(offset))](Napi::Env env) { return Napi::Number::New(env, epoch.v); });
  });
}

Napi::Value JsEngine::EndOffsetForEpoch(const Napi::CallbackInfo& info) {
  TopicIdPartition id;
  int64_t epoch = 0;
  if (!ToPartitionRef(info[0], &id) || !ToInt64(info[1], "leaderEpoch", &epoch)) return info.Env().Undefined();
  return AskLog(info.Env(), id, [epoch](Engine&, log::Log& log, Promise promise) {
    promise.Resolve([end = log.EndOffsetForEpoch(LeaderEpoch(static_cast<int32_t>(epoch)))](Napi::Env env) {
      Napi::Object out = Napi::Object::New(env);
      out.Set("leaderEpoch", Napi::Number::New(env, end.epoch.v));
      out.Set("endOffset", OffsetToJs(env, end.end));
      return out;
    });
  });
}

Napi::Value JsEngine::DeleteRecords(const Napi::CallbackInfo& info) {
  TopicIdPartition id;
  int64_t before = 0;
  if (!ToPartitionRef(info[0], &id) || !ToInt64(info[1], "before", &before)) return info.Env().Undefined();
  return AskBehindAppends(info.Env(), id, [before](Engine& engine, log::Log& log, Promise promise) {
    engine.dir().DeleteRecords(&log, Offset(before), [promise](Result<Offset> start) {
      if (!start.ok()) {
        promise.Reject(start.status());
        return;
      }
      promise.Resolve([start = *start](Napi::Env env) { return OffsetToJs(env, start); });
    });
  });
}

Napi::Value JsEngine::Producers(const Napi::CallbackInfo& info) {
  TopicIdPartition id;
  if (!ToPartitionRef(info[0], &id)) return info.Env().Undefined();
  return AskLog(info.Env(), id, [](Engine&, log::Log& log, Promise promise) {
    promise.Resolve([producers = log.Producers()](Napi::Env env) {
      Napi::Array out = Napi::Array::New(env, producers.size());
      for (size_t i = 0; i < producers.size(); ++i) {
        Napi::Object one = Napi::Object::New(env);
        one.Set("producerId", Napi::BigInt::New(env, producers[i].id.v));
        one.Set("producerEpoch", Napi::Number::New(env, producers[i].epoch.v));
        one.Set("lastSequence", Napi::Number::New(env, producers[i].last_sequence));
        one.Set("lastTimestampMs", Napi::Number::New(env, static_cast<double>(producers[i].last_timestamp.v)));
        one.Set("coordinatorEpoch", Napi::Number::New(env, producers[i].coordinator_epoch));
        one.Set("currentTxnStartOffset", OffsetToJs(env, producers[i].current_txn_start));
        out.Set(static_cast<uint32_t>(i), one);
      }
      return out;
    });
  });
}

}  // namespace sluice::addon
