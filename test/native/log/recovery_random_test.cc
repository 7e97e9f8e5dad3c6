// Random operations on a log directory, cut at random moments by power cuts, kill -9 and clean stops, inside checkpoints and recovery too.
// SLUICE_ROUNDS worlds are lived through, SLUICE_SEED repeats one; a failure prints its seed. `npm run fault` lives through many, on a disk that fails, too.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "recovery_world.h"

namespace sluice::log {
namespace {

uint64_t Number(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

void LiveThrough(uint64_t rounds, const test::WorldOptions& options) {
  const uint64_t first = Number("SLUICE_SEED", std::random_device()());
  int takeovers = 0;
  for (uint64_t i = 0; i < rounds; ++i) {
    const uint64_t seed = first + i;
    SCOPED_TRACE("SLUICE_SEED=" + std::to_string(seed) + " SLUICE_ROUNDS=1");
    test::World world(seed, options);
    world.LiveThrough();
    if (::testing::Test::HasFailure()) return;
    takeovers += world.takeovers;
  }
  // A test of crashes before the first checkpoint that never sees one would prove nothing.
  if (rounds >= 20) {
    EXPECT_GT(takeovers, 0);
  }
}

TEST(RecoveryRandom, WhatWasPromisedIsThereAfterEveryKindOfEnd) { LiveThrough(Number("SLUICE_ROUNDS", 20), {}); }

TEST(RecoveryRandom, BusyWithAFewPartitionsAndLargeBatches) {
  test::WorldOptions options;
  options.partitions = 2;
  options.largest = 10 << 20;
  LiveThrough(Number("SLUICE_ROUNDS", 8), options);
}

TEST(RecoveryRandom, FullNowAndThen) {
  test::WorldOptions options;
  options.full_disk = true;
  LiveThrough(Number("SLUICE_ROUNDS", 8), options);
}

}  // namespace
}  // namespace sluice::log
