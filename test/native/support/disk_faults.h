// One access to a simulated disk that will fail, once: which kind, and which of the next of that kind, random numbers say.
// Thread: one.
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <random>
#include <string>
#include <utility>

#include "base/result.h"
#include "support/tally.h"

namespace sluice::test {

class DiskFaults {
 public:
  DiskFaults(std::mt19937_64& random, Tally& tally) : random_(random), tally_(tally) {}

  enum class Kind { kSync, kWrite, kRead, kFull, kQuota, kNames, kFiles };

  // One of the next `within` accesses of some kind.
  void Arm(int64_t within) {
    only_.clear();
    kind_ = static_cast<Kind>(random_() % 7);
    if (kind_ == Kind::kSync || kind_ == Kind::kNames) within = std::max<int64_t>(2, within / 10);
    in_ = 1 + static_cast<int64_t>(random_() % static_cast<uint64_t>(within));
  }
  // The next access of this kind to a file whose path has `only` in it.
  void Arm(Kind kind, std::string only) {
    only_ = std::move(only);
    kind_ = kind;
    in_ = 1;
  }
  void Disarm() { in_ = 0; }
  void Reset() {
    in_ = 0;
    failure_ = Status::Ok();
    path_.clear();
  }
  // It has failed since Reset: how, and of which file.
  bool struck() const { return !failure_.ok(); }
  const Status& failure() const { return failure_; }
  const std::string& path() const { return path_; }

  Status OnAccess(const std::string& what, const std::string& path) {
    if (in_ <= 0 || !Fits(what) || path.find(only_) == std::string::npos || --in_ > 0) return Status::Ok();
    constexpr std::array<Count, 7> kCounted{Count::kSyncsFailed, Count::kWritesFailed, Count::kReadsFailed, Count::kDiskFull, Count::kQuota, Count::kNamesFailed, Count::kNoDescriptor};
    ++tally_[kCounted[static_cast<size_t>(kind_)]];
    failure_ = Status::FromErrno(kind_ == Kind::kFull ? ENOSPC : kind_ == Kind::kQuota ? EDQUOT : kind_ == Kind::kFiles ? EMFILE : EIO, what + " " + path);
    path_ = path;
    return failure_;
  }

 private:
  bool Fits(const std::string& what) const {
    const bool makes = what == "create" || what == "mkdir" || what == "rename" || what == "allocate";
    switch (kind_) {
      case Kind::kSync: return what == "sync" || what == "syncdir" || what == "syncfs";
      case Kind::kWrite: return what == "write";
      case Kind::kRead: return what == "read";
      case Kind::kFull:
      case Kind::kQuota: return makes || what == "write";
      case Kind::kNames: return makes || what == "remove" || what == "truncate";
      case Kind::kFiles: return what == "open";
    }
    return false;
  }

  std::mt19937_64& random_;
  Tally& tally_;
  Kind kind_ = Kind::kSync;
  int64_t in_ = 0;   // accesses of its kind until it strikes; 0: none will
  Status failure_;
  std::string only_, path_;
};

}  // namespace sluice::test
