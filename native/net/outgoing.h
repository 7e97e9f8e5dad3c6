// What one connection has to send, in order: bytes and ranges of files. Small answers of a tick are written behind each other and leave in one send.
// Thread: reactor.
// Owns: the bytes; pins of the ranges.
// After error: Flush that says kBroken leaves nothing that could be sent.
#pragma once

#include <cstdint>
#include <vector>

#include "base/buffer.h"
#include "net/file_sender.h"

namespace sluice::net {

inline constexpr int64_t kMaxSendPerTick = 1 << 20;  // then the other connections have their turn

class Outgoing {
 public:
  Outgoing(PipePool& pipes, std::function<void()> wake) : pipes_(pipes), wake_(std::move(wake)) {}

  // The buffer to write an answer's bytes to; AddBytes says that everything in it up to now is to be sent, in front of what is added later.
  Buffer& buffer() { return bytes_; }
  void AddBytes();
  void AddRange(FileRange range);

  bool empty() const { return next_ == pieces_.size(); }
  int64_t queued_bytes() const { return queued_; }
  size_t queued_ranges() const { return ranges_; }
  // Memory of what is queued, file ranges apart.
  int64_t memory() const { return static_cast<int64_t>(bytes_.size()); }

  enum class Progress : uint8_t { kAllSent, kSocketFull, kReading, kYield, kBroken };
  // Sends what the socket takes. *sent grows by the bytes that went.
  Progress Flush(int socket, int64_t* sent);
  const Status& why() const { return why_; }

 private:
  struct Piece {
    int64_t bytes = 0;  // of bytes_; 0: a range
    FileRange range;
  };
  void Clear();
  void LookAhead();

  PipePool& pipes_;
  const std::function<void()> wake_;
  Buffer bytes_;
  size_t sent_ = 0;    // of bytes_, gone
  size_t marked_ = 0;  // of bytes_, in pieces
  std::vector<Piece> pieces_;
  size_t next_ = 0;
  int64_t queued_ = 0;
  size_t ranges_ = 0;
  std::unique_ptr<FileSender> sender_;  // made with the first range
  // Ranges are looked at before their turn comes, up to here.
  size_t ahead_piece_ = 0;
  int64_t ahead_position_ = -1;  // in that piece's file; -1: from its start
  int64_t ahead_bytes_ = 0;      // looked at and not yet sent
  Status why_;
};

}  // namespace sluice::net
