#include "log/journal_format.h"

#include <cstring>

#include "base/crc32c.h"

namespace sluice::log {
namespace {

constexpr size_t kFrameCrcAt = 44;

template <class T>
void Put(uint8_t* out, size_t at, T value) {
  static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the journal is written little-endian");
  std::memcpy(out + at, &value, sizeof(value));
}
template <class T>
T Get(const uint8_t* in, size_t at) {
  T value;
  std::memcpy(&value, in + at, sizeof(value));
  return value;
}

}  // namespace

void EncodeFrameHeader(const FrameHeader& header, uint8_t* out) {
  Put<uint32_t>(out, 0, kFrameMagic);
  Put<uint16_t>(out, 4, kFrameVersion);
  Put<uint16_t>(out, 6, 0);
  Put<uint64_t>(out, 8, header.incarnation);
  Put<uint64_t>(out, 16, header.sequence);
  Put<uint32_t>(out, 24, header.length);
  Put<uint32_t>(out, 28, header.entries);
  Put<uint32_t>(out, 32, header.prev_crc);
  Put<uint64_t>(out, 36, header.continues);
  Put<uint32_t>(out, kFrameCrcAt, header.crc);
}

std::optional<FrameHeader> DecodeFrameHeader(Bytes first_bytes) {
  if (first_bytes.size() < kFrameHeaderBytes) return std::nullopt;
  const uint8_t* in = first_bytes.data();
  if (Get<uint32_t>(in, 0) != kFrameMagic || Get<uint16_t>(in, 4) != kFrameVersion) return std::nullopt;
  FrameHeader header;
  header.incarnation = Get<uint64_t>(in, 8);
  header.sequence = Get<uint64_t>(in, 16);
  header.length = Get<uint32_t>(in, 24);
  header.entries = Get<uint32_t>(in, 28);
  header.prev_crc = Get<uint32_t>(in, 32);
  header.continues = Get<uint64_t>(in, 36);
  header.crc = Get<uint32_t>(in, kFrameCrcAt);
  if (header.length < kFrameHeaderBytes || header.length > kFrameMaxBytes) return std::nullopt;
  return header;
}

uint32_t FrameCrc(Bytes frame) {
  static constexpr uint8_t kZero[4] = {0, 0, 0, 0};
  uint32_t crc = Crc32c(frame.first(kFrameCrcAt));
  crc = Crc32cExtend(crc, Bytes(kZero, 4));
  return Crc32cExtend(crc, frame.subspan(kFrameHeaderBytes));
}

void EncodeEntryHeader(const Entry& entry, uint8_t* out) {
  Put<uint8_t>(out, 0, static_cast<uint8_t>(entry.kind));
  out[1] = out[2] = out[3] = 0;
  Put<uint32_t>(out, 4, static_cast<uint32_t>(entry.payload.size()));
  std::memcpy(out + 8, entry.id.id.bytes.data(), 16);
  Put<int32_t>(out, 24, entry.id.partition);
  Put<int32_t>(out, 28, entry.epoch.v);
  Put<int64_t>(out, 32, entry.base.v);
  Put<int64_t>(out, 40, entry.end.v);
  Put<int64_t>(out, 48, entry.segment_base.v);
  Put<int64_t>(out, 56, entry.position.v);
}

std::optional<Entry> TakeEntry(Bytes* rest) {
  if (rest->size() < kEntryHeaderBytes) return std::nullopt;
  const uint8_t* in = rest->data();
  Entry entry;
  uint8_t kind = in[0];
  uint32_t length = Get<uint32_t>(in, 4);
  if (kind < static_cast<uint8_t>(EntryKind::kBatch) || kind > static_cast<uint8_t>(EntryKind::kMode)) return std::nullopt;
  if (length > rest->size() - kEntryHeaderBytes) return std::nullopt;
  entry.kind = static_cast<EntryKind>(kind);
  std::memcpy(entry.id.id.bytes.data(), in + 8, 16);
  entry.id.partition = Get<int32_t>(in, 24);
  entry.epoch = LeaderEpoch(Get<int32_t>(in, 28));
  entry.base = Offset(Get<int64_t>(in, 32));
  entry.end = Offset(Get<int64_t>(in, 40));
  entry.segment_base = Offset(Get<int64_t>(in, 48));
  entry.position = FilePosition(Get<int64_t>(in, 56));
  entry.payload = rest->subspan(kEntryHeaderBytes, length);
  *rest = rest->subspan(kEntryHeaderBytes + length);
  return entry;
}

}  // namespace sluice::log
