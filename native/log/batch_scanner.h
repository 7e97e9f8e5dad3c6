// Walks the batches of a segment file from a position on: headers only, or with every CRC checked.
//
// Memory stays small whatever a batch claims: bodies are skipped, or read piece by piece for their CRC.
// Thread: any; one at a time. Owns: a buffer. After error: stays at the batch that does not hold.
#pragma once

#include <memory>

#include "base/result.h"
#include "io/file.h"
#include "log/batch_head.h"
#include "log/read_mode.h"

namespace sluice::log {

inline constexpr int64_t kMaxControlBatch = 1 << 20;   // one record of a few bytes, and whatever somebody may have put into its headers

class BatchScanner {
 public:
  struct Options {
    int64_t from = 0;
    int64_t end = 0;               // nothing at or beyond it is looked at
    bool check_crc = false;
    ReadMode mode = ReadMode::kBlocking;
  };
  enum class Step : uint8_t {
    kBatch,  // head() and position() describe it
    kEnd,    // exactly at `end`
    kBad,    // status() says what is wrong at position(): kCorrupt, kUnsupportedFormat, kWouldBlock, or what the file said
  };

  BatchScanner(io::File& file, const Options& options);

  Step Next();
  const BatchHead& head() const { return head_; }
  int64_t position() const { return position_; }   // of the batch; after kBad, of what could not be read as one
  int64_t next_position() const { return position_ + head_.size; }
  const Status& status() const { return status_; }
  // The whole current batch, of at most `limit` bytes; valid until the next call. kTooLarge beyond.
  Result<Bytes> Body(int64_t limit);

 private:
  // `length` bytes at `position`; reads ahead as far as the buffer goes.
  Result<Bytes> Take(int64_t position, size_t length);
  Status CheckCrc();

  io::File& file_;
  const Options options_;
  const size_t capacity_;
  std::unique_ptr<uint8_t[]> buffer_;
  std::unique_ptr<uint8_t[]> body_;
  int64_t buffered_from_ = 0;
  size_t buffered_ = 0;
  int64_t position_;
  BatchHead head_;
  bool started_ = false;
  Status status_;
};

}  // namespace sluice::log
