// One access to a simulated disk that will fail, once: which kind, and which of the next of that kind, random numbers say.
// Thread: one.
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <random>
#include <string>

#include "base/result.h"
#include "support/tally.h"

namespace sluice::test {

class DiskFaults {
 public:
  DiskFaults(std::mt19937_64& random, Tally& tally) : random_(random), tally_(tally) {}

  // One of the next `within` accesses of some kind.
  void Arm(int64_t within) {
    kind_ = static_cast<Kind>(random_() % 6);
    if (kind_ == Kind::kSync || kind_ == Kind::kNames) within = std::max<int64_t>(2, within / 10);
    in_ = 1 + static_cast<int64_t>(random_() % static_cast<uint64_t>(within));
  }
  void Disarm() { in_ = 0; }
  void Reset() {
    in_ = 0;
    struck_ = false;
  }
  // It has failed since Reset.
  bool struck() const { return struck_; }

  Status OnAccess(const std::string& what, const std::string&) {
    if (in_ <= 0 || !Fits(what) || --in_ > 0) return Status::Ok();
    struck_ = true;
    constexpr std::array<Count, 6> kCounted{Count::kSyncsFailed, Count::kWritesFailed, Count::kReadsFailed, Count::kDiskFull, Count::kQuota, Count::kNamesFailed};
    ++tally_[kCounted[static_cast<size_t>(kind_)]];
    return Status::FromErrno(kind_ == Kind::kFull ? ENOSPC : kind_ == Kind::kQuota ? EDQUOT : EIO, what);
  }

 private:
  enum class Kind { kSync, kWrite, kRead, kFull, kQuota, kNames };
  bool Fits(const std::string& what) const {
    const bool makes = what == "create" || what == "mkdir" || what == "rename" || what == "allocate";
    switch (kind_) {
      case Kind::kSync: return what == "sync" || what == "syncdir" || what == "syncfs";
      case Kind::kWrite: return what == "write";
      case Kind::kRead: return what == "read";
      case Kind::kFull:
      case Kind::kQuota: return makes || what == "write";
      case Kind::kNames: return makes || what == "remove" || what == "truncate";
    }
    return false;
  }

  std::mt19937_64& random_;
  Tally& tally_;
  Kind kind_ = Kind::kSync;
  int64_t in_ = 0;   // accesses of its kind until it strikes; 0: none will
  bool struck_ = false;
};

}  // namespace sluice::test
