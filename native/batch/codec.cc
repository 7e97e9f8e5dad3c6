#include "batch/codec.h"

#include <algorithm>
#include <array>

#include "batch/codec_impl.h"

namespace sluice::batch {
namespace {

constexpr std::array<const char*, kCodecCount> kNames = {"none", "gzip", "snappy", "lz4", "zstd"};
// Kafka's ranges; gzip also takes its default -1.
constexpr std::array<LevelRange, kCodecCount> kLevels = {{{0, 0, 0}, {1, 9, -1}, {0, 0, 0}, {1, 17, 9}, {-131072, 22, 3}}};

constexpr size_t kPiece = 64 << 10;  // growth of the output while its size is unknown
constexpr size_t kMaxPiece = 4 << 20;

bool IsCodec(Codec codec) { return static_cast<int>(codec) >= 0 && static_cast<int>(codec) < kCodecCount; }
Status NoSuchCodec(Codec codec) {
  return Status::Error(Code::kUnsupportedFormat, "there is no compression codec " + std::to_string(static_cast<int>(codec)));
}

}  // namespace

const char* CodecName(Codec codec) { return IsCodec(codec) ? kNames[static_cast<size_t>(codec)] : "unknown"; }

std::optional<Codec> CodecByName(std::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (name == kNames[i]) return static_cast<Codec>(i);
  }
  return std::nullopt;
}

LevelRange LevelsOf(Codec codec) { return IsCodec(codec) ? kLevels[static_cast<size_t>(codec)] : LevelRange{0, 0, 0}; }

bool LevelIsValid(Codec codec, int level) {
  const LevelRange range = LevelsOf(codec);
  return level == kDefaultLevel || level == range.default_level || (level >= range.min && level <= range.max);
}

bool LooksLike(Codec codec, Bytes in) {
  switch (codec) {
    case Codec::kNone: return true;
    case Codec::kGzip: return in.size() >= 18 && in[0] == 0x1f && in[1] == 0x8b && in[2] == 8;
    case Codec::kSnappy: return !in.empty();  // raw snappy has no mark
    case Codec::kLz4:  // version 1 and independent blocks: Kafka's clients read no others
      return in.size() >= 11 && in[0] == 0x04 && in[1] == 0x22 && in[2] == 0x4d && in[3] == 0x18 && (in[4] & 0xe3) == 0x60;
    case Codec::kZstd:  // a frame, or a skippable frame before it
      return in.size() >= 8 && ((in[0] == 0x28 && in[1] == 0xb5 && in[2] == 0x2f && in[3] == 0xfd) ||
                                ((in[0] & 0xf0) == 0x50 && in[1] == 0x2a && in[2] == 0x4d && in[3] == 0x18));
  }
  return false;
}

struct Decompressor::Impl {
  std::array<std::unique_ptr<codec_detail::Source>, kCodecCount> sources;
  Codec codec = Codec::kNone;
  Bytes in;  // kNone: what is left
  int64_t left = 0;
  bool over = true;
};

Decompressor::Decompressor() : impl_(std::make_unique<Impl>()) {}
Decompressor::~Decompressor() = default;

void Decompressor::Start(Codec codec, Bytes in, int64_t limit) {
  impl_->codec = codec;
  impl_->in = in;
  impl_->left = limit;
  impl_->over = false;
  if (!IsCodec(codec) || codec == Codec::kNone) return;
  auto& source = impl_->sources[static_cast<size_t>(codec)];
  if (source == nullptr) {
    switch (codec) {
      case Codec::kNone: break;
      case Codec::kGzip: source = codec_detail::NewGzipSource(); break;
      case Codec::kSnappy: source = codec_detail::NewSnappySource(); break;
      case Codec::kLz4: source = codec_detail::NewLz4Source(); break;
      case Codec::kZstd: source = codec_detail::NewZstdSource(); break;
    }
  }
  source->Start(in);
}

Result<size_t> Decompressor::Read(MutableBytes out) {
  Impl& d = *impl_;
  if (d.over || out.empty()) return size_t{0};
  if (!IsCodec(d.codec)) return NoSuchCodec(d.codec);
  uint8_t beyond;
  // At the limit one more byte is asked for: the stream must be over.
  const bool full = d.left <= 0;
  const MutableBytes room = full ? MutableBytes(&beyond, 1) : out.first(std::min(out.size(), static_cast<size_t>(d.left)));
  size_t filled = 0;
  if (d.codec == Codec::kNone) {
    filled = std::min(room.size(), d.in.size());
    if (filled > 0) std::memcpy(room.data(), d.in.data(), filled);
    d.in = d.in.subspan(filled);
  } else {
    Status status = d.sources[static_cast<size_t>(d.codec)]->Read(room.data(), room.size(), &filled);
    if (!status.ok()) {
      d.over = true;
      return status;
    }
  }
  if (filled == 0) {
    d.over = true;
    return size_t{0};
  }
  if (full) {
    d.over = true;
    return Status::Error(Code::kTooLarge, std::string(CodecName(d.codec)) + " data holds more than its limit");
  }
  d.left -= static_cast<int64_t>(filled);
  return filled;
}

Status Decompress(Decompressor* decompressor, Codec codec, Bytes in, int64_t limit, Buffer* out) {
  const size_t before = out->size();
  decompressor->Start(codec, in, limit);
  size_t piece = std::clamp(in.size() * 2, size_t{4096}, kPiece);
  for (;;) {
    const int64_t left = limit - static_cast<int64_t>(out->size() - before);
    if (left < static_cast<int64_t>(piece)) piece = static_cast<size_t>(std::max<int64_t>(left, 1));
    uint8_t* to = out->Room(piece);
    Result<size_t> got = decompressor->Read({to, piece});
    if (!got.ok()) {
      out->Resize(before);
      return got.status();
    }
    if (*got == 0) return Status::Ok();
    out->SetEnd(to + *got);
    piece = std::min(std::max(out->size() - before, piece), kMaxPiece);
  }
}

Status Decompress(Codec codec, Bytes in, int64_t limit, Buffer* out) {
  Decompressor decompressor;
  return Decompress(&decompressor, codec, in, limit, out);
}

struct Compressor::Impl {
  std::array<std::unique_ptr<codec_detail::Sink>, kCodecCount> sinks;
};

Compressor::Compressor() : impl_(std::make_unique<Impl>()) {}
Compressor::~Compressor() = default;

Status Compressor::Compress(Codec codec, int level, Bytes in, Buffer* out) {
  if (!IsCodec(codec)) return NoSuchCodec(codec);
  if (!LevelIsValid(codec, level)) {
    return Status::Error(Code::kInvalid, std::string(CodecName(codec)) + " has no compression level " + std::to_string(level));
  }
  if (codec == Codec::kNone) {
    out->Append(in);
    return Status::Ok();
  }
  auto& sink = impl_->sinks[static_cast<size_t>(codec)];
  if (sink == nullptr) {
    switch (codec) {
      case Codec::kNone: break;
      case Codec::kGzip: sink = codec_detail::NewGzipSink(); break;
      case Codec::kSnappy: sink = codec_detail::NewSnappySink(); break;
      case Codec::kLz4: sink = codec_detail::NewLz4Sink(); break;
      case Codec::kZstd: sink = codec_detail::NewZstdSink(); break;
    }
  }
  const size_t before = out->size();
  Status status = sink->Write(level == kDefaultLevel ? LevelsOf(codec).default_level : level, in, out);
  if (!status.ok()) out->Resize(before);
  return status;
}

Status Compress(Codec codec, int level, Bytes in, Buffer* out) {
  Compressor compressor;
  return compressor.Compress(codec, level, in, out);
}

}  // namespace sluice::batch
