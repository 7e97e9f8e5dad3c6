#include <lz4.h>
#include <lz4frame.h>
#include <lz4hc.h>

#include <algorithm>

#include "batch/codec_impl.h"

namespace sluice::batch::codec_detail {
namespace {

// The frame is written here and not by LZ4F because Kafka's level 9 means the fast compressor and every other level the strong one.
// Magic, FLG (version 1, independent blocks), BD (64 KiB blocks), second byte of XXH32 over FLG and BD.
constexpr uint8_t kFrameHeader[7] = {0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82};
constexpr size_t kLz4BlockBytes = 64 << 10;
constexpr int kFastLevel = 9;
constexpr uint32_t kStoredBit = 0x80000000u;  // the block did not shrink and lies as it is

void StoreLittle32(uint8_t* to, uint32_t v) {
  for (int i = 0; i < 4; ++i) to[i] = static_cast<uint8_t>(v >> (8 * i));
}

class Lz4Source final : public Source {
 public:
  ~Lz4Source() override { LZ4F_freeDecompressionContext(context_); }

  void Start(Bytes in) override {
    in_ = in;
    if (context_ == nullptr) {
      const size_t result = LZ4F_createDecompressionContext(&context_, LZ4F_VERSION);
      SLUICE_ASSERT(!LZ4F_isError(result));
    } else {
      LZ4F_resetDecompressionContext(context_);
    }
    over_ = false;
  }

  Status Read(uint8_t* out, size_t room, size_t* filled) override {
    *filled = 0;
    while (!over_ && *filled == 0) {
      size_t made = room;
      size_t used = in_.size();
      const size_t hint = LZ4F_decompress(context_, out, &made, in_.data(), &used, nullptr);
      if (LZ4F_isError(hint)) return Bad("lz4 data is damaged");
      in_ = in_.subspan(used);
      *filled = made;
      if (hint == 0) {
        over_ = true;
        if (!in_.empty()) return Bad("lz4 frame is followed by other bytes");
      } else if (made == 0 && in_.empty()) {
        return Bad("lz4 data is cut short");
      }
    }
    return Status::Ok();
  }

 private:
  Bytes in_;
  LZ4F_dctx* context_ = nullptr;
  bool over_ = false;
};

class Lz4Sink final : public Sink {
 public:
  Status Write(int level, Bytes in, Buffer* out) override {
    const size_t state_bytes = static_cast<size_t>(level == kFastLevel ? LZ4_sizeofState() : LZ4_sizeofStateHC());
    state_.Reserve(state_bytes);
    out->Append(kFrameHeader);
    while (!in.empty()) {
      const Bytes block = in.first(std::min(in.size(), kLz4BlockBytes));
      in = in.subspan(block.size());
      const int bound = LZ4_compressBound(static_cast<int>(block.size()));
      uint8_t* to = out->Room(4 + static_cast<size_t>(bound));
      const char* from = reinterpret_cast<const char*>(block.data());
      char* room = reinterpret_cast<char*>(to + 4);
      const int size =
          level == kFastLevel
              ? LZ4_compress_fast_extState(state_.data(), from, room, static_cast<int>(block.size()), bound, 1)
              : LZ4_compress_HC_extStateHC(state_.data(), from, room, static_cast<int>(block.size()), bound, level);
      SLUICE_ASSERT_OP(size, >, 0);  // fails only without room
      uint32_t word = static_cast<uint32_t>(size);
      if (static_cast<size_t>(size) >= block.size()) {
        std::memcpy(to + 4, block.data(), block.size());
        word = static_cast<uint32_t>(block.size());
        StoreLittle32(to, word | kStoredBit);
      } else {
        StoreLittle32(to, word);
      }
      out->SetEnd(to + 4 + word);
    }
    uint8_t* end = out->Room(4);
    StoreLittle32(end, 0);
    out->SetEnd(end + 4);
    return Status::Ok();
  }

 private:
  Buffer state_;
};

}  // namespace

std::unique_ptr<Source> NewLz4Source() { return std::make_unique<Lz4Source>(); }
std::unique_ptr<Sink> NewLz4Sink() { return std::make_unique<Lz4Sink>(); }

}  // namespace sluice::batch::codec_detail
