// Distinct types for distinct numbers, so that an offset is never taken for a file position.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>

namespace sluice {

// A number with a name. Explicit construction; ordered; arithmetic only with plain integers.
template <class Tag, class Rep>
struct Number {
  Rep v{};
  constexpr Number() = default;
  constexpr explicit Number(Rep value) : v(value) {}
  constexpr auto operator<=>(const Number&) const = default;
  constexpr Number operator+(Rep n) const { return Number(static_cast<Rep>(v + n)); }
  constexpr Number operator-(Rep n) const { return Number(static_cast<Rep>(v - n)); }
  constexpr Rep operator-(Number o) const { return static_cast<Rep>(v - o.v); }
  constexpr Number& operator+=(Rep n) { v = static_cast<Rep>(v + n); return *this; }
};

using Offset = Number<struct OffsetTag, int64_t>;              // a record's place in its partition
using FilePosition = Number<struct FilePositionTag, int64_t>;  // bytes from the start of a segment's .log file
using LeaderEpoch = Number<struct LeaderEpochTag, int32_t>;
using ProducerId = Number<struct ProducerIdTag, int64_t>;
using ProducerEpoch = Number<struct ProducerEpochTag, int16_t>;
using TimestampMs = Number<struct TimestampTag, int64_t>;      // milliseconds since 1970, as Kafka's record timestamps
using JournalSeq = Number<struct JournalSeqTag, uint64_t>;     // sequence number of a journal frame

inline constexpr Offset kNoOffset{-1};
inline constexpr LeaderEpoch kNoEpoch{-1};
inline constexpr ProducerId kNoProducer{-1};
inline constexpr TimestampMs kNoTimestamp{-1};

// Kafka's topic id: 16 bytes, big-endian halves as on the wire.
struct TopicId {
  std::array<uint8_t, 16> bytes{};
  constexpr auto operator<=>(const TopicId&) const = default;
  bool IsZero() const { for (uint8_t b : bytes) if (b) return false; return true; }
  // Kafka's text form: URL-safe base64 of the 16 bytes, 22 characters, no padding.
  std::string ToString() const;
  static bool Parse(const std::string& text, TopicId* out);
};

struct TopicPartition {
  std::string topic;
  int32_t partition = -1;
  bool operator==(const TopicPartition&) const = default;
  std::string ToString() const { return topic + "-" + std::to_string(partition); }
};

struct TopicIdPartition {
  TopicId id;
  int32_t partition = -1;
  bool operator==(const TopicIdPartition&) const = default;
};

}  // namespace sluice

template <>
struct std::hash<sluice::TopicId> {
  size_t operator()(const sluice::TopicId& id) const noexcept {
    uint64_t a, b;
    std::memcpy(&a, id.bytes.data(), 8);
    std::memcpy(&b, id.bytes.data() + 8, 8);
    return a ^ (b * 0x9E3779B97F4A7C15ull);
  }
};
template <>
struct std::hash<sluice::TopicIdPartition> {
  size_t operator()(const sluice::TopicIdPartition& tp) const noexcept {
    return std::hash<sluice::TopicId>()(tp.id) * 31 + static_cast<size_t>(tp.partition);
  }
};
