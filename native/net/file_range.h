// A range of a file that is to be sent, with what keeps the file open.
// Thread: reactor; the file itself may be read on the pool.
// Owns: a share in the pin.
// After error: plain data.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "io/file.h"

namespace sluice::net {

struct FileRange {
  std::shared_ptr<void> pin;
  io::File* file = nullptr;
  const std::string* path = nullptr;  // lives as long as the pin
  int64_t position = 0;
  int64_t length = 0;
  bool hot = false;  // expected in the page cache; it is looked at all the same
};

}  // namespace sluice::net
