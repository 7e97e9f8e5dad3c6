// The journal's bytes, shared by writer and reader. Little-endian. docs/log-format.md has the grammar.
//
//   file   = frame*                     frames are aligned to kJournalBlock and never cross files
//   frame  = header entry* padding      the CRC covers header (its own field as zero) and entries, not the padding
//   entry  = entry-header payload       payload: the batch for kBatch, empty for the others
//
// A frame continues the chain when its incarnation is the journal's, its sequence is one above the last and prev_crc is the CRC of
// the last frame. Anything else ends the chain: torn frames, frames of an earlier lap, frames of an earlier incarnation.
//
// An incarnation that takes over from another before a checkpoint begins with a frame without entries that names it (`continues`). Sequence and
// prev_crc of that frame say where the other one has ended, for good: what lies behind there in the other's files is not part of the chain.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "log/journal_entry.h"

namespace sluice::log {

inline constexpr uint32_t kFrameMagic = 0x464A4C53;  // "SLJF"
inline constexpr uint16_t kFrameVersion = 1;
inline constexpr int64_t kJournalBlock = 4096;        // unit of alignment; never written twice while it holds acknowledged data
inline constexpr size_t kFrameHeaderBytes = 48;
inline constexpr int64_t kTakeOverCopy = 2048;        // where the frame that takes over is written once more, within its block: no later frame proves it until there is one
inline constexpr size_t kEntryHeaderBytes = 64;
inline constexpr int64_t kJournalMaxBatch = 4 << 20;
inline constexpr int64_t kBesideJournalBytes = 192 << 10;  // a batch of this size or more is synced in its segment instead, and so written once and not twice
inline constexpr int64_t kFrameTargetBytes = 1 << 20;  // a frame is closed once it is this long
// A frame holds at most its target and one more entry.
inline constexpr uint64_t kFramesInFlight = 8;          // are written at once, at most: so many behind a torn one may be whole without anything being wrong
inline constexpr int64_t kFrameMaxBytes = kFrameTargetBytes + kJournalMaxBatch + 2 * kJournalBlock;

struct FrameHeader {
  uint64_t incarnation = 0;
  uint64_t sequence = 0;
  uint32_t length = 0;    // header and entries, without padding
  uint32_t entries = 0;
  uint32_t prev_crc = 0;
  uint64_t continues = 0;  // of the first frame only: the incarnation that this one takes over from
  uint32_t crc = 0;
};

// `out` has kFrameHeaderBytes. The CRC field is written as given.
void EncodeFrameHeader(const FrameHeader& header, uint8_t* out);
// Nothing when the magic or version is another or the length cannot be.
std::optional<FrameHeader> DecodeFrameHeader(Bytes first_bytes);
// CRC32C of a frame of `length` bytes, its CRC field taken as zero.
uint32_t FrameCrc(Bytes frame);

// An entry as read back. `payload` views the frame.
struct Entry {
  EntryKind kind = EntryKind::kBatch;
  TopicIdPartition id;
  Offset base{0};               // kLogStart, kSynced: the offset; kMode: the Durability
  Offset end{0};
  LeaderEpoch epoch{0};
  Offset segment_base{0};
  FilePosition position{0};
  Bytes payload;
};

// `out` has kEntryHeaderBytes; the payload follows it.
void EncodeEntryHeader(const Entry& entry, uint8_t* out);
// Takes one entry off the front of `rest`; nothing when it does not fit.
std::optional<Entry> TakeEntry(Bytes* rest);

inline int64_t RoundUpToBlock(int64_t n) { return (n + kJournalBlock - 1) / kJournalBlock * kJournalBlock; }

}  // namespace sluice::log
