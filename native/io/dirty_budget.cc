#include "io/dirty_budget.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace sluice::io {
namespace {

constexpr int64_t kLeast = 16 << 20;

// The number at the beginning of a file, -1 where there is none.
int64_t NumberIn(const char* path) {
  std::FILE* file = std::fopen(path, "re");
  if (file == nullptr) return -1;
  long long number = -1;
  if (std::fscanf(file, "%lld", &number) != 1) number = -1;
  std::fclose(file);
  return number;
}

int64_t AvailableMemory() {
  int64_t bytes = -1;
  if (std::FILE* file = std::fopen("/proc/meminfo", "re"); file != nullptr) {
    char line[128];
    long long kib = 0;
    while (bytes < 0 && std::fgets(line, sizeof line, file) != nullptr) {
      if (std::sscanf(line, "MemAvailable: %lld kB", &kib) == 1) bytes = kib * 1024;
    }
    std::fclose(file);
  }
  const int64_t group = NumberIn("/sys/fs/cgroup/memory.max");
  return group > 0 && (bytes < 0 || group < bytes) ? group : bytes;
}

int64_t Limit(const char* bytes_path, const char* ratio_path, int64_t memory, int64_t usual_percent) {
  const int64_t bytes = NumberIn(bytes_path);
  if (bytes > 0) return bytes;
  const int64_t percent = NumberIn(ratio_path);
  return memory / 100 * (percent > 0 ? percent : usual_percent);
}

}  // namespace

int64_t DirtyBudgetOfKernel() {
  const int64_t memory = AvailableMemory();
  if (memory <= 0) return kLeast * 4;
  const int64_t limit = Limit("/proc/sys/vm/dirty_bytes", "/proc/sys/vm/dirty_ratio", memory, 20);
  const int64_t background = std::min(limit, Limit("/proc/sys/vm/dirty_background_bytes", "/proc/sys/vm/dirty_background_ratio", memory, 10));
  return std::max((limit + background) / 4, kLeast);
}

}  // namespace sluice::io
