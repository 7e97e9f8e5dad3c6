#include "fault/worlds.h"

#include <cstdio>
#include <cstdlib>

#include "log/cleaner_world.h"
#include "log/flip_world.h"
#include "log/recovery_world.h"

namespace sluice::fault {
namespace {

template <class AnyWorld>
void Through(AnyWorld& world, const test::Script& script, test::Place* place, test::Tally* tally, std::vector<std::string>* history) {
  world.LiveThrough(script, place);
  tally->Add(world.tally);
  if (history != nullptr) *history = world.history();
}

// Its power cuts are not counted among those of the worlds that are about them.
void ThroughFlips(uint64_t seed, const Settings& settings, const test::Script& script, test::Place* place, test::Tally* tally, std::vector<std::string>* history) {
  log::test::WorldOptions options;
  options.tell = settings.tell;
  log::test::FlipWorld world(seed, options);
  world.LiveThrough(script, place);
  test::Tally counted;
  counted.flips = world.tally.flips;
  counted.fates = world.tally.fates;
  counted[test::Count::kFlipWorlds] = 1;
  for (test::Count count : {test::Count::kPartitionsCompared, test::Count::kBatchesCompared, test::Count::kRetriesRecognised}) counted[count] = world.tally[count];
  tally->Add(counted);
  if (history != nullptr) *history = world.history();
}

}  // namespace

void LiveThrough(uint64_t seed, const Settings& settings, const test::Script& script, test::Place* place, test::Tally* tally, std::vector<std::string>* history) {
  if (settings.flips) return ThroughFlips(seed, settings, script, place, tally, history);
  if (settings.compaction || seed % 8 == 7) {
    log::test::CleanerWorld world(seed);
    world.tell = settings.tell;
    world.faults = settings.faults;
    world.disk().lies_about = settings.lies_about;
    Through(world, script, place, tally, history);
    return;
  }
  log::test::WorldOptions options;
  options.faults = settings.faults;
  options.lies_about = settings.lies_about;
  options.tell = settings.tell;
  if (seed % 8 == 5) {
    options.partitions = 2;
    options.largest = 10 << 20;
  }
  options.full_disk = seed % 8 == 6;
  log::test::World world(seed, options);
  Through(world, script, place, tally, history);
}

std::string ToText(const test::Script& script) {
  if (script.whole) return "all";
  std::string text;
  int life = -1;
  for (const test::Script::Range& range : script.ranges) {
    text += range.life == life ? "," : (text.empty() ? "" : "/") + std::to_string(range.life) + ":";
    text += std::to_string(range.first);
    if (range.last != range.first) text += "-" + std::to_string(range.last);
    life = range.life;
  }
  return text;
}

bool FromText(const std::string& text, test::Script* script) {
  if (text == "all") return true;
  script->whole = false;
  const char* at = text.c_str();
  while (*at != '\0') {
    char* end;
    const long life = std::strtol(at, &end, 10);
    if (end == at || *end != ':') return false;
    at = end + 1;
    for (;;) {
      const long first = std::strtol(at, &end, 10);
      if (end == at) return false;
      long last = first;
      if (*end == '-' && first >= 0) {
        at = end + 1;
        last = std::strtol(at, &end, 10);
        if (end == at || last < first) return false;
      }
      script->ranges.push_back({static_cast<int>(life), static_cast<int>(first), static_cast<int>(last)});
      at = end;
      if (*at != ',') break;
      ++at;
    }
    if (*at == '/') ++at; else if (*at != '\0') return false;
  }
  return true;
}

}  // namespace sluice::fault
