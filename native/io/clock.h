// Time, injected. Wall time may jump; monotonic time does not.
#pragma once

#include <cstdint>

namespace sluice::io {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual int64_t WallMs() = 0;
  virtual int64_t MonotonicUs() = 0;
};
Clock& RealClock();

}  // namespace sluice::io
