// sluice-trials: what the kernel charges for each way to do the same work, on this machine and this file system. The ways that Sluice
// takes are chosen by these tables (docs/ARCHITECTURE.md).
//   sluice-trials DIRECTORY [--only sockets|incoming|outgoing|files] [--seconds 2] [--rounds 3]
// DIRECTORY is on the file system in question. Prints one table in Markdown for each trial: medians of rounds in which the ways take turns.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "trial.h"

namespace sluice::bench {
namespace {

using Make = std::vector<Trial> (*)(const TrialOptions&);
constexpr std::pair<std::string_view, Make> kGroups[] = {
    {"sockets", SocketTrials}, {"incoming", IncomingTrials}, {"outgoing", OutgoingTrials}, {"files", FileTrials}};

[[noreturn]] void Usage(const std::string& why) {
  std::fprintf(stderr, "sluice-trials: %s\nusage: sluice-trials DIRECTORY [--only sockets|incoming|outgoing|files] [--seconds S] [--rounds N]\n", why.c_str());
  std::exit(2);
}

double Positive(const char* option, const char* given) {
  char* end = nullptr;
  const double value = std::strtod(given, &end);
  if (*end != '\0' || !(value > 0)) Usage(std::string(option) + " is '" + given + "', not a number above 0");
  return value;
}

int Main(int argc, char** argv) {
  TrialOptions options;
  std::string_view only;
  int rounds = 3;
  for (int i = 1; i < argc; ++i) {
    const std::string_view arg = argv[i];
    if (!arg.starts_with("--")) {
      if (!options.directory.empty()) Usage("more than one directory");
      options.directory = arg;
      continue;
    }
    if (i + 1 == argc) Usage(std::string(arg) + " needs a value");
    const char* value = argv[++i];
    if (arg == "--only") only = value;
    else if (arg == "--seconds") options.seconds = Positive("--seconds", value);
    else if (arg == "--rounds") rounds = static_cast<int>(std::ceil(Positive("--rounds", value)));
    else Usage("there is no option " + std::string(arg));
  }
  if (options.directory.empty()) Usage("which directory?");
  bool found = false;
  for (const auto& [name, make] : kGroups) {
    if (!only.empty() && only != name) continue;
    found = true;
    for (const Trial& trial : make(options)) RunTrial(trial, rounds);
  }
  if (!found) Usage("there are no trials '" + std::string(only) + "'");
  return 0;
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) { return sluice::bench::Main(argc, argv); }
