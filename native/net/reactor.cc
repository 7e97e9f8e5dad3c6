#include "net/reactor.h"

#include <sys/epoll.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "io/socket.h"
#include "net/message_queue.h"

namespace sluice::net {
namespace {

constexpr int kEventsPerTick = 256;

// Where a descriptor's events go. The generation tells a stale event of a descriptor number that has been used again.
struct Slot {
  Watcher* watcher = nullptr;
  uint32_t generation = 0;
};

uint64_t Key(int fd, uint32_t generation) { return uint64_t{generation} << 32 | static_cast<uint32_t>(fd); }

}  // namespace

struct Reactor::Impl {
  struct Closure final : Timer {
    void OnTimer() override { owner->RunClosure(id); }
    Impl* owner = nullptr;
    TimerId id = 0;
    std::function<void()> run;
  };

  Impl(io::Clock& c, io::Fd e, io::Fd wake) : clock(c), epoll(std::move(e)), queue(std::move(wake)) {}

  void RunClosure(TimerId id) {
    auto it = closures.find(id);
    SLUICE_ASSERT(it != closures.end());
    std::unique_ptr<Closure> closure = std::move(it->second);
    closures.erase(it);
    closure->run();
  }

  io::Clock& clock;
  const io::Fd epoll;
  MessageQueue queue;
  std::atomic<bool> stopping{false};

  // Reactor thread only.
  std::vector<Slot> slots;  // by descriptor
  TimerHeap timers;
  std::unordered_map<TimerId, std::unique_ptr<Closure>> closures;
  TimerId last_timer = 0;
  std::vector<std::function<void()>> hooks;
  std::vector<MessageQueue::Message> messages;
  bool again = false;
  bool saw_all = true;
  bool woken = false;
  int64_t now_us = 0;
  int64_t wall_ms = 0;
};

Reactor::Reactor() = default;
Reactor::~Reactor() = default;

Result<std::unique_ptr<Reactor>> Reactor::Create(io::Clock& clock) {
  io::Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.open()) return Status::FromErrno(errno, "epoll");
  Result<io::Fd> wake = MessageQueue::MakeEventFd();
  if (!wake.ok()) return wake.status();
  const int wake_fd = wake->get();
  std::unique_ptr<Reactor> reactor(new Reactor());
  reactor->impl_ = std::make_unique<Impl>(clock, std::move(epoll), wake.take());
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = Key(wake_fd, 0);
  if (::epoll_ctl(reactor->impl_->epoll.get(), EPOLL_CTL_ADD, wake_fd, &event) != 0) return Status::FromErrno(errno, "epoll");
  reactor->impl_->now_us = clock.MonotonicUs();
  reactor->impl_->wall_ms = clock.WallMs();
  return reactor;
}

void Reactor::Run() {
  while (!impl_->stopping.load(std::memory_order_acquire)) RunOnce(-1);
}

void Reactor::Stop() {
  impl_->stopping.store(true, std::memory_order_release);
  impl_->queue.Wake();
}

void Reactor::RunOnce(int max_wait_ms) {
  Impl& me = *impl_;
  int wait = max_wait_ms;
  if (me.again) {
    wait = 0;
  } else if (!me.timers.empty()) {
    const int64_t us = std::max<int64_t>(0, me.timers.next_deadline_us() - me.clock.MonotonicUs());
    const int64_t ms = std::min<int64_t>((us + 999) / 1000, INT32_MAX);
    wait = wait < 0 ? static_cast<int>(ms) : static_cast<int>(std::min<int64_t>(wait, ms));
  }
  me.again = false;
  epoll_event events[kEventsPerTick];
  int count = ::epoll_wait(me.epoll.get(), events, kEventsPerTick, wait);
  if (count < 0) {
    SLUICE_ASSERT_OP(errno, ==, EINTR);
    count = 0;
  }
  me.now_us = me.clock.MonotonicUs();
  me.wall_ms = me.clock.WallMs();

  for (int i = 0; i < count; ++i) {
    const int fd = static_cast<int>(events[i].data.u64 & 0xffffffffu);
    if (fd == me.queue.event_fd()) {
      me.woken = true;
      continue;
    }
    const Slot& slot = me.slots[static_cast<size_t>(fd)];
    if (slot.watcher == nullptr || slot.generation != events[i].data.u64 >> 32) continue;
    slot.watcher->OnEvents(events[i].events);
  }
  me.saw_all = count < kEventsPerTick;
  if (!me.saw_all) me.again = true;

  if (me.woken) {
    me.woken = false;
    me.queue.Take(&me.messages);
    for (MessageQueue::Message& message : me.messages) message();
    me.messages.clear();
  }
  while (Timer* timer = me.timers.PopDue(me.now_us)) timer->OnTimer();
  for (size_t i = 0; i < me.hooks.size(); ++i) me.hooks[i]();
}

Status Reactor::Watch(int fd, uint32_t events, Watcher* watcher) {
  SLUICE_ASSERT_OP(fd, >=, 0);
  if (impl_->slots.size() <= static_cast<size_t>(fd)) impl_->slots.resize(static_cast<size_t>(fd) + 1);
  Slot& slot = impl_->slots[static_cast<size_t>(fd)];
  SLUICE_ASSERT(slot.watcher == nullptr);
  epoll_event event{};
  event.events = events;
  event.data.u64 = Key(fd, slot.generation + 1);
  if (::epoll_ctl(impl_->epoll.get(), EPOLL_CTL_ADD, fd, &event) != 0) return Status::FromErrno(errno, "epoll");
  ++slot.generation;
  slot.watcher = watcher;
  return Status::Ok();
}

Status Reactor::Change(int fd, uint32_t events, Watcher* watcher) {
  Slot& slot = impl_->slots[static_cast<size_t>(fd)];
  SLUICE_ASSERT(slot.watcher != nullptr);
  epoll_event event{};
  event.events = events;
  event.data.u64 = Key(fd, slot.generation);
  if (::epoll_ctl(impl_->epoll.get(), EPOLL_CTL_MOD, fd, &event) != 0) return Status::FromErrno(errno, "epoll");
  slot.watcher = watcher;
  return Status::Ok();
}

void Reactor::Unwatch(int fd) {
  Slot& slot = impl_->slots[static_cast<size_t>(fd)];
  if (slot.watcher == nullptr) return;
  slot.watcher = nullptr;
  ++slot.generation;
  (void)::epoll_ctl(impl_->epoll.get(), EPOLL_CTL_DEL, fd, nullptr);
}

TimerId Reactor::After(int64_t delay_us, std::function<void()> run) {
  auto closure = std::make_unique<Impl::Closure>();
  closure->owner = impl_.get();
  closure->id = ++impl_->last_timer;
  closure->run = std::move(run);
  Arm(closure.get(), delay_us);
  impl_->closures.emplace(closure->id, std::move(closure));
  return impl_->last_timer;
}

void Reactor::Cancel(TimerId id) { impl_->closures.erase(id); }

void Reactor::Arm(Timer* timer, int64_t delay_us) {
  impl_->timers.Arm(timer, impl_->now_us + std::clamp<int64_t>(delay_us, 1, INT64_MAX / 4));
}
void Reactor::Disarm(Timer* timer) { impl_->timers.Disarm(timer); }

void Reactor::Post(std::function<void()> message) { impl_->queue.Post(std::move(message)); }
void Reactor::OnTickEnd(std::function<void()> hook) { impl_->hooks.push_back(std::move(hook)); }
bool Reactor::saw_all() const { return impl_->saw_all; }
void Reactor::Again() { impl_->again = true; }
int64_t Reactor::now_us() const { return impl_->now_us; }
int64_t Reactor::wall_ms() const { return impl_->wall_ms; }

}  // namespace sluice::net
