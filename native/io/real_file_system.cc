#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <map>
#include <mutex>
#include <utility>

#include "base/result.h"
#include "io/dirty_budget.h"
#include "io/file.h"
#include "io/real_file.h"

namespace sluice::io {
namespace {

constexpr uint32_t kDirectAlignment = 4096;

// Record locks belong to the process, so two engines in one process need this list beside them. Keyed by device and inode.
std::mutex g_locks_mutex;
std::map<std::pair<uint64_t, uint64_t>, bool>& HeldLocks() {
  static auto* held = new std::map<std::pair<uint64_t, uint64_t>, bool>();
  return *held;
}

class RealLock final : public FileLock {
 public:
  RealLock(int fd, std::pair<uint64_t, uint64_t> key) : fd_(fd), key_(key) {}
  ~RealLock() override {
    std::lock_guard<std::mutex> guard(g_locks_mutex);
    HeldLocks().erase(key_);
    ::close(fd_);
  }

 private:
  const int fd_;
  const std::pair<uint64_t, uint64_t> key_;
};

class RealFileSystemImpl final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override {
    int flags = O_CLOEXEC;
    switch (mode) {
      case OpenMode::kRead: flags |= O_RDONLY; break;
      case OpenMode::kReadWrite: flags |= O_RDWR; break;
      case OpenMode::kCreate: flags |= O_RDWR | O_CREAT; break;
      case OpenMode::kCreateNew: flags |= O_RDWR | O_CREAT | O_EXCL; break;
      case OpenMode::kDirectSync: flags |= O_RDWR | O_CREAT | O_DIRECT | O_DSYNC; break;
    }
    int fd = ::open(path.c_str(), flags, 0644);
    if (fd < 0) return Status::FromErrno(errno, "open " + path);
    return std::unique_ptr<File>(new RealFile(fd));
  }

  Result<std::vector<DirEntry>> List(const std::string& dir) override {
    DIR* handle = ::opendir(dir.c_str());
    if (handle == nullptr) return Status::FromErrno(errno, "list " + dir);
    std::vector<DirEntry> entries;
    errno = 0;
    while (dirent* item = ::readdir(handle)) {
      std::string name = item->d_name;
      if (name == "." || name == "..") continue;
      bool is_dir = item->d_type == DT_DIR;
      if (item->d_type == DT_UNKNOWN || item->d_type == DT_LNK) {
        struct stat st;
        is_dir = ::stat((dir + "/" + name).c_str(), &st) == 0 && S_ISDIR(st.st_mode);
      }
      entries.push_back({std::move(name), is_dir});
      errno = 0;
    }
    int failure = errno;
    ::closedir(handle);
    if (failure != 0) return Status::FromErrno(failure, "list " + dir);
    return entries;
  }

  Result<bool> Exists(const std::string& path) override {
    struct stat st;
    if (::stat(path.c_str(), &st) == 0) return true;
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return Status::FromErrno(errno, "stat " + path);
  }

  Result<int64_t> FileSize(const std::string& path) override {
    struct stat st;
    if (::stat(path.c_str(), &st) != 0) return Status::FromErrno(errno, "stat " + path);
    return static_cast<int64_t>(st.st_size);
  }

  Result<int64_t> ModifiedMs(const std::string& path) override {
    struct stat st;
    if (::stat(path.c_str(), &st) != 0) return Status::FromErrno(errno, "stat " + path);
    return static_cast<int64_t>(st.st_mtim.tv_sec) * 1000 + st.st_mtim.tv_nsec / 1000000;
  }

  Status SetModifiedMs(const std::string& path, int64_t ms) override {
    timespec times[2];
    times[0].tv_nsec = UTIME_OMIT;
    times[1].tv_sec = ms / 1000;
    times[1].tv_nsec = ms % 1000 * 1000000;
    return ::utimensat(AT_FDCWD, path.c_str(), times, 0) == 0 ? Status::Ok() : Status::FromErrno(errno, "utimensat " + path);
  }

  Status MakeDirs(const std::string& dir) override {
    if (::mkdir(dir.c_str(), 0755) == 0) return Status::Ok();  // most often its parents are there
    for (size_t end = 1; end <= dir.size(); ++end) {
      if (end != dir.size() && dir[end] != '/') continue;
      std::string prefix = dir.substr(0, end);
      if (::mkdir(prefix.c_str(), 0755) == 0) continue;
      if (errno == EEXIST) {
        struct stat st;
        if (::stat(prefix.c_str(), &st) == 0 && S_ISDIR(st.st_mode)) continue;
        return Status::Error(Code::kExists, prefix + " is there and no directory");
      }
      return Status::FromErrno(errno, "make directory " + prefix);
    }
    return Status::Ok();
  }

  Status Rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return Status::FromErrno(errno, "rename " + from);
    return Status::Ok();
  }

  Status Remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return Status::FromErrno(errno, "remove " + path);
    return Status::Ok();
  }

  Status RemoveTree(const std::string& dir) override {
    Result<std::vector<DirEntry>> entries = List(dir);
    if (!entries.ok()) return entries.code() == Code::kNotFound ? Status::Ok() : entries.status();
    for (const DirEntry& entry : *entries) {
      std::string path = dir + "/" + entry.name;
      struct stat st;
      bool real_dir = ::lstat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode);  // a link is removed, never followed
      SLUICE_TRY(real_dir ? RemoveTree(path) : Remove(path));
    }
    if (::rmdir(dir.c_str()) != 0) return Status::FromErrno(errno, "remove directory " + dir);
    return Status::Ok();
  }

  Status SyncDir(const std::string& dir) override {
    int fd = ::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return Status::FromErrno(errno, "open directory " + dir);
    int failure = ::fsync(fd) == 0 ? 0 : errno;
    ::close(fd);
    if (failure != 0) return Status::FromErrno(failure, "fsync directory " + dir);
    return Status::Ok();
  }

  Status SyncAll(const std::string& any_path_on_it) override {
    Result<int> fd = Watched(any_path_on_it);
    if (!fd.ok()) return fd.status();
    if (::syncfs(*fd) != 0) return Status::FromErrno(errno, "syncfs " + any_path_on_it);
    return Status::Ok();
  }

  void WatchForErrors(const std::string& any_path_on_it) override { (void)Watched(any_path_on_it); }

  Result<int64_t> TotalBytes(const std::string& path) override {
    struct statvfs st;
    if (::statvfs(path.c_str(), &st) != 0) return Status::FromErrno(errno, "statvfs " + path);
    return static_cast<int64_t>(st.f_blocks) * static_cast<int64_t>(st.f_frsize);
  }

  Result<int64_t> FreeBytes(const std::string& path) override {
    struct statvfs st;
    if (::statvfs(path.c_str(), &st) != 0) return Status::FromErrno(errno, "statvfs " + path);
    return static_cast<int64_t>(::geteuid() == 0 ? st.f_bfree : st.f_bavail) * static_cast<int64_t>(st.f_frsize);
  }

  int64_t DirtyBudget() override { return DirtyBudgetOfKernel(); }

  Result<uint32_t> DirectAlignment(const std::string& dir) override {
    // Always whole 4 KiB blocks: with 512-byte logical sectors on a 4 KiB disk, a neighbour's write could tear what is already acknowledged.
    std::string path = dir + "/.direct-probe";
    int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_DIRECT | O_DSYNC | O_CLOEXEC, 0644);
    if (fd < 0) {
      if (errno == EINVAL || errno == EOPNOTSUPP) return 0u;
      return Status::FromErrno(errno, "open " + path);
    }
    void* block = nullptr;
    int failure = ::posix_memalign(&block, kDirectAlignment, kDirectAlignment);
    ssize_t n = -1;
    if (failure == 0) {
      __builtin_memset(block, 0, kDirectAlignment);
      n = ::pwrite(fd, block, kDirectAlignment, 0);
      failure = n < 0 ? errno : 0;
      ::free(block);
    }
    ::close(fd);
    ::unlink(path.c_str());
    if (n == static_cast<ssize_t>(kDirectAlignment)) return kDirectAlignment;
    if (failure == EINVAL || failure == EOPNOTSUPP || failure == 0) return 0u;
    return Status::FromErrno(failure, "write " + path);
  }

  Result<std::unique_ptr<FileLock>> Lock(const std::string& path) override {
    std::lock_guard<std::mutex> guard(g_locks_mutex);
    // Closing any descriptor of the file drops the process's record lock, so look whether we hold it before opening it again.
    struct stat st;
    if (::stat(path.c_str(), &st) == 0 && HeldLocks().count({st.st_dev, st.st_ino}) != 0) {
      return Status::Error(Code::kLocked, path + " is held by this process (pid " + std::to_string(::getpid()) + ")");
    }
    int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) return Status::FromErrno(errno, "open " + path);
    struct flock want {};
    want.l_type = F_WRLCK;
    want.l_whence = SEEK_SET;
    if (::fcntl(fd, F_SETLK, &want) != 0) {
      int failure = errno;
      std::string holder;
      if (::fcntl(fd, F_GETLK, &want) == 0 && want.l_type != F_UNLCK && want.l_pid > 0) holder = " (pid " + std::to_string(want.l_pid) + ")";
      ::close(fd);
      if (failure == EACCES || failure == EAGAIN) return Status::Error(Code::kLocked, path + " is held by another process" + holder);
      return Status::FromErrno(failure, "lock " + path);
    }
    if (::fstat(fd, &st) != 0) {
      int failure = errno;
      ::close(fd);
      return Status::FromErrno(failure, "stat " + path);
    }
    std::pair<uint64_t, uint64_t> key{st.st_dev, st.st_ino};
    HeldLocks()[key] = true;
    return std::unique_ptr<FileLock>(new RealLock(fd, key));
  }

 private:
  // The descriptor by which a path's file system is synced. It stays open: the kernel tells each descriptor once of the errors since it was opened.
  Result<int> Watched(const std::string& path) {
    std::lock_guard<std::mutex> guard(watched_mutex_);
    struct stat now, then;
    if (::stat(path.c_str(), &now) != 0) return Status::FromErrno(errno, "stat " + path);
    auto it = watched_.find(now.st_dev);
    if (it != watched_.end() && ::fstat(it->second, &then) == 0 && then.st_dev == now.st_dev) return it->second;
    int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return Status::FromErrno(errno, "open " + path);
    if (it != watched_.end()) ::close(it->second);
    watched_[now.st_dev] = fd;
    return fd;
  }

  std::mutex watched_mutex_;
  std::map<dev_t, int> watched_;  // one for each file system; guarded by watched_mutex_
};

}  // namespace

FileSystem& RealFileSystem() {
  static auto* fs = new RealFileSystemImpl();
  return *fs;
}

}  // namespace sluice::io
