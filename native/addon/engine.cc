#include "addon/engine.h"

#include <sys/epoll.h>

#include <algorithm>
#include <utility>

#include "batch/batch_view.h"
#include "batch/validate.h"

namespace sluice::addon {
namespace {

constexpr int64_t kTimersPerTrim = 10;

// One append that waits to be told, after all that were staged before it. Deletes itself when told.
class AppendWaiter final : public log::OffsetWaiter {
 public:
  AppendWaiter(const log::Log& log, Result<log::AppendResult> result, std::function<void(Result<log::AppendResult>)> done)
      : result_(std::move(result)), done_(std::move(done)) {
    target = log.next_offset();
  }
  void OnReached() override {
    done_(std::move(result_));
    delete this;
  }
  void OnFailed(const Status& why) override {
    if (result_.ok()) {
      done_(why);
    } else {
      done_(std::move(result_));
    }
    delete this;
  }

 private:
  Result<log::AppendResult> result_;
  std::function<void(Result<log::AppendResult>)> done_;
};

}  // namespace

class Engine::FdWatcher final : public net::Watcher {
 public:
  explicit FdWatcher(std::function<void()> ready) : ready_(std::move(ready)) {}
  void OnEvents(uint32_t) override { ready_(); }

 private:
  std::function<void()> ready_;
};

// What has its turn behind the steps before it: an append that the pool builds, or whatever has to come behind one.
struct Engine::BuildStep {
  TopicIdPartition id;
  bool is_ready = false;
  std::function<void()> release;
};

Engine::Engine(EngineOptions options, std::shared_ptr<Bridge> bridge) : options_(std::move(options)), bridge_(std::move(bridge)) {}

Engine::~Engine() { Stop(); }

Status Engine::Start(std::function<void(Result<OpenedInfo>)> done) {
  Result<std::unique_ptr<net::Reactor>> reactor = net::Reactor::Create(io::RealClock());
  if (!reactor.ok()) return reactor.status();
  reactor_ = reactor.take();
  Result<io::Thread> thread = io::Thread::Start([this, done = std::move(done)]() mutable { Run(std::move(done)); });
  if (!thread.ok()) return thread.status();
  thread_ = thread.take();
  return Status::Ok();
}

bool Engine::Post(std::function<void()> message) {
  if (stopped_ || !reactor_) return false;
  reactor_->Post(std::move(message));
  return true;
}

void Engine::Stop() {
  if (stopped_.exchange(true)) return;
  if (reactor_) reactor_->Stop();
  if (thread_.joinable()) thread_.Join();
  // With the messages that came too late, and the promises in them.
  reactor_.reset();
}

Result<OpenedInfo> Engine::Open() {
  Result<std::unique_ptr<io::Executor>> pool = io::MakePool(options_.pool_threads);
  if (!pool.ok()) return pool.status();
  pool_ = pool.take();
  Result<std::unique_ptr<io::Executor>> appender = io::MakePool(1);
  if (!appender.ok()) return appender.status();
  appender_ = appender.take();
  Result<std::unique_ptr<io::AsyncWriter>> writer = io::MakeAsyncWriter(options_.driver);
  if (!writer.ok()) return writer.status();
  writer_ = writer.take();
  pool_watcher_ = std::make_unique<FdWatcher>([this] { pool_->RunCompletions(); });
  appender_watcher_ = std::make_unique<FdWatcher>([this] { appender_->RunCompletions(); });
  writer_watcher_ = std::make_unique<FdWatcher>([this] { writer_->Reap(); });
  SLUICE_TRY(reactor_->Watch(pool_->event_fd(), EPOLLIN, pool_watcher_.get()));
  SLUICE_TRY(reactor_->Watch(appender_->event_fd(), EPOLLIN, appender_watcher_.get()));
  SLUICE_TRY(reactor_->Watch(writer_->event_fd(), EPOLLIN, writer_watcher_.get()));

  log::Env env;
  env.fs = &io::RealFileSystem();
  env.clock = &io::RealClock();
  env.pool = pool_.get();
  env.writer = writer_.get();
  env.appender = appender_.get();
  env.reporter = this;
  Result<std::unique_ptr<log::LogDir>> dir = log::LogDir::Open(env, options_.dir);
  if (!dir.ok()) return dir.status();
  dir_ = dir.take();
  reactor_->OnTickEnd([this] {
    if (writer_->HasCompletions()) writer_->Reap();
    // Whoever is told in Commit may stage at once: those bytes belong to the next one.
    std::vector<std::vector<uint8_t>> committed = std::move(tick_bytes_);
    tick_bytes_.clear();
    dir_->Commit();
  });
  ArmTimer();
  OpenedInfo info;
  info.cluster_id = dir_->cluster_id();
  info.directory_id = dir_->directory_id();
  info.clean = dir_->was_clean();
  info.driver = writer_->driver();
  info.direct_io = dir_->direct_io();
  return info;
}

void Engine::Run(std::function<void(Result<OpenedInfo>)> done) {
  Result<OpenedInfo> opened = Open();
  const bool ok = opened.ok();
  done(std::move(opened));
  done = nullptr;
  if (ok) reactor_->Run();
  // Everything of this thread dies on it. The pool goes first among those that call back, so that no job outlives what it names.
  plane_.reset();
  building_.clear();
  if (writer_) writer_->Drain();
  appender_.reset();
  pool_.reset();
  if (dir_) {
    for (log::Log* log : dir_->Logs()) log->Abandon(Status::Error(Code::kClosed, "the engine was closed"));
  }
  dir_.reset();
  writer_.reset();
}

void Engine::ArmTimer() {
  reactor_->After(log::kTimerUs, [this] {
    dir_->OnTimer();
    if (++timer_count_ % kTimersPerTrim == 0) read_memory_->Trim();
    ArmTimer();
  });
}

void Engine::MakePlane(const kafka::PlaneConfig& config) {
  log::Env env;
  env.fs = &io::RealFileSystem();
  env.clock = &io::RealClock();
  env.pool = pool_.get();
  env.writer = writer_.get();
  env.reporter = this;
  plane_ = std::make_unique<kafka::DataPlane>(*reactor_, env, *dir_, *this, config);
}

void Engine::CloseClean(std::function<void(Status)> done) {
  if (!dir_) {
    done(Status::Ok());
    return;
  }
  if (plane_) {
    plane_->StopAccepting();
    plane_->CloseAll();
  }
  // What was handed over before comes first, compressed or not.
  closing_ = [this, done = std::move(done)]() mutable { dir_->CloseClean(std::move(done)); };
  ReleaseBuilt();
}

void Engine::Append(const TopicIdPartition& id, std::vector<uint8_t> batch, log::AppendOrigin origin,
                    std::function<void(Result<log::AppendResult>)> done) {
  log::Log* log = Find(id);
  if (log == nullptr) {
    done(Status::Error(Code::kNotFound, "no such partition"));
    return;
  }
  if (!dir_->ready()) {
    done(Status::Error(Code::kOffline, "recovery is not finished"));
    return;
  }
  tick_bytes_.push_back(std::move(batch));
  std::vector<uint8_t>& bytes = tick_bytes_.back();
  Result<log::AppendResult> appended = log->Append(MutableBytes(bytes.data(), bytes.size()), origin, TimestampMs(clock().WallMs()));
  if (appended.ok()) dir_->MarkStaged(log);
  log->Await(new AppendWaiter(*log, std::move(appended), std::move(done)));
}

void Engine::BuildAndAppend(const TopicIdPartition& id, bool slow, std::function<Result<std::vector<uint8_t>>()> build,
                            std::function<void(Result<log::AppendResult>)> done) {
  if (!slow && building_.empty()) {
    AppendBuilt(id, build(), std::move(done));
    return;
  }
  auto built = std::make_shared<std::optional<Result<std::vector<uint8_t>>>>();
  auto step = std::make_shared<BuildStep>(BuildStep{id, false, [this, id, built, done = std::move(done)] { AppendBuilt(id, std::move(**built), done); }});
  building_.push_back(step);
  pool_->Submit(io::MakeJob([built, build = std::move(build)] { built->emplace(build()); },
                            [this, step] {
                              step->is_ready = true;
                              ReleaseBuilt();
                            }));
}

void Engine::BehindAppends(const TopicIdPartition& id, std::function<void()> call) {
  if (std::none_of(building_.begin(), building_.end(), [&](const auto& step) { return step->id == id; })) {
    call();
    return;
  }
  building_.push_back(std::make_shared<BuildStep>(BuildStep{id, true, std::move(call)}));
}

void Engine::ReleaseBuilt() {
  size_t released = 0;
  while (released < building_.size() && building_[released]->is_ready) ++released;
  std::vector<std::shared_ptr<BuildStep>> ready(building_.begin(), building_.begin() + static_cast<ptrdiff_t>(released));
  building_.erase(building_.begin(), building_.begin() + static_cast<ptrdiff_t>(released));
  for (auto& step : ready) step->release();
  if (closing_ && building_.empty()) std::exchange(closing_, nullptr)();
}

void Engine::AppendBuilt(const TopicIdPartition& id, Result<std::vector<uint8_t>> built, std::function<void(Result<log::AppendResult>)> done) {
  if (built.ok()) {
    Append(id, built.take(), log::AppendOrigin::kCoordinator, std::move(done));
    return;
  }
  log::Log* log = Find(id);
  if (log == nullptr) {
    done(built.status());
  } else {
    log->Await(new AppendWaiter(*log, built.status(), std::move(done)));
  }
}

}  // namespace sluice::addon
