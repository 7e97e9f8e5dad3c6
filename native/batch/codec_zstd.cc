#include <zstd.h>

#include "batch/codec_impl.h"

namespace sluice::batch::codec_detail {
namespace {

constexpr int kMaxWindowLog = 27;         // 128 MiB: what every level writes, and zstd's own default bound
constexpr size_t kKeepBytes = 4 << 20;    // a context that grew beyond this is not kept

class ZstdSource final : public Source {
 public:
  ~ZstdSource() override { ZSTD_freeDCtx(context_); }

  void Start(Bytes in) override {
    if (context_ != nullptr && ZSTD_sizeof_DCtx(context_) > kKeepBytes) {
      ZSTD_freeDCtx(context_);
      context_ = nullptr;
    }
    if (context_ == nullptr) {
      context_ = ZSTD_createDCtx();
      SLUICE_ASSERT(context_ != nullptr);
      const size_t result = ZSTD_DCtx_setParameter(context_, ZSTD_d_windowLogMax, kMaxWindowLog);
      SLUICE_ASSERT(!ZSTD_isError(result));
    } else {
      ZSTD_DCtx_reset(context_, ZSTD_reset_session_only);
    }
    in_ = {in.data(), in.size(), 0};
    between_frames_ = false;
  }

  Status Read(uint8_t* out, size_t room, size_t* filled) override {
    *filled = 0;
    ZSTD_outBuffer to = {out, room, 0};
    while (to.pos == 0) {
      if (between_frames_ && in_.pos == in_.size) return Status::Ok();
      const size_t before = in_.pos;
      const size_t hint = ZSTD_decompressStream(context_, &to, &in_);
      if (ZSTD_isError(hint)) return Bad("zstd data is damaged");
      between_frames_ = hint == 0;
      if (!between_frames_ && to.pos == 0 && in_.pos == in_.size && before == in_.pos) return Bad("zstd data is cut short");
    }
    *filled = to.pos;
    return Status::Ok();
  }

 private:
  ZSTD_DCtx* context_ = nullptr;
  ZSTD_inBuffer in_{};
  bool between_frames_ = false;
};

class ZstdSink final : public Sink {
 public:
  ~ZstdSink() override { ZSTD_freeCCtx(context_); }

  Status Write(int level, Bytes in, Buffer* out) override {
    if (context_ != nullptr && ZSTD_sizeof_CCtx(context_) > 8 * kKeepBytes) {
      ZSTD_freeCCtx(context_);
      context_ = nullptr;
    }
    if (context_ == nullptr) {
      context_ = ZSTD_createCCtx();
      SLUICE_ASSERT(context_ != nullptr);
    }
    const size_t bound = ZSTD_compressBound(in.size());
    uint8_t* to = out->Room(bound);
    const size_t size = ZSTD_compressCCtx(context_, to, bound, in.data(), in.size(), level);
    if (ZSTD_isError(size)) return Status::Error(Code::kInvalid, std::string("zstd: ") + ZSTD_getErrorName(size));
    out->SetEnd(to + size);
    return Status::Ok();
  }

 private:
  ZSTD_CCtx* context_ = nullptr;
};

}  // namespace

std::unique_ptr<Source> NewZstdSource() { return std::make_unique<ZstdSource>(); }
std::unique_ptr<Sink> NewZstdSink() { return std::make_unique<ZstdSink>(); }

}  // namespace sluice::batch::codec_detail
