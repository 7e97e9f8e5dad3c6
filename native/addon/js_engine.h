// The engine as JavaScript sees it; src/native/binding.ts describes every method. Split by room: lifecycle and partitions, appends, reads, offsets, data plane.
// Thread: JavaScript. Each method turns its arguments into plain structs, posts a message to the engine's thread and returns a promise.
// Owns: the Engine and the Bridge.
#pragma once

#include <napi.h>

#include <memory>

#include "addon/bridge.h"
#include "addon/engine.h"

namespace sluice::addon {

class JsEngine final : public Napi::ObjectWrap<JsEngine> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit JsEngine(const Napi::CallbackInfo& info);
  ~JsEngine() override;

 private:
  // lifecycle and partitions (js_engine.cc)
  Napi::Value Open(const Napi::CallbackInfo& info);
  Napi::Value OpenPartitions(const Napi::CallbackInfo& info);
  Napi::Value FinishRecovery(const Napi::CallbackInfo& info);
  Napi::Value SetPartitionSettings(const Napi::CallbackInfo& info);
  Napi::Value DeletePartitions(const Napi::CallbackInfo& info);
  Napi::Value DescribeLogs(const Napi::CallbackInfo& info);
  Napi::Value Stats(const Napi::CallbackInfo& info);
  Napi::Value Close(const Napi::CallbackInfo& info);

  // appends (js_append.cc)
  Napi::Value AppendPacked(const Napi::CallbackInfo& info);
  Napi::Value AppendBatch(const Napi::CallbackInfo& info);
  Napi::Value WhenDurable(const Napi::CallbackInfo& info);

  // offsets, and waiting for them (js_offsets.cc)
  Napi::Value WaitForOffset(const Napi::CallbackInfo& info);
  Napi::Value CancelWait(const Napi::CallbackInfo& info);
  Napi::Value Ends(const Napi::CallbackInfo& info);
  Napi::Value FindTimestamp(const Napi::CallbackInfo& info);
  Napi::Value FindMaxTimestamp(const Napi::CallbackInfo& info);
  Napi::Value EpochOf(const Napi::CallbackInfo& info);
  Napi::Value EndOffsetForEpoch(const Napi::CallbackInfo& info);
  Napi::Value DeleteRecords(const Napi::CallbackInfo& info);
  Napi::Value Producers(const Napi::CallbackInfo& info);

  // reads (js_read.cc)
  Napi::Value Read(const Napi::CallbackInfo& info);
  Napi::Value ReadPacked(const Napi::CallbackInfo& info);
  Napi::Value Verify(const Napi::CallbackInfo& info);

  // data plane (js_plane.cc)
  Napi::Value Listen(const Napi::CallbackInfo& info);
  Napi::Value SetPlaneSettings(const Napi::CallbackInfo& info);
  Napi::Value SetCleanerSettings(const Napi::CallbackInfo& info);
  Napi::Value PublishTopics(const Napi::CallbackInfo& info);
  Napi::Value WithdrawTopic(const Napi::CallbackInfo& info);
  Napi::Value Respond(const Napi::CallbackInfo& info);
  Napi::Value CloseConnection(const Napi::CallbackInfo& info);
  Napi::Value Parked(const Napi::CallbackInfo& info);
  Napi::Value CaughtUp(const Napi::CallbackInfo& info);

  // Makes a promise and posts `work` with it; the promise is rejected when the engine is closed.
  Napi::Value Ask(Napi::Env env, std::function<void(Engine&, Promise)> work);
  // The same for work on one log: rejected with not_found when it is not open.
  Napi::Value AskLog(Napi::Env env, const TopicIdPartition& id, std::function<void(Engine&, log::Log&, Promise)> work);
  // The same behind the appends to that log, compressed ones too.
  Napi::Value AskBehindAppends(Napi::Env env, const TopicIdPartition& id, std::function<void(Engine&, log::Log&, Promise)> work);
  // Ends the thread; in a living environment everything that still waits is settled first.
  void StopEngine();
  void StopAndSettle(Napi::Env env);
  static void OnCleanup(void* self);

  std::shared_ptr<Bridge> bridge_;
  std::shared_ptr<Engine> engine_;
  bool opened_ = false;
  bool listening_ = false;
  // The environment's cleanup must not run on a dead object, nor leave a thread behind.
  napi_env env_ = nullptr;
};

// Offsets of a log: { logStart, highWatermark, lastStable, end, leaderEpoch }.
struct EndsOf {
  Offset log_start, high_watermark, last_stable, end;
  LeaderEpoch epoch;
  explicit EndsOf(const log::Log& log)
      : log_start(log.log_start()), high_watermark(log.high_watermark()), last_stable(log.last_stable()), end(log.next_offset()), epoch(log.leader_epoch()) {}
  EndsOf() = default;
  void Fill(Napi::Env env, Napi::Object out) const;
};

// The array of outcomes of a list of partitions: null or { code, message } each.
Napi::Value OutcomesToJs(Napi::Env env, const std::vector<Status>& statuses);

}  // namespace sluice::addon
