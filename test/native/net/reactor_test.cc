#include "net/reactor.h"

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <random>
#include <thread>
#include <vector>

#include "io/socket.h"
#include "reactor_fixture.h"

namespace sluice::net {
namespace {

class CallWatcher final : public Watcher {
 public:
  void OnEvents(uint32_t events) override {
    ++calls;
    seen |= events;
    if (call) call();
  }
  std::function<void()> call;
  int calls = 0;
  uint32_t seen = 0;
};

class ReactorTest : public test::ReactorFixture {
 protected:
  static io::Fd Event(uint64_t value = 0) { return io::Fd(::eventfd(static_cast<unsigned>(value), EFD_NONBLOCK | EFD_CLOEXEC)); }
};

TEST_F(ReactorTest, TimersRunInOrderAndOnce) {
  std::vector<int> ran;
  reactor_->After(3000, [&] { ran.push_back(3); });
  reactor_->After(1000, [&] { ran.push_back(1); });
  const TimerId cancelled = reactor_->After(2000, [&] { ran.push_back(2); });
  reactor_->Cancel(cancelled);
  reactor_->RunOnce(0);
  EXPECT_TRUE(ran.empty());
  clock_.now_us += 5000;
  reactor_->RunOnce(0);
  reactor_->RunOnce(0);
  EXPECT_EQ(ran, (std::vector<int>{1, 3}));
}

TEST_F(ReactorTest, ATimerArmedByATimerWaitsForTheNextTick) {
  int ran = 0;
  std::function<void()> again = [&] {
    ++ran;
    reactor_->After(0, again);
  };
  reactor_->After(0, again);
  for (int i = 1; i <= 3; ++i) {
    clock_.now_us += 10;
    reactor_->RunOnce(0);
    EXPECT_EQ(ran, i);
  }
}

// Against a sorted list, with arming, moving and disarming at random.
TEST_F(ReactorTest, TimerHeapAgreesWithASortedList) {
  const char* text = std::getenv("SLUICE_SEED");
  const uint64_t seed = text != nullptr ? std::strtoull(text, nullptr, 10) : std::random_device()();
  SCOPED_TRACE("SLUICE_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  struct Probe final : Timer {
    void OnTimer() override {}
    int64_t at = -1;
  };
  std::vector<Probe> probes(200);
  TimerHeap heap;
  for (int step = 0; step < 20000; ++step) {
    Probe& probe = probes[random() % probes.size()];
    if (random() % 4 == 0) {
      heap.Disarm(&probe);
      probe.at = -1;
    } else {
      probe.at = static_cast<int64_t>(random() % 1000);
      heap.Arm(&probe, probe.at);
    }
    if (random() % 50 == 0) {
      const int64_t now = static_cast<int64_t>(random() % 1000);
      int64_t last = -1;
      while (Timer* due = heap.PopDue(now)) {
        Probe* popped = static_cast<Probe*>(due);
        ASSERT_LE(popped->at, now);
        ASSERT_GE(popped->at, last);
        last = popped->at;
        popped->at = -1;
      }
      for (const Probe& left : probes) ASSERT_TRUE(left.at < 0 || left.at > now);
    }
    for (const Probe& each : probes) ASSERT_EQ(each.armed(), each.at >= 0);
  }
}

TEST_F(ReactorTest, UnwatchInsideAnEventStopsTheOthers) {
  io::Fd a = Event(1), b = Event(1);
  CallWatcher first, second;
  first.call = [&] {
    reactor_->Unwatch(a.get());
    reactor_->Unwatch(b.get());
  };
  second.call = first.call;
  ASSERT_TRUE(reactor_->Watch(a.get(), EPOLLIN, &first).ok());
  ASSERT_TRUE(reactor_->Watch(b.get(), EPOLLIN, &second).ok());
  reactor_->RunOnce(0);
  reactor_->RunOnce(0);
  EXPECT_EQ(first.calls + second.calls, 1);
}

TEST_F(ReactorTest, AStaleEventDoesNotReachTheNextOwnerOfTheNumber) {
  io::Fd a = Event(1), b = Event(1);
  CallWatcher first, second, newcomer;
  // Whoever is called first closes both and opens another descriptor, which gets one of the two numbers.
  io::Fd opened;
  const auto swap = [&] {
    reactor_->Unwatch(a.get());
    reactor_->Unwatch(b.get());
    a.Reset();
    b.Reset();
    opened = Event(0);
    ASSERT_TRUE(reactor_->Watch(opened.get(), EPOLLIN, &newcomer).ok());
  };
  first.call = swap;
  second.call = swap;
  ASSERT_TRUE(reactor_->Watch(a.get(), EPOLLIN, &first).ok());
  ASSERT_TRUE(reactor_->Watch(b.get(), EPOLLIN, &second).ok());
  reactor_->RunOnce(0);
  EXPECT_EQ(newcomer.calls, 0);
  EXPECT_EQ(first.calls + second.calls, 1);
}

TEST_F(ReactorTest, ATickHasItsOrder) {
  std::vector<std::string> order;
  io::Fd event = Event(1);
  CallWatcher watcher;
  watcher.call = [&] { order.push_back("event"); };
  ASSERT_TRUE(reactor_->Watch(event.get(), EPOLLIN, &watcher).ok());
  reactor_->OnTickEnd([&] { order.push_back("first hook"); });
  reactor_->OnTickEnd([&] { order.push_back("second hook"); });
  reactor_->After(1, [&] { order.push_back("timer"); });
  reactor_->Post([&] { order.push_back("message"); });
  clock_.now_us += 10;
  reactor_->RunOnce(0);
  EXPECT_EQ(order, (std::vector<std::string>{"event", "message", "timer", "first hook", "second hook"}));
}

TEST_F(ReactorTest, AgainDoesNotWait) {
  int hooks = 0;
  reactor_->OnTickEnd([&] {
    if (++hooks < 3) reactor_->Again();
    if (hooks == 3) reactor_->Stop();
  });
  reactor_->Again();
  reactor_->Run();
  EXPECT_EQ(hooks, 3);
}

TEST(ReactorThreads, MessagesArriveInOrderPerSender) {
  Result<std::unique_ptr<Reactor>> made = Reactor::Create(io::RealClock());
  ASSERT_TRUE(made.ok());
  std::unique_ptr<Reactor> reactor = made.take();
  constexpr int kSenders = 4, kEach = 20000;
  std::vector<int> next(kSenders, 0);
  int total = 0;
  std::thread home([&] { reactor->Run(); });
  std::vector<std::thread> senders;
  for (int s = 0; s < kSenders; ++s) {
    senders.emplace_back([&, s] {
      for (int i = 0; i < kEach; ++i) {
        reactor->Post([&, s, i] {
          EXPECT_EQ(next[static_cast<size_t>(s)], i);
          ++next[static_cast<size_t>(s)];
          if (++total == kSenders * kEach) reactor->Stop();
        });
      }
    });
  }
  for (std::thread& sender : senders) sender.join();
  home.join();
  EXPECT_EQ(total, kSenders * kEach);
}

TEST(ReactorThreads, StopFromOutsideWakesASleeper) {
  Result<std::unique_ptr<Reactor>> made = Reactor::Create(io::RealClock());
  ASSERT_TRUE(made.ok());
  std::unique_ptr<Reactor> reactor = made.take();
  std::thread home([&] { reactor->Run(); });
  reactor->Stop();
  home.join();
}

}  // namespace
}  // namespace sluice::net
