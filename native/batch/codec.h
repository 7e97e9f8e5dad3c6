// The five compressions of Kafka's record batches, in the framing that Kafka's clients read and write.
//
//   gzip    RFC 1952, one or more members
//   snappy  snappy-java's stream framing (what Kafka writes); raw snappy is read too (other clients send it)
//   lz4     LZ4 frame, independent 64 KiB blocks, no content size or checksum
//   zstd    one or more frames
//
// Decompression trusts no declared size: it makes what the input yields, piece by piece, and stops at the caller's limit. Beyond that a
// stream costs its own window (zstd at most 128 MiB, touched only as far as it is filled; lz4 one block; snappy one block).
//
// Thread: an object belongs to one thread at a time; functions: any.
// Owns: library contexts, kept between uses.
// After error: the object can be used again.
#pragma once

#include <climits>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/limits.h"
#include "base/result.h"

namespace sluice::batch {

enum class Codec : int8_t { kNone = 0, kGzip = 1, kSnappy = 2, kLz4 = 3, kZstd = 4 };
inline constexpr int kCodecCount = 5;

const char* CodecName(Codec codec);  // as in compression.type
std::optional<Codec> CodecByName(std::string_view name);

// --- levels: compression.gzip.level, compression.lz4.level, compression.zstd.level
inline constexpr int kDefaultLevel = INT_MIN;  // Kafka's default of the codec: gzip -1, lz4 9 (its fast compressor), zstd 3
struct LevelRange {
  int min;
  int max;
  int default_level;
};
LevelRange LevelsOf(Codec codec);  // {0, 0, 0} where there are none
bool LevelIsValid(Codec codec, int level);

// Reads one compressed stream in pieces.
class Decompressor {
 public:
  Decompressor();
  ~Decompressor();
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  // Begins with `in`, which must stay until the last Read. At most `limit` bytes will come out.
  void Start(Codec codec, Bytes in, int64_t limit);
  // Fills the front of `out` and says how much; 0 is the end. kCorrupt: not a stream of this codec, cut short, or bytes after its end;
  // kTooLarge: there is more than the limit; kUnsupportedFormat: no such codec.
  Result<size_t> Read(MutableBytes out);

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

// Appends the whole of `in`, decompressed, to *out. On failure *out is as it was.
Status Decompress(Decompressor* decompressor, Codec codec, Bytes in, int64_t limit, Buffer* out);
Status Decompress(Codec codec, Bytes in, int64_t limit, Buffer* out);

class Compressor {
 public:
  Compressor();
  ~Compressor();
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  // Appends `in`, compressed, to *out. Levels outside the codec's range are kInvalid. On failure *out is as it was.
  Status Compress(Codec codec, int level, Bytes in, Buffer* out);

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};
Status Compress(Codec codec, int level, Bytes in, Buffer* out);

// Whether a compressed section begins as its codec's streams do: catches what is labelled with the wrong codec without decompressing.
bool LooksLike(Codec codec, Bytes in);

}  // namespace sluice::batch
