// One bit of one file turned while nobody has the directory open, after stops, kills and power cuts of random lives: see flip_world.h. SLUICE_ROUNDS worlds are lived
// through, the same each time unless SLUICE_SEED says where to begin; a failure prints its seed. `npm run fault` lives through many.
#include <gtest/gtest.h>

#include <cstdlib>
#include <numeric>

#include "flip_world.h"

namespace sluice::log {
namespace {

uint64_t Number(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

TEST(FlipRandom, ATurnedBitIsFoundOrMeansNothing) {
  const uint64_t first = Number("SLUICE_SEED", 1), rounds = Number("SLUICE_ROUNDS", 4);
  sluice::test::Tally tally;
  for (uint64_t i = 0; i < rounds; ++i) {
    SCOPED_TRACE("SLUICE_SEED=" + std::to_string(first + i) + " SLUICE_ROUNDS=1");
    test::FlipWorld world(first + i);
    world.LiveThrough();
    if (HasFailure()) return;
    tally.Add(world.tally);
  }
  // A test of damage in which nothing was ever damaged would prove nothing.
  if (rounds >= 4) {
    int64_t found = 0;
    for (const auto& fates : tally.fates) found += fates[static_cast<size_t>(sluice::test::FlipFate::kByVerify)];
    EXPECT_GT(found, 0);
    EXPECT_GT(std::accumulate(tally.flips.begin(), tally.flips.end(), int64_t{0}), found);
  }
}

}  // namespace
}  // namespace sluice::log
