// The event loop of one thread: descriptors, timers, messages from other threads, and hooks at the end of each tick. Knows no protocol.
// Thread: its own; Post() and Stop() from any.
// Owns: the epoll instance, the message queue, closures given to After; watchers and intrusive timers belong to their makers.
// After error: Watch and Change leave things as they were.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/result.h"
#include "io/clock.h"
#include "net/timers.h"

namespace sluice::net {

// Told when its descriptor is ready. Events are EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR.
class Watcher {
 public:
  virtual ~Watcher() = default;
  virtual void OnEvents(uint32_t events) = 0;
};

using TimerId = uint64_t;

class Reactor {
 public:
  static Result<std::unique_ptr<Reactor>> Create(io::Clock& clock);
  ~Reactor();

  // Runs until Stop(). A tick: wait (not at all while work is left), descriptors, messages, timers due, then the tick hooks in order of registration.
  void Run();
  void Stop();
  // Runs one tick, waiting at most `max_wait_ms`; for tests.
  void RunOnce(int max_wait_ms);

  Status Watch(int fd, uint32_t events, Watcher* watcher);
  Status Change(int fd, uint32_t events, Watcher* watcher);
  void Unwatch(int fd);              // safe inside OnEvents; no further event of this tick reaches the watcher

  TimerId After(int64_t delay_us, std::function<void()> run);
  void Cancel(TimerId id);
  // The same without allocation, for timers that are fields of their owners. Never runs in the tick that arms it.
  void Arm(Timer* timer, int64_t delay_us);
  void Disarm(Timer* timer);

  // A message for this thread, in order per sender; one wake-up per batch. Any thread.
  void Post(std::function<void()> message);
  // Runs at the end of every tick: first registered, first run.
  void OnTickEnd(std::function<void()> hook);
  // The last wait told of every descriptor that was ready: fewer than it can tell of at once.
  bool saw_all() const;
  // Ask for another tick at once.
  void Again();

  int64_t now_us() const;            // monotonic, taken once per tick
  int64_t wall_ms() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  Reactor();
};

}  // namespace sluice::net
