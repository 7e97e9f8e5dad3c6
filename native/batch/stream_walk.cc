#include "batch/stream_walk.h"

#include <algorithm>

#include "base/varint.h"
#include "batch/record.h"

namespace sluice::batch {

StreamWalker::StreamWalker(Decompressor* decompressor, int32_t count, int32_t max_record_bytes, size_t window_bytes)
    : decompressor_(decompressor), count_(count), max_record_bytes_(max_record_bytes), window_bytes_(window_bytes) {
  window_.Reserve(window_bytes);
}

bool StreamWalker::Fail(const char* why) {
  if (status_.ok()) status_ = Status::Error(Code::kInvalidRecord, "record " + std::to_string(index_) + " of the batch " + why);
  return false;
}

bool StreamWalker::Fill() {
  if (!status_.ok()) return false;
  window_.Clear();
  at_ = 0;
  Result<size_t> got = decompressor_->Read({window_.Room(window_bytes_), window_bytes_});
  if (!got.ok()) {
    status_ = got.status();
    return false;
  }
  window_.Resize(*got);
  return *got > 0;
}

bool StreamWalker::Byte(uint8_t* out) {
  if (left_in_record_ <= 0) return Fail("is shorter than its fields");
  if (at_ == window_.size() && !Fill()) return Fail("is cut short");
  *out = window_.data()[at_++];
  --left_in_record_;
  return true;
}

bool StreamWalker::Varlong(int64_t* out) {
  uint8_t bytes[kMaxVarint64Bytes];
  for (size_t n = 0; n < sizeof bytes;) {
    if (!Byte(&bytes[n])) return false;
    if (bytes[n++] < 0x80) return ReadVarlong(bytes, bytes + n, out) != nullptr;
  }
  return Fail("has a number without end");
}

bool StreamWalker::Varint(int32_t* out) {
  uint8_t bytes[kMaxVarint32Bytes];
  for (size_t n = 0; n < sizeof bytes;) {
    if (!Byte(&bytes[n])) return false;
    if (bytes[n++] < 0x80) return ReadVarint(bytes, bytes + n, out) != nullptr;
  }
  return Fail("has a number without end");
}

bool StreamWalker::Skip(int64_t bytes) {
  if (bytes > left_in_record_) return Fail("has a field longer than itself");
  left_in_record_ -= bytes;
  while (bytes > 0) {
    if (at_ == window_.size() && !Fill()) return Fail("is cut short");
    const int64_t here = std::min(bytes, static_cast<int64_t>(window_.size() - at_));
    at_ += static_cast<size_t>(here);
    bytes -= here;
  }
  return true;
}

bool StreamWalker::SkipField(bool nullable, bool* present) {
  int32_t size = 0;
  if (!Varint(&size)) return false;
  *present = size >= 0;
  if (size < 0) return (nullable && size == -1) || Fail("has a field of negative length");
  return Skip(size);
}

bool StreamWalker::Record(RecordOutline* out) {
  int32_t length = 0;
  // Most records lie whole in the window and are read there.
  const uint8_t* const here = window_.data() + at_;
  const uint8_t* const end = window_.data() + window_.size();
  const uint8_t* const body = ReadVarint(here, end, &length);
  if (body != nullptr && length >= 0 && length <= end - body && length <= max_record_bytes_) {
    RecordView record;
    const char* why = nullptr;
    const uint8_t* next = ReadRecord(here, end, &record, &why);
    if (next == nullptr) return Fail(why);
    at_ += static_cast<size_t>(next - here);
    *out = {record.timestamp_delta, record.offset_delta, !record.key.is_null()};
    return true;
  }
  left_in_record_ = static_cast<int64_t>(kMaxVarint32Bytes);
  if (!Varint(&length)) return false;
  if (length < 0) return Fail("has a negative length");
  if (length > max_record_bytes_) return Fail("is larger than max.decompressed.message.bytes");
  left_in_record_ = length;
  uint8_t attributes = 0;
  int32_t headers = 0;
  bool present = false;
  if (!Byte(&attributes) || !Varlong(&out->timestamp_delta) || !Varint(&out->offset_delta) ||
      !SkipField(true, &out->has_key) || !SkipField(true, &present) || !Varint(&headers)) {
    return false;
  }
  if (headers < 0 || headers > left_in_record_) return Fail("has a bad header count");
  for (int32_t i = 0; i < headers; ++i) {
    if (!SkipField(false, &present) || !SkipField(true, &present)) return false;
  }
  return left_in_record_ == 0 || Fail("is shorter than its length says");
}

StreamWalker::Step StreamWalker::Next(RecordOutline* out) {
  if (!status_.ok()) return Step::kBad;
  if (index_ >= count_) {
    if (at_ < window_.size() || Fill()) Fail("is more than the record count says");
    return status_.ok() ? Step::kEnd : Step::kBad;
  }
  if (!Record(out)) return Step::kBad;
  ++index_;
  return Step::kRecord;
}

}  // namespace sluice::batch
