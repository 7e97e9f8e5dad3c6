#include "addon/bridge.h"

#include <cstring>

namespace sluice::addon {
namespace {

Napi::Value RequestToJs(Napi::Env env, kafka::ControlRequest& request) {
  Napi::Object out = Napi::Object::New(env);
  out.Set("token", Napi::Number::New(env, static_cast<double>(request.token)));
  out.Set("connection", Napi::Number::New(env, static_cast<double>(request.connection)));
  out.Set("apiKey", Napi::Number::New(env, request.api_key));
  out.Set("apiVersion", Napi::Number::New(env, request.api_version));
  out.Set("correlationId", Napi::Number::New(env, request.correlation_id));
  out.Set("clientId", request.has_client_id ? Napi::Value(Napi::String::New(env, request.client_id)) : env.Null());
  out.Set("peer", Napi::String::New(env, request.peer));
  out.Set("listener", Napi::Number::New(env, request.listener));
  out.Set("receivedMs", Napi::Number::New(env, static_cast<double>(request.received_ms)));
  out.Set("body", Napi::Buffer<uint8_t>::Copy(env, request.body.data(), request.body.size()));
  return out;
}

const char* SeverityName(log::Severity severity) {
  switch (severity) {
    case log::Severity::kInfo: return "info";
    case log::Severity::kWarn: return "warn";
    case log::Severity::kError: return "error";
  }
  return "error";
}

// An exception out of a callback is the program's own: it becomes an uncaught exception, as from any event handler.
void Call(Napi::Env env, Napi::Object events, const char* name, std::initializer_list<napi_value> arguments) {
  Napi::Value callback = events.Get(name);
  if (!callback.IsFunction()) return;
  callback.As<Napi::Function>().Call(events, arguments);
  if (env.IsExceptionPending()) {
    Napi::Error error = env.GetAndClearPendingException();
    napi_fatal_exception(env, error.Value());
  }
}

}  // namespace

std::shared_ptr<Bridge> Bridge::Make(Napi::Env env, Napi::Object events) {
  auto bridge = std::make_shared<Bridge>();
  bridge->env_ = env;
  bridge->events_ = Napi::Persistent(events);
  // The context holds a share of its own until the function is finalized, since a call may still be queued when the engine lets go.
  auto* context = new std::shared_ptr<Bridge>(bridge);
  napi_value name = Napi::String::New(env, "sluice");
  napi_status made = napi_create_threadsafe_function(
      env, nullptr, nullptr, name, 0, 1, context,
      [](napi_env, void* data, void*) { delete static_cast<std::shared_ptr<Bridge>*>(data); }, context, &Bridge::CallJs, &bridge->function_);
  if (made != napi_ok) {
    delete context;
    return nullptr;
  }
  napi_unref_threadsafe_function(env, bridge->function_);
  return bridge;
}

void Bridge::Wake() {
  if (woken_ || closed_) return;
  woken_ = true;
  napi_call_threadsafe_function(function_, nullptr, napi_tsfn_nonblocking);
}

void Bridge::Post(Task task) {
  std::lock_guard<std::mutex> guard(mutex_);
  if (closed_) return;
  tasks_.push_back(std::move(task));
  Wake();
}

void Bridge::Offer(kafka::ControlRequest request) {
  std::lock_guard<std::mutex> guard(mutex_);
  if (closed_) return;
  requests_.push_back(std::move(request));
  Wake();
}

void Bridge::OfferDisconnect(uint64_t connection) {
  std::lock_guard<std::mutex> guard(mutex_);
  if (closed_) return;
  disconnects_.push_back(connection);
  Wake();
}

void Bridge::OfferLog(log::Severity severity, std::string line) {
  std::lock_guard<std::mutex> guard(mutex_);
  if (closed_) return;
  lines_.emplace_back(severity, std::move(line));
  Wake();
}

void Bridge::OfferAppended(AppendedGroup group) {
  std::lock_guard<std::mutex> guard(mutex_);
  if (closed_) return;
  appended_.push_back(std::move(group));
  Wake();
}

void Bridge::Hold(size_t count) {
  if (holds_ == 0 && count > 0 && function_ != nullptr) napi_ref_threadsafe_function(env_, function_);
  holds_ += count;
}

void Bridge::Release(size_t count) {
  holds_ -= count;
  if (holds_ == 0 && count > 0 && function_ != nullptr) napi_unref_threadsafe_function(env_, function_);
}

void Bridge::Settle(Napi::Env env) {
  std::vector<Task> tasks;
  std::vector<AppendedGroup> appended;
  {
    std::lock_guard<std::mutex> guard(mutex_);
    if (closed_) return;
    tasks.swap(tasks_);
    appended.swap(appended_);
  }
  Napi::HandleScope scope(env);
  if (!appended.empty()) CallAppended(env, appended);
  for (Task& task : tasks) {
    Napi::HandleScope inner(env);
    task(env);
  }
}

void Bridge::Close() {
  // Destroyed outside of the lock: a promise that is dropped posts its rejection.
  std::vector<Task> tasks;
  {
    std::lock_guard<std::mutex> guard(mutex_);
    if (closed_) return;
    closed_ = true;
    tasks.swap(tasks_);
    requests_.clear();
    appended_.clear();
  }
  napi_release_threadsafe_function(function_, napi_tsfn_abort);
  function_ = nullptr;
  events_.Reset();
}

void Bridge::CallJs(napi_env env, napi_value, void* context, void*) {
  if (env == nullptr) return;  // the environment is being torn down
  std::shared_ptr<Bridge> bridge = *static_cast<std::shared_ptr<Bridge>*>(context);
  bridge->Drain(Napi::Env(env));
}

void Bridge::CallAppended(Napi::Env env, const std::vector<AppendedGroup>& appended) {
  std::vector<int64_t> numbers;
  Napi::Array failures = Napi::Array::New(env);
  size_t released = 0;
  uint32_t failed = 0;
  for (const AppendedGroup& group : appended) {
    released += group.count;
    const bool ok = group.result.ok();
    numbers.insert(numbers.end(), {group.flight, static_cast<int64_t>(group.first), static_cast<int64_t>(group.count),
                                   ok ? group.result->base.v : -1 - static_cast<int64_t>(failed), ok ? group.result->log_append_time.v : -1});
    if (!ok) failures.Set(failed++, StatusToJs(env, group.result.status()));
  }
  Napi::BigInt64Array groups = Napi::BigInt64Array::New(env, numbers.size());
  // Where a worker is being terminated nothing can be made any more.
  if (!numbers.empty() && groups.Data() != nullptr) std::memcpy(groups.Data(), numbers.data(), numbers.size() * sizeof(int64_t));
  Call(env, events_.Value(), "onAppended", {groups, failures});
  Release(released);
}

void Bridge::Drain(Napi::Env env) {
  std::vector<Task> tasks;
  std::vector<kafka::ControlRequest> requests;
  std::vector<uint64_t> disconnects;
  std::vector<std::pair<log::Severity, std::string>> lines;
  std::vector<AppendedGroup> appended;
  {
    std::lock_guard<std::mutex> guard(mutex_);
    woken_ = false;
    if (closed_) return;
    tasks.swap(tasks_);
    requests.swap(requests_);
    disconnects.swap(disconnects_);
    lines.swap(lines_);
    appended.swap(appended_);
  }
  Napi::HandleScope scope(env);
  for (auto& [severity, line] : lines) {
    Call(env, events_.Value(), "onLog", {Napi::String::New(env, SeverityName(severity)), Napi::String::New(env, line)});
  }
  if (!appended.empty()) CallAppended(env, appended);
  // Completions before requests: an answer that waits for an append should not wait for the requests behind it too.
  for (Task& task : tasks) {
    Napi::HandleScope inner(env);
    task(env);
  }
  if (events_.IsEmpty()) return;  // a completion closed the engine
  if (!requests.empty()) {
    Napi::Array list = Napi::Array::New(env, requests.size());
    for (size_t i = 0; i < requests.size(); ++i) list.Set(static_cast<uint32_t>(i), RequestToJs(env, requests[i]));
    Call(env, events_.Value(), "onRequests", {list});
  }
  if (!disconnects.empty() && !events_.IsEmpty()) {
    Napi::Array list = Napi::Array::New(env, disconnects.size());
    for (size_t i = 0; i < disconnects.size(); ++i) {
      list.Set(static_cast<uint32_t>(i), Napi::Number::New(env, static_cast<double>(disconnects[i])));
    }
    Call(env, events_.Value(), "onDisconnect", {list});
  }
}

Promise::Promise(Napi::Env env, std::shared_ptr<Bridge> bridge) : state_(std::make_shared<State>(env, std::move(bridge))) { state_->bridge->Hold(); }

void Promise::State::Post(std::function<void(Napi::Env, Napi::Promise::Deferred&)> settle) {
  if (settled.exchange(true)) return;
  bridge->Post([deferred = deferred, bridge = bridge, settle = std::move(settle)](Napi::Env env) mutable {
    settle(env, deferred);
    bridge->Release();
  });
}

namespace {

std::function<void(Napi::Env, Napi::Promise::Deferred&)> Rejection(Status why) {
  return [why = std::move(why)](Napi::Env env, Napi::Promise::Deferred& deferred) {
    // src/native/errors.ts turns { code, message } into its NativeError.
    Napi::Error error = Napi::Error::New(env, why.ToString());
    error.Value().Set("code", Napi::String::New(env, CodeName(why.code())));
    deferred.Reject(error.Value());
  };
}

}  // namespace

Promise::State::~State() {
  if (!settled) Post(Rejection(Status::Error(Code::kClosed, "the engine was closed")));
}

void Promise::Resolve(std::function<Napi::Value(Napi::Env)> make) const {
  state_->Post([make = std::move(make)](Napi::Env env, Napi::Promise::Deferred& deferred) { deferred.Resolve(make(env)); });
}

void Promise::RejectNow(Napi::Env env, const Status& why) const {
  if (state_->settled.exchange(true)) return;
  Rejection(why)(env, state_->deferred);
  state_->bridge->Release();
}

void Promise::Reject(const Status& why) const { state_->Post(Rejection(why)); }

Napi::Value StatusToJs(Napi::Env env, const Status& status) {
  if (status.ok()) return env.Null();
  Napi::Object out = Napi::Object::New(env);
  out.Set("code", Napi::String::New(env, CodeName(status.code())));
  out.Set("message", Napi::String::New(env, status.ToString()));
  return out;
}

}  // namespace sluice::addon
