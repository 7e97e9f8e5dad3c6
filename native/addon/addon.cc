// The addon's entry: createEngine, verifyDirectory and crc32c. src/native/binding.ts is its contract.
#include <napi.h>

#include "addon/convert.h"
#include "addon/js_engine.h"
#include "addon/js_verify.h"
#include "base/crc32c.h"

namespace sluice::addon {
namespace {

struct InstanceData {
  Napi::FunctionReference engine;
};

Napi::Value CreateEngine(const Napi::CallbackInfo& info) {
  auto* data = info.Env().GetInstanceData<InstanceData>();
  return data->engine.New({info[0], info[1]});
}

Napi::Value Crc32cOf(const Napi::CallbackInfo& info) {
  Bytes bytes;
  if (!ToBytes(info[0], "data", &bytes)) return info.Env().Undefined();
  return Napi::Number::New(info.Env(), Crc32c(bytes));
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  auto* data = new InstanceData();
  data->engine = Napi::Persistent(JsEngine::Define(env));
  env.SetInstanceData(data);
  exports.Set("createEngine", Napi::Function::New(env, CreateEngine, "createEngine"));
  exports.Set("verifyDirectory", Napi::Function::New(env, VerifyDirectory, "verifyDirectory"));
  exports.Set("crc32c", Napi::Function::New(env, Crc32cOf, "crc32c"));
  return exports;
}

}  // namespace
}  // namespace sluice::addon

static Napi::Object InitSluice(Napi::Env env, Napi::Object exports) { return sluice::addon::Init(env, exports); }
NODE_API_MODULE(sluice, InitSluice)
