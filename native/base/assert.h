// SLUICE_ASSERT: a broken invariant of ours ends the process, with what was expected and both values where there are two.
// Never used on anything that comes from the wire or the disk.
#pragma once

namespace sluice {
[[noreturn]] void AssertFailed(const char* file, int line, const char* expression);
[[noreturn]] void AssertFailedValues(const char* file, int line, const char* expression, long long left, long long right);
}  // namespace sluice

#define SLUICE_ASSERT(cond) \
  (__builtin_expect(!!(cond), 1) ? (void)0 : ::sluice::AssertFailed(__FILE__, __LINE__, #cond))

// Compares two integers and prints both when the relation does not hold: SLUICE_ASSERT_OP(start, <=, end).
#define SLUICE_ASSERT_OP(a, op, b)                                                            \
  (__builtin_expect(!!((a)op(b)), 1)                                                          \
       ? (void)0                                                                              \
       : ::sluice::AssertFailedValues(__FILE__, __LINE__, #a " " #op " " #b, (long long)(a), (long long)(b)))
