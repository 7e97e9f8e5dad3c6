// Named maxima. Whatever comes from the wire or the disk, and every queue and pool, is held against one of these.
// A layer adds its own here, with a static_assert where one limit rests on another.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sluice {

// --- record batches
inline constexpr int64_t kMaxBatchBytes = INT32_MAX;  // batchLength is an int32 and does not count the first 12 bytes
inline constexpr int64_t kDefaultMaxMessageBytes = 1048588;       // max.message.bytes
// What one compressed batch may become when it is looked into. Kafka has no such bound; ours keeps a bomb from costing more than this.
inline constexpr int64_t kDefaultMaxDecompressedBytes = 128 << 20;
inline constexpr int32_t kNoRecordLimit = 2147483639;  // default of max.decompressed.message.bytes, meaning no limit
inline constexpr int kMaxRecordErrors = 1000;  // of one batch reported by index; the rest is only counted
static_assert(kDefaultMaxDecompressedBytes >= 64 * kDefaultMaxMessageBytes, "an ordinary batch of repetitive text must fit");

// --- protocol strings
inline constexpr size_t kMaxTopicNameBytes = 249;  // Kafka's Topic.MAX_NAME_LENGTH: file names end at 255
inline constexpr size_t kUuidTextBytes = 22;

}  // namespace sluice
