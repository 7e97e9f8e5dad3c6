// Preloaded into a process, it writes down, in order, what the process changes on the disk below SLUICE_RECORD_ROOT, and which of that it makes durable:
//   <operation> <inode> <position> <length> <path> <second path>\n and `length` bytes, separated by tabs, in the file SLUICE_RECORD.
// What is written to SLUICE_RECORD_MARKS is a mark in that order. One thing at a time; syncs are only noted. test/support/recorded-disk.ts reads it.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define MOST_FILES 4096
enum { UNKNOWN, KEPT, SYNCED, DIRECTORY, MARKS };   // what a descriptor is: `SYNCED` writes are durable when they return

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static unsigned char kinds[MOST_FILES];
static const char *root, *marks;
static size_t root_length;
static int out = -1;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static void end(const char *why) {
  fprintf(stderr, "record-disk: %s: %s\n", why, strerror(errno));
  _exit(70);
}

__attribute__((constructor)) static void begin(void) {
  root = getenv("SLUICE_RECORD_ROOT");
  marks = getenv("SLUICE_RECORD_MARKS");
  const char *path = getenv("SLUICE_RECORD");
  if (root == NULL || path == NULL || marks == NULL) return;
  root_length = strlen(root);
  out = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (out < 0) end(path);
}

static int is_kept(const char *path) { return out >= 0 && path != NULL && strncmp(path, root, root_length) == 0 && (path[root_length] == '/' || path[root_length] == 0); }
static int kind_of(int fd) { return fd >= 0 && fd < MOST_FILES ? kinds[fd] : UNKNOWN; }

static void put(const void *data, size_t length) {
  const char *at = data;
  while (length > 0) {
    const long n = syscall(SYS_write, out, at, length);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) end("the record");
    at += n;
    length -= (size_t)n;
  }
}
static void note(const char *what, uint64_t inode, int64_t position, const void *data, size_t length, const char *path, const char *other) {
  const int saved = errno;
  char line[2 * PATH_MAX + 128];
  const int n = snprintf(line, sizeof line, "%s\t%llu\t%lld\t%zu\t%s\t%s\n", what, (unsigned long long)inode, (long long)position, length, path, other);
  put(line, (size_t)n);
  if (length > 0) put(data, length);
  errno = saved;
}
static uint64_t inode_of(int fd) {
  struct stat st;
  if (fstat(fd, &st) != 0) end("fstat");
  return st.st_ino;
}

static void written(int fd, const void *data, ssize_t n, int64_t position) {
  if (n <= 0) return;
  const int kind = kind_of(fd);
  if (kind == MARKS) note("mark", 0, 0, data, (size_t)n, "", "");
  if (kind == KEPT || kind == SYNCED) note(kind == SYNCED ? "writesync" : "write", inode_of(fd), position, data, (size_t)n, "", "");
}
static void written_parts(int fd, const struct iovec *parts, int count, ssize_t n, int64_t position) {
  for (int i = 0; i < count && n > 0; ++i) {
    const ssize_t part = n < (ssize_t)parts[i].iov_len ? n : (ssize_t)parts[i].iov_len;
    written(fd, parts[i].iov_base, part, position);
    position += part;
    n -= part;
  }
}

static int open_noted(int folder, const char *path, int flags, mode_t mode) {
  pthread_mutex_lock(&mutex);
  struct stat before;
  const int kept = is_kept(path), was_there = kept && stat(path, &before) == 0;
  const int fd = (int)syscall(SYS_openat, folder, path, flags, mode);
  if (fd >= 0 && fd < MOST_FILES && out >= 0) {
    struct stat st;
    kinds[fd] = UNKNOWN;
    if (kept && fstat(fd, &st) == 0) {
      kinds[fd] = S_ISDIR(st.st_mode) ? DIRECTORY : (flags & O_DSYNC) ? SYNCED : KEPT;
      if (!was_there) note("create", st.st_ino, 0, NULL, 0, path, "");
      else if (flags & O_TRUNC) note("truncate", st.st_ino, 0, NULL, 0, "", "");
    } else if (strcmp(path, marks) == 0) {
      kinds[fd] = MARKS;
    }
  } else if (kept && fd >= MOST_FILES) {
    end("too many files");
  }
  pthread_mutex_unlock(&mutex);
  return fd;
}
static mode_t mode_in(int flags, va_list list) { return flags & (O_CREAT | __O_TMPFILE) ? va_arg(list, mode_t) : 0; }
#define OPENED(folder)                    \
  va_list list;                           \
  va_start(list, flags);                  \
  const mode_t mode = mode_in(flags, list); \
  va_end(list);                           \
  return open_noted(folder, path, flags, mode);
int open(const char *path, int flags, ...) { OPENED(AT_FDCWD) }
int open64(const char *path, int flags, ...) { OPENED(AT_FDCWD) }
int openat(int folder, const char *path, int flags, ...) { OPENED(folder) }
int openat64(int folder, const char *path, int flags, ...) { OPENED(folder) }
int close(int fd) {
  if (fd >= 0 && fd < MOST_FILES) kinds[fd] = UNKNOWN;
  return (int)syscall(SYS_close, fd);
}

#define NOTED(type, call, after)                     \
  if (kind_of(fd) == UNKNOWN) return call;           \
  pthread_mutex_lock(&mutex);                        \
  const type result = call;                          \
  if (result >= 0) { after; }                        \
  pthread_mutex_unlock(&mutex);                      \
  return result;
static int64_t position_of(int fd) { return (int64_t)lseek(fd, 0, SEEK_CUR); }
ssize_t write(int fd, const void *data, size_t n) { NOTED(ssize_t, syscall(SYS_write, fd, data, n), written(fd, data, result, kind_of(fd) == MARKS ? 0 : position_of(fd) - result)) }
ssize_t writev(int fd, const struct iovec *parts, int count) { NOTED(ssize_t, syscall(SYS_writev, fd, parts, count), written_parts(fd, parts, count, result, position_of(fd) - result)) }
ssize_t pwrite(int fd, const void *data, size_t n, off_t at) { NOTED(ssize_t, syscall(SYS_pwrite64, fd, data, n, at), written(fd, data, result, at)) }
ssize_t pwrite64(int fd, const void *data, size_t n, off_t at) { return pwrite(fd, data, n, at); }
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) { NOTED(ssize_t, syscall(SYS_pwritev, fd, parts, count, at, 0), written_parts(fd, parts, count, result, at)) }
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t at) { return pwritev(fd, parts, count, at); }
int ftruncate(int fd, off_t size) { NOTED(int, (int)syscall(SYS_ftruncate, fd, size), note("truncate", inode_of(fd), size, NULL, 0, "", "")) }
int ftruncate64(int fd, off_t size) { return ftruncate(fd, size); }
int fallocate(int fd, int mode, off_t at, off_t size) { NOTED(int, (int)syscall(SYS_fallocate, fd, mode, at, size), note("allocate", inode_of(fd), at + size, NULL, 0, "", "")) }
int fallocate64(int fd, int mode, off_t at, off_t size) { return fallocate(fd, mode, at, size); }
static int noted_sync(int fd, long number) {
  const int kind = kind_of(fd);
  if (kind == UNKNOWN || kind == MARKS) return (int)syscall(number, fd);
  pthread_mutex_lock(&mutex);
  note(kind == DIRECTORY ? "syncdir" : "sync", inode_of(fd), 0, NULL, 0, "", "");
  pthread_mutex_unlock(&mutex);
  return 0;
}
int fsync(int fd) { return noted_sync(fd, SYS_fsync); }
int fdatasync(int fd) { return noted_sync(fd, SYS_fdatasync); }
int syncfs(int fd) {
  if (kind_of(fd) == UNKNOWN) return (int)syscall(SYS_syncfs, fd);
  pthread_mutex_lock(&mutex);
  note("syncfs", 0, 0, NULL, 0, "", "");
  pthread_mutex_unlock(&mutex);
  return 0;
}

#define NAMED(call, after)            \
  if (!is_kept(path)) return call;    \
  pthread_mutex_lock(&mutex);         \
  const int result = call;            \
  if (result == 0) { after; }         \
  pthread_mutex_unlock(&mutex);       \
  return result;
int rename(const char *path, const char *to) { NAMED((int)syscall(SYS_rename, path, to), note("rename", 0, 0, NULL, 0, path, to)) }
int unlink(const char *path) { NAMED((int)syscall(SYS_unlink, path), note("remove", 0, 0, NULL, 0, path, "")) }
int rmdir(const char *path) { NAMED((int)syscall(SYS_rmdir, path), note("remove", 0, 0, NULL, 0, path, "")) }
static void note_made(const char *path) {
  struct stat st;
  if (stat(path, &st) != 0) end(path);
  note("mkdir", st.st_ino, 0, NULL, 0, path, "");
}
int mkdir(const char *path, mode_t mode) { NAMED((int)syscall(SYS_mkdir, path, mode), note_made(path)) }
