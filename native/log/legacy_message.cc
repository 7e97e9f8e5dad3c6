#include "log/legacy_message.h"

#include <zlib.h>

#include <algorithm>
#include <vector>

#include "base/endian.h"
#include "batch/batch_format.h"

namespace sluice::log {
namespace {

// offset i64, size i32, then in `size`: crc u32 of what follows it, magic i8, attributes i8, from format 1 on timestamp i64, key and value with lengths.
constexpr size_t kMessageCrcAt = 12;
constexpr int64_t kLeast[] = {batch::kLegacyMinLength, batch::kLegacyMinLength + 8};   // of `size`, by format
constexpr int64_t kMostAtOnce = 256 << 10;

}  // namespace

Result<bool> IsLegacyMessage(io::File& file, int64_t position, int64_t end) {
  uint8_t head[batch::kMagicPeekBytes];
  if (end - position < static_cast<int64_t>(sizeof head)) return false;
  Result<size_t> got = file.ReadAt(MutableBytes(head, sizeof head), position);
  if (!got.ok()) return got.status();
  if (*got < sizeof head || head[batch::kMagicAt] >= batch::kMagic) return false;
  const int64_t size = LoadI32(head + batch::kBatchLengthAt);
  const int64_t stop = position + static_cast<int64_t>(batch::kLengthOverhead) + size;
  if (size < kLeast[head[batch::kMagicAt]] || stop > end) return false;
  std::vector<uint8_t> piece(static_cast<size_t>(std::min(size, kMostAtOnce)));
  uint32_t crc = 0;
  for (int64_t at = position + static_cast<int64_t>(batch::kMagicAt); at < stop;) {
    const MutableBytes wanted(piece.data(), static_cast<size_t>(std::min<int64_t>(static_cast<int64_t>(piece.size()), stop - at)));
    Result<size_t> read = file.ReadAt(wanted, at);
    if (!read.ok()) return read.status();
    if (*read < wanted.size()) return false;
    crc = static_cast<uint32_t>(::crc32(crc, wanted.data(), static_cast<uInt>(wanted.size())));
    at += static_cast<int64_t>(*read);
  }
  return crc == LoadU32(head + kMessageCrcAt);
}

}  // namespace sluice::log
