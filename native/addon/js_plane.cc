// The data plane from JavaScript: listeners, the partition table, answers.
#include "addon/convert.h"
#include "addon/js_engine.h"

namespace sluice::addon {
namespace {

void ResolveNothing(const Promise& promise) {
  promise.Resolve([](Napi::Env env) { return env.Undefined(); });
}

Status NoPlane() { return Status::Error(Code::kInvalid, "listen() comes first"); }

}  // namespace

Napi::Value JsEngine::Listen(const Napi::CallbackInfo& info) {
  auto listeners = std::make_shared<std::vector<kafka::ListenerSpec>>();
  auto config = std::make_shared<kafka::PlaneConfig>();
  if (!ToListeners(info[0], listeners.get()) || !ToPlaneConfig(info[1], config.get())) return info.Env().Undefined();
  if (!listening_ && !listeners->empty()) {
    listening_ = true;
    bridge_->Hold();  // a listening engine keeps the process, as any server does
  }
  return Ask(info.Env(), [listeners, config](Engine& engine, Promise promise) {
    if (engine.plane() == nullptr) engine.MakePlane(*config);
    Result<std::vector<uint16_t>> ports = engine.plane()->Listen(*listeners);
    if (!ports.ok()) {
      promise.Reject(ports.status());
      return;
    }
    promise.Resolve([ports = ports.take()](Napi::Env env) {
      Napi::Array out = Napi::Array::New(env, ports.size());
      for (size_t i = 0; i < ports.size(); ++i) out.Set(static_cast<uint32_t>(i), Napi::Number::New(env, ports[i]));
      return out;
    });
  });
}

Napi::Value JsEngine::SetPlaneSettings(const Napi::CallbackInfo& info) {
  auto config = std::make_shared<kafka::PlaneConfig>();
  if (!ToPlaneConfig(info[0], config.get())) return info.Env().Undefined();
  return Ask(info.Env(), [config](Engine& engine, Promise promise) {
    if (engine.plane() == nullptr) {
      promise.Reject(NoPlane());
      return;
    }
    engine.plane()->SetConfig(*config);
    ResolveNothing(promise);
  });
}

Napi::Value JsEngine::PublishTopics(const Napi::CallbackInfo& info) {
  if (!info[0].IsArray()) {
    ThrowType(info.Env(), "topics must be an array");
    return info.Env().Undefined();
  }
  Napi::Array list = info[0].As<Napi::Array>();
  auto topics = std::make_shared<std::vector<kafka::TopicPublication>>(list.Length());
  for (uint32_t i = 0; i < list.Length(); ++i) {
    Napi::Value item = list.Get(i);
    kafka::TopicPublication& topic = (*topics)[i];
    if (!item.IsObject()) {
      ThrowType(info.Env(), "a topic must be an object");
      return info.Env().Undefined();
    }
    Napi::Object o = item.As<Napi::Object>();
    Napi::Value partitions = o.Get("partitions");
    if (!ToString(o.Get("name"), "name", &topic.name) || !ToTopicId(o.Get("topicId"), &topic.id)) return info.Env().Undefined();
    if (!partitions.IsArray()) {
      ThrowType(info.Env(), "partitions must be an array");
      return info.Env().Undefined();
    }
    topic.internal = o.Get("internal").ToBoolean().Value();
    Napi::Array partition_list = partitions.As<Napi::Array>();
    for (uint32_t p = 0; p < partition_list.Length(); ++p) {
      Napi::Value one = partition_list.Get(p);
      int64_t index = 0, epoch = 0;
      if (!one.IsObject() || !ToInt64(one.As<Napi::Object>().Get("index"), "index", &index) ||
          !ToInt64(one.As<Napi::Object>().Get("leaderEpoch"), "leaderEpoch", &epoch)) {
        if (!one.IsObject()) ThrowType(info.Env(), "a partition must be { index, leaderEpoch }");
        return info.Env().Undefined();
      }
      topic.partitions.push_back({static_cast<int32_t>(index), LeaderEpoch(static_cast<int32_t>(epoch)), nullptr});
    }
  }
  return Ask(info.Env(), [topics](Engine& engine, Promise promise) {
    if (engine.plane() == nullptr) {
      promise.Reject(NoPlane());
      return;
    }
    for (kafka::TopicPublication& topic : *topics) {
      for (auto& partition : topic.partitions) partition.log = engine.Find(TopicIdPartition{topic.id, partition.index});
      engine.plane()->PublishTopic(topic);
    }
    ResolveNothing(promise);
  });
}

Napi::Value JsEngine::WithdrawTopic(const Napi::CallbackInfo& info) {
  TopicId id;
  if (!ToTopicId(info[0], &id)) return info.Env().Undefined();
  return Ask(info.Env(), [id](Engine& engine, Promise promise) {
    if (engine.plane() != nullptr) engine.plane()->WithdrawTopic(id);
    ResolveNothing(promise);
  });
}

Napi::Value JsEngine::Respond(const Napi::CallbackInfo& info) {
  if (!info[0].IsArray() || !info[1].IsArray()) {
    ThrowType(info.Env(), "tokens and responses must be arrays");
    return info.Env().Undefined();
  }
  Napi::Array tokens = info[0].As<Napi::Array>(), bodies = info[1].As<Napi::Array>();
  std::vector<std::pair<uint64_t, std::vector<uint8_t>>> responses(tokens.Length());
  for (uint32_t i = 0; i < tokens.Length(); ++i) {
    int64_t token = 0;
    Bytes bytes;
    if (!ToInt64(tokens.Get(i), "token", &token) || !ToBytes(bodies.Get(i), "response", &bytes)) return info.Env().Undefined();
    responses[i] = {static_cast<uint64_t>(token), std::vector<uint8_t>(bytes.begin(), bytes.end())};
  }
  Engine* engine = engine_.get();
  engine->Post([engine, responses = std::move(responses)]() mutable {
    if (engine->plane() == nullptr) return;
    for (auto& [token, response] : responses) engine->plane()->Respond(token, std::move(response));
  });
  return info.Env().Undefined();
}

Napi::Value JsEngine::Parked(const Napi::CallbackInfo& info) {
  int64_t token = 0;
  if (!ToInt64(info[0], "token", &token)) return info.Env().Undefined();
  Engine* engine = engine_.get();
  engine->Post([engine, token] {
    if (engine->plane() != nullptr) engine->plane()->Parked(static_cast<uint64_t>(token));
  });
  return info.Env().Undefined();
}

Napi::Value JsEngine::CaughtUp(const Napi::CallbackInfo& info) {
  return Ask(info.Env(), [](Engine& engine, Promise promise) {
    if (engine.plane() == nullptr) {
      promise.Reject(NoPlane());
      return;
    }
    engine.plane()->WhenCaughtUp([promise] { ResolveNothing(promise); });
  });
}

Napi::Value JsEngine::CloseConnection(const Napi::CallbackInfo& info) {
  int64_t token = 0;
  std::string why;
  if (!ToInt64(info[0], "token", &token) || !ToString(info[1], "why", &why)) return info.Env().Undefined();
  Engine* engine = engine_.get();
  engine->Post([engine, token, why] {
    if (engine->plane() != nullptr) engine->plane()->CloseConnection(static_cast<uint64_t>(token), why);
  });
  return info.Env().Undefined();
}

}  // namespace sluice::addon
