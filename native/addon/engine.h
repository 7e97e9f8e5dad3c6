// The composition of the engine: one reactor thread with its ring, pool, log directory and (once listening) data plane.
// Thread: made and destroyed on the JavaScript thread; everything between runs on its own thread through Post.
// Owns: the thread and all that lives on it.
// After error: a failed Open leaves an engine that only Stop may be called on.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "addon/bridge.h"
#include "base/buffer_pool.h"
#include "batch/codec.h"
#include "io/thread.h"
#include "kafka/data_plane.h"
#include "log/log_dir.h"
#include "net/reactor.h"

namespace sluice::addon {

struct EngineOptions {
  log::LogDirOptions dir;
  io::Driver driver = io::Driver::kAuto;
  size_t pool_threads = 2;
};

struct OpenedInfo {
  std::string cluster_id, directory_id, driver;
  bool clean = false;
  bool direct_io = true;
};

class Engine final : public log::Reporter, public kafka::ControlPlane {
 public:
  Engine(EngineOptions options, std::shared_ptr<Bridge> bridge);
  ~Engine() override;  // Stop()

  // JavaScript thread. Starts the thread; `done` runs on it.
  Status Start(std::function<void(Result<OpenedInfo>)> done);
  // A message for the engine's thread; false once stopped (the message was dropped).
  bool Post(std::function<void()> message);
  // Ends the loop and joins the thread; what is in flight is abandoned as in a crash. JavaScript thread; may be called twice.
  void Stop();
  // Engine thread: stops cleanly, then `done`; Stop() follows from JavaScript.
  void CloseClean(std::function<void(Status)> done);

  // --- engine thread
  log::LogDir& dir() { return *dir_; }
  bool has_dir() const { return dir_ != nullptr; }
  kafka::DataPlane* plane() { return plane_.get(); }
  void MakePlane(const kafka::PlaneConfig& config);
  net::Reactor& reactor() { return *reactor_; }
  io::Executor& pool() { return *pool_; }
  io::Clock& clock() { return io::RealClock(); }
  // Of reads for JavaScript, which may keep it longer than the engine is there.
  const std::shared_ptr<BufferPool>& read_memory() const { return read_memory_; }
  log::Log* Find(const TopicIdPartition& id) { return dir_ ? dir_->Find(id) : nullptr; }

  // Runs `call` behind the appends of this log that were handed over before, those that the pool still builds included.
  void BehindAppends(const TopicIdPartition& id, std::function<void()> call);
  // Appends one built batch; `done` when it is visible by the log's mode, or failed. In order for each log, failures too.
  void Append(const TopicIdPartition& id, std::vector<uint8_t> batch, log::AppendOrigin origin, std::function<void(Result<log::AppendResult>)> done);
  // Builds on the pool when `build` is slow (compression), in order with all other built appends; then Append.
  void BuildAndAppend(const TopicIdPartition& id, bool slow, std::function<Result<std::vector<uint8_t>>()> build,
                      std::function<void(Result<log::AppendResult>)> done);

  // log::Reporter, any thread; kafka::ControlPlane, engine thread.
  void Report(log::Severity severity, const std::string& line) override { bridge_->OfferLog(severity, line); }
  void OnRequest(kafka::ControlRequest request) override { bridge_->Offer(std::move(request)); }
  void OnDisconnect(uint64_t connection) override { bridge_->OfferDisconnect(connection); }

 private:
  class FdWatcher;
  struct BuildStep;
  void Run(std::function<void(Result<OpenedInfo>)> done);
  Result<OpenedInfo> Open();
  void ArmTimer();
  void ReleaseBuilt();
  void AppendBuilt(const TopicIdPartition& id, Result<std::vector<uint8_t>> built, std::function<void(Result<log::AppendResult>)> done);

  const EngineOptions options_;
  const std::shared_ptr<Bridge> bridge_;
  const std::shared_ptr<BufferPool> read_memory_ = std::make_shared<BufferPool>();
  io::Thread thread_;
  std::unique_ptr<net::Reactor> reactor_;
  std::atomic<bool> stopped_{false};

  // Engine thread only; destroyed in the reverse order.
  std::unique_ptr<io::Executor> pool_, appender_;
  std::unique_ptr<io::AsyncWriter> writer_;
  std::unique_ptr<FdWatcher> pool_watcher_, appender_watcher_, writer_watcher_;
  std::unique_ptr<log::LogDir> dir_;
  std::unique_ptr<kafka::DataPlane> plane_;
  std::vector<std::vector<uint8_t>> tick_bytes_;
  std::vector<std::shared_ptr<BuildStep>> building_;
  std::function<void()> closing_;  // what waits for building_ to be empty
  int64_t timer_count_ = 0;
};

}  // namespace sluice::addon
