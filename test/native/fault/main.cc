// Random worlds on a simulated disk, cut again and again: what was promised is there afterwards. In some of them bits change at rest. See docs/durability.md; `npm run fault` builds and runs it.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <numeric>
#include <random>
#include <thread>

#include "base/assert.h"
#include "fault/attempt.h"

namespace sluice::fault {
namespace {

constexpr unsigned kHangs = 60;   // seconds
constexpr int kAttempts = 1500;
constexpr int64_t kAllCuts = 10000;
constexpr int64_t kAllFlipWorlds = 200;
constexpr int64_t kFlipsEvery = 32;   // worlds; one more in which bits change at rest

constexpr char kUsage[] =
    "  --seed N      the first world's number (default: random)\n"
    "  --runs M      so many worlds\n"
    "  --cuts N      worlds until there were so many power cuts (default, without --runs: 10000)\n"
    "  --jobs N      processes (default: one for each processor)\n"
    "  --flips       only worlds in which bits of files change at rest (else one beside every 32 of the others)\n"
    "  --compaction  only worlds of compacted logs (else every eighth)\n"
    "  --no-faults   power cuts and kills only: no access fails\n"
    "  --keep PART   of each world only these lives and steps, as a failure prints them\n"
    "  --no-minimise a failure is told as it is\n"
    "  --lies TEXT   syncs of files whose path has TEXT in it do nothing: this must fail\n";

struct Options {
  uint64_t seed = std::random_device()();
  int64_t runs = 0, cuts = 0;
  int jobs = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  bool minimise = true;
  Settings settings;
  test::Script script;
};

// One for each process, seen by all.
struct Worker {
  std::atomic<uint64_t> seed{0};
  std::atomic<bool> flips{false};
  test::Place place;
  test::Tally tally;
};
struct Shared {
  std::atomic<bool> stop{false};
  std::atomic<int64_t> next{0}, cuts{0};
  Worker workers[256];
};

[[noreturn]] void Work(const Options& options, Shared* shared, Worker* worker) {
  int64_t cuts = 0;
  while (!shared->stop && (options.cuts == 0 || shared->cuts < options.cuts)) {
    const int64_t i = shared->next++;
    if (options.runs > 0 && i >= options.runs) break;
    worker->seed = options.seed + static_cast<uint64_t>(i);
    for (const bool flips : {false, true}) {
      const bool wanted = flips ? options.settings.flips || (options.script.whole && !options.settings.compaction && i % kFlipsEvery == kFlipsEvery - 1) : !options.settings.flips;
      if (!wanted) continue;
      Settings settings = options.settings;
      settings.flips = worker->flips = flips;
      ::alarm(kHangs);
      LiveThrough(worker->seed, settings, options.script, &worker->place, &worker->tally, nullptr);
      if (::testing::Test::HasFailure()) ::_exit(1);
    }
    shared->cuts += worker->tally[test::Count::kPowerCuts] - cuts;
    cuts = worker->tally[test::Count::kPowerCuts];
  }
  ::_exit(0);
}

std::string Grouped(int64_t n) {
  std::string text = std::to_string(n);
  for (ptrdiff_t at = static_cast<ptrdiff_t>(text.size()) - 3; at > 0; at -= 3) text.insert(static_cast<size_t>(at), ",");
  return text;
}

void PrintFlips(const test::Tally& tally) {
  for (size_t kind = 0; kind < test::kFlipKinds; ++kind) {
    if (tally.flips[kind] == 0) continue;
    std::printf("  bits turned, %-21s %s", (std::string(test::kFlipKindNames[kind]) + ":").c_str(), Grouped(tally.flips[kind]).c_str());
    for (size_t fate = 0; fate < test::kFlipFates; ++fate) {
      if (tally.fates[kind][fate] > 0) std::printf(", %s %s", Grouped(tally.fates[kind][fate]).c_str(), test::kFlipFateNames[fate]);
    }
    std::printf("\n");
  }
}

void PrintTally(const test::Tally& tally) {
  const char* group = "";
  for (size_t i = 0; i < test::kCounts; ++i) {
    const test::CountName& name = test::kCountNames[i];
    if (tally.counts[i] == 0) continue;
    if (std::strcmp(group, name.group) != 0) {
      std::printf("%s  %-20s", *group == '\0' ? "" : "\n", name.group);
      group = name.group;
    } else {
      std::printf(", ");
    }
    std::printf("%s %s", Grouped(tally.counts[i]).c_str(), name.name);
  }
  std::printf("\n");
  PrintFlips(tally);
}

// Fails fast: says what, how to see it again, and the least that shows it.
void Explain(const Options& options, bool flips, uint64_t seed, const test::Place& place) {
  Settings settings = options.settings;
  settings.flips = flips;
  std::string more = settings.faults ? "" : " --no-faults";
  if (flips) more += " --flips"; else if (settings.compaction) more += " --compaction";
  if (!settings.lies_about.empty()) more += " --lies " + settings.lies_about;
  std::printf("FAILED seed %" PRIu64 ", in life %d at step %d%s\n", seed, place.life, place.step, options.minimise ? "; looking for less that fails ..." : "");
  std::fflush(stdout);
  if (!options.minimise) {
    const Outcome outcome = Attempt(seed, settings, options.script);
    std::printf("%s\nreplay it:  npm run fault -- --seed %" PRIu64 " --runs 1%s\n", outcome.message.c_str(), seed, more.c_str());
    return;
  }
  Minimised least = options.script.whole ? Minimise(seed, settings, place, kAttempts) : Minimised{options.script, {}, 0};
  if (!options.script.whole) {
    Settings telling = settings;
    telling.tell = true;
    least.outcome = Attempt(seed, telling, options.script);
  }
  if (!least.outcome.failed) {
    std::printf("it does not fail again, so it depends on more than its seed\n");
  }
  std::printf("%s\n  what happens, after %d attempts to make it less:\n%s", least.outcome.message.c_str(), least.attempts, least.outcome.history.c_str());
  std::printf("replay all of it:  npm run fault -- --seed %" PRIu64 " --runs 1%s\n", seed, more.c_str());
  if (!least.script.whole) std::printf("replay this part:  npm run fault -- --seed %" PRIu64 " --runs 1%s --keep %s\n", seed, more.c_str(), ToText(least.script).c_str());
}

int Run(const Options& options) {
  void* memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  SLUICE_ASSERT(memory != MAP_FAILED);
  Shared* shared = new (memory) Shared;
  const auto began = std::chrono::steady_clock::now();
  std::vector<pid_t> pids;
  for (int i = 0; i < options.jobs; ++i) {
    const pid_t pid = ::fork();
    SLUICE_ASSERT(pid >= 0);
    if (pid == 0) BoundMemory();
    if (pid == 0) Work(options, shared, &shared->workers[i]);
    pids.push_back(pid);
  }
  int failed = -1;
  for (size_t left = pids.size(); left > 0; --left) {
    int status = 0;
    const pid_t ended = ::waitpid(-1, &status, 0);
    if (status == 0) continue;
    shared->stop = true;
    if (failed < 0) failed = static_cast<int>(std::find(pids.begin(), pids.end(), ended) - pids.begin());
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  rusage used{};
  ::getrusage(RUSAGE_CHILDREN, &used);
  const double cpu = static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
  test::Tally tally;
  for (int i = 0; i < options.jobs; ++i) tally.Add(shared->workers[i].tally);
  const int64_t bits = std::accumulate(tally.flips.begin(), tally.flips.end(), int64_t{0});
  const bool flips = options.settings.flips;
  std::printf("%s %s in %s worlds from seed %" PRIu64 " on: %.0f s with %d processes, %.0f CPU seconds\n", Grouped(flips ? bits : tally[test::Count::kPowerCuts]).c_str(),
              flips ? "bits turned" : "power cuts", Grouped(tally[flips ? test::Count::kFlipWorlds : test::Count::kWorlds]).c_str(), options.seed, seconds, options.jobs, cpu);
  PrintTally(tally);
  if (failed >= 0) {
    Explain(options, shared->workers[failed].flips, shared->workers[failed].seed, shared->workers[failed].place);
    return 1;
  }
  if (tally[test::Count::kWorlds] + tally[test::Count::kFlipWorlds] == 0) return 1;
  std::printf("ok: after each end, whatever was answered was there, once and in order, and nothing that was not written\n");
  return 0;
}

int Main(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    const bool last = i + 1 == argc;
    const auto number = [&](auto* out) {
      char* end = nullptr;
      *out = static_cast<std::remove_pointer_t<decltype(out)>>(std::strtoull(argv[++i], &end, 10));
      return *end == '\0' && end != argv[i];
    };
    bool good = true;
    if (name == "--flips") options.settings.flips = true;
    else if (name == "--compaction") options.settings.compaction = true;
    else if (name == "--no-faults") options.settings.faults = false;
    else if (name == "--no-minimise") options.minimise = false;
    else if (last) good = false;
    else if (name == "--seed") good = number(&options.seed);
    else if (name == "--runs") good = number(&options.runs) && options.runs > 0;
    else if (name == "--cuts") good = number(&options.cuts) && options.cuts > 0;
    else if (name == "--jobs") good = number(&options.jobs) && options.jobs > 0 && options.jobs <= 256;
    else if (name == "--lies") options.settings.lies_about = argv[++i];
    else if (name == "--keep") good = FromText(argv[++i], &options.script);
    else good = false;
    if (good) continue;
    std::fprintf(stderr, "%s is not understood; there are\n%s", name.c_str(), kUsage);
    return 2;
  }
  if (options.settings.flips && options.cuts > 0) {
    std::fprintf(stderr, "--cuts counts power cuts, and --flips has none to count: say how many worlds with --runs\n");
    return 2;
  }
  if (options.runs == 0 && options.settings.flips) options.runs = kAllFlipWorlds;
  if (options.runs == 0 && options.cuts == 0) options.cuts = kAllCuts;
  ::testing::InitGoogleTest();
  ::testing::GTEST_FLAG(throw_on_failure) = false;
  CatchFailures();
  return Run(options);
}

}  // namespace
}  // namespace sluice::fault

int main(int argc, char** argv) { return sluice::fault::Main(argc, argv); }
