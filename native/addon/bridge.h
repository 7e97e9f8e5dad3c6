// The way back to JavaScript: everything that the engine's thread has for Node's thread, drained in batches with one wake-up each.
// Thread: Post and Offer from any; the rest on the JavaScript thread.
// Owns: the thread-safe function and the references to the event callbacks; both die on the JavaScript thread.
// After error: once closed, what is posted is dropped.
//
// Lifetime: the thread-safe function is unreferenced while no promise is pending and nothing listens, so that a forgotten engine does not keep the process alive.
#pragma once

#include <napi.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "kafka/control.h"
#include "log/env.h"
#include "log/log.h"

namespace sluice::addon {

using Task = std::function<void(Napi::Env)>;

// Appends of one crossing that are done together: `count` of them from `first` on.
struct AppendedGroup {
  int64_t flight = 0;
  size_t first = 0, count = 0;
  Result<log::AppendResult> result;
};

class Bridge : public std::enable_shared_from_this<Bridge> {
 public:
  // `events` has onRequests, onDisconnect, onLog and, where appends are packed, onAppended.
  static std::shared_ptr<Bridge> Make(Napi::Env env, Napi::Object events);

  // Any thread.
  void Post(Task task);
  void Offer(kafka::ControlRequest request);
  void OfferDisconnect(uint64_t connection);
  void OfferLog(log::Severity severity, std::string line);
  // Each of its appends has held the event loop, which this releases.
  void OfferAppended(AppendedGroup group);

  // JavaScript thread. A pending promise or append or a listener holds the event loop.
  void Hold(size_t count = 1);
  void Release(size_t count = 1);
  // Settles what has been posted so far, without waiting for the event loop: the last thing before Close.
  void Settle(Napi::Env env);
  void Close();

 private:
  static void CallJs(napi_env env, napi_value callback, void* context, void* data);
  void Drain(Napi::Env env);
  void CallAppended(Napi::Env env, const std::vector<AppendedGroup>& appended);
  void Wake();  // with mutex_ held

  napi_threadsafe_function function_ = nullptr;
  napi_env env_ = nullptr;
  size_t holds_ = 0;
  Napi::ObjectReference events_;

  std::mutex mutex_;  // guards what follows
  bool closed_ = false;
  bool woken_ = false;
  std::vector<Task> tasks_;
  std::vector<kafka::ControlRequest> requests_;
  std::vector<uint64_t> disconnects_;
  std::vector<std::pair<log::Severity, std::string>> lines_;
  std::vector<AppendedGroup> appended_;
};

// A promise that the engine settles from its thread. Copyable; settles once. One that is dropped unsettled, since the engine ends before its turn
// comes, is rejected with kClosed.
class Promise {
 public:
  Promise(Napi::Env env, std::shared_ptr<Bridge> bridge);
  Napi::Value value() const { return state_->deferred.Promise(); }
  // Any thread. `make` runs on the JavaScript thread.
  void Resolve(std::function<Napi::Value(Napi::Env)> make) const;
  void Reject(const Status& why) const;
  // JavaScript thread: at once, for an engine that has no thread to settle from.
  void RejectNow(Napi::Env env, const Status& why) const;

 private:
  struct State {
    State(Napi::Env env, std::shared_ptr<Bridge> b) : deferred(env), bridge(std::move(b)) {}
    ~State();
    void Post(std::function<void(Napi::Env, Napi::Promise::Deferred&)> settle);
    Napi::Promise::Deferred deferred;
    const std::shared_ptr<Bridge> bridge;
    std::atomic<bool> settled{false};
  };
  std::shared_ptr<State> state_;
};

// { code, message } for a status, null when it is ok.
Napi::Value StatusToJs(Napi::Env env, const Status& status);

}  // namespace sluice::addon
