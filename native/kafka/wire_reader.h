// Reads Kafka's protocol types from bytes that nobody has checked. The first thing that does not fit makes the reader fail for good;
// what it returned before stays valid, what it returns after is zero or empty. Strings and bytes are views.
//
// "flexible" is the version's property of the same name: compact lengths and tagged fields.
// Thread: any. Owns: nothing. After error: ok() is false.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/endian.h"
#include "base/types.h"
#include "base/varint.h"

namespace sluice::kafka {

// Of topics, and of partitions, in one request: each costs many times the memory that it takes on the wire.
inline constexpr size_t kMaxRows = 200000;

class WireReader {
 public:
  explicit WireReader(Bytes bytes) : p_(bytes.data()), end_(bytes.data() + bytes.size()) {}
  WireReader(uint8_t* begin, size_t size) : p_(begin), end_(begin + size) {}

  bool ok() const { return ok_; }
  size_t left() const { return static_cast<size_t>(end_ - p_); }
  void Fail() {
    ok_ = false;
    p_ = end_;
  }

  int8_t I8() { return Take(1) ? static_cast<int8_t>(p_[-1]) : int8_t{0}; }
  int16_t I16() { return Take(2) ? LoadI16(p_ - 2) : int16_t{0}; }
  int32_t I32() { return Take(4) ? LoadI32(p_ - 4) : 0; }
  int64_t I64() { return Take(8) ? LoadI64(p_ - 8) : 0; }
  uint32_t UnsignedVarint() {
    uint32_t value = 0;
    const uint8_t* after = ok_ ? ReadUnsignedVarint(p_, end_, &value) : nullptr;
    if (after == nullptr) {
      Fail();
      return 0;
    }
    p_ = after;
    return value;
  }
  TopicId Uuid() {
    TopicId id;
    if (Take(16)) std::memcpy(id.bytes.data(), p_ - 16, 16);
    return id;
  }

  // A length that may stand for null; -1 for null. Never more than what is left.
  int64_t Length(bool flexible, size_t classic_bytes) {
    int64_t length = flexible ? int64_t{UnsignedVarint()} - 1 : (classic_bytes == 2 ? int64_t{I16()} : int64_t{I32()});
    if (!ok_) return 0;
    if (length < -1 || length > static_cast<int64_t>(left())) {
      Fail();
      return 0;
    }
    return length;
  }
  std::string_view NullableString(bool flexible, bool* is_null) { return View(Length(flexible, 2), is_null); }
  std::string_view String(bool flexible) {
    bool is_null = false;
    std::string_view view = NullableString(flexible, &is_null);
    if (is_null) Fail();
    return view;
  }
  Bytes NullableBytes(bool flexible, bool* is_null) {
    std::string_view view = View(Length(flexible, 4), is_null);
    return {reinterpret_cast<const uint8_t*>(view.data()), view.size()};
  }
  // The count of an array that may not be null, each of whose elements takes at least `element_bytes`.
  int64_t Count(bool flexible, size_t element_bytes) {
    int64_t count = flexible ? int64_t{UnsignedVarint()} - 1 : int64_t{I32()};
    if (!ok_) return 0;
    if (count < 0 || count > static_cast<int64_t>(left() / element_bytes)) {
      Fail();
      return 0;
    }
    return count;
  }

  // The same of topics or partitions, of which the request has named `before`: fails beyond kMaxRows in all.
  int64_t Rows(bool flexible, size_t element_bytes, size_t before) {
    const int64_t count = Count(flexible, element_bytes);
    if (before + static_cast<size_t>(count) <= kMaxRows) return count;
    Fail();
    return 0;
  }

  // Tagged fields: calls f(tag, WireReader of the field) for each. f may leave bytes unread.
  template <class F>
  void Tags(F f) {
    const uint32_t count = UnsignedVarint();
    for (uint32_t i = 0; i < count && ok_; ++i) {
      const uint32_t tag = UnsignedVarint();
      const uint32_t size = UnsignedVarint();
      if (!ok_ || size > left()) {
        Fail();
        return;
      }
      WireReader field(Bytes(p_, size));
      p_ += size;
      f(tag, field);
      if (!field.ok()) Fail();
    }
  }
  void SkipTags() {
    Tags([](uint32_t, WireReader&) {});
  }

 private:
  bool Take(size_t bytes) {
    if (left() < bytes) {
      Fail();
      return false;
    }
    p_ += bytes;
    return true;
  }
  std::string_view View(int64_t length, bool* is_null) {
    *is_null = length < 0;
    if (length <= 0) return {};
    p_ += length;
    return {reinterpret_cast<const char*>(p_ - length), static_cast<size_t>(length)};
  }

  const uint8_t* p_;
  const uint8_t* end_;
  bool ok_ = true;
};

}  // namespace sluice::kafka
