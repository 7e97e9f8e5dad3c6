// One partition's files, checked. Part of verify.h.
// Thread: any. Owns: nothing that outlives the call. After error: what cannot be read is a finding.
#pragma once

#include <optional>
#include <string>

#include "log/leader_epochs.h"
#include "log/proven_state.h"
#include "log/verify.h"

namespace sluice::log {

// What may be expected of a partition's files, by how the directory was left.
struct Expected {
  bool clean = false;                      // everything holds, to the end of every file
  Offset holds_below{0};                   // else: batches below hold, behind them recovery decides
  Offset files_hold_below{0};              // ... and so do the indexes that speak of what lies below: large batches are durable before those
  bool ended_there = false;                // ... and a batch ended just there, of a segment that was not compacted yet
  std::optional<ProvenState> proven;       // Sluice's checkpoint speaks of it
  Offset log_start{0};
  std::optional<Offset> recovery_point, high_watermark;   // Kafka's checkpoints
  std::optional<Offset> cleaned_to;        // compaction has left gaps below
};

struct Findings {
  VerifyReport report;
  void Add(const std::string& file, const std::string& partition, int64_t position, std::string what);
  void Note(std::string line);
};

void VerifyLog(io::FileSystem& fs, const std::string& dir, const std::string& name, const Expected& expected, Findings* out);

}  // namespace sluice::log
