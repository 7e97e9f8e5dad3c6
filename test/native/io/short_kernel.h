// A kernel that does less than it was asked for. The linker puts these functions in the place of the calls that native/io makes (CMakeLists.txt, --wrap): each
// hands a shorter request to the real kernel, or is interrupted before it does anything. What is read and written is real.
// Thread: any.
#pragma once

#include <cstdint>

namespace sluice::io::test {

struct ShortKernel {
  ShortKernel();    // from here on
  ~ShortKernel();   // ... to here
  ShortKernel(const ShortKernel&) = delete;
  ShortKernel& operator=(const ShortKernel&) = delete;
};

enum class Cut { kShort, kInterrupted, kAgain, kSubmittedInPart, kCompletedShort, kCompletedInterrupted, kEnd };
int64_t CutsOf(Cut kind);   // so far: a test in which none came proves nothing

}  // namespace sluice::io::test
