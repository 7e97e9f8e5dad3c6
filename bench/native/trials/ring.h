// An io_uring that ends with its owner, and the receive buffers that a kernel chooses from (IORING_REGISTER_PBUF_RING).
//
// Thread: the one that made it. After error: `refusal` says why there is no ring; nothing else may be called then.
#pragma once

#include <liburing.h>

#include <cstdint>
#include <cstring>
#include <string>

#include "trial.h"

namespace sluice::bench {

class Ring {
 public:
  explicit Ring(unsigned entries, unsigned flags = 0) {
    const int failure = io_uring_queue_init(entries, &ring_, flags);
    if (failure != 0) refusal_ = std::string("io_uring: ") + strerror(-failure);
  }
  Ring(const Ring&) = delete;
  ~Ring() {
    if (refusal_.empty()) io_uring_queue_exit(&ring_);
  }
  const std::string& refusal() const { return refusal_; }
  io_uring* get() { return &ring_; }

  io_uring_sqe* Next() {
    io_uring_sqe* entry = io_uring_get_sqe(&ring_);
    if (entry != nullptr) return entry;
    io_uring_submit(&ring_);
    entry = io_uring_get_sqe(&ring_);
    if (entry == nullptr) Die("no room in the ring");
    return entry;
  }

 private:
  io_uring ring_{};
  std::string refusal_;
};

class ReceiveBuffers {
 public:
  static constexpr unsigned kGroup = 1;
  // `count` is a power of two.
  ReceiveBuffers(Ring* ring, unsigned count, unsigned size)
      : ring_(ring), count_(count), size_(size), head_(count * sizeof(io_uring_buf)), memory_(static_cast<size_t>(count) * size) {
    io_uring_buf_reg reg{};
    reg.ring_addr = reinterpret_cast<uint64_t>(head_.data());
    reg.ring_entries = count;
    reg.bgid = kGroup;
    const int failure = io_uring_register_buf_ring(ring->get(), &reg, 0);
    if (failure != 0) {
      refusal_ = std::string("provided buffers: ") + strerror(-failure);
      return;
    }
    io_uring_buf_ring_init(head());
    for (unsigned i = 0; i < count; ++i) io_uring_buf_ring_add(head(), Of(i), size, static_cast<uint16_t>(i), io_uring_buf_ring_mask(count), static_cast<int>(i));
    io_uring_buf_ring_advance(head(), static_cast<int>(count));
  }
  ~ReceiveBuffers() {
    if (refusal_.empty()) io_uring_unregister_buf_ring(ring_->get(), kGroup);
  }
  const std::string& refusal() const { return refusal_; }
  uint8_t* Of(unsigned id) const { return memory_.data() + static_cast<size_t>(id) * size_; }
  void GiveBack(unsigned id) {
    io_uring_buf_ring_add(head(), Of(id), size_, static_cast<uint16_t>(id), io_uring_buf_ring_mask(count_), 0);
    io_uring_buf_ring_advance(head(), 1);
  }
  // Receives from `fd` until it ends, a completion for each piece.
  void Receive(int fd, uint64_t tag) {
    io_uring_sqe* entry = ring_->Next();
    io_uring_prep_recv_multishot(entry, fd, nullptr, 0, 0);
    entry->flags |= IOSQE_BUFFER_SELECT;
    entry->buf_group = kGroup;
    io_uring_sqe_set_data64(entry, tag);
  }

 private:
  io_uring_buf_ring* head() { return reinterpret_cast<io_uring_buf_ring*>(head_.data()); }
  Ring* ring_;
  unsigned count_;
  unsigned size_;
  Pages head_;
  Pages memory_;
  std::string refusal_;
};

}  // namespace sluice::bench
