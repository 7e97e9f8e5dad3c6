// Checks a log directory that no engine has: every batch's CRC, framing and offsets, every index against its segment, producer snapshots, leader
// epochs, checkpoints, the journal's chain. Reads only. Understands what Apache Kafka leaves, and what a crash leaves: damage is what cannot be
// explained by how the directory was left; what recovery will cut, make anew or write back is a note.
//
// Use: Open, CheckPartition of each (any thread, each once), Finish.
// Thread: CheckPartition any; the rest the owner's, blocking.
// Owns: the directory's lock, where the directory has one.
// After error: Open fails where there is nothing to check, or a broker is running; damage is no error but a finding.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/file.h"

namespace sluice::log {

struct Damage {
  std::string file;        // path
  std::string partition;   // "topic-0"; empty for a file of the whole directory
  int64_t position = 0;    // bytes from the start of the file
  std::string what;
};

struct VerifyReport {
  bool clean = false;      // the last stop was clean
  int64_t partitions = 0, segments = 0, batches = 0, index_entries = 0, snapshots = 0, journal_frames = 0;
  int64_t bytes = 0;       // of segments, as they were read
  int64_t damaged = 0;     // how many in all; the list has the first of them, by file and position
  std::vector<Damage> damages;
  std::vector<std::string> notes;
};

inline constexpr size_t kMaxListedDamages = 10000;
inline constexpr size_t kMaxListedNotes = 1000;

class Verifier {
 public:
  // `topic`: only its partitions; empty: all. kLocked while an engine or Kafka has the directory, kNotFound where there is none.
  static Result<std::unique_ptr<Verifier>> Open(io::FileSystem& fs, const std::string& dir, const std::string& topic);
  ~Verifier();

  size_t partitions() const;
  void CheckPartition(size_t index);
  VerifyReport Finish();

 private:
  struct Impl;
  explicit Verifier(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::log
