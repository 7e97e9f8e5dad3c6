// One record as views into its batch, and the walk over an uncompressed records section.
//
// Thread: any. Owns: nothing. After error: a walker that met a bad record stays there and says why.
#pragma once

#include <cstring>

#include "base/bytes.h"
#include "base/result.h"
#include "base/varint.h"
#include "batch/batch_format.h"

namespace sluice::batch {

// Bytes that may be null, which is not the same as empty.
class NullableBytes {
 public:
  constexpr NullableBytes() = default;                                          // null
  constexpr NullableBytes(Bytes bytes) : bytes_(bytes), present_(true) {}       // NOLINT: implicit on purpose
  bool is_null() const { return !present_; }
  Bytes bytes() const { return bytes_; }  // empty when null
  size_t size() const { return bytes_.size(); }
  bool operator==(const NullableBytes& o) const {
    return present_ == o.present_ && bytes_.size() == o.bytes_.size() &&
           (bytes_.empty() || std::memcmp(bytes_.data(), o.bytes_.data(), bytes_.size()) == 0);
  }

 private:
  Bytes bytes_;
  bool present_ = false;
};

struct HeaderView {
  Bytes key;  // UTF-8, never null
  NullableBytes value;
};

struct RecordView {
  int64_t timestamp_delta = 0;  // to the batch's base timestamp
  int32_t offset_delta = 0;     // to the batch's base offset
  int32_t header_count = 0;
  NullableBytes key;
  NullableBytes value;
  Bytes headers;  // header_count headers, checked; read them with HeaderIterator
  Bytes raw;      // the whole record with its length
  int8_t attributes = 0;  // none is defined
};

// Reads the headers of a record that a walker has checked.
class HeaderIterator {
 public:
  explicit HeaderIterator(const RecordView& record)
      : p_(record.headers.data()), end_(p_ + record.headers.size()), left_(record.header_count) {}
  // False at the end.
  bool Next(HeaderView* out);

 private:
  const uint8_t* p_;
  const uint8_t* end_;
  int32_t left_;
};

// Reads the record at the start of [p, end). Returns the byte after it, or nullptr and in *why (static text) what is wrong with it.
const uint8_t* ReadRecord(const uint8_t* p, const uint8_t* end, RecordView* out, const char** why);

// Visits `count` records of an uncompressed section and holds the section to it: too few, too many and trailing bytes are errors.
class RecordWalker {
 public:
  enum class Step : uint8_t { kRecord, kEnd, kBad };
  RecordWalker(Bytes records, int32_t count) : p_(records.data()), end_(p_ + records.size()), count_(count) {}

  Step Next(RecordView* out) {
    if (index_ >= count_) return Finish();
    const uint8_t* next = ReadRecord(p_, end_, out, &why_);
    if (next == nullptr) return Step::kBad;
    p_ = next;
    ++index_;
    return Step::kRecord;
  }
  int32_t index() const { return index_; }  // records visited; after kBad the index of the bad one
  Status status() const;                    // after kBad: kInvalidRecord with the place

 private:
  Step Finish();
  const uint8_t* p_;
  const uint8_t* end_;
  int32_t count_;
  int32_t index_ = 0;
  const char* why_ = nullptr;
};

}  // namespace sluice::batch
