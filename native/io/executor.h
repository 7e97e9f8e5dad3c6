// Blocking work off the home thread: Run() on a pool thread, then Done() back on the home thread, in the order of completion.
// Thread: Submit and RunCompletions on the home thread only.
// Owns: the job, from Submit until after Done().
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "base/result.h"

namespace sluice::io {

class Job {
 public:
  virtual ~Job() = default;
  virtual void Run() = 0;   // pool thread: touches nothing of the home thread's but what the job holds
  virtual void Done() = 0;  // home thread
};

class Executor {
 public:
  virtual ~Executor() = default;
  virtual void Submit(std::unique_ptr<Job> job) = 0;
  // Runs Done() of what has finished; returns how many.
  virtual size_t RunCompletions() = 0;
  // Readable when completions wait; -1 where the executor runs jobs inline (simulation).
  virtual int event_fd() const = 0;
  // Jobs submitted and not yet Done().
  virtual size_t pending() const = 0;
};

// A job out of two closures, for the rare and slow.
std::unique_ptr<Job> MakeJob(std::function<void()> run, std::function<void()> done);
// Has `call` run on the home thread when whoever asks for it is done: by way of the pool, behind what completes before.
void CallLater(Executor& executor, std::function<void()> call);

// `threads` pool threads. Destruction waits for what runs and drops what has not begun (without Done()). Errors: no descriptor or no thread is left.
Result<std::unique_ptr<Executor>> MakePool(size_t threads);

}  // namespace sluice::io
