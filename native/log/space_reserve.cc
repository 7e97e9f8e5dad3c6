#include "log/space_reserve.h"

#include <algorithm>
#include <cerrno>

namespace sluice::log {
namespace {

constexpr int64_t kReservePiece = 1 << 20;

}  // namespace

Status SpaceReserve::Ensure(int64_t bytes, int64_t beside) {
  if (impossible()) return Status::Ok();
  std::unique_lock lock(mutex_);
  const int64_t before = bytes_.load();
  bytes = std::max(bytes, before);
  if (before >= bytes && beside == 0) return Status::Ok();
  // To try and fail would take, for a moment, the last bytes from those who work on a full disk.
  Result<int64_t> free = fs_.FreeBytes(dir_);
  if (!free.ok()) return free.status();
  if (*free < bytes - before + beside) return Status::FromErrno(ENOSPC, "allocate");
  Result<std::unique_ptr<io::File>> file = fs_.Open(path_, io::OpenMode::kCreate);
  if (!file.ok()) return file.status();
  Status made = EnsureLocked(**file, bytes, beside);
  if (impossible()) return Status::Ok();
  if (made.ok()) {
    // Nobody waits for the disk: Take may have a piece of it meanwhile.
    lock.unlock();
    made = (*file)->Sync();
    if (made.ok()) made = fs_.SyncDir(dir_);
    if (made.ok()) return made;
    lock.lock();
  }
  // Half of it would be space that nobody can use.
  bytes_ = std::min(before, bytes_.load());
  (void)(*file)->Truncate(bytes_);
  return made;
}

Status SpaceReserve::EnsureLocked(io::File& file, int64_t bytes, int64_t beside) {
  const Status allocated = file.Allocate(bytes + beside);
  if (allocated.sys_errno() == EOPNOTSUPP || allocated.sys_errno() == ENOSYS) {
    impossible_ = true;
    bytes_ = 0;
    return fs_.Remove(path_);
  }
  SLUICE_TRY(allocated);
  if (beside > 0) SLUICE_TRY(file.Truncate(bytes));
  bytes_ = bytes;
  return Status::Ok();
}

Status SpaceReserve::Release() {
  std::lock_guard lock(mutex_);
  bytes_ = 0;
  const Status removed = fs_.Remove(path_);
  if (removed.code() == Code::kNotFound) return Status::Ok();
  SLUICE_TRY(removed);
  return fs_.SyncDir(dir_);  // a file system may give freed blocks out again only when the removal is durable
}

bool SpaceReserve::Take() {
  std::lock_guard lock(mutex_);
  const int64_t left = bytes_.load() - kReservePiece;
  if (left < least_.load()) return false;
  Result<std::unique_ptr<io::File>> file = fs_.Open(path_, io::OpenMode::kReadWrite);
  if (!file.ok() || !(*file)->Truncate(left).ok()) return false;
  bytes_ = left;
  return true;
}

}  // namespace sluice::log
