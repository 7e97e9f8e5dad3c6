// Whether a read may wait for the disk.
// Thread: any. Owns: nothing. After error: a constant.
#pragma once

#include <cstdint>

namespace sluice::log {

enum class ReadMode : uint8_t {
  kNoWait,    // kWouldBlock when the bytes are not in memory or the file is not open
  kBlocking,
};

}  // namespace sluice::log
