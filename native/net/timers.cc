#include "net/timers.h"

#include "base/assert.h"

namespace sluice::net {

TimerHeap::~TimerHeap() {
  for (Timer* timer : heap_) timer->heap_ = nullptr;
}

void TimerHeap::Arm(Timer* timer, int64_t deadline_us) {
  if (timer->heap_ == nullptr) {
    timer->heap_ = this;
    timer->deadline_us_ = deadline_us;
    heap_.push_back(timer);
    timer->place_ = heap_.size() - 1;
    Up(timer->place_);
    return;
  }
  SLUICE_ASSERT(timer->heap_ == this);
  timer->deadline_us_ = deadline_us;
  Up(timer->place_);
  Down(timer->place_);
}

void TimerHeap::Disarm(Timer* timer) {
  if (timer->heap_ == nullptr) return;
  SLUICE_ASSERT(timer->heap_ == this && heap_[timer->place_] == timer);
  const size_t place = timer->place_;
  timer->heap_ = nullptr;
  Timer* last = heap_.back();
  heap_.pop_back();
  if (last == timer) return;
  Put(place, last);
  Up(place);
  Down(last->place_);
}

Timer* TimerHeap::PopDue(int64_t now_us) {
  if (heap_.empty() || heap_.front()->deadline_us_ > now_us) return nullptr;
  Timer* timer = heap_.front();
  Disarm(timer);
  return timer;
}

void TimerHeap::Up(size_t place) {
  Timer* timer = heap_[place];
  while (place > 0) {
    const size_t parent = (place - 1) / 2;
    if (heap_[parent]->deadline_us_ <= timer->deadline_us_) break;
    Put(place, heap_[parent]);
    place = parent;
  }
  Put(place, timer);
}

void TimerHeap::Down(size_t place) {
  Timer* timer = heap_[place];
  for (;;) {
    size_t child = 2 * place + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1]->deadline_us_ < heap_[child]->deadline_us_) ++child;
    if (timer->deadline_us_ <= heap_[child]->deadline_us_) break;
    Put(place, heap_[child]);
    place = child;
  }
  Put(place, timer);
}

}  // namespace sluice::net
