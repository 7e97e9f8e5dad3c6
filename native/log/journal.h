// The journal: one sequential stream of synced writes that makes every log of a directory durable. See docs/ARCHITECTURE.md for why.
//
// Frames are filled by Add, closed by Seal (once per tick), and written in order, several in flight; what counts is the contiguous prefix
// that has completed. Files are preallocated with zeros on the pool and recycled once a checkpoint has freed them.
//
// Thread: home thread.
// Owns: its files, the frames in flight.
// After error: failed() is set for good and on_failed is called once; nothing is reported durable from then on.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/types.h"
#include "io/async_writer.h"
#include "log/env.h"
#include "log/journal_format.h"

namespace sluice::log {

// Where the chain begins to be read after a crash.
struct JournalMark {
  uint64_t incarnation = 1;
  uint64_t sequence = 0;   // the last frame that the checkpoint covers
  uint32_t crc = 0;        // its CRC
};

// The frame with which `incarnation` takes over from the journal that ends at `end`, and the mark that it is.
FrameHeader TakeOverFrame(const JournalMark& end, uint64_t incarnation);
inline JournalMark MarkOfTakeOver(const JournalMark& end, uint64_t incarnation) {
  const FrameHeader frame = TakeOverFrame(end, incarnation);
  return {incarnation, frame.sequence, frame.crc};
}

class Journal {
 public:
  struct Options {
    std::string dir;            // exists
    int64_t max_bytes = 512ll << 20;
    uint32_t alignment = 4096;  // 0: O_DIRECT is refused here, use plain writes and fdatasync
    // Called on the pool before the files come to so many bytes; what fails it keeps the journal from growing. May be empty.
    std::function<Status(int64_t)> before_growth = {};
  };

  // Told when a frame and all before it are durable, with what Add passed for it, in order.
  using OnDurable = std::function<void(void* owner, Offset end)>;

  Journal(const Env& env, Options options, JournalMark begin, OnDurable on_durable, std::function<void(const Status&)> on_failed);
  ~Journal();

  // Makes the first file, zeroed, beside whatever is there. Blocking.
  Status Create();
  // Ends another journal's chain at `end` and begins a new incarnation behind it, in a file of its own that `path` is told. Blocking; what comes back is
  // where the new one goes on, durable.
  static Result<JournalMark> TakeOver(io::FileSystem& fs, const std::string& dir, const JournalMark& end, uint64_t incarnation, bool direct, std::string* path);

  // Adds an entry to the open frame. When the frame is durable, on_durable(owner, entry.end) is called if owner is not null.
  void Add(const Entry& entry, void* owner);
  // Calls `run` once everything added so far is durable (at once if it is), or with the failure that takes the journal away.
  void WhenDurable(std::function<void(Status)> run);
  // Closes the open frame and starts what may be written now. The caller flushes env.writer.
  void Seal();

  bool failed() const { return failed_; }
  // Frames added but not durable, in bytes.
  int64_t backlog_bytes() const { return backlog_bytes_; }
  // Nothing is on its way, or nothing ever will be again, and nobody is being told of it.
  bool idle() const { return !telling_ && (failed_ || (frames_.empty() && !open_)); }
  // Of the frame that has what was added last.
  uint64_t last_sequence() const { return last_sealed_ + (open_ ? 1 : 0); }
  // Nobody is being told of the frames up to this one any more, or ever will be.
  bool Told(uint64_t sequence) const { return !telling_ && (failed_ || durable_ >= sequence); }
  // A frame waits for room that only a checkpoint can make.
  bool starved() const { return !failed_ && placed_ < frames_.size() && placed_ < kMaxInFlight && !growing_; }
  // A new file is being written on the pool; `OnGrown` is called when that ends.
  bool growing() const { return growing_; }
  void OnGrown(std::function<void()> callback) { on_grown_ = std::move(callback); }

  // The chain up to the last sealed frame: what a checkpoint that is cut now covers.
  JournalMark Cut() const { return JournalMark{incarnation_, last_sealed_, last_sealed_crc_}; }
  // Sequence of the last frame that is durable, and all before it.
  uint64_t durable_sequence() const { return durable_; }
  // A durable checkpoint covers everything up to `mark`: files that hold nothing newer are free again.
  void Free(const JournalMark& mark);
  // Bytes of frames that no checkpoint covers, against max_bytes.
  int64_t used_bytes() const { return used_bytes_; }
  int64_t capacity_bytes() const;
  // What its files may come to: max_bytes, or what they are while the disk has no room for another.
  int64_t limit_bytes() const;
  // Bytes that still find a place before the next checkpoint, behind everything that waits for its own.
  int64_t room_bytes() const;
  // The part of it that clients' batches leave alone: for internal topics, deletions, and whatever ends in a clean stop.
  int64_t reserved_bytes() const;

  // A write has been on its way for much longer than writes usually are: the disk may stand still.
  bool Stalled(int64_t now_us) const;

  io::WriteTimes write_times(int64_t now_us) const;

  int64_t writes() const { return writes_; }
  int64_t bytes_written() const { return bytes_written_; }

  static std::string FileName(uint64_t number);

 private:
  static constexpr size_t kMaxInFlight = kFramesInFlight;   // 1 MiB at this depth reaches the disk's own pace

  struct Frame;
  struct JournalFile;
  struct AlignedFree { void operator()(uint8_t* p) const; };

  Frame& OpenFrame(size_t needed);
  void Pump();
  bool PlaceFrame(Frame* frame);
  void OnFrameWritten(Frame* frame, Status status);
  void Retire();
  void Recycle();
  void TellWaiters();
  void Fail(Status status);
  void MaybeGrow();
  int64_t NextFileBytes() const;
  bool StartsAnew() const;

  const Env env_;
  const Options options_;
  const OnDurable on_durable_;
  const std::function<void(const Status&)> on_failed_;
  std::function<void()> on_grown_;

  uint64_t incarnation_;
  uint64_t last_sealed_;
  uint32_t last_sealed_crc_;
  bool failed_ = false;
  Status failure_;
  bool telling_ = false;                            // callbacks of Retire or Fail are running

  std::deque<std::unique_ptr<Frame>> frames_;       // sealed, in order: waiting for room, in flight, or written behind one in flight
  size_t placed_ = 0;                               // how many of frames_ have been given to the writer
  std::unique_ptr<Frame> open_;
  std::vector<std::unique_ptr<Frame>> spare_;       // buffers kept for reuse
  std::vector<std::pair<uint64_t, std::function<void(Status)>>> when_durable_;
  uint64_t durable_ = 0;
  uint64_t freed_ = 0;   // a checkpoint covers everything up to here

  std::deque<std::unique_ptr<JournalFile>> live_;   // oldest first; the last is being filled
  std::deque<std::unique_ptr<JournalFile>> free_;   // zeroed or recycled
  std::deque<std::pair<uint64_t, int64_t>> uncovered_;  // sequence and length of placed frames that no checkpoint covers
  int64_t used_bytes_ = 0;
  uint64_t next_file_ = 0;
  bool growing_ = false;
  int64_t grow_again_us_ = 0;                       // after a full disk refused the last attempt
  bool grow_refused_ = false;                       // ... and none has succeeded since
  int64_t waiting_bytes_ = 0;                       // of sealed frames that have no place yet
  std::shared_ptr<bool> alive_;                     // pool jobs look whether the journal is still there

  int64_t usual_write_us_ = 0;                      // a moving mean
  io::WriteTimes ended_;                            // but for the one that waits

  int64_t backlog_bytes_ = 0;
  int64_t writes_ = 0;
  int64_t bytes_written_ = 0;
};

}  // namespace sluice::log
