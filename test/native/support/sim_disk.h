// A disk in memory that knows what a power cut would keep. Files are 4 KiB pages, each with the content that programs see and the content that is durable;
// directories have the names that programs see and, in order, the changes that no SyncDir has made durable. Any moment can be cut: Cut gives the disk as it is
// found afterwards, Kill as a killed process leaves it. From a cut on the old disk answers everything with EIO.
//
// What it can do wrong besides: fail any access (and with a failed sync forget the pages that it could not write, calling them clean, as kernels do), write
// half of what it was given, read less than was asked for, turn a bit of a file, and call durable what is not.
//
// Thread: one; nothing of it may be shared among threads.
#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "io/file.h"

namespace sluice::test {

inline constexpr int64_t kSimPage = 4096;

class SimDisk final : public io::FileSystem {
 public:
  using Random = std::mt19937_64;

  explicit SimDisk(uint32_t direct_alignment = 4096) : alignment_(direct_alignment), root_(std::make_shared<Node>(0)) { root_->is_dir = true; }

  // --- what a test does to it
  // Called before every change with what it is ("write /d/x"); may cut, and may act like another thread.
  std::function<void(const std::string&)> on_change;
  // Makes the next change whose name contains the text fail this way; the code is sticky until Clear.
  struct Fault {
    std::string what;     // "write", "sync", "rename", ...
    std::string path;     // part of the path
    Status status;
  };
  std::vector<Fault> faults;
  // Asked before every change, every "read" and every "open", which is whatever takes a descriptor; what is not ok fails it, this once. A write is done by half
  // then, a sync loses pages.
  std::function<Status(const char* what, const std::string& path)> fail;
  std::function<size_t(size_t)> shorten;   // how much of a read that does not wait is in memory
  // A write to such a file that asks for durability, and a sync of it, is a lie: a disk that loses its cache.
  std::string lies_about;
  int64_t capacity = INT64_MAX;   // bytes of all files; beyond it a write ends with ENOSPC, half done
  int64_t dirty_budget = INT64_MAX;
  bool dead = false;
  // What cuts have taken, for the record.
  struct Losses {
    int64_t pages_dropped = 0, pages_torn = 0, names_dropped = 0, pages_forgotten = 0;
  };
  mutable Losses losses;

  // The disk after a power cut: for each file a subset of its unsynced pages, for each directory a prefix of its unsynced changes.
  std::unique_ptr<SimDisk> Cut(Random& random) const {
    auto after = std::make_unique<SimDisk>(alignment_);
    const int64_t keep = std::array<int64_t, 4>{0, 50, 95, 100}[random() % 4];
    std::map<const Node*, std::shared_ptr<Node>> seen;
    after->root_ = Survive(root_, random(), keep, &seen);
    after->last_serial_ = last_serial_;
    after->lies_about = lies_about;
    after->losses = losses;
    after->used_ = SizeOf(*after->root_);
    return after;
  }
  // The disk after kill -9: everything that a system call has returned for.
  std::unique_ptr<SimDisk> Kill() const {
    auto after = std::make_unique<SimDisk>(alignment_);
    std::map<const Node*, std::shared_ptr<Node>> seen;
    after->root_ = Copy(root_, &seen);
    for (const Late& late : late_) {
      if (auto copy = seen.find(late.node.get()); copy != seen.end()) after->late_.push_back({copy->second, late.data, late.position});
    }
    after->last_serial_ = last_serial_;
    after->lies_about = lies_about;
    after->losses = losses;
    after->used_ = SizeOf(*after->root_);
    return after;
  }
  // A direct write that a killed process had handed to the kernel: it reaches the disk that Kill gives when LandLate is called there, or never.
  void WriteLate(const io::File& file, Bytes data, int64_t position) {
    late_.push_back({static_cast<const SimFile&>(file).node(), {data.begin(), data.end()}, position});
  }
  void LandLate() {
    for (const Late& late : late_) {
      Put(*late.node, late.data, late.position);
      for (int64_t page = late.position / kSimPage; page * kSimPage < late.position + static_cast<int64_t>(late.data.size()); ++page) {
        late.node->durable.resize(std::max(late.node->durable.size(), late.node->pages.size()), Zero());
        late.node->durable[static_cast<size_t>(page)] = late.node->pages[static_cast<size_t>(page)];
      }
    }
    late_.clear();
  }
  bool has_late() const { return !late_.empty(); }
  // Every file there is, in the order of names.
  std::vector<std::string> Files() const {
    std::vector<std::string> out;
    AddFiles(*root_, "", &out);
    return out;
  }
  // Turns one bit of a file, in memory and on the platter.
  void FlipBit(const std::string& path, int64_t position, int bit) {
    std::shared_ptr<Node> node = Find(path);
    SLUICE_ASSERT(node != nullptr && position < node->size);
    for (std::vector<PageRef>* pages : {&node->pages, &node->durable}) {
      const size_t page = static_cast<size_t>(position / kSimPage);
      if (page >= pages->size()) continue;
      auto turned = std::make_shared<Page>(*(*pages)[page]);
      (*turned)[static_cast<size_t>(position % kSimPage)] ^= static_cast<uint8_t>(1u << bit);
      (*pages)[page] = std::move(turned);
    }
  }
  int64_t used_bytes() const { return used_; }
  // "name size" of everything, for messages.
  std::string Dump() const {
    std::string out;
    Dump(*root_, "", &out);
    return out;
  }

  // --- io::FileSystem
  Result<std::unique_ptr<io::File>> Open(const std::string& path, io::OpenMode mode) override {
    if (dead) return Dead();
    auto [dir, name] = Parent(path);
    if (dir == nullptr) return Status::FromErrno(ENOENT, "open " + path);
    if (fail) SLUICE_TRY(fail("open", path));
    auto at = dir->names.find(name);
    std::shared_ptr<Node> node;
    if (at == dir->names.end()) {
      if (mode == io::OpenMode::kRead || mode == io::OpenMode::kReadWrite) return Status::FromErrno(ENOENT, "open " + path);
      SLUICE_TRY(Change("create", path));
      node = std::make_shared<Node>(++last_serial_);
      SetName(*dir, name, node);
    } else {
      if (mode == io::OpenMode::kCreateNew) return Status::FromErrno(EEXIST, "open " + path);
      if (at->second->is_dir) return Status::FromErrno(EISDIR, "open " + path);
      node = at->second;
    }
    return std::unique_ptr<io::File>(new SimFile(this, node, path, mode == io::OpenMode::kDirectSync));
  }

  Result<std::vector<io::DirEntry>> List(const std::string& path) override {
    if (dead) return Dead();
    std::shared_ptr<Node> dir = Find(path);
    if (dir == nullptr || !dir->is_dir) return Status::FromErrno(dir == nullptr ? ENOENT : ENOTDIR, "list " + path);
    if (fail) SLUICE_TRY(fail("open", path));
    std::vector<io::DirEntry> entries;
    for (const auto& [name, node] : dir->names) entries.push_back({name, node->is_dir});
    return entries;
  }
  Result<bool> Exists(const std::string& path) override {
    if (dead) return Dead();
    return Find(path) != nullptr;
  }
  Result<int64_t> FileSize(const std::string& path) override {
    if (dead) return Dead();
    std::shared_ptr<Node> node = Find(path);
    if (node == nullptr) return Status::FromErrno(ENOENT, "stat " + path);
    return node->size;
  }
  Status SetModifiedMs(const std::string& path, int64_t) override { return dead ? Dead() : Find(path) == nullptr ? Status::FromErrno(ENOENT, "utimens " + path) : Status::Ok(); }
  Result<int64_t> ModifiedMs(const std::string& path) override {
    if (dead) return Dead();
    if (Find(path) == nullptr) return Status::FromErrno(ENOENT, "stat " + path);
    return int64_t{1700000000000};
  }
  Status MakeDirs(const std::string& path) override {
    if (dead) return Dead();
    std::shared_ptr<Node> at = root_;
    for (const std::string& part : Parts(path)) {
      auto it = at->names.find(part);
      if (it == at->names.end()) {
        SLUICE_TRY(Change("mkdir", path));
        auto made = std::make_shared<Node>(++last_serial_);
        made->is_dir = true;
        SetName(*at, part, made);
        at = made;
      } else {
        if (!it->second->is_dir) return Status::Error(Code::kExists, path + " is there and no directory");
        at = it->second;
      }
    }
    return Status::Ok();
  }
  Status Rename(const std::string& from, const std::string& to) override {
    if (dead) return Dead();
    auto [dir, name] = Parent(from);
    auto [to_dir, to_name] = Parent(to);
    if (dir == nullptr || to_dir == nullptr || dir->names.count(name) == 0) return Status::FromErrno(ENOENT, "rename " + from);
    SLUICE_ASSERT(dir == to_dir);  // nobody moves between directories
    SLUICE_TRY(Change("rename", from));
    std::shared_ptr<Node> node = dir->names[name];
    if (auto old = dir->names.find(to_name); old != dir->names.end()) {
      if (old->second->is_dir) return Status::FromErrno(ENOTEMPTY, "rename " + from);
      used_ -= old->second->size;
    }
    dir->names.erase(name);
    dir->names[to_name] = node;
    dir->pending.push_back({{name, nullptr}, {to_name, node}});
    return Status::Ok();
  }
  Status Remove(const std::string& path) override {
    if (dead) return Dead();
    auto [dir, name] = Parent(path);
    if (dir == nullptr || dir->names.count(name) == 0) return Status::FromErrno(ENOENT, "remove " + path);
    if (dir->names[name]->is_dir) return Status::FromErrno(EISDIR, "remove " + path);
    SLUICE_TRY(Change("remove", path));
    used_ -= dir->names[name]->size;
    dir->names.erase(name);
    dir->pending.push_back({{name, nullptr}});
    return Status::Ok();
  }
  Status RemoveTree(const std::string& path) override {
    if (dead) return Dead();
    std::shared_ptr<Node> node = Find(path);
    if (node == nullptr) return Status::Ok();
    std::vector<std::string> names;
    for (const auto& [name, child] : node->names) names.push_back(name);
    for (const std::string& name : names) SLUICE_TRY(node->names[name]->is_dir ? RemoveTree(path + "/" + name) : Remove(path + "/" + name));
    auto [dir, name] = Parent(path);
    SLUICE_TRY(Change("rmdir", path));
    if (!node->names.empty()) return Status::FromErrno(ENOTEMPTY, "remove directory " + path);
    dir->names.erase(name);
    dir->pending.push_back({{name, nullptr}});
    return Status::Ok();
  }
  Status SyncDir(const std::string& path) override {
    if (dead) return Dead();
    std::shared_ptr<Node> dir = Find(path);
    if (dir == nullptr) return Status::FromErrno(ENOENT, "open directory " + path);
    if (fail) SLUICE_TRY(fail("open", path));
    SLUICE_TRY(Change("syncdir", path));
    SyncNames(*dir);
    return Status::Ok();
  }
  Status SyncAll(const std::string& path) override {
    if (dead) return Dead();
    if (fail) SLUICE_TRY(fail("open", path));
    const Status changed = Change("syncfs", path);
    if (changed.ok()) SyncEverything(*root_); else ForgetEverywhere(*root_);
    return changed;
  }
  Result<int64_t> FreeBytes(const std::string&) override { return std::max<int64_t>(0, capacity - used_); }
  int64_t DirtyBudget() override { return dirty_budget; }
  Result<int64_t> TotalBytes(const std::string&) override { return capacity; }
  Result<uint32_t> DirectAlignment(const std::string&) override {
    if (dead) return Dead();
    return alignment_;
  }
  Result<std::unique_ptr<io::FileLock>> Lock(const std::string& path) override {
    if (dead) return Dead();
    if (fail) SLUICE_TRY(fail("open", path));
    if (!locks_->insert(path).second) return Status::Error(Code::kLocked, path + " is held by this process");
    return std::unique_ptr<io::FileLock>(new SimLock(locks_, path));
  }

 private:
  using Page = std::array<uint8_t, kSimPage>;
  using PageRef = std::shared_ptr<const Page>;

  struct Node {
    explicit Node(uint64_t s) : serial(s) {}
    uint64_t serial;   // in the order of creation: what survives does not depend on names, some of which are random
    bool is_dir = false;
    // a file
    std::vector<PageRef> pages, durable;
    std::map<size_t, PageRef> forgotten;   // not written by a sync that failed, and not dirty any more
    uint64_t failures = 0, told = 0;       // how often that happened, and the last that a sync of this file was told of
    int64_t size = 0, durable_size = 0;
    // a directory: what programs see, what is durable, and the changes between the two (null: the name is taken away)
    std::map<std::string, std::shared_ptr<Node>> names, durable_names;
    std::vector<std::vector<std::pair<std::string, std::shared_ptr<Node>>>> pending;
  };

  static const PageRef& Zero() {
    static const PageRef zero = std::make_shared<const Page>(Page{});
    return zero;
  }
  static Status Dead() { return Status::FromErrno(EIO, "the power is gone"); }

  class SimLock final : public io::FileLock {
   public:
    SimLock(std::shared_ptr<std::set<std::string>> locks, std::string path) : locks_(std::move(locks)), path_(std::move(path)) {}
    ~SimLock() override { locks_->erase(path_); }

   private:
    const std::shared_ptr<std::set<std::string>> locks_;
    const std::string path_;
  };

  class SimFile final : public io::File {
   public:
    SimFile(SimDisk* disk, std::shared_ptr<Node> node, std::string path, bool sync) : disk_(disk), node_(std::move(node)), path_(std::move(path)), sync_(sync), told_(node_->told) {}
    Result<size_t> ReadAt(MutableBytes out, int64_t position) override {
      if (disk_->dead) return Dead();
      if (disk_->fail) SLUICE_TRY(disk_->fail("read", path_));
      const int64_t end = std::min(node_->size, position + static_cast<int64_t>(out.size()));
      for (int64_t at = position; at < end;) {
        const int64_t page = at / kSimPage, in_page = at % kSimPage, n = std::min(kSimPage - in_page, end - at);
        std::memcpy(out.data() + (at - position), node_->pages[static_cast<size_t>(page)]->data() + in_page, static_cast<size_t>(n));
        at += n;
      }
      return static_cast<size_t>(std::max<int64_t>(0, end - position));
    }
    Result<size_t> ReadAtNoWait(MutableBytes out, int64_t position) override {
      if (!disk_->shorten) return ReadAt(out, position);
      const size_t some = disk_->shorten(out.size());
      if (some == 0) return Status::FromErrno(EAGAIN, "read without waiting");
      return ReadAt(out.first(some), position);
    }
    Status WriteAt(Bytes data, int64_t position) override {
      const Status changed = disk_->Change("write", path_);
      SLUICE_ASSERT(!sync_ || (position % kSimPage == 0 && data.size() % kSimPage == 0));
      if (!changed.ok()) {
        if (!disk_->dead) Land(data.first(data.size() / 2 / (sync_ ? 512 : 1) * (sync_ ? 512 : 1)), position);
        return changed;
      }
      const int64_t growth = std::max<int64_t>(0, position + static_cast<int64_t>(data.size()) - node_->size);
      if (growth > 0 && disk_->used_ + growth > disk_->capacity) {
        disk_->Put(*node_, data.first(data.size() / 2), position);
        return Status::FromErrno(ENOSPC, "write");
      }
      Land(data, position);
      return Status::Ok();
    }
    Status WriteVectorAt(std::span<iovec> parts, int64_t position) override {
      std::vector<uint8_t> all;
      for (const iovec& part : parts) all.insert(all.end(), static_cast<uint8_t*>(part.iov_base), static_cast<uint8_t*>(part.iov_base) + part.iov_len);
      return WriteAt(all, position);
    }
    Status Sync() override {
      Status changed = disk_->Change("sync", path_);
      if (!changed.ok()) {
        if (!disk_->dead) disk_->Forget(*node_);
      } else if (!Lies()) {
        SyncPages(*node_);
      }
      // As in Linux whoever has the file open is told once of pages that were lost, also if it was another sync that lost them.
      if (!disk_->dead && std::exchange(told_, node_->failures) != node_->failures) {
        node_->told = told_;
        if (changed.ok()) changed = Status::FromErrno(EIO, "sync after a failed write-back");
      }
      return changed;
    }
    void StartWriteback(int64_t, int64_t) override {}
    void DropCache(int64_t, int64_t) override {}
    void ReadAhead(int64_t, int64_t) override {}
    Status Truncate(int64_t size) override {
      SLUICE_TRY(disk_->Change("truncate", path_));
      disk_->used_ += size - node_->size;
      node_->size = size;
      node_->pages.resize(static_cast<size_t>((size + kSimPage - 1) / kSimPage), Zero());
      ClearBehind(*node_);
      return Status::Ok();
    }
    Status Allocate(int64_t size) override {
      SLUICE_TRY(disk_->Change("allocate", path_));
      if (size <= node_->size) return Status::Ok();
      if (disk_->used_ + size - node_->size > disk_->capacity) return Status::FromErrno(ENOSPC, "allocate");
      disk_->used_ += size - node_->size;
      node_->size = size;
      node_->pages.resize(static_cast<size_t>((size + kSimPage - 1) / kSimPage), Zero());
      return Status::Ok();
    }
    Result<int64_t> Size() override {
      if (disk_->dead) return Dead();
      return node_->size;
    }
    int fd() const override { return -1; }
    const std::shared_ptr<Node>& node() const { return node_; }

   private:
    bool Lies() const { return !disk_->lies_about.empty() && path_.find(disk_->lies_about) != std::string::npos; }
    void Land(Bytes data, int64_t position) {
      disk_->Put(*node_, data, position);
      if (!sync_ || Lies()) return;
      node_->durable.resize(std::max(node_->durable.size(), node_->pages.size()), Zero());
      for (int64_t page = position / kSimPage; page * kSimPage < position + static_cast<int64_t>(data.size()); ++page) {
        node_->durable[static_cast<size_t>(page)] = node_->pages[static_cast<size_t>(page)];
      }
      node_->durable_size = std::max(node_->durable_size, position + static_cast<int64_t>(data.size()));
    }

    SimDisk* const disk_;
    const std::shared_ptr<Node> node_;
    const std::string path_;
    const bool sync_;
    uint64_t told_;
  };

  static std::vector<std::string> Parts(const std::string& path) {
    std::vector<std::string> parts;
    for (size_t begin = 0; begin < path.size();) {
      size_t end = std::min(path.find('/', begin), path.size());
      if (end > begin) parts.push_back(path.substr(begin, end - begin));
      begin = end + 1;
    }
    return parts;
  }
  std::shared_ptr<Node> Find(const std::string& path) const {
    std::shared_ptr<Node> at = root_;
    for (const std::string& part : Parts(path)) {
      auto it = at->names.find(part);
      if (it == at->names.end()) return nullptr;
      at = it->second;
    }
    return at;
  }
  std::pair<std::shared_ptr<Node>, std::string> Parent(const std::string& path) const {
    std::vector<std::string> parts = Parts(path);
    SLUICE_ASSERT(!parts.empty());
    std::shared_ptr<Node> dir = Find(path.substr(0, path.rfind('/')));
    return {dir != nullptr && dir->is_dir ? dir : nullptr, parts.back()};
  }
  void SetName(Node& dir, const std::string& name, std::shared_ptr<Node> node) {
    dir.names[name] = node;
    dir.pending.push_back({{name, std::move(node)}});
  }
  static void SyncNames(Node& dir) {
    dir.durable_names = dir.names;
    dir.pending.clear();
  }
  // All but what an earlier sync has failed to write and nobody has written since.
  static void SyncPages(Node& node) {
    std::vector<PageRef> before = std::move(node.durable);
    node.durable = node.pages;
    node.durable_size = node.size;
    for (const auto& [page, content] : node.forgotten) {
      if (page < node.pages.size() && node.pages[page] == content) node.durable[page] = page < before.size() ? before[page] : Zero();
    }
  }
  // Half of what is dirty: the rest had been written before.
  void Forget(Node& node) {
    const int64_t before = losses.pages_forgotten;
    for (size_t i = 0; i < node.pages.size(); ++i) {
      if (i < node.durable.size() && node.durable[i] == node.pages[i]) continue;
      if (++forgets_ % 2 == 0) continue;
      node.forgotten[i] = node.pages[i];
      ++losses.pages_forgotten;
    }
    if (losses.pages_forgotten > before) ++node.failures;
  }
  void ForgetEverywhere(Node& node) {
    if (!node.is_dir) Forget(node);
    for (auto& [name, child] : node.names) ForgetEverywhere(*child);
  }
  void SyncEverything(Node& node) {
    if (!node.is_dir) {
      SyncPages(node);
      return;
    }
    SyncNames(node);
    for (auto& [name, child] : node.names) SyncEverything(*child);
  }

  Status Change(const char* what, const std::string& path) {
    if (dead) return Dead();
    if (on_change) on_change(std::string(what) + " " + path);
    if (dead) return Dead();
    for (const Fault& fault : faults) {
      if (fault.what == what && path.find(fault.path) != std::string::npos) return fault.status;
    }
    return fail ? fail(what, path) : Status::Ok();
  }

  void Put(Node& node, Bytes data, int64_t position) {
    const int64_t end = position + static_cast<int64_t>(data.size());
    if (end > node.size) {
      used_ += end - node.size;
      node.size = end;
      node.pages.resize(static_cast<size_t>((end + kSimPage - 1) / kSimPage), Zero());
    }
    for (int64_t at = position; at < end;) {
      const int64_t in_page = at % kSimPage, n = std::min(kSimPage - in_page, end - at);
      PageRef& page = node.pages[static_cast<size_t>(at / kSimPage)];
      node.forgotten.erase(static_cast<size_t>(at / kSimPage));
      const uint8_t* from = data.data() + (at - position);
      at += n;
      if (n == kSimPage && std::memcmp(from, Zero()->data(), kSimPage) == 0) {
        page = Zero();
        continue;
      }
      auto fresh = std::make_shared<Page>(*page);
      std::memcpy(fresh->data() + in_page, from, static_cast<size_t>(n));
      page = std::move(fresh);
    }
  }
  // What lies behind the end of the last page is zero.
  static void ClearBehind(Node& node) {
    const int64_t in_page = node.size % kSimPage;
    if (in_page == 0 || node.pages.empty()) return;
    auto fresh = std::make_shared<Page>(*node.pages.back());
    std::memset(fresh->data() + in_page, 0, static_cast<size_t>(kSimPage - in_page));
    node.pages.back() = std::move(fresh);
  }

  std::shared_ptr<Node> Survive(const std::shared_ptr<Node>& node, uint64_t seed, int64_t keep, std::map<const Node*, std::shared_ptr<Node>>* seen) const {
    if (auto known = seen->find(node.get()); known != seen->end()) return known->second;
    auto after = std::make_shared<Node>(node->serial);
    (*seen)[node.get()] = after;
    Random random(seed + node->serial * 0x9E3779B97F4A7C15ull);
    after->is_dir = node->is_dir;
    if (node->is_dir) {
      std::map<std::string, std::shared_ptr<Node>> names = node->durable_names;
      const size_t kept = node->pending.empty() ? 0 : static_cast<size_t>(random() % (node->pending.size() + 1));
      losses.names_dropped += static_cast<int64_t>(node->pending.size() - kept);
      for (size_t i = 0; i < kept; ++i) {
        for (const auto& [name, child] : node->pending[i]) {
          if (child == nullptr) names.erase(name); else names[name] = child;
        }
      }
      for (const auto& [name, child] : names) after->names[name] = Survive(child, seed, keep, seen);
      after->durable_names = after->names;
      return after;
    }
    after->size = node->durable_size;
    if (node->size != node->durable_size) {
      switch (random() % 3) {
        case 0: break;
        case 1: after->size = node->size; break;
        default: {
          const int64_t low = std::min(node->size, node->durable_size), high = std::max(node->size, node->durable_size);
          after->size = low + static_cast<int64_t>(random() % static_cast<uint64_t>(high - low + 1));
        }
      }
    }
    const size_t count = static_cast<size_t>((after->size + kSimPage - 1) / kSimPage);
    for (size_t i = 0; i < count; ++i) {
      const PageRef& fresh = i < node->pages.size() ? node->pages[i] : Zero();
      const PageRef& old = i < node->durable.size() ? node->durable[i] : Zero();
      const auto lost = node->forgotten.find(i);
      if (fresh == old) {
        after->pages.push_back(fresh);
      } else if (lost != node->forgotten.end() && lost->second == fresh) {
        after->pages.push_back(old);
      } else if (random() % 20 == 0) {  // torn within: some of its 512-byte sectors
        auto mixed = std::make_shared<Page>(*old);
        for (size_t sector = 0; sector < 8; ++sector) {
          if (random() % 2 == 0) std::memcpy(mixed->data() + sector * 512, fresh->data() + sector * 512, 512);
        }
        after->pages.push_back(std::move(mixed));
        ++losses.pages_torn;
      } else {
        const bool kept = static_cast<int64_t>(random() % 100) < keep;
        after->pages.push_back(kept ? fresh : old);
        losses.pages_dropped += kept ? 0 : 1;
      }
    }
    ClearBehind(*after);
    after->durable = after->pages;
    after->durable_size = after->size;
    return after;
  }
  static std::shared_ptr<Node> Copy(const std::shared_ptr<Node>& node, std::map<const Node*, std::shared_ptr<Node>>* seen) {
    if (auto known = seen->find(node.get()); known != seen->end()) return known->second;
    auto after = std::make_shared<Node>(*node);
    after->told = after->failures;   // it may have left the memory, and with it who is still to be told
    (*seen)[node.get()] = after;
    for (auto& [name, child] : after->names) child = Copy(child, seen);
    for (auto& [name, child] : after->durable_names) child = Copy(child, seen);
    for (auto& change : after->pending) {
      for (auto& [name, child] : change) {
        if (child != nullptr) child = Copy(child, seen);
      }
    }
    return after;
  }
  static int64_t SizeOf(const Node& node) {
    int64_t size = node.size;
    for (const auto& [name, child] : node.names) size += SizeOf(*child);
    return size;
  }
  static void AddFiles(const Node& node, const std::string& path, std::vector<std::string>* out) {
    for (const auto& [name, child] : node.names) {
      if (child->is_dir) AddFiles(*child, path + "/" + name, out); else out->push_back(path + "/" + name);
    }
  }
  static void Dump(const Node& node, const std::string& path, std::string* out) {
    for (const auto& [name, child] : node.names) {
      *out += path + "/" + name + (child->is_dir ? "" : " " + std::to_string(child->size)) + "\n";
      Dump(*child, path + "/" + name, out);
    }
  }

  struct Late {
    std::shared_ptr<Node> node;
    std::vector<uint8_t> data;
    int64_t position = 0;
  };

  const uint32_t alignment_;
  std::shared_ptr<Node> root_;
  std::vector<Late> late_;
  uint64_t last_serial_ = 0;
  int64_t used_ = 0;
  uint64_t forgets_ = 0;
  std::shared_ptr<std::set<std::string>> locks_ = std::make_shared<std::set<std::string>>();
};

}  // namespace sluice::test
