#include "base/buffer_pool.h"

#include <algorithm>
#include <utility>

namespace sluice {

Buffer BufferPool::Take(size_t size) {
  Buffer buffer;
  if (size >= kLeastBytes) {
    std::lock_guard<std::mutex> lock(mutex_);
    // Reads are mostly of one size. What is far too large stays for those who need it.
    const auto fits = [size](const Buffer& each) { return each.capacity() >= size && each.capacity() / 2 <= size; };
    const auto found = std::find_if(kept_.rbegin(), kept_.rend(), fits);
    if (found != kept_.rend()) {
      buffer = std::move(*found);
      kept_.erase(std::next(found).base());
      kept_bytes_ -= buffer.capacity();
      spare_ = std::min(spare_, kept_.size());
    }
  }
  buffer.Resize(size);
  return buffer;
}

void BufferPool::Give(Buffer buffer) {
  if (buffer.capacity() < kLeastBytes) return;
  buffer.Clear();
  std::lock_guard<std::mutex> lock(mutex_);
  if (kept_bytes_ + buffer.capacity() > kMostKept) return;
  kept_bytes_ += buffer.capacity();
  kept_.push_back(std::move(buffer));
}

void BufferPool::Trim() {
  std::lock_guard<std::mutex> lock(mutex_);
  for (size_t i = 0; i < spare_; ++i) kept_bytes_ -= kept_[i].capacity();
  kept_.erase(kept_.begin(), kept_.begin() + static_cast<ptrdiff_t>(spare_));
  spare_ = kept_.size();
}

}  // namespace sluice
