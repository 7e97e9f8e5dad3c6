// The way back to JavaScript: everything that the engine's thread has for Node's thread, drained in batches with one wake-up each.
// Thread: Post and Offer from any; the rest on the JavaScript thread.
// Owns: the thread-safe function and the references to the event callbacks; both die on the JavaScript thread.
// After error: once closed, what is posted is dropped.
//
// Lifetime: the thread-safe function is unreferenced while no promise is pending and nothing listens, so that a forgotten engine does not keep the process alive.
#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "kafka/control.h"
#include "log/env.h"

namespace sluice::addon {

using Task = std::function<void(Napi::Env)>;

class Bridge : public std::enable_shared_from_this<Bridge> {
 public:
  // `events` has onRequests, onDisconnect and onLog.
  static std::shared_ptr<Bridge> Make(Napi::Env env, Napi::Object events);

  // Any thread.
  void Post(Task task);
  void Offer(kafka::ControlRequest request);
  void OfferDisconnect(uint64_t connection);
  void OfferLog(log::Severity severity, std::string line);

  // JavaScript thread. A pending promise or a listener holds the event loop.
  void Hold();
  void Release();
  void Close();

 private:
  static void CallJs(napi_env env, napi_value callback, void* context, void* data);
  void Drain(Napi::Env env);
  void Wake();  // with mutex_ held

  napi_threadsafe_function function_ = nullptr;
  napi_env env_ = nullptr;
  int holds_ = 0;
  Napi::ObjectReference events_;

  std::mutex mutex_;  // guards what follows
  bool closed_ = false;
  bool woken_ = false;
  std::vector<Task> tasks_;
  std::vector<kafka::ControlRequest> requests_;
  std::vector<uint64_t> disconnects_;
  std::vector<std::pair<log::Severity, std::string>> lines_;
};

// A promise that the engine settles from its thread. Copyable; settles once.
class Promise {
 public:
  Promise(Napi::Env env, std::shared_ptr<Bridge> bridge);
  Napi::Value value() const { return state_->deferred.Promise(); }
  // Any thread. `make` runs on the JavaScript thread.
  void Resolve(std::function<Napi::Value(Napi::Env)> make) const;
  void Reject(const Status& why) const;

 private:
  struct State {
    explicit State(Napi::Env env) : deferred(env) {}
    Napi::Promise::Deferred deferred;
  };
  std::shared_ptr<State> state_;
  std::shared_ptr<Bridge> bridge_;
};

// { code, message } for a status, null when it is ok.
Napi::Value StatusToJs(Napi::Env env, const Status& status);

}  // namespace sluice::addon
