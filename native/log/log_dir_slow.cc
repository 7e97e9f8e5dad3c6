// A disk that makes writers wait: segments are written by the appender, one log's batches in order, while the home thread goes on. The journal is told of
// a batch when the segment has it, as ever: it never runs ahead of what could still fail.
#include <algorithm>

#include "base/assert.h"
#include "log/log_dir_impl.h"

namespace sluice::log {
namespace {

constexpr int64_t kSlowUs = 30000;          // for what one tick writes, or what the appender writes at a time, and on top of
constexpr int64_t kSlowBytesPerUs = 100;    // what filling pages may take that the machine has not touched lately
constexpr int64_t kWellAgainUs = 1000000;   // without such a write, before the home thread writes again

}  // namespace

void LogDir::Impl::NoteWrite(int64_t bytes, int64_t took_us) {
  if (took_us >= kSlowUs + bytes / kSlowBytesPerUs) slow_until_us = env.clock->MonotonicUs() + kWellAgainUs;
}

// Before it is felt: more is dirty than the kernel likes, or the journal's writes do not come back.
void LogDir::Impl::LookWhetherSlow(int64_t now_us) {
  if (slow_until_us > 0 && now_us >= slow_until_us) slow_until_us = 0;
  if (dirty_bytes() / 3 > dirty_budget / 2 || (journal && journal->Stalled(now_us))) slow_until_us = now_us + kWellAgainUs;
}

void LogDir::Impl::CountKept(LogSlot& slot) {
  const int64_t now = slot.log->kept_bytes();
  kept_bytes += now - slot.kept_bytes;
  slot.kept_bytes = now;
}

void LogDir::Impl::KeepAndWrite(LogSlot* slot) {
  slot->log->KeepStaged();
  CountKept(*slot);
  StartWrite(slot);
}

void LogDir::Impl::StartWrite(LogSlot* slot) {
  std::shared_ptr<LogWrite> write = slot->log->BeginWrite();
  if (write == nullptr) return;
  ++slot->users;
  ++appender_writes;
  SubmitWrite(slot, std::move(write));
}

void LogDir::Impl::SubmitWrite(LogSlot* slot, std::shared_ptr<LogWrite> write) {
  auto took_us = std::make_shared<int64_t>(0);
  env.appender->Submit(io::MakeJob(
      [write, took_us, clock = env.clock] {
        const int64_t begin_us = clock->MonotonicUs();
        write->Run();
        *took_us = clock->MonotonicUs() - begin_us;
      },
      [this, slot, write, took_us] {
        FinishWrite(slot, write, *took_us);
      }));
}

void LogDir::Impl::FinishWrite(LogSlot* slot, const std::shared_ptr<LogWrite>& write, int64_t took_us) {
  Log& log = *slot->log;
  const auto make_space = [this, slot] { return slot->internal && !slot->deleted && status.ok() && MakeSpace(); };
  if (write->status.code() == Code::kNoSpace && log.offline().ok() && make_space()) {
    SubmitWrite(slot, write);
    return;
  }
  --appender_writes;
  // Who waits for what could not be written may stage and commit; slots stay until nothing of this runs.
  ++commit_depth;
  writing = true;
  client_room = journal ? ClientRoom() : 0;
  const int64_t before = log.size_bytes();
  const Status written = log.FinishWrite(*write, make_space, [this, slot](const BatchEntry& batch) { TellJournal(*slot, batch); });
  appended_bytes += log.size_bytes() - before;
  NoteWrite(log.size_bytes() - before, took_us);
  writing = false;
  CountKept(*slot);
  NoteLack(written);
  if (!written.ok() && !IsLack(written.code()) && !slot->deleted && status.ok()) {
    env.reporter->Report(Severity::kError, log.name().ToString() + ": " + written.ToString());
  }
  // The next one is on its way before anybody is told of this one. What the journal was told leaves with the Commit that ends the tick: many of these share a frame.
  StartWrite(slot);
  if (status.ok()) AfterWrite(slot);
  --commit_depth;
  Unuse(slot);
  ReleaseDeleted();
  NoticeRoom();
  if (on_closed) TryClose();
}

}  // namespace sluice::log
