// Messages of formats 0 and 1 (before Kafka 0.11), as far as to know one when it lies there: Apache Kafka still reads them, so where one is whole a log
// does not end, though nothing of it is served here.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "io/file.h"

namespace sluice::log {

// Whether a whole message begins at `position` and ends at or before `end`: its CRC-32 tells it from what a torn write left. Errors: the file's.
Result<bool> IsLegacyMessage(io::File& file, int64_t position, int64_t end);

}  // namespace sluice::log
