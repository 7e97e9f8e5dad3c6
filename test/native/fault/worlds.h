// The world that belongs to a seed, and one way through it.
// Thread: one. What fails is with GoogleTest.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "support/tally.h"

namespace sluice::fault {

struct Settings {
  bool faults = true;        // a disk that fails; else only cuts and kills
  std::string lies_about;    // files whose syncs are lies: what the check must find
  bool tell = false;         // keep a history
  bool compaction = false;   // only worlds of compacted logs
  bool flips = false;        // the world of that seed in which bits change at rest
};

void LiveThrough(uint64_t seed, const Settings& settings, const test::Script& script, test::Place* place, test::Tally* tally, std::vector<std::string>* history);

// "0:3-17,25/2:0-4": of life 0 the steps 3 to 17 and 25, of life 2 the steps 0 to 4, and no other life.
std::string ToText(const test::Script& script);
bool FromText(const std::string& text, test::Script* script);

}  // namespace sluice::fault
