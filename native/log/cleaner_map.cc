#include "log/cleaner_map.h"

#include <sys/random.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/assert.h"

namespace sluice::log {
namespace {

struct SipState {
  uint64_t v0, v1, v2, v3;
  void Round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }
  void Take(uint64_t word) {
    v3 ^= word;
    Round();
    Round();
    v0 ^= word;
  }
  uint64_t End() {
    for (int i = 0; i < 4; ++i) Round();
    return v0 ^ v1 ^ v2 ^ v3;
  }
};

static_assert(std::endian::native == std::endian::little);

}  // namespace

KeyHash HashKey(const HashSecret& secret, Bytes key) {
  SipState state{secret.k0 ^ 0x736f6d6570736575, secret.k1 ^ 0x646f72616e646f6d ^ 0xee, secret.k0 ^ 0x6c7967656e657261, secret.k1 ^ 0x7465646279746573};
  const uint8_t* p = key.data();
  size_t left = key.size();
  for (; left >= 8; left -= 8, p += 8) {
    uint64_t word;
    std::memcpy(&word, p, 8);
    state.Take(word);
  }
  uint64_t last = static_cast<uint64_t>(key.size()) << 56;
  for (size_t i = 0; i < left; ++i) last |= static_cast<uint64_t>(p[i]) << (8 * i);
  state.Take(last);
  KeyHash hash;
  state.v2 ^= 0xee;
  hash.low = state.End();
  state.v1 ^= 0xdd;
  hash.high = state.End();
  return hash;
}

CleanerMap::CleanerMap(int64_t bytes, double load_factor, int64_t keys) {
  SLUICE_ASSERT(::getrandom(&secret_, sizeof secret_, 0) == static_cast<ssize_t>(sizeof secret_));
  const double load = std::clamp(load_factor, 0.01, 0.99);  // a look-up ends at a free slot
  const int64_t most = std::max<int64_t>(bytes / kEntryBytes, 4);
  const double wanted = static_cast<double>(std::max<int64_t>(keys, 1)) / load + 4;
  slots_ = wanted < static_cast<double>(most) ? static_cast<int64_t>(wanted) : most;
  limit_ = std::max<int64_t>(1, static_cast<int64_t>(static_cast<double>(slots_) * load));
  entries_.reset(static_cast<Entry*>(std::calloc(static_cast<size_t>(slots_), sizeof(Entry))));
  SLUICE_ASSERT(entries_ != nullptr);
}

CleanerMap::Entry* CleanerMap::Find(const KeyHash& hash) const {
  Entry* const begin = entries_.get();
  int64_t slot = static_cast<int64_t>((static_cast<unsigned __int128>(hash.high) * static_cast<uint64_t>(slots_)) >> 64);
  while (begin[slot].offset_plus_one != 0 && begin[slot].hash != hash) {
    if (++slot == slots_) slot = 0;
  }
  return begin + slot;
}

bool CleanerMap::Put(Bytes key, Offset offset) {
  const KeyHash hash = HashKey(secret_, key);
  Entry* entry = Find(hash);
  if (entry->offset_plus_one == 0) {
    if (size_ >= limit_) return false;
    ++size_;
    entry->hash = hash;
  }
  entry->offset_plus_one = offset.v + 1;
  return true;
}

Offset CleanerMap::Get(Bytes key) const { return Offset(Find(HashKey(secret_, key))->offset_plus_one - 1); }

}  // namespace sluice::log
