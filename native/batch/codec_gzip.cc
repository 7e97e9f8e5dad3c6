#include <zlib.h>

#include <algorithm>
#include <climits>

#include "batch/codec_impl.h"

namespace sluice::batch::codec_detail {
namespace {

constexpr int kGzipWindow = 15 + 16;  // 32 KiB, gzip wrapper

class GzipSource final : public Source {
 public:
  ~GzipSource() override {
    if (ready_) inflateEnd(&stream_);
  }

  void Start(Bytes in) override {
    in_ = in;
    if (!ready_) {
      stream_ = {};
      ready_ = inflateInit2(&stream_, kGzipWindow) == Z_OK;
      SLUICE_ASSERT(ready_);  // fails only without memory
    } else {
      inflateReset(&stream_);
    }
    stream_.avail_in = 0;
    over_ = false;
  }

  Status Read(uint8_t* out, size_t room, size_t* filled) override {
    *filled = 0;
    while (!over_ && *filled == 0) {
      if (stream_.avail_in == 0) {
        const size_t piece = std::min(in_.size(), size_t{UINT_MAX});
        stream_.next_in = const_cast<Bytef*>(in_.data());
        stream_.avail_in = static_cast<uInt>(piece);
        in_ = in_.subspan(piece);
      }
      const uInt want = static_cast<uInt>(std::min(room, size_t{UINT_MAX}));
      stream_.next_out = out;
      stream_.avail_out = want;
      const int result = inflate(&stream_, Z_NO_FLUSH);
      *filled = want - stream_.avail_out;
      if (result == Z_STREAM_END) {
        over_ = stream_.avail_in == 0 && in_.empty();
        if (!over_) inflateReset(&stream_);  // another member follows
      } else if (result == Z_BUF_ERROR || (result == Z_OK && stream_.avail_out > 0)) {
        if (stream_.avail_in == 0 && in_.empty() && *filled == 0) return Bad("gzip data is cut short");
      } else if (result != Z_OK) {
        return Bad("gzip data is damaged");
      }
    }
    return Status::Ok();
  }

 private:
  Bytes in_;
  z_stream stream_{};
  bool ready_ = false;
  bool over_ = false;
};

class GzipSink final : public Sink {
 public:
  ~GzipSink() override {
    if (ready_) deflateEnd(&stream_);
  }

  Status Write(int level, Bytes in, Buffer* out) override {
    if (in.size() > static_cast<size_t>(kMaxBatchBytes)) return Status::Error(Code::kTooLarge, "more than gzip compresses at once");
    if (!ready_) {
      stream_ = {};
      ready_ = deflateInit2(&stream_, level, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) == Z_OK;
      SLUICE_ASSERT(ready_);
    } else {
      deflateReset(&stream_);
      deflateParams(&stream_, level, Z_DEFAULT_STRATEGY);
    }
    const size_t bound = deflateBound(&stream_, in.size());
    uint8_t* to = out->Room(bound);
    stream_.next_in = const_cast<Bytef*>(in.data());
    stream_.avail_in = static_cast<uInt>(in.size());
    stream_.next_out = to;
    stream_.avail_out = static_cast<uInt>(std::min(bound, size_t{UINT_MAX}));
    const int result = deflate(&stream_, Z_FINISH);
    SLUICE_ASSERT_OP(result, ==, Z_STREAM_END);  // the bound was enough
    out->SetEnd(stream_.next_out);
    return Status::Ok();
  }

 private:
  z_stream stream_{};
  bool ready_ = false;
};

}  // namespace

std::unique_ptr<Source> NewGzipSource() { return std::make_unique<GzipSource>(); }
std::unique_ptr<Sink> NewGzipSink() { return std::make_unique<GzipSink>(); }

}  // namespace sluice::batch::codec_detail
