#include "log/log_format.h"

#include <cstdio>

namespace sluice::log {
namespace {
constexpr size_t kDigits = 20;
}  // namespace

std::string SegmentFileName(Offset base, std::string_view suffix) {
  char digits[kDigits + 1];
  std::snprintf(digits, sizeof digits, "%020lld", static_cast<long long>(base.v));
  std::string name(digits, kDigits);
  name += suffix;
  return name;
}

std::optional<Offset> ParseSegmentFileName(std::string_view name, std::string_view suffix) {
  if (name.size() != kDigits + suffix.size() || name.substr(kDigits) != suffix) return std::nullopt;
  int64_t value = 0;
  for (char c : name.substr(0, kDigits)) {
    if (c < '0' || c > '9') return std::nullopt;
    if (__builtin_mul_overflow(value, int64_t{10}, &value) || __builtin_add_overflow(value, int64_t{c - '0'}, &value)) {
      return std::nullopt;
    }
  }
  // So that sums with offsets inside a segment cannot overflow.
  if (value > INT64_MAX - 2 * kMaxRelativeOffset) return std::nullopt;
  return Offset(value);
}

std::string JoinPath(const std::string& dir, std::string_view name) {
  std::string path;
  path.reserve(dir.size() + 1 + name.size());
  path += dir;
  path += '/';
  path += name;
  return path;
}

}  // namespace sluice::log
