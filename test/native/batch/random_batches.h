// Random records for property tests. The seed comes from SLUICE_SEED or the clock, and is printed with every failure.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "batch/builder.h"

namespace sluice::batch {

inline uint64_t TestSeed() {
  static const uint64_t seed = [] {
    const char* text = std::getenv("SLUICE_SEED");
    return text != nullptr ? std::strtoull(text, nullptr, 10) : std::random_device()();
  }();
  return seed;
}

struct OwnedRecord {
  bool has_key = false, has_value = false;
  std::vector<uint8_t> key, value;
  TimestampMs timestamp{0};
  std::vector<std::pair<std::vector<uint8_t>, std::vector<uint8_t>>> headers;  // an odd-sized key stands for a null value

  std::vector<HeaderView> HeaderViews() const {
    std::vector<HeaderView> out;
    for (const auto& [k, v] : headers) out.push_back({Bytes(k), k.size() % 2 ? NullableBytes() : NullableBytes(Bytes(v))});
    return out;
  }
  NullableBytes Key() const { return has_key ? NullableBytes(Bytes(key)) : NullableBytes(); }
  NullableBytes Value() const { return has_value ? NullableBytes(Bytes(value)) : NullableBytes(); }
};

class RandomRecords {
 public:
  explicit RandomRecords(uint64_t seed) : random_(seed) {}
  uint64_t Below(uint64_t n) { return random_() % n; }

  std::vector<uint8_t> SomeBytes(size_t most) {
    // Small ones are common, repetitive and random ones alike.
    size_t size = Below(4) == 0 ? Below(most + 1) : Below(std::min<size_t>(most, 40) + 1);
    std::vector<uint8_t> out(size);
    const bool noisy = Below(2) == 0;
    for (uint8_t& b : out) b = noisy ? static_cast<uint8_t>(random_()) : static_cast<uint8_t>('a' + Below(3));
    return out;
  }

  OwnedRecord One() {
    OwnedRecord r;
    r.has_key = Below(5) != 0;
    r.has_value = Below(8) != 0;
    if (r.has_key) r.key = SomeBytes(300);
    if (r.has_value) r.value = SomeBytes(Below(20) == 0 ? 100000 : 2000);
    switch (Below(6)) {
      case 0: r.timestamp = TimestampMs(-1); break;
      case 1: r.timestamp = TimestampMs(static_cast<int64_t>(random_() >> 1)); break;
      default: r.timestamp = TimestampMs(1700000000000 + static_cast<int64_t>(Below(100000)));
    }
    for (uint64_t n = Below(4) == 0 ? Below(5) : 0; n > 0; --n) r.headers.emplace_back(SomeBytes(30), SomeBytes(100));
    return r;
  }
  std::vector<OwnedRecord> Some(size_t most) {
    std::vector<OwnedRecord> out(1 + Below(most));
    for (OwnedRecord& r : out) r = One();
    return out;
  }

 private:
  std::mt19937_64 random_;
};

}  // namespace sluice::batch
