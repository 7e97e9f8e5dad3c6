#include "net/chunk.h"

#include <bit>
#include <cstdlib>
#include <new>

#include "base/assert.h"

namespace sluice::net {
namespace {

// Four classes per doubling, so that at most a fifth is wasted.
size_t CapacityOf(uint32_t size_class) {
  const size_t base = kMinChunk << (size_class / 4);
  return base + base / 4 * (size_class % 4);
}

uint32_t ClassOf(size_t bytes) {
  if (bytes <= kMinChunk) return 0;
  const uint32_t doubling = static_cast<uint32_t>(std::bit_width((bytes - 1) / kMinChunk)) - 1;
  uint32_t size_class = doubling * 4;
  while (CapacityOf(size_class) < bytes) ++size_class;
  return size_class;
}

}  // namespace

void ChunkRef::Reset() {
  Chunk* chunk = std::exchange(chunk_, nullptr);
  if (chunk != nullptr && --chunk->refs == 0) chunk->pool->Release(chunk);
}

ChunkPool::~ChunkPool() {
  for (auto& list : free_) {
    for (Chunk* chunk : list) std::free(chunk);
  }
}

ChunkRef ChunkPool::Get(size_t bytes, Need need, const void* who) {
  const uint32_t size_class = ClassOf(bytes);
  const size_t capacity = CapacityOf(size_class);
  const Budget::Taken taken = budget_.Take(static_cast<int64_t>(capacity), need, who);
  if (taken == Budget::Taken::kNo) return ChunkRef();
  Chunk* chunk = nullptr;
  if (size_class < free_.size() && !free_[size_class].empty()) {
    chunk = free_[size_class].back();
    free_[size_class].pop_back();
    cached_ -= capacity;
  } else {
    chunk = static_cast<Chunk*>(std::malloc(sizeof(Chunk) + capacity));
    SLUICE_ASSERT(chunk != nullptr);
    new (chunk) Chunk{this, 0, static_cast<uint16_t>(size_class), false, capacity};
  }
  chunk->refs = 1;
  chunk->beside = taken == Budget::Taken::kBeside;
  return ChunkRef(chunk);
}

void ChunkPool::Release(Chunk* chunk) {
  if (chunk->beside) {
    budget_.GiveBeside(static_cast<int64_t>(chunk->capacity));
  } else {
    budget_.Give(static_cast<int64_t>(chunk->capacity));
  }
  if (chunk->capacity > kMaxCachedChunk || cached_ + chunk->capacity > kMaxCachedTotal) {
    std::free(chunk);
    return;
  }
  if (free_.size() <= chunk->size_class) free_.resize(chunk->size_class + 1);
  free_[chunk->size_class].push_back(chunk);
  cached_ += chunk->capacity;
}

}  // namespace sluice::net
