// What the log layer stands on, passed in by whoever composes the engine. Nothing in log/ reaches the kernel or the clock another way.
#pragma once

#include "base/result.h"
#include "io/async_writer.h"
#include "io/clock.h"
#include "io/executor.h"
#include "io/file.h"

namespace sluice::log {

enum class Severity : uint8_t { kInfo, kWarn, kError };

// Log lines for people: one line each, naming file and position where there is one. Thread: any.
class Reporter {
 public:
  virtual ~Reporter() = default;
  virtual void Report(Severity severity, const std::string& line) = 0;
};

// About how often whoever composes the engine calls LogDir::OnTimer: debts smaller than this are not waited for.
inline constexpr int64_t kTimerUs = 100000;

class Sweeper;

struct Env {
  io::FileSystem* fs = nullptr;
  io::Clock* clock = nullptr;
  io::Executor* pool = nullptr;
  io::AsyncWriter* writer = nullptr;
  // One thread, for the segments' bytes where the disk makes writers wait; null: the pool does that too.
  io::Executor* appender = nullptr;
  Reporter* reporter = nullptr;
  // For files that nobody needs any more; null: they are removed at once.
  Sweeper* sweeper = nullptr;
};

}  // namespace sluice::log
