// Timers of one reactor: a heap of intrusive timers, armed and disarmed without allocation.
// Thread: reactor.
// Owns: nothing; a timer disarms itself when it is destroyed.
// After error: cannot fail.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sluice::net {

class TimerHeap;

class Timer {
 public:
  Timer() = default;
  virtual inline ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  // Runs once per arming. May destroy the timer and arm or disarm any other.
  virtual void OnTimer() = 0;
  bool armed() const { return heap_ != nullptr; }

 private:
  friend class TimerHeap;
  TimerHeap* heap_ = nullptr;
  size_t place_ = 0;
  int64_t deadline_us_ = 0;
};

class TimerHeap {
 public:
  ~TimerHeap();
  // Arming an armed timer moves its deadline.
  void Arm(Timer* timer, int64_t deadline_us);
  void Disarm(Timer* timer);
  bool empty() const { return heap_.empty(); }
  int64_t next_deadline_us() const { return heap_.front()->deadline_us_; }  // not when empty
  // Takes out the earliest timer if it is due; null otherwise.
  Timer* PopDue(int64_t now_us);

 private:
  void Put(size_t place, Timer* timer) {
    heap_[place] = timer;
    timer->place_ = place;
  }
  void Up(size_t place);
  void Down(size_t place);
  std::vector<Timer*> heap_;
};

inline Timer::~Timer() {
  if (heap_ != nullptr) heap_->Disarm(this);
}

}  // namespace sluice::net
