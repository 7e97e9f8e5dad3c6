// Memory of frames that are being received or wait: a total, with a share that only small buffers may use, and beside it one frame at a time, so
// that half-received large frames can neither starve small ones nor block each other for good. That frame stays beside the total until its memory is
// given back, not only until it has come in: the next one waits as long, and all there ever is are the total and one frame.
// Thread: reactor.
// Owns: nothing but numbers.
// After error: Take that fails changes nothing.
#pragma once

#include <cstdint>

namespace sluice::net {

inline constexpr int64_t kSmallFrame = 64 << 10;  // frames up to this size may use the reserve
inline constexpr int64_t kReserveShare = 8;       // the reserve is the total divided by this

// How badly memory is wanted: kPlain leaves the reserve alone; kSmall is for frames that are small, or not known to be large; kFinish makes the
// asker the one beside the total until EndFinish, if nobody else is and nothing of the last one is left.
enum class Need : uint8_t { kPlain, kSmall, kFinish };

class Budget {
 public:
  explicit Budget(int64_t limit) : limit_(limit) {}
  void SetLimit(int64_t limit) { limit_ = limit; }

  enum class Taken : uint8_t { kNo, kOfTotal, kBeside };
  Taken Take(int64_t bytes, Need need, const void* who) {
    if (finisher_ == who || (need == Need::kFinish && finisher_ == nullptr && beside_ == 0)) {
      finisher_ = who;
      beside_ += bytes;
      return Taken::kBeside;
    }
    if (used_ + bytes > (need == Need::kPlain ? limit_ - limit_ / kReserveShare : limit_)) return Taken::kNo;
    used_ += bytes;
    return Taken::kOfTotal;
  }
  // Takes without asking: what has been received must be kept.
  void Force(int64_t bytes) { used_ += bytes; }
  void Give(int64_t bytes) { used_ -= bytes; }
  void GiveBeside(int64_t bytes) { beside_ -= bytes; }
  // `who` has its frame, or is gone.
  void EndFinish(const void* who) {
    if (finisher_ == who) finisher_ = nullptr;
  }

  int64_t used() const { return used_ + beside_; }
  bool HasRoom() const { return used_ + kSmallFrame <= limit_ || (finisher_ == nullptr && beside_ == 0); }

 private:
  int64_t limit_;
  int64_t used_ = 0;
  int64_t beside_ = 0;
  const void* finisher_ = nullptr;
};

}  // namespace sluice::net
