// A log directory checked by log/verify.h, in a test.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "log/verify.h"

namespace sluice::log::test {

inline VerifyReport Verified(io::FileSystem& fs, const std::string& dir) {
  Result<std::unique_ptr<Verifier>> verifier = Verifier::Open(fs, dir, "");
  EXPECT_TRUE(verifier.ok()) << verifier.status().ToString();
  if (!verifier.ok()) return {};
  for (size_t i = 0; i < (*verifier)->partitions(); ++i) (*verifier)->CheckPartition(i);
  return (*verifier)->Finish();
}

inline std::string TextOf(const VerifyReport& report) {
  std::string text;
  for (const Damage& damage : report.damages) text += damage.file + " at " + std::to_string(damage.position) + " (" + damage.partition + "): " + damage.what + "\n";
  for (const std::string& note : report.notes) text += "note: " + note + "\n";
  return text;
}

// However a stop, a crash or a power cut leaves the directory, nothing of it is damage.
inline void ExpectNoDamage(io::FileSystem& fs, const std::string& dir) {
  const VerifyReport report = Verified(fs, dir);
  EXPECT_EQ(report.damaged, 0) << TextOf(report);
}

}  // namespace sluice::log::test
