// A growable run of bytes that is never zeroed: std::vector clears what it grows by, which costs more than the copy that follows.
//
// Thread: that of its owner. Owns: its bytes; a pointer or view into it dies with the next growth.
// After error: memory that cannot be had ends the process.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/assert.h"
#include "base/bytes.h"

namespace sluice {

class Buffer {
 public:
  Buffer() = default;
  ~Buffer() { std::free(data_); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  Buffer(Buffer&& o) noexcept
      : data_(std::exchange(o.data_, nullptr)), size_(std::exchange(o.size_, 0)), capacity_(std::exchange(o.capacity_, 0)) {}
  Buffer& operator=(Buffer&& o) noexcept {
    std::swap(data_, o.data_);
    std::swap(size_, o.size_);
    std::swap(capacity_, o.capacity_);
    return *this;
  }

  uint8_t* data() { return data_; }
  const uint8_t* data() const { return data_; }
  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }
  bool empty() const { return size_ == 0; }
  Bytes bytes() const { return {data_, size_}; }
  MutableBytes mutable_bytes() { return {data_, size_}; }

  // Keeps the memory.
  void Clear() { size_ = 0; }
  void Reserve(size_t capacity) {
    if (capacity > capacity_) Grow(capacity);
  }
  // What is added is not initialized.
  void Resize(size_t size) {
    Reserve(size);
    size_ = size;
  }
  // Room for `more` bytes beyond size(), growing by at least half; returns where they begin. SetEnd says how far it was filled.
  uint8_t* Room(size_t more) {
    if (capacity_ - size_ < more) Grow(size_ + more > capacity_ + capacity_ / 2 ? size_ + more : capacity_ + capacity_ / 2);
    return data_ + size_;
  }
  void SetEnd(const uint8_t* end) {
    SLUICE_ASSERT(end >= data_ && end <= data_ + capacity_);
    size_ = static_cast<size_t>(end - data_);
  }
  void Append(Bytes bytes) {
    if (bytes.empty()) return;
    std::memcpy(Room(bytes.size()), bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  // Gives memory back when more than `keep` is held: for buffers that are reused after one large batch.
  void Trim(size_t keep) {
    size_ = 0;
    if (capacity_ <= keep) return;
    std::free(data_);
    data_ = nullptr;
    capacity_ = 0;
  }

 private:
  void Grow(size_t capacity) {
    void* grown = std::realloc(data_, capacity);
    SLUICE_ASSERT(grown != nullptr);
    data_ = static_cast<uint8_t*>(grown);
    capacity_ = capacity;
  }
  uint8_t* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace sluice
