// A world lived through in a process of its own, so that one that aborts, hangs or fails takes nothing along; and, of one that fails, the smallest part
// that still does.
// Thread: one.
#pragma once

#include <cstdint>
#include <string>

#include "fault/worlds.h"

namespace sluice::fault {

struct Outcome {
  bool failed = false;
  std::string message;    // of the first failure
  std::string history;    // where asked for
  test::Place place;      // where it was when it failed
};

// What fails from now on in this process is kept instead of printed; the first message.
void CatchFailures();
const std::string& FirstFailure();

// Who takes memory without bound ends.
void BoundMemory();

Outcome Attempt(uint64_t seed, const Settings& settings, const test::Script& script);

struct Minimised {
  test::Script script;
  Outcome outcome;        // with the history
  int attempts = 0;
};
// Leaves out lives and steps as long as it fails, and cuts it earlier; at most `attempts` tries.
Minimised Minimise(uint64_t seed, const Settings& settings, const test::Place& failed_at, int attempts);

}  // namespace sluice::fault
