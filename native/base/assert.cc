#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace sluice {

void AssertFailed(const char* file, int line, const char* expression) {
  std::fprintf(stderr, "sluice: broken invariant at %s:%d: %s\n", file, line, expression);
  std::abort();
}

void AssertFailedValues(const char* file, int line, const char* expression, long long left, long long right) {
  std::fprintf(stderr, "sluice: broken invariant at %s:%d: %s (%lld against %lld)\n", file, line, expression, left, right);
  std::abort();
}

}  // namespace sluice
