#include <snappy-c.h>

#include <algorithm>

#include "base/endian.h"
#include "batch/codec_impl.h"

namespace sluice::batch::codec_detail {
namespace {

// snappy-java's stream: this mark, version and lowest compatible version (both 1), then blocks of (length:i32 raw-snappy). A mark may
// appear again between blocks where streams were joined.
constexpr uint8_t kMark[8] = {0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0};
constexpr size_t kStreamHeaderBytes = 16;
constexpr int32_t kStreamVersion = 1;
constexpr size_t kSnappyBlockBytes = 32 << 10;  // what Kafka's Java client writes

// No snappy element makes more than 64 bytes from 3: a block that declares more lies, and is refused before room is made for it.
constexpr size_t kMaxRatio = 22;

bool HasMark(Bytes in) { return in.size() >= kStreamHeaderBytes && std::equal(kMark, kMark + sizeof kMark, in.data()); }

class SnappySource final : public Source {
 public:
  void Start(Bytes in) override {
    in_ = in;
    block_.Trim(1 << 20);
    position_ = 0;
    framed_ = HasMark(in);
    started_ = false;
  }

  Status Read(uint8_t* out, size_t room, size_t* filled) override {
    *filled = 0;
    while (position_ == block_.size()) {
      if (in_.empty()) {
        return started_ ? Status::Ok() : Bad("snappy data is empty");
      }
      started_ = true;
      SLUICE_TRY(framed_ ? NextBlock() : Unpack(std::exchange(in_, Bytes())));
    }
    *filled = std::min(room, block_.size() - position_);
    std::memcpy(out, block_.data() + position_, *filled);
    position_ += *filled;
    return Status::Ok();
  }

 private:
  Status NextBlock() {
    if (HasMark(in_)) {
      if (LoadI32(in_.data() + 12) > kStreamVersion) return Bad("snappy stream needs a newer version");
      in_ = in_.subspan(kStreamHeaderBytes);
      block_.Clear();
      position_ = 0;
      return Status::Ok();
    }
    if (in_.size() < 4) return Bad("snappy stream is cut short");
    const int32_t length = LoadI32(in_.data());
    if (length <= 0 || static_cast<size_t>(length) > in_.size() - 4) return Bad("snappy block has a bad length");
    const Bytes block = in_.subspan(4, static_cast<size_t>(length));
    in_ = in_.subspan(4 + static_cast<size_t>(length));
    return Unpack(block);
  }

  Status Unpack(Bytes raw) {
    const char* from = reinterpret_cast<const char*>(raw.data());
    size_t size = 0;
    if (snappy_uncompressed_length(from, raw.size(), &size) != SNAPPY_OK) return Bad("snappy block has no length");
    if (size > raw.size() * kMaxRatio) return Bad("snappy block declares more than it can hold");
    block_.Clear();
    block_.Reserve(size);
    position_ = 0;
    if (size > 0 && snappy_uncompress(from, raw.size(), reinterpret_cast<char*>(block_.data()), &size) != SNAPPY_OK) {
      return Bad("snappy block is damaged");
    }
    block_.Resize(size);
    return Status::Ok();
  }

  Bytes in_;
  Buffer block_;
  size_t position_ = 0;
  bool framed_ = false;
  bool started_ = false;
};

class SnappySink final : public Sink {
 public:
  Status Write(int, Bytes in, Buffer* out) override {
    uint8_t header[kStreamHeaderBytes];
    std::memcpy(header, kMark, sizeof kMark);
    StoreI32(header + 8, kStreamVersion);
    StoreI32(header + 12, kStreamVersion);
    out->Append(header);
    while (!in.empty()) {
      const Bytes block = in.first(std::min(in.size(), kSnappyBlockBytes));
      in = in.subspan(block.size());
      size_t size = snappy_max_compressed_length(block.size());
      uint8_t* to = out->Room(4 + size);
      const snappy_status status =
          snappy_compress(reinterpret_cast<const char*>(block.data()), block.size(), reinterpret_cast<char*>(to + 4), &size);
      SLUICE_ASSERT_OP(status, ==, SNAPPY_OK);  // fails only without room
      StoreI32(to, static_cast<int32_t>(size));
      out->SetEnd(to + 4 + size);
    }
    return Status::Ok();
  }
};

}  // namespace

std::unique_ptr<Source> NewSnappySource() { return std::make_unique<SnappySource>(); }
std::unique_ptr<Sink> NewSnappySink() { return std::make_unique<SnappySink>(); }

}  // namespace sluice::batch::codec_detail
