#include "io/clock.h"

#include <ctime>

namespace sluice::io {
namespace {
class RealClockImpl final : public Clock {
 public:
  int64_t WallMs() override {
    timespec t;
    ::clock_gettime(CLOCK_REALTIME, &t);
    return static_cast<int64_t>(t.tv_sec) * 1000 + t.tv_nsec / 1000000;
  }
  int64_t MonotonicUs() override {
    timespec t;
    ::clock_gettime(CLOCK_MONOTONIC, &t);
    return static_cast<int64_t>(t.tv_sec) * 1000000 + t.tv_nsec / 1000;
  }
};
}  // namespace

Clock& RealClock() {
  static auto* clock = new RealClockImpl();
  return *clock;
}
}  // namespace sluice::io
