// A file system of one file, /image, for a loop device: what is written to it goes into IMAGE, and with every flush in that order into LOG.
//   record-image MOUNTPOINT IMAGE LOG
// A record of the log is its position and length, 64 bits each and little-endian, and `length` bytes; a flush is a record of length 0. It is in the log before
// the kernel has its answer. test/support/caching-disk.ts makes of it what a disk with a volatile cache may have after a power cut. One thing at a time: the
// process goes to the background when it is mounted, and ends when it is unmounted.
#define FUSE_USE_VERSION 31
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static int image = -1, out = -1;

static int is_image(const char *path) { return strcmp(path, "/image") == 0; }

static int image_attributes(const char *path, struct stat *to, struct fuse_file_info *file) {
  (void)file;
  if (strcmp(path, "/") == 0) {
    memset(to, 0, sizeof *to);
    to->st_mode = S_IFDIR | 0700;
    to->st_nlink = 2;
    return 0;
  }
  if (!is_image(path)) return -ENOENT;
  return fstat(image, to) == 0 ? 0 : -errno;
}

static int image_open(const char *path, struct fuse_file_info *file) {
  (void)file;
  return is_image(path) ? 0 : -ENOENT;
}

static int image_read(const char *path, char *to, size_t size, off_t position, struct fuse_file_info *file) {
  (void)path, (void)file;
  const ssize_t n = pread(image, to, size, position);
  return n < 0 ? -errno : (int)n;
}

/** Whole, or the process ends: half a record would make nonsense of all that follow. */
static int noted(int64_t position, const char *data, size_t length) {
  const uint64_t head[2] = {(uint64_t)position, length};
  const struct iovec parts[2] = {{(void *)head, sizeof head}, {(void *)data, length}};
  if (writev(out, parts, length == 0 ? 1 : 2) != (ssize_t)(sizeof head + length)) _exit(70);
  return 0;
}

static int image_write(const char *path, const char *data, size_t size, off_t position, struct fuse_file_info *file) {
  (void)path, (void)file;
  const ssize_t n = pwrite(image, data, size, position);
  if (n < 0) return -errno;
  noted(position, data, (size_t)n);
  return (int)n;
}

static int image_flush(const char *path, int data_only, struct fuse_file_info *file) {
  (void)path, (void)data_only, (void)file;
  return noted(0, NULL, 0);
}

int main(int argc, char **argv) {
  if (argc != 4) return fprintf(stderr, "usage: record-image MOUNTPOINT IMAGE LOG\n"), 64;
  image = open(argv[2], O_RDWR | O_CLOEXEC);
  out = open(argv[3], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (image < 0 || out < 0) return fprintf(stderr, "record-image: %s: %s\n", argv[image < 0 ? 2 : 3], strerror(errno)), 66;
  const struct fuse_operations operations = {
      .getattr = image_attributes, .open = image_open, .read = image_read, .write = image_write, .fsync = image_flush,
  };
  char *options[] = {argv[0], "-s", argv[1], NULL};
  return fuse_main(3, options, &operations, NULL);
}
