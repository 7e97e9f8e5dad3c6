// The kernel's memory for answers on their way to clients: who has a send buffer of which size. A buffer that is small beside what one reader asks for makes
// sender and reader take turns; large ones for all would be memory that those who do not read keep.
//
// A connection begins with the first size while there is room, and gets the large one when it has read an answer that did not fit. Where there is none left,
// those that have not done so for longest make room.
// Thread: reactor.
// After error: a socket that refuses a size keeps the one it has; counted is what it was asked for.
#pragma once

#include <cstdint>

#include "base/intrusive_list.h"

namespace sluice::net {

inline constexpr int kSmallSendBuffer = 48 << 10;  // of which the kernel makes more than one of the largest segments: with less, each waits for a delayed acknowledgement

class SendBuffers;

// That of one connection; given back when it goes.
class SendBuffer final : public ListNode<struct SendBufferTag> {
 public:
  SendBuffer(SendBuffers& all, int socket) : all_(all), socket_(socket) {}
  ~SendBuffer();
  SendBuffer(const SendBuffer&) = delete;
  SendBuffer& operator=(const SendBuffer&) = delete;

 private:
  friend class SendBuffers;
  SendBuffers& all_;
  const int socket_;
  int bytes_ = 0;           // counted; 0: a small one, or as the kernel likes
  int64_t drained_us_ = 0;  // when it had last been filled, and read empty
};

class SendBuffers {
 public:
  // `first` 0 or less: all are as the kernel likes. `memory` is for all that are not small, of which the kernel takes twice the size.
  void Configure(int first, int large, int64_t memory);
  // A new connection.
  void Begin(SendBuffer* buffer, int64_t now_us);
  // Its peer has read an answer to its end that was larger than the buffer.
  void Drained(SendBuffer* buffer, int64_t now_us);

 private:
  friend class SendBuffer;
  bool MakeRoom(int64_t bytes, int64_t drained_before_us);
  void ToTheEnd(SendBuffer* buffer);
  void Resize(SendBuffer* buffer, int bytes);

  int first_ = 0, large_ = 0;
  int64_t limit_ = INT64_MAX, given_ = 0;  // in sizes asked for
  IntrusiveList<SendBuffer, struct SendBufferTag> holders_;  // of those that are counted; least lately drained first
};

}  // namespace sluice::net
