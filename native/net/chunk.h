// Receive memory: reference-counted chunks from a pool that keeps what was used last, because memory that the machine has not touched lately
// is an order of magnitude slower than a buffer that is still warm.
// Thread: reactor.
// Owns: the pool its free chunks; a chunk lives as long as a ChunkRef to it. The pool outlives all refs.
// After error: Get is null when the budget does not allow it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "net/budget.h"

namespace sluice::net {

inline constexpr size_t kMinChunk = 4 << 10;
inline constexpr size_t kMaxCachedChunk = 8 << 20;
inline constexpr size_t kMaxCachedTotal = 32 << 20;

class ChunkPool;

struct alignas(16) Chunk {
  ChunkPool* pool;
  uint32_t refs;
  uint16_t size_class;
  bool beside;  // the budget's total
  size_t capacity;
  uint8_t* data() { return reinterpret_cast<uint8_t*>(this + 1); }
};

class ChunkRef {
 public:
  ChunkRef() = default;
  explicit ChunkRef(Chunk* chunk) : chunk_(chunk) {}  // takes over one reference
  ~ChunkRef() { Reset(); }
  ChunkRef(const ChunkRef& o) : chunk_(o.chunk_) {
    if (chunk_ != nullptr) ++chunk_->refs;
  }
  ChunkRef(ChunkRef&& o) noexcept : chunk_(std::exchange(o.chunk_, nullptr)) {}
  ChunkRef& operator=(ChunkRef o) noexcept {
    std::swap(chunk_, o.chunk_);
    return *this;
  }
  void Reset();
  Chunk* get() const { return chunk_; }
  Chunk* operator->() const { return chunk_; }
  explicit operator bool() const { return chunk_ != nullptr; }
  bool unique() const { return chunk_->refs == 1; }

 private:
  Chunk* chunk_ = nullptr;
};

class ChunkPool {
 public:
  explicit ChunkPool(Budget& budget) : budget_(budget) {}
  ~ChunkPool();
  // A chunk of at least `bytes`, charged to the budget for `who`.
  ChunkRef Get(size_t bytes, Need need, const void* who);
  Budget& budget() { return budget_; }

 private:
  friend class ChunkRef;
  void Release(Chunk* chunk);
  Budget& budget_;
  std::vector<std::vector<Chunk*>> free_;  // by size class
  size_t cached_ = 0;
};

// One whole frame behind its size. The bytes may be changed in place (offsets and epochs are stamped where they lie).
struct Frame {
  ChunkRef chunk;
  MutableBytes bytes;
};

}  // namespace sluice::net
