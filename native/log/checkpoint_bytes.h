// The bytes of a checkpoint: little-endian numbers, one after another, summed with CRC-32C.
//
// Thread: any. Owns: nothing. After error: a reader that ran short gives zeros from then on, and says so at the end.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "base/crc32c.h"

namespace sluice::log {

template <class T>
void PutNumber(std::string* out, T value) {
  static_assert(std::endian::native == std::endian::little);
  out->append(reinterpret_cast<const char*>(&value), sizeof value);
}

inline uint32_t SumOf(std::string_view bytes) { return Crc32c({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}); }

// What lies before the sum at the end of `bytes`; nothing where that does not hold.
inline std::optional<std::string_view> Summed(std::string_view bytes) {
  uint32_t sum;
  if (bytes.size() < sizeof sum) return std::nullopt;
  const std::string_view summed = bytes.substr(0, bytes.size() - sizeof sum);
  std::memcpy(&sum, bytes.data() + summed.size(), sizeof sum);
  return SumOf(summed) == sum ? std::optional(summed) : std::nullopt;
}

class NumberReader {
 public:
  explicit NumberReader(std::string_view bytes) : rest_(bytes) {}

  template <class T>
  T Take() {
    T value{};
    const std::string_view raw = TakeBytes(sizeof value);
    if (!short_) std::memcpy(&value, raw.data(), sizeof value);
    return value;
  }
  // Empty where fewer are left.
  std::string_view TakeBytes(size_t n) {
    if (rest_.size() < n) short_ = true;
    if (short_) return rest_ = {};
    const std::string_view taken = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return taken;
  }
  // A count of things that take at least `each` bytes.
  uint32_t TakeCount(size_t each) {
    const uint32_t count = Take<uint32_t>();
    if (count > rest_.size() / each) short_ = true;
    return short_ ? 0 : count;
  }
  bool ok() const { return !short_; }
  // All was there, and nothing is left.
  bool done() const { return !short_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool short_ = false;
};

}  // namespace sluice::log
