// A full disk: clients are refused, what must go on lives on the reserve, and all is well again when there is room for both.
#include <algorithm>
#include <memory>
#include <utility>

#include "base/assert.h"
#include "log/log_dir_impl.h"

namespace sluice::log {
namespace {

constexpr int64_t kReplayBytes = 10 << 20;           // the next incarnation's first journal file, its checkpoint
constexpr int64_t kReplayBytesPerPartition = 16 << 10;  // indexes, snapshots, what blocks are rounded up to
constexpr int64_t kWorkBytes = 6 << 20;              // for internal topics, checkpoints and deletions while the disk is full
constexpr int64_t kRoomAgain = 4 << 20;              // beside the reserve, before clients may write again

}  // namespace

int64_t LogDir::Impl::WantedReserve(int64_t journal_capacity) const {
  return journal_capacity + old_journal_bytes.load(std::memory_order_relaxed) + kReplayBytes + kWorkBytes +
         kReplayBytesPerPartition * partition_count.load(std::memory_order_relaxed);
}

// On a disk that is nearly full the start waits for a checkpoint, which makes the old journal's space the reserve's.
bool LogDir::Impl::RoomForTwoJournals() {
  partition_count = static_cast<int64_t>(slots.size());
  Result<int64_t> free = env.fs->FreeBytes(options.path);
  return free.ok() && *free >= kReplayBytes + WantedReserve(kReplayBytes) + kRoomAgain;
}

void LogDir::Impl::NoteFull() {
  if (disk_full || on_closed) return;
  disk_full = true;
  env.reporter->Report(Severity::kWarn, "the disk of " + options.path + " is full: records are refused until there is room; groups, deletions and a stop go on");
}

// What is dirty holds its descriptors until a checkpoint, the rest gives them back now.
void LogDir::Impl::NoteLack(const Status& what) {
  if (what.code() == Code::kNoSpace) NoteFull();
  if (what.code() != Code::kNoFiles || std::exchange(out_of_files, true)) return;
  env.reporter->Report(Severity::kWarn, what.ToString() + ": let this process open more files (ulimit -n); until then what needs one is refused at times");
  for (auto& [id, slot] : slots) slot->log->CloseIdle();
}

bool LogDir::Impl::MakeSpace() {
  if (!journal) return false;
  NoteFull();
  // A stop that ends well needs no recovery.
  reserve.KeepAtLeast(on_closed ? 0 : journal->used_bytes() + old_journal_bytes.load(std::memory_order_relaxed) + kReplayBytes);
  return reserve.Take();
}

// A checkpoint may find no room for its own files. The names of what stays need none, and when they are durable what has left the log may go.
void LogDir::Impl::FreeDetached(LogSlot* slot) {
  if (std::exchange(slot->freeing, true)) return;
  ++slot->users;
  ++segment_syncs;
  auto result = std::make_shared<Status>();
  env.pool->Submit(io::MakeJob([result, fs = env.fs, dir = slot->log->dir()] { *result = fs->SyncDir(dir); },
                               [this, slot, result, generation = slot->log->names_generation()] {
                                 --segment_syncs;
                                 slot->freeing = false;
                                 if (!slot->deleted && status.ok()) {
                                   if (result->ok()) {
                                     slot->log->NamesSyncedTo(generation);
                                   } else if (!IsLack(result->code())) {
                                     TakeOffline(*result);
                                   }
                                 }
                                 Unuse(slot);
                                 ReleaseDeleted();
                                 if (on_closed) TryClose();
                               }));
}

void LogDir::Impl::CheckSpace() {
  partition_count = static_cast<int64_t>(slots.size());
  if (checking_space || retiring || !ready || !status.ok() || on_closed) return;
  const int64_t wanted = WantedReserve(journal->capacity_bytes());
  reserve.KeepAtLeast(journal->used_bytes() + old_journal_bytes.load(std::memory_order_relaxed) + kReplayBytes);
  if (!disk_full && (reserve.impossible() || reserve.bytes() >= wanted)) return;
  checking_space = true;
  auto result = std::make_shared<Status>();
  const int64_t beside = disk_full ? kRoomAgain : 0;
  env.pool->Submit(io::MakeJob([this, result, wanted, beside] { *result = reserve.Ensure(wanted, beside); },
                               [this, result] {
                                 checking_space = false;
                                 if (!status.ok()) {
                                   // The directory went offline meanwhile.
                                 } else if (result->code() == Code::kNoSpace) {
                                   NoteFull();  // what cannot be recovered must not be acknowledged
                                 } else if (!result->ok()) {
                                   if (!IsLack(result->code())) TakeOffline(*result);
                                 } else if (disk_full) {
                                   disk_full = false;
                                   env.reporter->Report(Severity::kInfo, "the disk of " + options.path + " has room again");
                                 }
                                 if (on_closed) TryClose();
                               }));
}

}  // namespace sluice::log
