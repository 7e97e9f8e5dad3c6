// sluice-load await-produce: tries to produce one record, from before the broker is there until it is acknowledged, and prints how long that took.
// sluice-load forget: writes a directory's files back and takes their pages out of the page cache, so that reading them means the disk.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <string>

#include "connection.h"
#include "options.h"
#include "wire.h"

namespace sluice::bench {
namespace {

constexpr useconds_t kAgainAfter = 2000;

bool TryToProduce(const Options& options, Bytes request) {
  Connection connection;
  if (!connection.Open(options.port)) return false;
  std::vector<uint8_t> answer;
  if (!connection.Call(request, &answer)) return false;
  Reader in{Bytes(answer)};
  in.I32();
  in.String();
  in.I32();
  in.I32();
  const int16_t error = in.I16();
  return in.ok() && error == 0;
}

uint64_t Forget(const std::string& path) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) return 0;  // Deleted in the meantime.
  if (S_ISREG(status.st_mode)) {
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    fdatasync(fd);
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    close(fd);
    return static_cast<uint64_t>(status.st_size);
  }
  if (!S_ISDIR(status.st_mode)) return 0;
  DIR* directory = opendir(path.c_str());
  if (directory == nullptr) return 0;
  uint64_t bytes = 0;
  while (const dirent* entry = readdir(directory)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") bytes += Forget(path + "/" + name);
  }
  closedir(directory);
  return bytes;
}

}  // namespace

int RunAwaitProduce(const Options& options) {
  const std::vector<uint8_t> batch = BuildBatch(1, options.record_size, 1);
  const std::vector<uint8_t> request = ProduceRequest(options.topic, {options.first_partition}, Bytes(batch), static_cast<int16_t>(options.acks));
  const uint64_t start = NowNanos();
  const uint64_t until = start + static_cast<uint64_t>(options.seconds * 1e9);
  while (!TryToProduce(options, Bytes(request))) {
    if (NowNanos() > until) Die("nothing was acknowledged in time");
    usleep(kAgainAfter);
  }
  std::printf("{\"workload\":\"await-produce\",\"seconds\":%.4f}\n", static_cast<double>(NowNanos() - start) / 1e9);
  return 0;
}

int RunForget(const Options& options) {
  if (options.directory.empty()) Die("forget needs --directory");
  std::printf("{\"workload\":\"forget\",\"bytes\":%" PRIu64 "}\n", Forget(options.directory));
  return 0;
}

}  // namespace sluice::bench
