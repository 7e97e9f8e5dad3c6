#include "addon/js_engine.h"

#include "addon/convert.h"

namespace sluice::addon {

Napi::Value OutcomesToJs(Napi::Env env, const std::vector<Status>& statuses) {
  Napi::Array out = Napi::Array::New(env, statuses.size());
  for (size_t i = 0; i < statuses.size(); ++i) out.Set(static_cast<uint32_t>(i), StatusToJs(env, statuses[i]));
  return out;
}

void EndsOf::Fill(Napi::Env env, Napi::Object out) const {
  out.Set("logStart", OffsetToJs(env, log_start));
  out.Set("highWatermark", OffsetToJs(env, high_watermark));
  out.Set("lastStable", OffsetToJs(env, last_stable));
  out.Set("end", OffsetToJs(env, end));
  out.Set("leaderEpoch", Napi::Number::New(env, epoch.v));
}

Napi::Function JsEngine::Define(Napi::Env env) {
  return DefineClass(env, "SluiceEngine",
                     {
                         InstanceMethod<&JsEngine::Open>("open"),
                         InstanceMethod<&JsEngine::OpenPartitions>("openPartitions"),
                         InstanceMethod<&JsEngine::FinishRecovery>("finishRecovery"),
                         InstanceMethod<&JsEngine::SetCleanerSettings>("setCleanerSettings"),
                         InstanceMethod<&JsEngine::SetPartitionSettings>("setPartitionSettings"),
                         InstanceMethod<&JsEngine::DeletePartitions>("deletePartitions"),
                         InstanceMethod<&JsEngine::DescribeLogs>("describeLogs"),
                         InstanceMethod<&JsEngine::Stats>("stats"),
                         InstanceMethod<&JsEngine::Close>("close"),
                         InstanceMethod<&JsEngine::AppendPacked>("appendPacked"),
                         InstanceMethod<&JsEngine::AppendBatch>("appendBatch"),
                         InstanceMethod<&JsEngine::WhenDurable>("whenDurable"),
                         InstanceMethod<&JsEngine::WaitForOffset>("waitForOffset"),
                         InstanceMethod<&JsEngine::CancelWait>("cancelWait"),
                         InstanceMethod<&JsEngine::Read>("read"),
                         InstanceMethod<&JsEngine::ReadPacked>("readPacked"),
                         InstanceMethod<&JsEngine::Ends>("ends"),
                         InstanceMethod<&JsEngine::FindTimestamp>("findTimestamp"),
                         InstanceMethod<&JsEngine::FindMaxTimestamp>("findMaxTimestamp"),
                         InstanceMethod<&JsEngine::EpochOf>("epochOf"),
                         InstanceMethod<&JsEngine::EndOffsetForEpoch>("endOffsetForEpoch"),
                         InstanceMethod<&JsEngine::DeleteRecords>("deleteRecords"),
                         InstanceMethod<&JsEngine::Producers>("producers"),
                         InstanceMethod<&JsEngine::Verify>("verify"),
                         InstanceMethod<&JsEngine::Listen>("listen"),
                         InstanceMethod<&JsEngine::SetPlaneSettings>("setPlaneSettings"),
                         InstanceMethod<&JsEngine::PublishTopics>("publishTopics"),
                         InstanceMethod<&JsEngine::WithdrawTopic>("withdrawTopic"),
                         InstanceMethod<&JsEngine::Respond>("respond"),
                         InstanceMethod<&JsEngine::CloseConnection>("closeConnection"),
                         InstanceMethod<&JsEngine::Parked>("parked"),
                         InstanceMethod<&JsEngine::CaughtUp>("caughtUp"),
                     });
}

JsEngine::JsEngine(const Napi::CallbackInfo& info) : Napi::ObjectWrap<JsEngine>(info), env_(info.Env()) {
  EngineOptions options;
  if (!ToEngineOptions(info[0], &options)) return;
  if (!info[1].IsObject()) {
    ThrowType(info.Env(), "events must be an object");
    return;
  }
  bridge_ = Bridge::Make(info.Env(), info[1].As<Napi::Object>());
  if (!bridge_) {
    ThrowType(info.Env(), "the environment is closing");
    return;
  }
  engine_ = std::make_shared<Engine>(std::move(options), bridge_);
  // A worker that ends, or the process, stops the engine's thread before the environment goes.
  napi_add_env_cleanup_hook(env_, &JsEngine::OnCleanup, this);
}

JsEngine::~JsEngine() {
  if (bridge_) napi_remove_env_cleanup_hook(env_, &JsEngine::OnCleanup, this);
  StopEngine();
}

void JsEngine::OnCleanup(void* self) { static_cast<JsEngine*>(self)->StopEngine(); }

void JsEngine::StopAndSettle(Napi::Env env) {
  if (engine_) engine_->Stop();
  if (bridge_) bridge_->Settle(env);
  StopEngine();
}

void JsEngine::StopEngine() {
  if (engine_) engine_->Stop();
  if (bridge_) bridge_->Close();
}

Napi::Value JsEngine::Ask(Napi::Env env, std::function<void(Engine&, Promise)> work) {
  Promise promise(env, bridge_);
  Napi::Value value = promise.value();
  Engine* engine = engine_.get();
  if (!opened_ || !engine->Post([engine, promise, work = std::move(work)] { work(*engine, promise); })) {
    promise.RejectNow(env, Status::Error(Code::kClosed, opened_ ? "the engine is closed" : "the engine is not open"));
  }
  return value;
}

namespace {

void WithLog(Engine& engine, const TopicIdPartition& id, const std::function<void(Engine&, log::Log&, Promise)>& work, const Promise& promise) {
  log::Log* log = engine.Find(id);
  if (log == nullptr) {
    promise.Reject(Status::Error(Code::kNotFound, "no such partition"));
  } else {
    work(engine, *log, promise);
  }
}

}  // namespace

Napi::Value JsEngine::AskLog(Napi::Env env, const TopicIdPartition& id, std::function<void(Engine&, log::Log&, Promise)> work) {
  return Ask(env, [id, work = std::move(work)](Engine& engine, Promise promise) { WithLog(engine, id, work, promise); });
}

Napi::Value JsEngine::AskBehindAppends(Napi::Env env, const TopicIdPartition& id, std::function<void(Engine&, log::Log&, Promise)> work) {
  return Ask(env, [id, work = std::move(work)](Engine& engine, Promise promise) {
    engine.BehindAppends(id, [&engine, id, work, promise] { WithLog(engine, id, work, promise); });
  });
}

Napi::Value JsEngine::Open(const Napi::CallbackInfo& info) {
  Promise promise(info.Env(), bridge_);
  Napi::Value value = promise.value();
  if (opened_) {
    promise.Reject(Status::Error(Code::kInvalid, "the engine is open already"));
    return value;
  }
  opened_ = true;
  Status started = engine_->Start([promise](Result<OpenedInfo> opened) {
    if (!opened.ok()) {
      promise.Reject(opened.status());
      return;
    }
    promise.Resolve([opened = opened.take()](Napi::Env env) {
      Napi::Object out = Napi::Object::New(env);
      out.Set("clusterId", opened.cluster_id);
      out.Set("directoryId", opened.directory_id);
      out.Set("clean", Napi::Boolean::New(env, opened.clean));
      out.Set("driver", opened.driver);
      out.Set("directIo", Napi::Boolean::New(env, opened.direct_io));
      return out;
    });
  });
  if (!started.ok()) promise.Reject(started);
  return value;
}

Napi::Value JsEngine::OpenPartitions(const Napi::CallbackInfo& info) {
  if (!info[0].IsArray()) {
    ThrowType(info.Env(), "partitions must be an array");
    return info.Env().Undefined();
  }
  Napi::Array list = info[0].As<Napi::Array>();
  auto specs = std::make_shared<std::vector<log::PartitionSpec>>(list.Length());
  Napi::Value settings;
  for (uint32_t i = 0; i < specs->size(); ++i) {
    if (!ToPartitionSpec(list.Get(i), i > 0 ? &(*specs)[i - 1].config : nullptr, &settings, &(*specs)[i])) return info.Env().Undefined();
  }
  return Ask(info.Env(), [specs](Engine& engine, Promise promise) {
    engine.dir().OpenPartitions(std::move(*specs), [promise](std::vector<log::OpenOutcome> outcomes) {
      std::vector<Status> statuses;
      statuses.reserve(outcomes.size());
      for (log::OpenOutcome& outcome : outcomes) statuses.push_back(std::move(outcome.status));
      promise.Resolve([statuses = std::move(statuses)](Napi::Env env) { return OutcomesToJs(env, statuses); });
    });
  });
}

Napi::Value JsEngine::FinishRecovery(const Napi::CallbackInfo& info) {
  if (!info[0].IsObject()) {
    ThrowType(info.Env(), "options must be { keepUnknown }");
    return info.Env().Undefined();
  }
  const bool keep_unknown = info[0].As<Napi::Object>().Get("keepUnknown").ToBoolean().Value();
  return Ask(info.Env(), [keep_unknown](Engine& engine, Promise promise) {
    engine.dir().FinishRecovery(keep_unknown, [promise](Result<log::RecoveryReport> report) {
      if (!report.ok()) {
        promise.Reject(report.status());
        return;
      }
      promise.Resolve([report = report.take()](Napi::Env env) {
        Napi::Object out = Napi::Object::New(env);
        out.Set("clean", Napi::Boolean::New(env, report.clean));
        out.Set("journalBytesRead", Napi::Number::New(env, static_cast<double>(report.journal_bytes_read)));
        out.Set("entriesReplayed", Napi::Number::New(env, static_cast<double>(report.entries_replayed)));
        out.Set("entriesSkipped", Napi::Number::New(env, static_cast<double>(report.entries_skipped)));
        Napi::Array strays = Napi::Array::New(env, report.strays.size());
        for (size_t i = 0; i < report.strays.size(); ++i) strays.Set(static_cast<uint32_t>(i), report.strays[i]);
        out.Set("strays", strays);
        return out;
      });
    });
  });
}

namespace {

// Asks something of each partition of a list and settles when all have answered.
struct Gathering {
  std::vector<Status> statuses;
  size_t left = 0;
  Promise promise;
  Gathering(size_t count, Promise p) : statuses(count), left(count), promise(std::move(p)) {}
  void Set(size_t i, Status status) {
    statuses[i] = std::move(status);
    if (--left == 0) promise.Resolve([statuses = std::move(statuses)](Napi::Env env) { return OutcomesToJs(env, statuses); });
  }
};

}  // namespace

Napi::Value JsEngine::SetPartitionSettings(const Napi::CallbackInfo& info) {
  if (!info[0].IsArray()) {
    ThrowType(info.Env(), "partitions must be an array");
    return info.Env().Undefined();
  }
  Napi::Array list = info[0].As<Napi::Array>();
  auto changes = std::make_shared<std::vector<std::pair<TopicIdPartition, log::LogConfig>>>(list.Length());
  for (uint32_t i = 0; i < list.Length(); ++i) {
    Napi::Value item = list.Get(i);
    if (!ToPartitionRef(item, &(*changes)[i].first) || !ToLogConfig(item.As<Napi::Object>().Get("settings"), &(*changes)[i].second)) {
      return info.Env().Undefined();
    }
  }
  return Ask(info.Env(), [changes](Engine& engine, Promise promise) {
    if (changes->empty()) {
      promise.Resolve([](Napi::Env env) { return OutcomesToJs(env, {}); });
      return;
    }
    auto gathering = std::make_shared<Gathering>(changes->size(), promise);
    for (size_t i = 0; i < changes->size(); ++i) {
      const auto& [id, config] = (*changes)[i];
      engine.dir().SetConfig(engine.Find(id), config, [gathering, i](Status status) { gathering->Set(i, std::move(status)); });
    }
  });
}

Napi::Value JsEngine::SetCleanerSettings(const Napi::CallbackInfo& info) {
  log::CleanerOptions options;
  if (!ToCleanerOptions(info[0], &options)) return info.Env().Undefined();
  return Ask(info.Env(), [options](Engine& engine, Promise promise) {
    engine.dir().SetCleaner(options);
    promise.Resolve([](Napi::Env env) { return env.Undefined(); });
  });
}

Napi::Value JsEngine::DeletePartitions(const Napi::CallbackInfo& info) {
  if (!info[0].IsArray()) {
    ThrowType(info.Env(), "partitions must be an array");
    return info.Env().Undefined();
  }
  Napi::Array list = info[0].As<Napi::Array>();
  auto ids = std::make_shared<std::vector<TopicIdPartition>>(list.Length());
  for (uint32_t i = 0; i < list.Length(); ++i) {
    if (!ToPartitionRef(list.Get(i), &(*ids)[i])) return info.Env().Undefined();
  }
  return Ask(info.Env(), [ids](Engine& engine, Promise promise) {
    if (ids->empty()) {
      promise.Resolve([](Napi::Env env) { return OutcomesToJs(env, {}); });
      return;
    }
    auto gathering = std::make_shared<Gathering>(ids->size(), promise);
    for (size_t i = 0; i < ids->size(); ++i) {
      engine.dir().DeletePartition((*ids)[i], [gathering, i](Status status) { gathering->Set(i, std::move(status)); });
    }
  });
}

Napi::Value JsEngine::DescribeLogs(const Napi::CallbackInfo& info) {
  struct Description {
    TopicPartition name;
    TopicId id;
    EndsOf ends;
    int64_t size;
    std::string offline;
  };
  return Ask(info.Env(), [](Engine& engine, Promise promise) {
    auto all = std::make_shared<std::vector<Description>>();
    for (log::Log* log : engine.dir().Logs()) {
      Status offline = log->offline();
      all->push_back({log->name(), log->topic_id(), EndsOf(*log), log->size_bytes(), offline.ok() ? "" : offline.ToString()});
    }
    promise.Resolve([all](Napi::Env env) {
      Napi::Array out = Napi::Array::New(env, all->size());
      for (size_t i = 0; i < all->size(); ++i) {
        const Description& one = (*all)[i];
        Napi::Object item = Napi::Object::New(env);
        item.Set("topic", one.name.topic);
        item.Set("topicId", one.id.ToString());
        item.Set("partition", Napi::Number::New(env, one.name.partition));
        one.ends.Fill(env, item);
        item.Set("sizeBytes", Napi::Number::New(env, static_cast<double>(one.size)));
        item.Set("offline", one.offline.empty() ? env.Null() : Napi::Value(Napi::String::New(env, one.offline)));
        out.Set(static_cast<uint32_t>(i), item);
      }
      return out;
    });
  });
}

Napi::Value JsEngine::Stats(const Napi::CallbackInfo& info) {
  return Ask(info.Env(), [](Engine& engine, Promise promise) {
    log::LogDirStats dir = engine.dir().stats();
    kafka::PlaneStats plane = engine.plane() != nullptr ? engine.plane()->stats() : kafka::PlaneStats();
    promise.Resolve([dir, plane](Napi::Env env) {
      Napi::Object out = Napi::Object::New(env);
      auto set = [&](const char* name, int64_t value) { out.Set(name, Napi::Number::New(env, static_cast<double>(value))); };
      set("partitions", dir.partitions);
      set("journalCapacityBytes", dir.journal_capacity);
      set("journalUsedBytes", dir.journal_used);
      set("journalWrites", dir.journal_writes);
      set("journalBytes", dir.journal_bytes);
      set("checkpoints", dir.checkpoints);
      set("cleanings", dir.cleanings);
      set("scrubbedBytes", dir.scrubbed_bytes);
      set("scrubDamages", dir.scrub_damages);
      set("connections", plane.connections);
      set("requests", plane.requests);
      set("produceRequests", plane.produce_requests);
      set("fetchRequests", plane.fetch_requests);
      set("controlRequests", plane.control_requests);
      set("bytesIn", plane.bytes_in);
      set("bytesOut", plane.bytes_out);
      set("requestMemoryBytes", plane.request_memory);
      set("responseMemoryBytes", plane.response_memory);
      set("fetchSessions", plane.sessions);
      set("waitingRequests", plane.waiting);
      return out;
    });
  });
}

Napi::Value JsEngine::Close(const Napi::CallbackInfo& info) {
  const bool clean = info[0].IsObject() && info[0].As<Napi::Object>().Get("clean").ToBoolean().Value();
  Napi::Env env = info.Env();
  auto deferred = std::make_shared<Napi::Promise::Deferred>(env);
  if (!opened_ || !clean) {
    StopAndSettle(env);
    deferred->Resolve(env.Undefined());
    return deferred->Promise();
  }
  // Settles by hand: the bridge that a Promise would use is closed with the engine.
  auto self = std::make_shared<Napi::ObjectReference>(Napi::Persistent(info.This().As<Napi::Object>()));
  bridge_->Hold();
  Engine* engine = engine_.get();
  auto finish = [this, deferred, self](Napi::Env js, const Status& status) {
    bridge_->Release();
    StopAndSettle(js);
    if (status.ok()) {
      deferred->Resolve(js.Undefined());
    } else {
      Napi::Error error = Napi::Error::New(js, status.ToString());
      error.Value().Set("code", Napi::String::New(js, CodeName(status.code())));
      deferred->Reject(error.Value());
    }
    self->Reset();
  };
  std::shared_ptr<Bridge> bridge = bridge_;
  if (!engine->Post([engine, bridge, finish] {
        engine->CloseClean([bridge, finish](Status status) { bridge->Post([finish, status](Napi::Env js) { finish(js, status); }); });
      })) {
    finish(env, Status::Ok());
  }
  return deferred->Promise();
}

}  // namespace sluice::addon
