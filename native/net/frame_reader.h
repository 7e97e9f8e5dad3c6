// Cuts a stream of bytes into frames: a 4-byte size, then that many bytes. Frames come out as views into the memory they were received into.
// Memory is reserved as bytes arrive, never by the announced size alone: at most kGrowth times what is there.
// Thread: reactor.
// Owns: the chunk being filled.
// After error: kBad ends the stream.
#pragma once

#include "base/bytes.h"
#include "net/chunk.h"

namespace sluice::net {

inline constexpr size_t kGrowth = 16;
inline constexpr size_t kReadChunk = 64 << 10;
inline constexpr size_t kMaxReadChunk = 256 << 10;  // for streams of middling frames

class FrameReader {
 public:
  explicit FrameReader(ChunkPool& pool) : pool_(pool) {}
  ~FrameReader() { pool_.budget().EndFinish(this); }
  FrameReader(const FrameReader&) = delete;
  FrameReader& operator=(const FrameReader&) = delete;

  enum class Step : uint8_t { kFrame, kMore, kBad };
  // The next whole frame of at most `max_size` bytes; kBad: the announced size is negative, zero or beyond (bad_size()).
  Step Next(int32_t max_size, Frame* out);
  int32_t bad_size() const { return bad_size_; }

  // Where to receive next, behind a Next that said kMore. Empty when the memory budget is spent: try again when it has room.
  MutableBytes Room();
  void Filled(size_t bytes) { end_ += bytes; }
  // Nothing more to receive for now: gives back what is not needed to keep what is there.
  void Rest();
  // Nothing is taken out for a while: keeps what is there in about as much memory.
  void Shrink();
  // What is there will never be whole.
  void Discard();

  bool empty() const { return begin_ == end_; }
  size_t held() const { return chunk_ ? chunk_->capacity : 0; }
  size_t pending_bytes() const { return end_ - begin_; }

 private:
  size_t ChunkWanted() const;
  bool MoveTo(size_t capacity, Need need);
  bool StartFrame();

  ChunkPool& pool_;
  ChunkRef chunk_;
  size_t begin_ = 0, end_ = 0;  // bytes of chunk_ that are not yet given out
  size_t last_frame_ = 0;       // guess for the next one
  int32_t bad_size_ = 0;
};

}  // namespace sluice::net
