// Memory of frames that are being received or wait: a total, with a share that only small buffers may use, and one connection at a time that
// may go beyond it, so that half-received large frames can neither starve small ones nor block each other for good.
// Thread: reactor.
// Owns: nothing but numbers.
// After error: Take that fails changes nothing.
#pragma once

#include <cstdint>

namespace sluice::net {

inline constexpr int64_t kSmallFrame = 64 << 10;  // frames up to this size may use the reserve
inline constexpr int64_t kReserveShare = 8;       // the reserve is the total divided by this

// How badly memory is wanted: kPlain leaves the reserve alone; kSmall is for frames that are small, or not known to be large; kFinish makes the
// asker the one that may go beyond the total until EndFinish, if nobody else is.
enum class Need : uint8_t { kPlain, kSmall, kFinish };

class Budget {
 public:
  explicit Budget(int64_t limit) : limit_(limit) {}
  void SetLimit(int64_t limit) { limit_ = limit; }

  bool Take(int64_t bytes, Need need, const void* who) {
    if (finisher_ == who || (need == Need::kFinish && finisher_ == nullptr)) {
      finisher_ = who;
      finishing_ += bytes;  // beside the total: it must not eat up the reserve
    } else if (used_ - finishing_ + bytes > (need == Need::kPlain ? limit_ - limit_ / kReserveShare : limit_)) {
      return false;
    }
    used_ += bytes;
    return true;
  }
  // Takes without asking: what has been received must be kept.
  void Force(int64_t bytes) { used_ += bytes; }
  void Give(int64_t bytes) { used_ -= bytes; }
  // `who` has its frame, or is gone.
  void EndFinish(const void* who) {
    if (finisher_ != who) return;
    finisher_ = nullptr;
    finishing_ = 0;
  }

  int64_t used() const { return used_; }
  bool HasRoom() const { return used_ - finishing_ + kSmallFrame <= limit_ || finisher_ == nullptr; }

 private:
  int64_t limit_;
  int64_t used_ = 0;
  const void* finisher_ = nullptr;
  int64_t finishing_ = 0;  // taken by the finisher as such
};

}  // namespace sluice::net
