// The one door to files. Everything above io/ reaches the disk only through File and FileSystem, so that a simulated disk can stand
// in for the real one.
// Thread: any, as far as pread/pwrite allow it: two threads may use one File at different positions.
// After error: a File stays usable, but whoever owns it decides; a failed Sync must never be retried on the same pages.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace sluice::io {

class File {
 public:
  virtual ~File() = default;  // closes
  // Reads until `out` is full or the file ends; the number of bytes read.
  virtual Result<size_t> ReadAt(MutableBytes out, int64_t position) = 0;
  // The same, but kWouldBlock where the bytes are not in the page cache (RWF_NOWAIT). A short count means: the rest is not in memory or the file ends.
  virtual Result<size_t> ReadAtNoWait(MutableBytes out, int64_t position) = 0;
  // Writes everything or fails; what was half written is the caller's to cut off.
  virtual Status WriteAt(Bytes data, int64_t position) = 0;
  // May change the iovecs.
  virtual Status WriteVectorAt(std::span<iovec> parts, int64_t position) = 0;
  // fdatasync, behind WriteOut.
  virtual Status Sync() = 0;
  // Brings what is dirty to the disk little by little, without making it durable, but for the last piece, which may still be under way. Who syncs the whole
  // file system calls it for large files first, and takes its error for the sync's: nobody else is told of it.
  virtual Status WriteOut() { return Status::Ok(); }
  // Starts write-back of a range without waiting (sync_file_range); advisory, never fails the caller.
  virtual void StartWriteback(int64_t position, int64_t length) = 0;
  // Drops the range from the page cache (POSIX_FADV_DONTNEED), or asks for it to be read ahead (WILLNEED). Advisory.
  virtual void DropCache(int64_t position, int64_t length) = 0;
  virtual void ReadAhead(int64_t position, int64_t length) = 0;
  // The kernel reads what it is asked for and nothing ahead of it (POSIX_FADV_RANDOM): who reads on calls ReadAhead. Advisory.
  virtual void ReadNothingAhead() {}
  virtual Status Truncate(int64_t size) = 0;
  // Takes space on the disk for the first `size` bytes and makes the file at least so long, without writing them. kNoSpace leaves the file longer than it
  // was, maybe; where the file system cannot do it, kIo with EOPNOTSUPP.
  virtual Status Allocate(int64_t size) = 0;
  virtual Result<int64_t> Size() = 0;
  // The descriptor for sendfile and splice, -1 where there is none (simulation).
  virtual int fd() const = 0;
};

enum class OpenMode : uint8_t {
  kRead,            // must exist
  kReadWrite,       // must exist
  kCreate,          // read-write, made if missing
  kCreateNew,       // read-write, kExists if there
  kDirectSync,      // read-write, made if missing, O_DIRECT | O_DSYNC: aligned memory, positions and lengths only
};

struct DirEntry {
  std::string name;
  bool is_dir = false;
};

// Held as long as it lives; see FileSystem::Lock.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) = 0;
  virtual Result<std::vector<DirEntry>> List(const std::string& dir) = 0;
  virtual Result<bool> Exists(const std::string& path) = 0;
  virtual Result<int64_t> FileSize(const std::string& path) = 0;
  virtual Result<int64_t> ModifiedMs(const std::string& path) = 0;
  virtual Status SetModifiedMs(const std::string& path, int64_t ms) = 0;
  // Makes the directory and its parents; ok when it is there.
  virtual Status MakeDirs(const std::string& dir) = 0;
  virtual Status Rename(const std::string& from, const std::string& to) = 0;
  virtual Status Remove(const std::string& path) = 0;          // a file
  virtual Status RemoveTree(const std::string& dir) = 0;       // a directory and all in it; ok when missing
  virtual Status SyncDir(const std::string& dir) = 0;          // makes names in it durable
  // syncfs. Tells of every write-back error on the file system since WatchForErrors of the same path (Linux 5.8), at least of its own.
  virtual Status SyncAll(const std::string& any_path_on_it) = 0;
  virtual void WatchForErrors(const std::string& any_path_on_it) { (void)any_path_on_it; }
  // Of the file system that the path is on: all of it, and what this process may still use.
  virtual Result<int64_t> TotalBytes(const std::string& path) = 0;
  virtual Result<int64_t> FreeBytes(const std::string& path) = 0;
  // How many bytes may be written and not synced before the kernel is near to making writers wait for the disk.
  virtual int64_t DirtyBudget() { return INT64_MAX; }
  // Sector size that O_DIRECT needs here (512 or 4096), or 0 where O_DIRECT is refused.
  virtual Result<uint32_t> DirectAlignment(const std::string& dir) = 0;
  // Exclusive lock on a file, made if missing. kLocked names the holder's pid where it is known.
  virtual Result<std::unique_ptr<FileLock>> Lock(const std::string& path) = 0;
};

// Reads a whole file of at most `limit` bytes; kTooLarge beyond.
Result<std::string> ReadWholeFile(FileSystem& fs, const std::string& path, int64_t limit);
// Writes path + ".tmp", syncs it, renames it over path and syncs the directory: after ok the new content is durable, before it the old one stands.
Status WriteFileAtomically(FileSystem& fs, const std::string& path, const std::string& content);

// The real disk.
FileSystem& RealFileSystem();

}  // namespace sluice::io
