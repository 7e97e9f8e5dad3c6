// A log-linear histogram of nanoseconds: 128 steps an octave, so that a value is kept to within 0.8 per cent, from 1 ns to hours,
// in a fixed 60 KiB. Recording is two shifts and an increment.
//
// Thread: one at a time. Owns: its counts. After error: cannot fail.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace sluice::bench {

class Histogram {
 public:
  void Record(uint64_t nanos) {
    counts_[IndexOf(nanos)] += 1;
    total_ += 1;
    sum_ += nanos;
    if (nanos > max_) max_ = nanos;
  }

  void Clear() { *this = Histogram(); }
  uint64_t Count() const { return total_; }
  uint64_t Max() const { return max_; }
  double Mean() const { return total_ == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(total_); }

  // The smallest kept value that at least `quantile` of all recorded values do not exceed.
  uint64_t Quantile(double quantile) const {
    if (total_ == 0) return 0;
    uint64_t wanted = static_cast<uint64_t>(quantile * static_cast<double>(total_));
    if (static_cast<double>(wanted) < quantile * static_cast<double>(total_)) wanted += 1;
    if (wanted == 0) wanted = 1;
    uint64_t seen = 0;
    for (size_t i = 0; i < kBuckets; ++i) {
      seen += counts_[i];
      if (seen >= wanted) {
        const uint64_t upper = UpperOf(i);
        return upper < max_ ? upper : max_;
      }
    }
    return max_;
  }

 private:
  static constexpr int kBits = 7;
  static constexpr size_t kBuckets = static_cast<size_t>(64 - kBits + 1) << kBits;

  static size_t IndexOf(uint64_t value) {
    if (value < (1u << kBits)) return value;
    const int shift = 63 - std::countl_zero(value) - kBits;
    return (static_cast<size_t>(shift + 1) << kBits) + ((value >> shift) & ((1u << kBits) - 1));
  }

  static uint64_t UpperOf(size_t index) {
    if (index < (1u << kBits)) return index;
    const int shift = static_cast<int>(index >> kBits) - 1;
    const uint64_t low = ((1ull << kBits) + (index & ((1u << kBits) - 1))) << shift;
    return low + (1ull << shift) - 1;
  }

  std::array<uint64_t, kBuckets> counts_{};
  uint64_t total_ = 0;
  uint64_t sum_ = 0;
  uint64_t max_ = 0;
};

}  // namespace sluice::bench
