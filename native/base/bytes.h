// Spans of bytes, read-only and mutable. Views only: whoever makes one keeps the bytes alive.
#pragma once

#include <cstdint>
#include <span>

namespace sluice {
using Bytes = std::span<const uint8_t>;
using MutableBytes = std::span<uint8_t>;
}  // namespace sluice
