// Memory of frames that are being received or wait: a total, with a share that only small buffers may use, and one connection at a time that
// may go beyond it, so that half-received large frames can neither starve small ones nor block each other for good.
// Thread: reactor.
// Owns: nothing but numbers.
// After error: Take that fails changes nothing.
#pragma once

#include <cstdint>

namespace sluice::net {

inline constexpr int64_t kSmallBuffer = 64 << 10;  // up to this size a buffer may use the reserve
inline constexpr int64_t kReserveShare = 8;        // the reserve is the total divided by this

class Budget {
 public:
  explicit Budget(int64_t limit) : limit_(limit) {}
  void SetLimit(int64_t limit) { limit_ = limit; }

  // Takes `bytes` for `who`. When there is no room, one asker becomes the finisher and gets it all the same, until EndFinish.
  bool Take(int64_t bytes, const void* who) {
    const int64_t bound = bytes <= kSmallBuffer ? limit_ : limit_ - limit_ / kReserveShare;
    if (used_ + bytes > bound) {
      if (finisher_ != nullptr && finisher_ != who) return false;
      finisher_ = who;
    }
    used_ += bytes;
    return true;
  }
  // Takes without asking: what has been received must be kept.
  void Force(int64_t bytes) { used_ += bytes; }
  void Give(int64_t bytes) { used_ -= bytes; }
  // `who` has its frame, or is gone.
  void EndFinish(const void* who) {
    if (finisher_ == who) finisher_ = nullptr;
  }
  const void* finisher() const { return finisher_; }

  int64_t used() const { return used_; }
  bool HasRoom() const { return used_ + kSmallBuffer <= limit_ || finisher_ == nullptr; }

 private:
  int64_t limit_;
  int64_t used_ = 0;
  const void* finisher_ = nullptr;
};

}  // namespace sluice::net
