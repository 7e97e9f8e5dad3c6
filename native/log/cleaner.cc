#include "log/cleaner.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace sluice::log {
namespace {

constexpr int64_t kRunStepBytes = 4 << 20;       // of a run at a time
constexpr int64_t kLackUs = 1000000;             // until what lacked is asked for again
constexpr int64_t kMaxMapBytes = INT32_MAX;      // of one run, as in Kafka

struct Found {
  Status failure;   // of `view`'s log
  CleanView view;
  CleanRange range;
  std::vector<std::pair<TopicPartition, Offset>> corrected;
  bool any = false;
};

bool IsDamage(Code code) { return code == Code::kCorrupt || code == Code::kUnsupportedFormat || code == Code::kTooLarge || code == Code::kIo; }

}  // namespace

int64_t LogDir::Impl::Cleaner::StepBytes() const {
  const double tenth = options_.max_bytes_per_second / 10;
  return tenth >= static_cast<double>(kRunStepBytes) ? kRunStepBytes : std::max<int64_t>(static_cast<int64_t>(tenth), 64 << 10);
}

void LogDir::Impl::Cleaner::OnTimer() {
  const int64_t now_us = dir_.env.clock->MonotonicUs();
  std::vector<std::shared_ptr<Run>> waiting;
  for (auto& [id, run] : runs_) {
    if (run->waits) waiting.push_back(run);
  }
  for (auto& run : waiting) {
    if (rate_free_us_ <= now_us + kTimerUs) GoOn(run);
  }
  if (stopped_ || looking_ || !options_.enabled || static_cast<int32_t>(runs_.size()) >= options_.threads || now_us < next_look_us_) return;
  Look();
}

// Measuring may read files, so the pool does it.
void LogDir::Impl::Cleaner::Look() {
  struct Candidate {
    CleanView view;
    std::optional<Offset> cleaned_to;
  };
  auto candidates = std::make_shared<std::vector<Candidate>>();
  for (const auto& [id, slot] : dir_.slots) {
    const Log& log = *slot->log;
    if (!log.config().cleanup_compact || !log.offline().ok() || !log.has_sealed() || runs_.count(id) != 0 || uncleanable_.count(id) != 0) continue;
    auto noted = cleaned_.find(log.name());
    candidates->push_back({log.ViewForCleaning(), noted == cleaned_.end() ? std::nullopt : std::optional(noted->second)});
  }
  next_look_us_ = dir_.env.clock->MonotonicUs() + std::min<int64_t>(options_.backoff_ms, INT64_MAX / 2000) * 1000;
  if (candidates->empty()) return;
  looking_ = true;
  auto found = std::make_shared<Found>();
  dir_.env.pool->Submit(io::MakeJob(
      [candidates, found, now = TimestampMs(dir_.env.clock->WallMs())] {
        for (Candidate& candidate : *candidates) {
          Result<CleanRange> range = MeasureDirt(candidate.view, candidate.cleaned_to, now);
          if (!range.ok()) {
            if (!IsDamage(range.code())) continue;
            found->failure = range.status();
            found->view = std::move(candidate.view);
            return;
          }
          if (range->invalid) found->corrected.emplace_back(candidate.view.name, range->first_dirty);
          if (!range->due || (found->any && range->ratio <= found->range.ratio)) continue;
          found->any = true;
          found->range = *range;
          found->view = std::move(candidate.view);
        }
        candidates->clear();
      },
      [this, found] {
        looking_ = false;
        for (const auto& [name, offset] : found->corrected) cleaned_[name] = offset;
        if (!found->corrected.empty()) SaveOffsets();
        if (!found->failure.ok()) {
          LeaveAlone(found->view.id, found->view.name, found->failure);
          next_look_us_ = 0;
        } else if (found->any) {
          OnFound(found->view, found->range);
        }
        Settled();
      }));
}

void LogDir::Impl::Cleaner::OnFound(const CleanView& view, const CleanRange& range) {
  auto at = dir_.slots.find(view.id);
  if (stopped_ || at == dir_.slots.end() || !dir_.status.ok()) return;
  if (at->second->proven_base >= range.first_uncleanable) {
    Begin(view.id, range);
    return;
  }
  looking_ = true;
  dir_.StartCheckpoint([this, id = view.id, range](Status written) {
    looking_ = false;
    if (written.ok()) Begin(id, range);
    Settled();
  });
}

void LogDir::Impl::Cleaner::Begin(const TopicIdPartition& id, const CleanRange& range) {
  auto at = dir_.slots.find(id);
  if (stopped_ || !options_.enabled || at == dir_.slots.end() || !dir_.status.ok()) return;
  LogSlot* slot = at->second.get();
  Log& log = *slot->log;
  if (slot->proven_base < range.first_uncleanable || !log.config().cleanup_compact || !log.BeginClean(range.first_uncleanable)) return;
  const int32_t threads = std::max(options_.threads, 1);
  CleanMemory memory;
  memory.map_bytes = std::min(options_.map_bytes / threads, kMaxMapBytes);
  memory.load_factor = options_.load_factor;
  memory.buffer_bytes = std::max<int64_t>(options_.buffer_bytes / threads / 2, 4096);
  auto run = std::make_shared<Run>();
  run->run = std::make_unique<CleanRun>(log.ViewForCleaning(), range, memory, log.LastOfProducers(), TimestampMs(dir_.env.clock->WallMs()));
  run->slot = slot;
  ++slot->users;   // its folder keeps its name until the run has ended
  runs_[id] = run;
  GoOn(run);
}

void LogDir::Impl::Cleaner::GoOn(const std::shared_ptr<Run>& run) {
  run->waits = false;
  dir_.env.pool->Submit(io::MakeJob([run, bytes = StepBytes()] { run->step = run->run->Next(bytes); }, [this, run] { OnStep(run); }));
}

void LogDir::Impl::Cleaner::OnStep(const std::shared_ptr<Run>& run) {
  CleanRun& clean = *run->run;
  const int64_t now_us = dir_.env.clock->MonotonicUs();
  if (run->step == CleanRun::Step::kReplaced) run->slot->log->Replace(clean.TakeReplacement());
  if (!dir_.status.ok()) clean.Abort();
  if (run->step == CleanRun::Step::kLacks) {
    TellLack(clean, clean.lack());
    if (!dir_.status.ok() || (stopped_ && !dir_.MakeSpace())) {
      Finish(run);
    } else if (stopped_) {
      GoOn(run);
    } else {
      run->waits = true;
      rate_free_us_ = std::max(rate_free_us_, now_us + kLackUs);
    }
    return;
  }
  if (run->step == CleanRun::Step::kDone || run->step == CleanRun::Step::kFailed) {
    Finish(run);
    return;
  }
  const double us = static_cast<double>(clean.TakeBytes()) * 1e6 / std::max(options_.max_bytes_per_second, 1.0);
  rate_free_us_ = std::max(rate_free_us_, now_us) + static_cast<int64_t>(std::min(us, 3.6e9));
  if (rate_free_us_ <= now_us + kTimerUs || stopped_ || run->slot->deleted) {
    GoOn(run);
  } else {
    run->waits = true;
  }
}

void LogDir::Impl::Cleaner::Finish(const std::shared_ptr<Run>& run) {
  CleanRun& clean = *run->run;
  LogSlot* slot = run->slot;
  const Status status = run->step == CleanRun::Step::kLacks ? clean.lack() : clean.status();
  const bool deleted = slot->deleted;
  slot->log->EndClean();
  runs_.erase(clean.id());
  dir_.Unuse(slot);
  if (run->step == CleanRun::Step::kDone) {
    ++finished_;
    told_lack_ = false;
    if (!deleted) {
      cleaned_[clean.name()] = clean.end();
      SaveOffsets();
    }
    next_look_us_ = 0;
  } else if (clean.after_commit()) {
    dir_.TakeOffline(status);
  } else if (IsDamage(status.code()) && !deleted) {
    LeaveAlone(clean.id(), clean.name(), status);
    next_look_us_ = 0;
  } else if (IsLack(status.code())) {
    TellLack(clean, status);
  }
  run->run.reset();
  dir_.ReleaseDeleted();
  Settled();
}

void LogDir::Impl::Cleaner::TellLack(const CleanRun& clean, const Status& lack) {
  if (!std::exchange(told_lack_, true)) dir_.env.reporter->Report(Severity::kWarn, "compaction of " + clean.name().ToString() + " waits: " + lack.ToString());
}

void LogDir::Impl::Cleaner::LeaveAlone(const TopicIdPartition& id, const TopicPartition& name, const Status& why) {
  if (!uncleanable_.insert(id).second) return;
  dir_.env.reporter->Report(Severity::kError, "partition " + name.ToString() + " cannot be compacted and is left as it is until the next start: " + why.ToString());
}

void LogDir::Impl::Cleaner::Forget(const TopicIdPartition& id, const TopicPartition& name) {
  uncleanable_.erase(id);
  if (auto run = runs_.find(id); run != runs_.end()) {
    run->second->run->Abort();
    if (run->second->waits) GoOn(run->second);
  }
  if (cleaned_.erase(name) != 0) SaveOffsets();
}

bool LogDir::Impl::Cleaner::Stop() {
  stopped_ = true;
  std::vector<std::shared_ptr<Run>> waiting;
  for (auto& [id, run] : runs_) {
    run->run->Abort();
    if (run->waits) waiting.push_back(run);
  }
  for (auto& run : waiting) GoOn(run);
  return looking_ || saving_ || !runs_.empty();
}

void LogDir::Impl::Cleaner::Settled() {
  if (dir_.on_closed) dir_.TryClose();
}

// Where the next cleanings begin. Written behind the cleaning that it speaks of, so that it never promises more than was done.
void LogDir::Impl::Cleaner::SaveOffsets() {
  if (saving_) {
    save_again_ = true;
    return;
  }
  saving_ = true;
  save_again_ = false;
  std::unordered_set<std::string> known;
  for (const auto& [id, slot] : dir_.slots) known.insert(slot->log->name().ToString());
  std::erase_if(cleaned_, [&](const auto& item) { return known.count(item.first.ToString()) == 0; });
  auto result = std::make_shared<Status>();
  dir_.env.pool->Submit(io::MakeJob(
      [result, fs = dir_.env.fs, path = dir_.PathOf(kCleanedOffsetsName), offsets = cleaned_] { *result = WriteOffsets(*fs, path, offsets); },
      [this, result] {
        saving_ = false;
        // Losing it costs another cleaning, no more; a broken disk shows elsewhere.
        if (!result->ok()) dir_.env.reporter->Report(Severity::kWarn, std::string(kCleanedOffsetsName) + " is not written: " + result->ToString());
        if (save_again_) SaveOffsets();
        Settled();
      }));
}

}  // namespace sluice::log
