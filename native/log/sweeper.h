// Files that have left their logs, removed a few at a time. Gigabytes that retention lets go of at once keep everybody waiting: the kernel drops their
// pages, and the disk is told of their blocks where the file system discards.
// Thread: home.
// Owns: the list; what is on it when the process ends is removed by the next start.
// After error: a file that cannot be removed is reported, and left to the next start.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "log/env.h"

namespace sluice::log {

class Sweeper {
 public:
  explicit Sweeper(const Env& env) : env_(env) {}

  // `bytes`: about how large it is.
  void Add(std::string path, int64_t bytes);
  // About every 100 ms. `hurry`: somebody waits for the space.
  void OnTimer(bool hurry);
  // What is left, at once and here.
  void Finish();

 private:
  struct File {
    std::string path;
    int64_t bytes = 0;
  };
  static void Remove(const Env& env, const std::vector<std::string>& paths);

  const Env env_;
  std::deque<File> waiting_;
  int64_t waiting_bytes_ = 0;
  int64_t credit_ = 0;       // bytes; below zero after a large file
  int64_t looked_us_ = 0;
  bool removing_ = false;
};

}  // namespace sluice::log
