// The lookups of one fetch whose index or batch headers are not in memory, done on the pool.
// Thread: Run on the pool, the rest on the reactor.
// Owns: lookups that pin what they read.
// After error: each lookup has its own result.
#pragma once

#include <functional>
#include <vector>

#include "io/executor.h"
#include "kafka/fetch_set.h"

namespace sluice::kafka {

struct ColdLook final : io::Job {
  FetchAnswer* owner = nullptr;  // null when nobody waits any more
  std::vector<FetchPartition*> partitions;
  std::vector<Offset> uppers;  // that the lookups go by
  std::vector<std::function<Result<log::LogSlice>()>> lookups;
  std::vector<Result<log::LogSlice>> found;
  void Run() override {
    for (auto& lookup : lookups) found.push_back(lookup());
  }
  void Done() override;
};

}  // namespace sluice::kafka
