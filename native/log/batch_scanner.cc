#include "log/batch_scanner.h"

#include <algorithm>

#include "base/crc32c.h"

namespace sluice::log {
namespace {
constexpr size_t kHeaderScanBytes = 8 << 10;   // an index interval and the batch that follows, usually
constexpr size_t kCrcScanBytes = 256 << 10;
}  // namespace

BatchScanner::BatchScanner(io::File& file, const Options& options)
    : file_(file),
      options_(options),
      capacity_(static_cast<size_t>(std::clamp<int64_t>(options.end - options.from, batch::kHeaderBytes,
                                                        options.check_crc ? kCrcScanBytes : kHeaderScanBytes))),
      buffer_(new uint8_t[capacity_]),
      position_(options.from) {}

Result<Bytes> BatchScanner::Take(int64_t position, size_t length) {
  SLUICE_ASSERT_OP(length, <=, capacity_);
  if (position < buffered_from_ || position + static_cast<int64_t>(length) > buffered_from_ + static_cast<int64_t>(buffered_)) {
    const size_t wanted = static_cast<size_t>(std::min<int64_t>(static_cast<int64_t>(capacity_), options_.end - position));
    MutableBytes out(buffer_.get(), wanted);
    buffered_ = 0;
    Result<size_t> got = options_.mode == ReadMode::kNoWait ? file_.ReadAtNoWait(out, position) : file_.ReadAt(out, position);
    if (!got.ok()) return got.status();
    buffered_from_ = position;
    buffered_ = *got;
    if (buffered_ < length) {
      if (options_.mode == ReadMode::kNoWait) return Status::Error(Code::kWouldBlock, "batch header");
      return Status::Error(Code::kCorrupt, "file ends early");
    }
  }
  return Bytes(buffer_.get() + (position - buffered_from_), length);
}

BatchScanner::Step BatchScanner::Next() {
  if (!status_.ok()) return Step::kBad;
  if (started_) position_ += head_.size;
  started_ = true;
  head_ = BatchHead();
  const int64_t room = options_.end - position_;
  if (room <= 0) return Step::kEnd;
  if (room < static_cast<int64_t>(batch::kHeaderBytes)) {
    status_ = Status::Error(Code::kCorrupt, "batch header cut short");
    return Step::kBad;
  }
  Result<Bytes> first = Take(position_, batch::kHeaderBytes);
  if (!first.ok()) {
    status_ = first.status();
    return Step::kBad;
  }
  Result<BatchHead> head = ParseBatchHead(*first, room);
  if (!head.ok()) {
    status_ = head.status();
    return Step::kBad;
  }
  head_ = *head;
  if (options_.check_crc) status_ = CheckCrc();
  return status_.ok() ? Step::kBatch : Step::kBad;
}

Status BatchScanner::CheckCrc() {
  uint32_t crc = 0;
  int64_t at = position_ + static_cast<int64_t>(batch::kAttributesAt);
  const int64_t end = position_ + head_.size;
  while (at < end) {
    // What is buffered of it, else the next buffer full.
    int64_t length = std::min<int64_t>(end - at, static_cast<int64_t>(capacity_));
    if (at >= buffered_from_ && at < buffered_from_ + static_cast<int64_t>(buffered_)) {
      length = std::min<int64_t>(length, buffered_from_ + static_cast<int64_t>(buffered_) - at);
    }
    Result<Bytes> piece = Take(at, static_cast<size_t>(length));
    if (!piece.ok()) return piece.status();
    crc = Crc32cExtend(crc, *piece);
    at += length;
  }
  return crc == head_.crc ? Status::Ok() : Status::Error(Code::kCorrupt, "batch CRC does not match");
}

Result<Bytes> BatchScanner::Body(int64_t limit) {
  if (head_.size > limit) return Status::Error(Code::kTooLarge, "batch of " + std::to_string(head_.size) + " bytes");
  const size_t size = static_cast<size_t>(head_.size);
  body_.reset(new uint8_t[size]);
  MutableBytes out(body_.get(), size);
  Result<size_t> got = options_.mode == ReadMode::kNoWait ? file_.ReadAtNoWait(out, position_) : file_.ReadAt(out, position_);
  if (!got.ok()) return got.status();
  if (*got < size) {
    return Status::Error(options_.mode == ReadMode::kNoWait ? Code::kWouldBlock : Code::kCorrupt, "batch body");
  }
  return Bytes(body_.get(), size);
}

}  // namespace sluice::log
