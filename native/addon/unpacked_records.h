// Records on their way to JavaScript: taken out of their batches on the pool, made into objects by src/native/records.ts.
// Thread: Unpack any, UnpackedToJs JavaScript.
// Owns: the bytes that the records lie in.
// After error: what was unpacked so far is of no use.
#pragma once

#include <napi.h>

#include <memory>
#include <utility>

#include "base/buffer.h"
#include "base/buffer_pool.h"
#include "base/bytes.h"
#include "base/result.h"
#include "base/types.h"

namespace sluice::addon {

// Numbers one behind the other, for a typed array.
template <class T>
class Numbers {
 public:
  Numbers() = default;
  // For about so many.
  Numbers(BufferPool& pool, size_t count) : memory_(pool.Take(count * sizeof(T))) { memory_.Clear(); }
  size_t size() const { return memory_.size() / sizeof(T); }
  void Add(T value) { memory_.Append(Bytes(reinterpret_cast<const uint8_t*>(&value), sizeof(T))); }
  Buffer Take() { return std::move(memory_); }

 private:
  Buffer memory_;
};

// As PackedRecords of binding.ts describes them.
struct UnpackedRecords {
  explicit UnpackedRecords(Offset from) : base(from), next(from) {}
  const Offset base;  // records below are left out
  Offset next;
  Buffer bytes;
  Numbers<double> table;
  Numbers<int32_t> headers;
};

// Whole batches in `batches`, which are taken over where none is compressed; control batches are left out. kCorrupt names the batch's offset, and `bad_at`
// is where it begins.
Status Unpack(Buffer* batches, BufferPool& pool, UnpackedRecords* out, size_t* bad_at);
void UnpackedToJs(UnpackedRecords records, const std::shared_ptr<BufferPool>& pool, Napi::Object out);

}  // namespace sluice::addon
