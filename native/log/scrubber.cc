#include "log/scrubber.h"

#include <algorithm>

#include "log/batch_scanner.h"
#include "log/cleaner_plan.h"
#include "log/offset_index.h"

namespace sluice::log {
namespace {

constexpr int64_t kScrubStepBytes = 1 << 20;
constexpr int64_t kFirstRoundUs = 600000000;   // a start has better things to read

// Takes what the page cache has; what has to be read for it is taken out again.
class GuestFile final : public io::File {
 public:
  explicit GuestFile(io::File* file) : file_(file) {}
  Result<size_t> ReadAt(MutableBytes out, int64_t position) override {
    size_t cached = 0;
    if (!from_disk) {
      Result<size_t> got = file_->ReadAtNoWait(out, position);
      if (got.ok()) cached = *got;
      if (cached == out.size()) return cached;
    }
    const int64_t rest = position + static_cast<int64_t>(cached);
    if (from_disk) file_->DropCache(rest, static_cast<int64_t>(out.size() - cached));
    Result<size_t> got = file_->ReadAt(out.subspan(cached), rest);
    file_->DropCache(rest, static_cast<int64_t>(out.size() - cached));
    if (!got.ok()) return got;
    return cached + *got;
  }
  Result<size_t> ReadAtNoWait(MutableBytes out, int64_t position) override { return file_->ReadAtNoWait(out, position); }
  Status WriteAt(Bytes, int64_t) override { return ReadOnly(); }
  Status WriteVectorAt(std::span<iovec>, int64_t) override { return ReadOnly(); }
  Status Sync() override { return ReadOnly(); }
  void StartWriteback(int64_t, int64_t) override {}
  void DropCache(int64_t position, int64_t length) override { file_->DropCache(position, length); }
  void ReadAhead(int64_t, int64_t) override {}
  Status Truncate(int64_t) override { return ReadOnly(); }
  Status Allocate(int64_t) override { return ReadOnly(); }
  Result<int64_t> Size() override { return file_->Size(); }
  int fd() const override { return file_->fd(); }

  bool from_disk = false;

 private:
  static Status ReadOnly() { return Status::Error(Code::kInvalid, "a scrub only reads"); }
  io::File* const file_;
};

}  // namespace

// One segment being read, a step at a time.
struct LogDir::Impl::Scrubber::Reading {
  struct Found {
    DamagedRange range;
    std::string what;
  };
  TopicPartition name;
  std::shared_ptr<Segment> segment;
  std::unique_ptr<GuestFile> file;
  std::unique_ptr<BatchScanner> scanner;
  int64_t position = 0, step_from = 0;
  bool over = false;
  std::vector<Found> found;   // by the last step

  void Run() {
    found.clear();
    step_from = position;
    if (!file) {
      // Its own descriptor: by its name another segment may be found, once it has been compacted.
      const Status opened = segment->EnsureOpen(ReadMode::kBlocking);
      over = !opened.ok();
      if (!opened.ok()) {
        // Retention may have taken it away meanwhile.
        if (opened.code() != Code::kNotFound) found.push_back({{0, segment->size()}, opened.ToString()});
        return;
      }
      file = std::make_unique<GuestFile>(&segment->log_file());
    }
    while (!over && position - step_from < kScrubStepBytes) Batch();
  }

  void Batch() {
    if (!scanner) scanner = std::make_unique<BatchScanner>(*file, BatchScanner::Options{.from = position, .end = segment->size(), .check_crc = true});
    const BatchScanner::Step step = scanner->Next();
    if (step == BatchScanner::Step::kBatch) {
      position = scanner->next_position();
      return;
    }
    if (step == BatchScanner::Step::kEnd) {
      over = true;
      return;
    }
    BatchScanner again(*file, {.from = position, .end = segment->size(), .check_crc = true});
    file->from_disk = true;
    const BatchScanner::Step second = again.Next();
    file->from_disk = false;
    scanner.reset();
    if (second == BatchScanner::Step::kBatch) {
      position = again.next_position();
      return;
    }
    const int64_t end = again.head().size > 0 && again.status().code() == Code::kCorrupt && Continues(position + again.head().size) ? position + again.head().size : NextIndexed();
    found.push_back({{position, end}, again.status().code() == Code::kCorrupt ? again.status().what() : again.status().ToString()});
    position = end;
    over = position >= segment->size();
  }

  bool Continues(int64_t at) {
    if (at == segment->size()) return true;
    BatchScanner next(*file, {.from = at, .end = segment->size()});
    return next.Next() == BatchScanner::Step::kBatch && next.head().base >= segment->base();
  }

  // The next batch that the offset index knows; the end where it knows none.
  int64_t NextIndexed() {
    const IndexSnapshot snapshot = segment->offset_index().Snapshot(true);
    Result<std::shared_ptr<io::File>> index = segment->offset_index().OpenFile(segment->fs(), segment->PathOf(kOffsetIndexSuffix), ReadMode::kBlocking);
    if (!index.ok()) return segment->size();
    IndexReader reader(snapshot, kOffsetEntryBytes, index->get(), ReadMode::kBlocking);
    for (int64_t slot = 0; slot < snapshot.count; ++slot) {
      Result<const uint8_t*> entry = reader.At(slot);
      if (!entry.ok()) break;
      const int64_t at = DecodeOffsetEntry(segment->base(), *entry).position;
      if (at > position && at < segment->size()) return at;
    }
    return segment->size();
  }
};

void LogDir::Impl::Scrubber::OnTimer() {
  if (stopped_ || running_ || options_.bytes_per_second <= 0) return;
  const int64_t now_us = dir_.env.clock->MonotonicUs();
  if (next_round_us_ < 0) next_round_us_ = now_us + std::min(options_.interval_ms * 1000, kFirstRoundUs);
  if (!reading_ && due_.empty() && now_us >= next_round_us_) BeginRound(now_us);
  if ((reading_ || !due_.empty()) && rate_free_us_ <= now_us + kTimerUs) Step();
}

void LogDir::Impl::Scrubber::BeginRound(int64_t now_us) {
  next_round_us_ = now_us + options_.interval_ms * 1000;
  for (const auto& [id, slot] : dir_.slots) {
    if (!slot->log->offline().ok() || !slot->log->has_sealed()) continue;
    const CleanView view = slot->log->ViewForCleaning();
    for (size_t i = 0; i + 1 < view.segments->size(); ++i) {
      if ((*view.segments)[i]->size() > 0) due_.push_back({id, (*view.segments)[i]->base()});
    }
  }
}

void LogDir::Impl::Scrubber::Step() {
  while (!reading_ && !due_.empty()) {
    const Due next = due_.front();
    due_.pop_front();
    auto slot = dir_.slots.find(next.id);
    if (slot == dir_.slots.end()) continue;
    const CleanView view = slot->second->log->ViewForCleaning();
    for (size_t i = 0; i + 1 < view.segments->size() && !reading_; ++i) {
      if ((*view.segments)[i]->base() != next.base) continue;
      reading_ = std::make_shared<Reading>();
      reading_->name = view.name;
      reading_->segment = (*view.segments)[i];
    }
  }
  if (!reading_) return;
  running_ = true;
  dir_.env.pool->Submit(io::MakeJob([reading = reading_] { reading->Run(); }, [this] { OnStep(); }));
}

void LogDir::Impl::Scrubber::OnStep() {
  running_ = false;
  const int64_t read = reading_->position - reading_->step_from, now_us = dir_.env.clock->MonotonicUs();
  bytes_ += read;
  rate_free_us_ = std::max(rate_free_us_, now_us - kTimerUs) + static_cast<int64_t>(static_cast<double>(read) / static_cast<double>(std::max<int64_t>(options_.bytes_per_second, 1)) * 1e6);
  for (const Reading::Found& found : reading_->found) {
    if (!reading_->segment->AddDamage(found.range)) continue;   // an earlier round has told
    ++damaged_;
    dir_.env.reporter->Report(Severity::kError, reading_->segment->log_path() + " at " + std::to_string(found.range.from) + ": partition " + reading_->name.ToString() + " is damaged: " +
                                                    found.what + "; " + std::to_string(found.range.to - found.range.from) + " bytes are not served any more");
  }
  if (reading_->over) reading_.reset();
  if (stopped_) dir_.TryClose();
}

bool LogDir::Impl::Scrubber::Stop() {
  stopped_ = true;
  return running_;
}

}  // namespace sluice::log
