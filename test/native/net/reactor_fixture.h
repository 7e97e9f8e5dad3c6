// A reactor on a clock that a test moves.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "net/reactor.h"
#include "support/manual_clock.h"

namespace sluice::test {

class ReactorFixture : public ::testing::Test {
 protected:
  ReactorFixture() {
    Result<std::unique_ptr<net::Reactor>> made = net::Reactor::Create(clock_);
    EXPECT_TRUE(made.ok());
    reactor_ = made.take();
  }
  ManualClock clock_;
  std::unique_ptr<net::Reactor> reactor_;
};

}  // namespace sluice::test
