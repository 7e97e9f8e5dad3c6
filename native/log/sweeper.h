// Files that have left their logs, and the folders of deleted partitions, removed a little at a time. Gigabytes that are let go of at once keep everybody
// waiting: the kernel drops their pages, and the disk is told of their blocks where the file system discards. Large files are cut down from their ends first,
// because a segment is much already.
// Thread: home.
// Owns: the list; what is on it when the process ends is removed by the next start.
// After error: a file that cannot be removed is reported, and left to the next start.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "log/env.h"

namespace sluice::log {

class Sweeper {
 public:
  explicit Sweeper(const Env& env, int64_t piece_bytes = kPieceBytes) : env_(env), piece_bytes_(piece_bytes) {}

  // `bytes`: about how large it is. `reader`: lives as long as anybody may read the file, which is not cut down until then.
  void Add(std::string path, int64_t bytes, std::weak_ptr<const void> reader = {});
  // A folder with all that is in it, whose name is durable. `is_read`: somebody may still read its files.
  struct Folder {
    struct Content {
      std::string name;
      int64_t bytes = 0;
    };
    std::string path;
    bool is_read = false;
    std::vector<Content> files = {};
  };
  void AddFolder(const Folder& folder);
  // Its folder gets another name, and another folder may get its own.
  void Forget(const std::string& folder);
  // About every 100 ms. `hurry`: somebody waits for the space.
  void OnTimer(bool hurry);
  // The files that are left, at once and here; folders stay.
  void Finish();

  static constexpr int64_t kPieceBytes = 8 << 20;

 private:
  enum class Kind : uint8_t { kFile, kFileOfFolder, kFolder };
  struct File {
    std::string path;
    int64_t bytes = 0;
    std::weak_ptr<const void> reader;
    Kind kind = Kind::kFile;
    bool has_durable_name = false;
    bool stays_whole = false;   // as it is read, or could not be cut
  };
  struct Step {
    std::string path;
    int64_t length = 0;        // what is left of it; 0: the file goes
    bool syncs_name = false;
    bool is_folder = false;
  };
  File& Append(std::string path, int64_t bytes, Kind kind);
  Step NextStep(File& file, bool hurry);
  static Status Cut(const Env& env, const Step& step);
  // The path of the last file that could not be cut.
  static std::string Run(const Env& env, const std::vector<Step>& steps);

  const Env env_;
  const int64_t piece_bytes_;
  std::deque<File> waiting_;
  int64_t waiting_cost_ = 0;
  int64_t credit_ = 0;       // bytes; below zero after a large piece
  int64_t rate_ = 0;         // of this burst, bytes a second
  int64_t looked_us_ = 0;
  bool removing_ = false;
};

}  // namespace sluice::log
