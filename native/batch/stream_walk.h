// Walks the records of a compressed batch without keeping them: keys, values and headers are skipped as they come out of the codec.
//
// Thread: that of its decompressor. Owns: one small window. After error: the walk is over and status() says why.
#pragma once

#include "base/result.h"
#include "batch/codec.h"

namespace sluice::batch {

struct RecordOutline {
  int64_t timestamp_delta = 0;
  int32_t offset_delta = 0;
  bool has_key = false;
};

class StreamWalker {
 public:
  enum class Step : uint8_t { kRecord, kEnd, kBad };
  // `decompressor` has been started on the batch's records and is this walker's until it is done.
  // A record that fits into the window is read at once, a larger one byte by byte.
  StreamWalker(Decompressor* decompressor, int32_t count, int32_t max_record_bytes = kNoRecordLimit, size_t window_bytes = 64 << 10);

  // After `count` records the stream must be at its end.
  Step Next(RecordOutline* out);
  int32_t index() const { return index_; }
  Status status() const { return status_; }  // kInvalidRecord for a bad record; else what the decompressor said

 private:
  bool Record(RecordOutline* out);
  bool Byte(uint8_t* out);
  bool Varint(int32_t* out);
  bool Varlong(int64_t* out);
  bool SkipField(bool nullable, bool* present);  // a length and that many bytes
  bool Skip(int64_t bytes);
  bool Fill();  // false at the end of the stream or on failure
  bool Fail(const char* why);

  Decompressor* const decompressor_;
  const int32_t count_;
  const int32_t max_record_bytes_;
  const size_t window_bytes_;
  int32_t index_ = 0;
  int64_t left_in_record_ = 0;
  Buffer window_;
  size_t at_ = 0;
  Status status_;
};

}  // namespace sluice::batch
