// Records on their way to JavaScript: taken out of their batches on the pool, made into objects by src/native/records.ts.
// Thread: Unpack any, UnpackedToJs JavaScript.
// Owns: a copy of the records' bytes.
// After error: what was unpacked so far is of no use.
#pragma once

#include <napi.h>

#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/types.h"

namespace sluice::addon {

// As PackedRecords of binding.ts describes them.
struct UnpackedRecords {
  explicit UnpackedRecords(Offset from) : base(from), next(from) {}
  const Offset base;
  Offset next;
  std::vector<uint8_t> bytes;
  std::vector<double> table;
  std::vector<int32_t> headers;
};

// Whole batches in `batches`; records below `from` and control batches are left out. kCorrupt names the batch's offset, and `bad_at` is where
// it begins.
Status Unpack(Bytes batches, Offset from, UnpackedRecords* out, size_t* bad_at);
void UnpackedToJs(const UnpackedRecords& records, Napi::Object out);

}  // namespace sluice::addon
