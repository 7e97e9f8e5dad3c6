// The newest offset of each key in the part of a log that is about to be compacted: 24 bytes a key, whatever its length.
//
// A key is known by a 128-bit hash (SipHash-2-4 under a key of this map's own, so that nobody can prepare two keys that meet). Nothing is ever taken out.
// Thread: that of its owner. Owns: its table, zeroed memory that costs nothing until it is touched.
// After error: cannot fail; memory that cannot be had ends the process.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>

#include "base/bytes.h"
#include "base/types.h"

namespace sluice::log {

struct KeyHash {
  uint64_t high = 0, low = 0;
  bool operator==(const KeyHash&) const = default;
};
struct HashSecret {
  uint64_t k0 = 0, k1 = 0;
};
// SipHash-2-4 with 128 bits of output.
KeyHash HashKey(const HashSecret& secret, Bytes key);

class CleanerMap {
 public:
  static constexpr int64_t kEntryBytes = 24;

  // Of at most `bytes`, and no larger than `keys` different ones need at this load.
  CleanerMap(int64_t bytes, double load_factor, int64_t keys);

  // False, with nothing changed, when the key is new and the map is as full as it may get.
  bool Put(Bytes key, Offset offset);
  Offset Get(Bytes key) const;  // -1 when the key is not there

  // Everything up to here has been put.
  void SetLatest(Offset offset) { latest_ = offset; }
  Offset latest() const { return latest_; }
  int64_t size() const { return size_; }
  int64_t limit() const { return limit_; }   // keys that it takes
  int64_t slots() const { return slots_; }

 private:
  struct Entry {
    KeyHash hash;
    int64_t offset_plus_one;  // 0: free
  };
  static_assert(sizeof(Entry) == kEntryBytes);
  struct Free {
    void operator()(Entry* entries) const { std::free(entries); }
  };
  // The entry of the key, or the free one where it would go.
  Entry* Find(const KeyHash& hash) const;

  HashSecret secret_;
  int64_t slots_;
  int64_t limit_;
  int64_t size_ = 0;
  Offset latest_{-1};
  std::unique_ptr<Entry, Free> entries_;
};

}  // namespace sluice::log
