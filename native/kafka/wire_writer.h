// Writes Kafka's protocol types at the end of a buffer.
// Thread: that of the buffer. Owns: nothing. After error: cannot fail.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/buffer.h"
#include "base/endian.h"
#include "base/types.h"
#include "base/varint.h"

namespace sluice::kafka {

class WireWriter {
 public:
  explicit WireWriter(Buffer& to) : to_(to) {}

  void I8(int8_t v) { *Room(1) = static_cast<uint8_t>(v); }
  void I16(int16_t v) { StoreI16(Room(2), v); }
  void I32(int32_t v) { StoreI32(Room(4), v); }
  void I64(int64_t v) { StoreI64(Room(8), v); }
  void UnsignedVarint(uint32_t v) {
    uint8_t* p = to_.Room(kMaxVarint32Bytes);
    to_.SetEnd(WriteUnsignedVarint(p, v));
  }
  void Uuid(const TopicId& id) { std::memcpy(Room(16), id.bytes.data(), 16); }
  void String(bool flexible, std::string_view text) {
    if (flexible) {
      UnsignedVarint(static_cast<uint32_t>(text.size()) + 1);
    } else {
      I16(static_cast<int16_t>(text.size()));
    }
    Raw(text);
  }
  void NullString(bool flexible) {
    if (flexible) {
      UnsignedVarint(0);
    } else {
      I16(-1);
    }
  }
  void Count(bool flexible, size_t count) {
    if (flexible) {
      UnsignedVarint(static_cast<uint32_t>(count) + 1);
    } else {
      I32(static_cast<int32_t>(count));
    }
  }
  void NullCount(bool flexible) {
    if (flexible) {
      UnsignedVarint(0);
    } else {
      I32(-1);
    }
  }
  void NoTags() { UnsignedVarint(0); }
  void Raw(std::string_view text) {
    if (!text.empty()) std::memcpy(Room(text.size()), text.data(), text.size());
  }

  size_t position() const { return to_.size(); }
  void PatchI32(size_t at, int32_t v) { StoreI32(to_.data() + at, v); }

 private:
  uint8_t* Room(size_t bytes) {
    uint8_t* p = to_.Room(bytes);
    to_.SetEnd(p + bytes);
    return p;
  }
  Buffer& to_;
};

}  // namespace sluice::kafka
