// A thread of this process that may be refused: std::thread ends the process where the system allows no further one (ulimit -u, pids.max).
// Thread: whoever starts it joins it.
// Owns: the thread; it is joined before this is destroyed.
// After error: nothing has been started.
#pragma once

#include <pthread.h>

#include <functional>
#include <optional>
#include <utility>

#include "base/result.h"

namespace sluice::io {

class Thread {
 public:
  // kIo with EAGAIN where there are too many.
  static Result<Thread> Start(std::function<void()> body);
  Thread() = default;
  Thread(Thread&& o) noexcept : thread_(std::exchange(o.thread_, std::nullopt)) {}
  Thread& operator=(Thread&& o) noexcept {
    SLUICE_ASSERT(!joinable());
    thread_ = std::exchange(o.thread_, std::nullopt);
    return *this;
  }
  ~Thread() { SLUICE_ASSERT(!joinable()); }

  bool joinable() const { return thread_.has_value(); }
  void Join();

 private:
  std::optional<pthread_t> thread_;
};

}  // namespace sluice::io
