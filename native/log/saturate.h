// Sums and differences of milliseconds that come from clients and settings: at the ends of the range they stop instead of overflowing.
// Thread: any. Owns: nothing. After error: cannot fail.
#pragma once

#include <cstdint>

namespace sluice::log {

inline int64_t SaturatingAdd(int64_t a, int64_t b) {
  int64_t sum;
  return __builtin_add_overflow(a, b, &sum) ? (b > 0 ? INT64_MAX : INT64_MIN) : sum;
}
inline int64_t SaturatingSub(int64_t a, int64_t b) {
  int64_t difference;
  return __builtin_sub_overflow(a, b, &difference) ? (b < 0 ? INT64_MAX : INT64_MIN) : difference;
}

}  // namespace sluice::log
