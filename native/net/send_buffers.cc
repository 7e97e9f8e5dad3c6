#include "net/send_buffers.h"

#include <algorithm>

#include "io/socket.h"

namespace sluice::net {
namespace {
// Who has read nothing large for so long leaves the large size to others. It is no loss: the next answer brings it back.
constexpr int64_t kKeptUs = 10000000;
constexpr int kAsked = 8;  // for room, at a time
}  // namespace

SendBuffer::~SendBuffer() { all_.given_ -= bytes_; }

void SendBuffers::Configure(int first, int large, int64_t memory) {
  first_ = first;
  large_ = std::max(first, large);
  limit_ = memory / 2;
  if (first_ <= 0) return;
  while (given_ > std::max<int64_t>(limit_, first_)) Resize(holders_.front(), 0);
}

void SendBuffers::Begin(SendBuffer* buffer, int64_t now_us) {
  if (first_ <= 0) return;
  buffer->drained_us_ = now_us;
  const bool fits = given_ == 0 || given_ + first_ <= limit_;
  Resize(buffer, fits ? first_ : 0);
}

void SendBuffers::Drained(SendBuffer* buffer, int64_t now_us) {
  if (first_ <= 0) return;
  buffer->drained_us_ = now_us;
  if (buffer->is_linked()) ToTheEnd(buffer);
  if (buffer->bytes_ < large_ && MakeRoom(large_ - buffer->bytes_, now_us - kKeptUs)) {
    Resize(buffer, large_);
  } else if (buffer->bytes_ < first_ && MakeRoom(first_ - buffer->bytes_, now_us)) {
    Resize(buffer, first_);
  }
}

bool SendBuffers::MakeRoom(int64_t bytes, int64_t drained_before_us) {
  for (int asked = 0; given_ + bytes > limit_ && asked < kAsked; ++asked) {
    SendBuffer* buffer = holders_.front();
    if (buffer == nullptr || buffer->drained_us_ > drained_before_us) break;
    // A smaller size does not take away what lies in the buffer.
    if (io::UnreadBytes(buffer->socket_) <= kSmallSendBuffer) {
      Resize(buffer, 0);
    } else {
      ToTheEnd(buffer);
    }
  }
  return given_ + bytes <= limit_;
}

void SendBuffers::ToTheEnd(SendBuffer* buffer) {
  buffer->Unlink();
  holders_.PushBack(buffer);
}

void SendBuffers::Resize(SendBuffer* buffer, int bytes) {
  given_ += bytes - buffer->bytes_;
  buffer->bytes_ = bytes;
  buffer->Unlink();
  if (bytes > 0) holders_.PushBack(buffer);
  io::SetSendBuffer(buffer->socket_, bytes > 0 ? bytes : kSmallSendBuffer);
}

}  // namespace sluice::net
