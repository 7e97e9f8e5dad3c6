// A directory of its own for a test, gone when it ends.
#pragma once

#include <stdlib.h>

#include <string>

#include "base/assert.h"
#include "io/file.h"

namespace sluice::test {

class TempDir {
 public:
  TempDir() {
    const char* base = ::getenv("TMPDIR");
    path_ = std::string(base != nullptr ? base : "/tmp") + "/sluice-test-XXXXXX";
    SLUICE_ASSERT(::mkdtemp(path_.data()) != nullptr);
  }
  ~TempDir() { (void)io::RealFileSystem().RemoveTree(path_); }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace sluice::test
