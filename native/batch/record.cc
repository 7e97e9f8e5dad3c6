#include "batch/record.h"

namespace sluice::batch {
namespace {

// A length of -1 stands for null. Kafka takes every negative length so; nobody writes another, so it is damage.
inline const uint8_t* ReadNullable(const uint8_t* p, const uint8_t* end, NullableBytes* out) {
  int32_t size = 0;
  p = ReadVarint(p, end, &size);
  if (p == nullptr || size > end - p) return nullptr;
  if (size < 0) {
    *out = NullableBytes();
    return size == -1 ? p : nullptr;
  }
  *out = NullableBytes(Bytes(p, static_cast<size_t>(size)));
  return p + size;
}

inline const uint8_t* ReadHeader(const uint8_t* p, const uint8_t* end, NullableBytes* key, NullableBytes* value) {
  p = ReadNullable(p, end, key);
  if (p == nullptr || key->is_null()) return nullptr;
  return ReadNullable(p, end, value);
}

}  // namespace

bool HeaderIterator::Next(HeaderView* out) {
  if (left_ <= 0) return false;
  --left_;
  NullableBytes key;
  p_ = ReadHeader(p_, end_, &key, &out->value);
  SLUICE_ASSERT(p_ != nullptr);
  out->key = key.bytes();
  return true;
}

const uint8_t* ReadRecord(const uint8_t* p, const uint8_t* end, RecordView* out, const char** why) {
  const uint8_t* const start = p;
  int32_t length = 0;
  p = ReadVarint(p, end, &length);
  if (p == nullptr) return *why = "ends within its length", nullptr;
  if (length < 0) return *why = "has a negative length", nullptr;
  if (length > end - p) return *why = "is longer than the batch", nullptr;
  end = p + length;
  if (p == end) return *why = "is empty", nullptr;
  out->attributes = static_cast<int8_t>(*p++);
  p = ReadVarlong(p, end, &out->timestamp_delta);
  if (p == nullptr) return *why = "has a bad timestamp delta", nullptr;
  p = ReadVarint(p, end, &out->offset_delta);
  if (p == nullptr) return *why = "has a bad offset delta", nullptr;
  p = ReadNullable(p, end, &out->key);
  if (p == nullptr) return *why = "has a bad key length", nullptr;
  p = ReadNullable(p, end, &out->value);
  if (p == nullptr) return *why = "has a bad value length", nullptr;
  p = ReadVarint(p, end, &out->header_count);
  if (p == nullptr || out->header_count < 0 || out->header_count > end - p) return *why = "has a bad header count", nullptr;
  const uint8_t* const headers = p;
  for (int32_t i = 0; i < out->header_count; ++i) {
    NullableBytes key, value;
    p = ReadHeader(p, end, &key, &value);
    if (p == nullptr) return *why = "has a bad header", nullptr;
  }
  if (p != end) return *why = "is shorter than its length says", nullptr;
  out->headers = Bytes(headers, end);
  out->raw = Bytes(start, end);
  return end;
}

RecordWalker::Step RecordWalker::Finish() {
  if (p_ == end_ && count_ >= 0) return Step::kEnd;
  why_ = count_ < 0 ? "cannot be: the record count is negative" : "is more than the record count says";
  return Step::kBad;
}

Status RecordWalker::status() const {
  SLUICE_ASSERT(why_ != nullptr);
  return Status::Error(Code::kInvalidRecord, "record " + std::to_string(index_) + " of the batch " + why_);
}

}  // namespace sluice::batch
