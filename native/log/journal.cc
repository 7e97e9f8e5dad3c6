#include "log/journal.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/assert.h"
#include "base/crc32c.h"
#include "log/doubt.h"

namespace sluice::log {
namespace {

constexpr int64_t kFirstFileBytes = 8 << 20;     // small, so that a start does not wait
constexpr int64_t kFileBytes = 32 << 20;
constexpr size_t kSpareFrames = 9;               // those in flight and the open one
constexpr int64_t kReserveBytes = 16 << 20;      // at most
constexpr int64_t kReservePart = 8;
constexpr int64_t kStalledUs = 5000;
constexpr int64_t kStalledTimes = 8;             // the usual time of a write
constexpr int64_t kGrowAgainUs = 1000000;        // a full disk is not asked at every tick
constexpr size_t kKeptFrameBytes = kFrameTargetBytes + (256 << 10);  // larger buffers are given back
static_assert(kFirstFileBytes >= kFrameMaxBytes, "any frame must fit into any file");

uint8_t* AllocateAligned(size_t bytes) {
  void* p = nullptr;
  SLUICE_ASSERT(::posix_memalign(&p, kJournalBlock, bytes) == 0);
  return static_cast<uint8_t*>(p);
}

// Writes zeros, so that later writes find written extents and commit no metadata.
Status MakeZeroed(io::FileSystem& fs, const std::string& dir, const std::string& path, int64_t bytes, bool direct, std::unique_ptr<io::File>* out) {
  Result<std::unique_ptr<io::File>> file = fs.Open(path, direct ? io::OpenMode::kDirectSync : io::OpenMode::kCreate);
  if (!file.ok()) return file.status();
  constexpr int64_t kPiece = 1 << 20;
  std::unique_ptr<uint8_t, void (*)(void*)> zeros(AllocateAligned(kPiece), &std::free);
  std::memset(zeros.get(), 0, kPiece);
  for (int64_t at = 0; at < bytes; at += kPiece) {
    SLUICE_TRY((*file)->WriteAt({zeros.get(), static_cast<size_t>(std::min(kPiece, bytes - at))}, at));
  }
  SLUICE_TRY((*file)->Sync());
  SLUICE_TRY(fs.SyncDir(dir));
  *out = file.take();
  return Status::Ok();
}

// Above those of all files that are there.
Result<uint64_t> FreeNumber(io::FileSystem& fs, const std::string& dir) {
  Result<std::vector<io::DirEntry>> entries = fs.List(dir);
  if (!entries.ok()) return entries.status();
  uint64_t next = 0;
  for (const io::DirEntry& entry : *entries) {
    if (entry.name.rfind("journal-", 0) == 0) next = std::max<uint64_t>(next, std::strtoull(entry.name.c_str() + 8, nullptr, 10) + 1);
  }
  return next;
}

}  // namespace

void Journal::AlignedFree::operator()(uint8_t* p) const { std::free(p); }

struct Journal::Frame final : public io::WriteOp {
  explicit Frame(Journal* journal) : owner(journal) {}
  void OnWritten(Status status) override { owner->OnFrameWritten(this, std::move(status)); }
  void Reserve(size_t bytes) {
    if (bytes <= capacity) return;
    size_t grown = static_cast<size_t>(RoundUpToBlock(static_cast<int64_t>(std::max(bytes, capacity * 2))));
    std::unique_ptr<uint8_t, AlignedFree> bigger(AllocateAligned(grown));
    if (capacity > 0) std::memcpy(bigger.get(), buffer.get(), std::min(used, capacity));
    buffer = std::move(bigger);
    capacity = grown;
  }

  Journal* const owner;
  std::unique_ptr<uint8_t, AlignedFree> buffer;
  size_t capacity = 0;
  size_t used = 0;
  uint32_t entries = 0;
  uint64_t sequence = 0;
  bool written = false;
  int64_t submitted_us = 0;
  std::vector<std::pair<void*, Offset>> ends;  // one per log that has entries here, its last end
};

struct Journal::JournalFile {
  std::string path;
  std::unique_ptr<io::File> file;
  int64_t bytes = 0;
  int64_t at = 0;                // where the next frame goes
  uint64_t last_sequence = 0;    // of the frames in it
};

Journal::Journal(const Env& env, Options options, JournalMark begin, OnDurable on_durable, std::function<void(const Status&)> on_failed)
    : env_(env),
      options_(std::move(options)),
      on_durable_(std::move(on_durable)),
      on_failed_(std::move(on_failed)),
      incarnation_(begin.incarnation),
      last_sealed_(begin.sequence),
      last_sealed_crc_(begin.crc),
      durable_(begin.sequence),
      alive_(std::make_shared<bool>(true)) {}

Journal::~Journal() {
  *alive_ = false;
  // The kernel may still read frames in flight; whoever destroys the writer waits for them, so the writer must be drained first.
  for (const auto& frame : frames_) SLUICE_ASSERT(failed_ || frame->written || frame->file == nullptr);
  const Status closed = Status::Error(Code::kClosed, "the log directory is closed");
  for (auto& [sequence, run] : when_durable_) run(failed_ ? failure_ : closed);
}

std::string Journal::FileName(uint64_t number) { return "journal-" + std::to_string(number); }

// Whole blocks, whatever somebody has set or a disk's size comes to.
int64_t Journal::NextFileBytes() const { return std::min(kFileBytes, std::max(kFirstFileBytes, options_.max_bytes / 8 / kJournalBlock * kJournalBlock)); }

FrameHeader TakeOverFrame(const JournalMark& end, uint64_t incarnation) {
  FrameHeader header{incarnation, end.sequence + 1, static_cast<uint32_t>(kFrameHeaderBytes), 0, end.crc, end.incarnation, 0};
  uint8_t bytes[kFrameHeaderBytes];
  EncodeFrameHeader(header, bytes);
  header.crc = FrameCrc({bytes, kFrameHeaderBytes});
  return header;
}

Result<JournalMark> Journal::TakeOver(io::FileSystem& fs, const std::string& dir, const JournalMark& end, uint64_t incarnation, bool direct, std::string* path) {
  Result<uint64_t> number = FreeNumber(fs, dir);
  if (!number.ok()) return number.status();
  *path = dir + "/" + FileName(*number);
  const FrameHeader header = TakeOverFrame(end, incarnation);
  std::unique_ptr<uint8_t, AlignedFree> block(AllocateAligned(static_cast<size_t>(kJournalBlock)));
  std::memset(block.get(), 0, static_cast<size_t>(kJournalBlock));
  for (const int64_t at : {int64_t{0}, kTakeOverCopy}) EncodeFrameHeader(header, block.get() + at);
  Result<std::unique_ptr<io::File>> file = fs.Open(*path, direct ? io::OpenMode::kDirectSync : io::OpenMode::kCreate);
  if (!file.ok()) return file.status();
  SLUICE_TRY((*file)->WriteAt({block.get(), static_cast<size_t>(kJournalBlock)}, 0));
  SLUICE_TRY((*file)->Sync());
  SLUICE_TRY(fs.SyncDir(dir));
  return JournalMark{incarnation, header.sequence, header.crc};
}

Status Journal::Create() {
  Result<uint64_t> number = FreeNumber(*env_.fs, options_.dir);
  if (!number.ok()) return number.status();
  next_file_ = *number;
  auto first = std::make_unique<JournalFile>();
  first->path = options_.dir + "/" + FileName(next_file_++);
  first->bytes = kFirstFileBytes;
  Status made = MakeZeroed(*env_.fs, options_.dir, first->path, first->bytes, options_.alignment != 0, &first->file);
  if (!made.ok()) {
    (void)env_.fs->Remove(first->path);
    return made;
  }
  live_.push_back(std::move(first));
  return Status::Ok();
}

Journal::Frame& Journal::OpenFrame(size_t needed) {
  if (open_ && open_->used + needed > static_cast<size_t>(kFrameTargetBytes) && open_->entries > 0) Seal();
  if (!open_) {
    if (spare_.empty()) {
      open_ = std::make_unique<Frame>(this);
    } else {
      open_ = std::move(spare_.back());
      spare_.pop_back();
    }
    open_->used = kFrameHeaderBytes;
    open_->entries = 0;
    open_->written = false;
    open_->file = nullptr;
    open_->ends.clear();
    open_->Reserve(static_cast<size_t>(kJournalBlock));
  }
  open_->Reserve(open_->used + needed);
  return *open_;
}

void Journal::Add(const Entry& entry, void* owner) {
  if (failed_) return;
  SLUICE_ASSERT_OP(static_cast<int64_t>(entry.payload.size()), <=, kJournalMaxBatch);
  const size_t needed = kEntryHeaderBytes + entry.payload.size();
  Frame& frame = OpenFrame(needed);
  uint8_t* at = frame.buffer.get() + frame.used;
  EncodeEntryHeader(entry, at);
  if (!entry.payload.empty()) std::memcpy(at + kEntryHeaderBytes, entry.payload.data(), entry.payload.size());
  frame.used += needed;
  ++frame.entries;
  backlog_bytes_ += static_cast<int64_t>(needed);
  if (owner == nullptr) return;
  if (!frame.ends.empty() && frame.ends.back().first == owner) {
    frame.ends.back().second = entry.end;
  } else {
    frame.ends.emplace_back(owner, entry.end);
  }
}

void Journal::WhenDurable(std::function<void(Status)> run) {
  if (failed_) {
    run(failure_);
    return;
  }
  const uint64_t target = last_sequence();
  if (target <= durable_) {
    run(Status::Ok());
    return;
  }
  when_durable_.emplace_back(target, std::move(run));
}

void Journal::Seal() {
  if (failed_ || !open_ || open_->entries == 0) return;
  Frame& frame = *open_;
  frame.sequence = ++last_sealed_;
  FrameHeader header;
  header.incarnation = incarnation_;
  header.sequence = frame.sequence;
  header.length = static_cast<uint32_t>(frame.used);
  header.entries = frame.entries;
  header.prev_crc = last_sealed_crc_;
  EncodeFrameHeader(header, frame.buffer.get());
  header.crc = FrameCrc({frame.buffer.get(), frame.used});
  EncodeFrameHeader(header, frame.buffer.get());
  last_sealed_crc_ = header.crc;
  size_t padded = static_cast<size_t>(RoundUpToBlock(static_cast<int64_t>(frame.used)));
  frame.Reserve(padded);
  std::memset(frame.buffer.get() + frame.used, 0, padded - frame.used);
  frame.data = {frame.buffer.get(), padded};
  waiting_bytes_ += static_cast<int64_t>(padded);
  frames_.push_back(std::move(open_));
  Pump();
}

// A journal of one file, all of it checkpointed, and nothing on its way.
bool Journal::StartsAnew() const { return live_.size() == 1 && placed_ == 0 && live_.back()->last_sequence <= std::min(freed_, durable_); }

// Gives the frame its place; false while there is none.
bool Journal::PlaceFrame(Frame* frame) {
  const int64_t length = static_cast<int64_t>(frame->data.size());
  if (live_.empty() || live_.back()->at + length > live_.back()->bytes) {
    if (!free_.empty()) {
      free_.front()->at = 0;
      live_.push_back(std::move(free_.front()));
      free_.pop_front();
    } else if (StartsAnew()) {
      live_.back()->at = 0;
    } else {
      MaybeGrow();
      return false;
    }
  }
  JournalFile& file = *live_.back();
  frame->file = file.file.get();
  frame->position = file.at;
  frame->sync_after = options_.alignment == 0;
  waiting_bytes_ -= length;
  file.at += length;
  file.last_sequence = frame->sequence;
  if (frame->sequence > freed_) {  // a checkpoint that was cut behind a waiting frame covers it already
    uncovered_.emplace_back(frame->sequence, length);
    used_bytes_ += length;
  }
  // Grow ahead of need: the next file should be there before this one is full.
  if (free_.empty() && file.at > kFirstFileBytes / 2) MaybeGrow();
  return true;
}

void Journal::Pump() {
  while (placed_ < frames_.size() && placed_ < kMaxInFlight) {
    Frame* frame = frames_[placed_].get();
    if (!PlaceFrame(frame)) return;
    ++placed_;
    ++writes_;
    frame->submitted_us = env_.clock->MonotonicUs();
    bytes_written_ += static_cast<int64_t>(frame->data.size());
    env_.writer->Submit(frame);
  }
}

void Journal::OnFrameWritten(Frame* frame, Status status) {
  frame->written = true;
  const int64_t took_us = env_.clock->MonotonicUs() - frame->submitted_us;
  usual_write_us_ += (took_us - usual_write_us_) / 16;
  ++ended_.ended;
  ended_.total_us += took_us;
  if (!status.ok()) {
    Fail(std::move(status));
    return;
  }
  Retire();
}

void Journal::Retire() {
  // A callback may add, seal or wait anew, and so come here again through nothing but the writer: completions are never nested.
  const bool outer = !std::exchange(telling_, true);
  SLUICE_ASSERT(outer);
  while (!failed_ && !frames_.empty() && placed_ > 0 && frames_.front()->written) {
    std::unique_ptr<Frame> frame = std::move(frames_.front());
    frames_.pop_front();
    --placed_;
    durable_ = frame->sequence;
    backlog_bytes_ -= static_cast<int64_t>(frame->used) - static_cast<int64_t>(kFrameHeaderBytes);
    for (const auto& [owner, end] : frame->ends) on_durable_(owner, end);
    if (spare_.size() < kSpareFrames && frame->capacity <= kKeptFrameBytes) spare_.push_back(std::move(frame));
  }
  TellWaiters();
  telling_ = false;
  Recycle();
  Pump();
}

void Journal::TellWaiters() {
  for (;;) {
    auto due = std::find_if(when_durable_.begin(), when_durable_.end(), [this](const auto& w) { return failed_ || w.first <= durable_; });
    if (due == when_durable_.end()) return;
    std::function<void(Status)> run = std::move(due->second);
    when_durable_.erase(due);
    run(failure_);
  }
}

void Journal::Fail(Status status) {
  if (failed_) return;
  failed_ = true;
  if (options_.alignment == 0) (void)NoteFailedSync(*env_.fs, options_.dir, kEveryStem);
  failure_ = std::move(status);
  const bool nested = std::exchange(telling_, true);
  on_failed_(failure_);
  TellWaiters();
  telling_ = nested;
}

void Journal::MaybeGrow() {
  const int64_t bytes = NextFileBytes();
  if (growing_ || failed_ || capacity_bytes() + bytes > options_.max_bytes || env_.clock->MonotonicUs() < grow_again_us_) return;
  growing_ = true;
  auto made = std::make_shared<JournalFile>();
  made->path = options_.dir + "/" + FileName(next_file_++);
  made->bytes = bytes;
  auto status = std::make_shared<Status>();
  io::FileSystem* fs = env_.fs;
  std::string dir = options_.dir;
  bool direct = options_.alignment != 0;
  std::shared_ptr<bool> alive = alive_;
  const int64_t then = capacity_bytes() + bytes;
  env_.pool->Submit(io::MakeJob(
      [fs, dir, made, status, direct, then, prepare = options_.before_growth] {
        if (prepare) *status = prepare(then);
        if (status->ok()) *status = MakeZeroed(*fs, dir, made->path, made->bytes, direct, &made->file);
      },
      [this, alive, made, status] {
        if (!*alive) return;
        growing_ = false;
        if (!status->ok()) {
          // A full disk is no failed journal: what is there goes on being recycled, and the next need tries again.
          if (!grow_refused_) env_.reporter->Report(Severity::kWarn, "journal cannot grow: " + status->ToString());
          (void)env_.fs->Remove(made->path);
          grow_again_us_ = env_.clock->MonotonicUs() + kGrowAgainUs;
          grow_refused_ = true;
          if (!IsLack(status->code())) Fail(*status);
        } else {
          grow_refused_ = false;
          free_.push_back(std::make_unique<JournalFile>(std::move(*made)));
          Pump();
          env_.writer->Flush();
        }
        if (on_grown_) on_grown_();
      }));
}

void Journal::Free(const JournalMark& mark) {
  if (mark.incarnation != incarnation_) return;
  freed_ = std::max(freed_, mark.sequence);
  while (!uncovered_.empty() && uncovered_.front().first <= freed_) {
    used_bytes_ -= uncovered_.front().second;
    uncovered_.pop_front();
  }
  Recycle();
  Pump();
  env_.writer->Flush();
}

// A checkpoint may cover frames that are still being written; their file is free only when no write into it can come any more.
void Journal::Recycle() {
  while (live_.size() > 1 && live_.front()->last_sequence <= std::min(freed_, durable_)) {
    free_.push_back(std::move(live_.front()));
    live_.pop_front();
  }
}

int64_t Journal::capacity_bytes() const {
  int64_t bytes = 0;
  for (const auto& file : live_) bytes += file->bytes;
  for (const auto& file : free_) bytes += file->bytes;
  return bytes;
}

bool Journal::Stalled(int64_t now_us) const { return write_times(now_us).waiting_us >= std::max(kStalledUs, kStalledTimes * usual_write_us_); }

io::WriteTimes Journal::write_times(int64_t now_us) const {
  io::WriteTimes times = ended_;
  if (placed_ > 0 && !failed_) times.waiting_us = std::max<int64_t>(0, now_us - frames_.front()->submitted_us);
  return times;
}

int64_t Journal::limit_bytes() const {
  const int64_t capacity = capacity_bytes(), file = NextFileBytes();
  return grow_refused_ || capacity >= options_.max_bytes ? capacity : capacity + (options_.max_bytes - capacity) / file * file;
}

int64_t Journal::room_bytes() const {
  int64_t room = 0;
  // A frame lies in one file, so each file that follows costs what the one before had left.
  for (const auto& file : free_) room += file->bytes - kFrameTargetBytes;
  if (!live_.empty()) room += StartsAnew() ? live_.back()->bytes : live_.back()->bytes - live_.back()->at;
  return room - waiting_bytes_ - (open_ ? static_cast<int64_t>(open_->used) : 0);
}

int64_t Journal::reserved_bytes() const { return std::min(kReserveBytes, capacity_bytes() / kReservePart); }

}  // namespace sluice::log
