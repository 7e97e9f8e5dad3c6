#include "fault/attempt.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <new>

#include "base/assert.h"

namespace sluice::fault {
namespace {

constexpr unsigned kHangs = 20;   // seconds; a world takes a twentieth of one
constexpr int kSeconds = 120;      // are spent on looking for less
constexpr size_t kTextBytes = 4 << 20;
constexpr rlim_t kMostMemory = rlim_t{2} << 30;   // a world takes a tenth of that

std::string first_failure;

class Keeper final : public ::testing::EmptyTestEventListener {
  void OnTestPartResult(const ::testing::TestPartResult& result) override {
    if (!result.failed() || !first_failure.empty()) return;
    first_failure = std::string(result.file_name() != nullptr ? result.file_name() : "?") + ":" + std::to_string(result.line_number()) + ": " + result.message();
  }
};

// What parent and child see together.
struct Board {
  test::Place place;
  bool failed = false;
  size_t message = 0, history = 0;   // bytes
  char text[kTextBytes];
};

using Steps = std::vector<std::vector<int>>;   // of each life, those that are left

test::Script ScriptOf(const Steps& steps, const std::vector<bool>& lives) {
  test::Script script;
  script.whole = false;
  for (size_t life = 0; life < steps.size(); ++life) {
    if (!lives[life]) continue;
    if (steps[life].empty()) script.ranges.push_back({static_cast<int>(life), -1, -1});   // the life alone, without a step
    for (int step : steps[life]) {
      if (!script.ranges.empty() && script.ranges.back().life == static_cast<int>(life) && script.ranges.back().last == step - 1) {
        script.ranges.back().last = step;
      } else {
        script.ranges.push_back({static_cast<int>(life), step, step});
      }
    }
  }
  return script;
}

}  // namespace

void CatchFailures() {
  ::testing::TestEventListeners& listeners = ::testing::UnitTest::GetInstance()->listeners();
  delete listeners.Release(listeners.default_result_printer());
  listeners.Append(new Keeper);
}
const std::string& FirstFailure() { return first_failure; }

void BoundMemory() {
  const rlimit bound{kMostMemory, kMostMemory};
  (void)::setrlimit(RLIMIT_AS, &bound);
}

Outcome Attempt(uint64_t seed, const Settings& settings, const test::Script& script) {
  void* shared = ::mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  SLUICE_ASSERT(shared != MAP_FAILED);
  Board* board = new (shared) Board;
  const pid_t child = ::fork();
  SLUICE_ASSERT(child >= 0);
  if (child == 0) {
    ::alarm(kHangs);
    BoundMemory();
    test::Tally tally;
    std::vector<std::string> lines;
    LiveThrough(seed, settings, script, &board->place, &tally, &lines);
    board->failed = ::testing::Test::HasFailure();
    const auto put = [&](const std::string& text, size_t at) {
      const size_t n = std::min(text.size(), kTextBytes - at);
      std::memcpy(board->text + at, text.data(), n);
      return n;
    };
    board->message = put(first_failure, 0);
    std::string history;
    for (const std::string& line : lines) history += "    " + line + "\n";
    board->history = put(history, board->message);
    ::_exit(0);
  }
  int status = 0;
  SLUICE_ASSERT(::waitpid(child, &status, 0) == child);
  Outcome outcome;
  outcome.place = board->place;
  outcome.failed = board->failed;
  outcome.message.assign(board->text, board->message);
  outcome.history.assign(board->text + board->message, board->history);
  if (WIFSIGNALED(status)) {   // an abort has said why
    outcome.failed = true;
    outcome.message = WTERMSIG(status) == SIGALRM ? "it hangs" : "ended by signal " + std::to_string(WTERMSIG(status)) + "; what it said stands above";
  }
  ::munmap(shared, sizeof(Board));
  return outcome;
}

Minimised Minimise(uint64_t seed, const Settings& settings, const test::Place& failed_at, int attempts) {
  Minimised best;
  Steps steps(static_cast<size_t>(failed_at.life) + 1);
  std::vector<bool> lives(steps.size(), true);
  // Nothing behind the failure counts, and of lives before it as many steps as there can be.
  constexpr int kMostSteps = 1500;
  for (size_t life = 0; life < steps.size(); ++life) {
    const int count = life + 1 == steps.size() ? std::min(failed_at.step + 1, failed_at.steps) : kMostSteps;
    for (int step = 0; step < count; ++step) steps[life].push_back(step);
  }
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(kSeconds);
  const auto fails = [&](const Steps& tried, const std::vector<bool>& living) {
    if (best.attempts >= attempts || std::chrono::steady_clock::now() > until) return false;
    ++best.attempts;
    Outcome outcome = Attempt(seed, settings, ScriptOf(tried, living));
    if (!outcome.failed) return false;
    best.outcome = std::move(outcome);
    return true;
  };
  if (!fails(steps, lives)) {   // it takes all of it
    best.outcome = Attempt(seed, settings, {});
    return best;
  }
  for (size_t life = 0; life < lives.size(); ++life) {
    std::vector<bool> fewer = lives;
    fewer[life] = false;
    if (fails(steps, fewer)) lives = std::move(fewer);
  }
  // Steps of the last life count most, and go first.
  for (size_t life = lives.size(); life-- > 0;) {
    if (!lives[life]) continue;
    for (size_t chunk = std::max<size_t>(1, steps[life].size()); chunk > 0; chunk /= 2) {
      for (size_t end = steps[life].size(); end > 0;) {
        const size_t begin = end > chunk ? end - chunk : 0;
        Steps fewer = steps;
        fewer[life].erase(fewer[life].begin() + static_cast<ptrdiff_t>(begin), fewer[life].begin() + static_cast<ptrdiff_t>(end));
        if (fails(fewer, lives)) steps = std::move(fewer);
        end = begin;
      }
    }
  }
  best.script = ScriptOf(steps, lives);
  Settings telling = settings;
  telling.tell = true;
  Outcome told = Attempt(seed, telling, best.script);
  if (told.failed) best.outcome = std::move(told);
  return best;
}

}  // namespace sluice::fault
