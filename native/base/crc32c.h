// CRC-32C (Castagnoli), the checksum of record batches, journal frames and checkpoints.
//
// Uses the SSE4.2 instruction in three interleaved streams where the processor has it (looked up once), else tables.
//
// Thread: any. Owns: nothing. After error: cannot fail.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace sluice {

// Continues a checksum: Crc32cExtend(Crc32c(a), b) == Crc32c(a followed by b). Crc32c of nothing is 0.
uint32_t Crc32cExtend(uint32_t crc, Bytes bytes);
inline uint32_t Crc32c(Bytes bytes) { return Crc32cExtend(0, bytes); }

// The implementations by name, for tests and benchmarks. The hardware one may only be called where it is supported.
uint32_t Crc32cExtendPortable(uint32_t crc, Bytes bytes);
bool Crc32cHardwareSupported();
uint32_t Crc32cExtendHardware(uint32_t crc, Bytes bytes);

}  // namespace sluice
