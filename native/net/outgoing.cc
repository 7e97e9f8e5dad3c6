#include "net/outgoing.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/assert.h"

namespace sluice::net {
namespace {
constexpr size_t kKeepBytes = 1 << 10;    // memory an idle connection keeps
constexpr size_t kReclaimBytes = 32 << 10;
}  // namespace

void Outgoing::AddBytes() {
  SLUICE_ASSERT_OP(bytes_.size(), >=, marked_);
  const int64_t added = static_cast<int64_t>(bytes_.size() - marked_);
  if (added == 0) return;
  marked_ = bytes_.size();
  queued_ += added;
  if (!empty() && pieces_.back().bytes > 0) {
    pieces_.back().bytes += added;
    return;
  }
  pieces_.emplace_back().bytes = added;
}

void Outgoing::AddRange(FileRange range) {
  SLUICE_ASSERT_OP(range.length, >, 0);
  queued_ += range.length;
  ++ranges_;
  pieces_.emplace_back().range = std::move(range);
}

void Outgoing::Clear() {
  SLUICE_ASSERT_OP(queued_, ==, 0);
  pieces_.clear();
  next_ = 0;
  sent_ = marked_ = 0;
  ahead_piece_ = 0;
  ahead_position_ = -1;
  ahead_bytes_ = 0;
  bytes_.Trim(kKeepBytes);
}

void Outgoing::LookAhead() {
  if (ahead_piece_ < next_) {
    ahead_piece_ = next_;
    ahead_position_ = -1;
  }
  while (ahead_bytes_ + kReadAheadBytes <= kLookAhead && ahead_piece_ < pieces_.size()) {
    const FileRange& range = pieces_[ahead_piece_].range;
    const int64_t from = std::max(ahead_position_, range.position);
    const int64_t length = std::min(range.position + range.length - from, kReadAheadBytes);
    if (length <= 0) {
      ++ahead_piece_;
      ahead_position_ = -1;
      continue;
    }
    const int64_t looked = sender_->LookAhead(range, from, length);
    if (looked == 0) return;
    ahead_position_ = from + looked;
    ahead_bytes_ += looked;
  }
}

Outgoing::Progress Outgoing::Flush(int socket, int64_t* sent) {
  int64_t left_this_tick = kMaxSendPerTick;
  while (!empty()) {
    if (left_this_tick <= 0) return Progress::kYield;
    Piece& piece = pieces_[next_];
    const bool last = next_ + 1 == pieces_.size();
    if (piece.bytes > 0) {
      ssize_t n = io::Send(socket, Bytes(bytes_.data() + sent_, static_cast<size_t>(piece.bytes)), !last);
      if (n == -EAGAIN) return Progress::kSocketFull;
      if (n < 0) {
        why_ = Status::Error(Code::kIo, "send", static_cast<int>(-n));
        return Progress::kBroken;
      }
      sent_ += static_cast<size_t>(n);
      piece.bytes -= n;
      queued_ -= n;
      left_this_tick -= n;
      *sent += n;
      if (piece.bytes > 0) return Progress::kSocketFull;
      ++next_;
      if (sent_ >= kReclaimBytes && sent_ * 2 > bytes_.size() && sent_ < bytes_.size()) {
        // A connection that always has something to send never comes to Clear.
        std::memmove(bytes_.data(), bytes_.data() + sent_, bytes_.size() - sent_);
        bytes_.Resize(bytes_.size() - sent_);
        marked_ -= sent_;
        sent_ = 0;
        pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<ptrdiff_t>(next_));
        if (ahead_piece_ < next_) ahead_position_ = -1;
        ahead_piece_ -= std::min(ahead_piece_, next_);
        next_ = 0;
      }
      continue;
    }
    if (!sender_) sender_ = std::make_unique<FileSender>(pipes_, wake_);
    LookAhead();
    const int64_t before = piece.range.length;
    const FileSender::Progress progress = sender_->Send(socket, &piece.range, !last);
    const int64_t gone = before - piece.range.length;
    queued_ -= gone;
    ahead_bytes_ = std::max<int64_t>(0, ahead_bytes_ - gone);
    left_this_tick -= gone;
    *sent += gone;
    switch (progress) {
      case FileSender::Progress::kSent: break;
      case FileSender::Progress::kSocketFull: return Progress::kSocketFull;
      case FileSender::Progress::kReading: return Progress::kReading;
      case FileSender::Progress::kBroken:
        why_ = sender_->why();
        return Progress::kBroken;
    }
    if (piece.range.length == 0) {
      piece.range.pin.reset();
      --ranges_;
      ++next_;
    }
  }
  Clear();
  return Progress::kAllSent;
}

}  // namespace sluice::net
