#include "net/frame_reader.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "base/endian.h"

namespace sluice::net {
namespace {
constexpr size_t kPrefix = 4;
constexpr size_t kLargeFrame = 32 << 10;  // not read beyond, so that what follows need not be moved
}  // namespace

FrameReader::Step FrameReader::Next(int32_t max_size, Frame* out) {
  const size_t have = end_ - begin_;
  if (have < kPrefix) return Step::kMore;
  const int32_t size = LoadI32(chunk_->data() + begin_);
  if (size <= 0 || size > max_size) {
    bad_size_ = size;
    return Step::kBad;
  }
  const size_t whole = kPrefix + static_cast<size_t>(size);
  if (have < whole) return Step::kMore;
  out->chunk = chunk_;
  out->bytes = MutableBytes(chunk_->data() + begin_ + kPrefix, static_cast<size_t>(size));
  begin_ += whole;
  last_frame_ = whole;
  pool_.budget().EndFinish(this);
  return Step::kFrame;
}

// What a stream of frames like the last one is best read with.
size_t FrameReader::ChunkWanted() const {
  if (last_frame_ >= kMaxReadChunk) return last_frame_;
  return std::clamp(last_frame_ * 8, kReadChunk, kMaxReadChunk);
}

bool FrameReader::MoveTo(size_t capacity, Need need) {
  ChunkRef next = pool_.Get(capacity, need, this);
  if (!next) return false;
  const size_t have = end_ - begin_;
  if (have > 0) std::memcpy(next->data(), chunk_->data() + begin_, have);
  chunk_ = std::move(next);
  begin_ = 0;
  end_ = have;
  return true;
}

// A chunk for a frame whose size is not known yet. Where memory is short it is just large enough to tell a small frame from a large one.
bool FrameReader::StartFrame() {
  return MoveTo(ChunkWanted(), Need::kPlain) || MoveTo(kMinChunk, Need::kSmall) || MoveTo(kMinChunk, Need::kFinish);
}

MutableBytes FrameReader::Room() {
  const size_t have = end_ - begin_;
  if (have == 0) {
    if (chunk_ && chunk_.unique() && !chunk_->beside && chunk_->capacity >= ChunkWanted()) {
      begin_ = end_ = 0;
    } else {
      chunk_.Reset();
      begin_ = end_ = 0;
      if (!StartFrame()) return {};
    }
    return {chunk_->data(), chunk_->capacity};
  }
  if (have < kPrefix) {
    if (chunk_->capacity - begin_ < kMinChunk / 2 && !StartFrame()) return {};
    return {chunk_->data() + end_, chunk_->capacity - end_};
  }
  const size_t whole = kPrefix + static_cast<size_t>(LoadI32(chunk_->data() + begin_));
  if (begin_ + whole > chunk_->capacity) {
    // It does not fit here. Move at once if what is there earns the whole frame's memory, else when this chunk is full.
    const size_t earned = std::min(whole, std::max(have * kGrowth, ChunkWanted()));
    if (end_ == chunk_->capacity || earned == whole) {
      SLUICE_ASSERT_OP(earned, >, have);
      const Need need = whole <= static_cast<size_t>(kSmallFrame) ? Need::kSmall : Need::kPlain;
      if (!MoveTo(earned, need) && !MoveTo(earned, Need::kFinish)) return {};
    }
  }
  size_t room = chunk_->capacity - end_;
  if (whole >= kLargeFrame && begin_ + whole <= chunk_->capacity) room = begin_ + whole - end_;
  return {chunk_->data() + end_, room};
}

void FrameReader::Rest() {
  const size_t have = end_ - begin_;
  if (have == 0) {
    chunk_.Reset();
    begin_ = end_ = 0;
    pool_.budget().EndFinish(this);
    return;
  }
  if (have <= kMinChunk / 2 && chunk_->capacity > kMinChunk) (void)MoveTo(kMinChunk, Need::kSmall);
}

void FrameReader::Shrink() {
  if (empty()) return Rest();
  const size_t have = pending_bytes();
  if (chunk_->capacity > std::max(kReadChunk, 2 * have)) (void)MoveTo(std::max(have, kMinChunk), Need::kSmall);
}

void FrameReader::Discard() {
  begin_ = end_;
  Rest();
}

}  // namespace sluice::net
