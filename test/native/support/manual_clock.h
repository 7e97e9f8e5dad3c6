// A clock that stands still until a test moves it.
#pragma once

#include "io/clock.h"

namespace sluice::test {

class ManualClock final : public io::Clock {
 public:
  int64_t WallMs() override { return 1700000000000 + now_us / 1000; }
  int64_t MonotonicUs() override { return now_us; }
  int64_t now_us = 1000000;
};

}  // namespace sluice::test
