// What the trials share: ways to do the same work, which take turns so that the machine's mood falls on all of them alike, and one table of
// medians.
//
// Thread: the main one. After error: the process ends with one line that names what failed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../clock.h"
#include "../histogram.h"
#include "io/socket.h"

namespace sluice::bench {

// What one pass of one way came to.
struct Pass {
  double rate = 0;  // in the trial's unit
  double cpu = 0;   // microseconds for each piece of work, or seconds a GB, as the trial says
  std::optional<Histogram> latency;
};

struct Way {
  std::string name;
  // Says why it cannot be done here instead of a pass, as where the kernel does not know it.
  std::function<std::pair<std::optional<Pass>, std::string>()> run;
};

struct Trial {
  std::string title;
  std::string rate_unit;
  std::string cpu_unit;
  std::vector<Way> ways;
};

// Runs each way `rounds` times, forward and backward in turn, and prints the medians as a table in Markdown.
void RunTrial(const Trial& trial, int rounds);

struct TrialOptions {
  std::string directory;
  double seconds = 2;
};
std::vector<Trial> SocketTrials(const TrialOptions& options);
std::vector<Trial> IncomingTrials(const TrialOptions& options);
std::vector<Trial> OutgoingTrials(const TrialOptions& options);
std::vector<Trial> FileTrials(const TrialOptions& options);

[[noreturn]] void Die(const std::string& what);
double NowSeconds();

// Both ends of a connection over the loopback, without Nagle's delay.
struct Ends {
  io::Fd server;
  io::Fd client;
};
Ends Connect();

// Memory of whole pages, written to once. `huge` asks the kernel for pages of 2 MiB.
class Pages {
 public:
  explicit Pages(size_t size, bool huge = false);
  Pages(Pages&& other) noexcept : data_(std::exchange(other.data_, nullptr)), size_(other.size_) {}
  ~Pages();
  uint8_t* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  uint8_t* data_;
  size_t size_;
};

// A file of `size` bytes that are written and on the disk, opened for reading and writing with `flags` more, and without a name.
io::Fd WrittenFile(const std::string& directory, uint64_t size, int flags = 0);

}  // namespace sluice::bench
