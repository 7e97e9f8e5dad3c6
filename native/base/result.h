// Result and Status: how every fallible function of the engine answers.
//
// No exceptions and no RTTI anywhere in native/. A failure of the outside world (disk, peer, client)
// is returned; a broken invariant of ours aborts through SLUICE_ASSERT (base/assert.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/assert.h"

namespace sluice {

// What went wrong, independent of protocol. kafka/errors.h maps each to Kafka's error code.
enum class Code : uint16_t {
  kOk = 0,
  kIo,                  // a system call failed; Status::sys_errno() tells which way
  kNoSpace,             // ENOSPC or EDQUOT: the disk is full, not broken
  kNoFiles,             // EMFILE or ENFILE: no descriptor is left; nothing is broken either
  kWouldBlock,          // the bytes are not in memory; ask again in blocking mode on the pool
  kCorrupt,             // bytes that fail a check (CRC, length, order)
  kInvalid,             // a request that can never be right
  kNotFound,
  kExists,
  kLocked,              // another process holds the directory
  kForeign,             // the directory belongs to another cluster or was changed by something else
  kClosed,              // the log, engine or connection is closing
  kOffline,             // the log directory or partition was taken offline by an earlier failure
  kOffsetOutOfRange,
  kTooLarge,            // a batch or message beyond its limit
  kUnsupportedFormat,   // magic other than 2, unknown codec
  kInvalidTimestamp,
  kInvalidRecord,
  kOutOfOrderSequence,  // KIP-98: a gap in a producer's sequence
  kInvalidProducerEpoch,
  kFencedLeaderEpoch,
  kUnknownLeaderEpoch,
  kBudget,              // a memory budget is spent; wait
  kTimeout,
};

// What is lacking may come back by itself: it is tried again, and nothing goes offline because of it.
constexpr bool IsLack(Code code) { return code == Code::kNoSpace || code == Code::kNoFiles; }
// The system would not do it now, which says nothing of what a file holds.
constexpr bool IsUnread(Code code) { return code == Code::kIo || IsLack(code); }

// A failure with its place. `what` is a short English clause ("segment write", "journal frame header").
class [[nodiscard]] Status {
 public:
  Status() = default;
  static Status Ok() { return Status(); }
  static Status Error(Code code, std::string what, int sys_errno = 0) {
    Status s;
    s.code_ = code;
    s.errno_ = sys_errno;
    s.what_ = std::move(what);
    return s;
  }
  // Maps ENOSPC and EDQUOT to kNoSpace, EMFILE and ENFILE to kNoFiles, EAGAIN to kWouldBlock, ENOENT to kNotFound, EEXIST to kExists, the rest to kIo.
  static Status FromErrno(int sys_errno, std::string what);

  bool ok() const { return code_ == Code::kOk; }
  explicit operator bool() const { return ok(); }
  Code code() const { return code_; }
  int sys_errno() const { return errno_; }
  const std::string& what() const { return what_; }
  // "segment write: No space left on device (ENOSPC)"; for log lines and messages.
  std::string ToString() const;

 private:
  Code code_ = Code::kOk;
  int errno_ = 0;
  std::string what_;
};

// Stable, lower-case name of a code ("no_space"), used in messages and by the addon's error codes.
const char* CodeName(Code code);

// A value or the Status that says why there is none.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}  // NOLINT: implicit on purpose
  Result(Status status) : status_(std::move(status)) { SLUICE_ASSERT(!status_.ok()); }  // NOLINT

  bool ok() const { return value_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Status& status() const { return status_; }
  Code code() const { return status_.code(); }
  T& value() & { SLUICE_ASSERT(ok()); return *value_; }
  const T& value() const& { SLUICE_ASSERT(ok()); return *value_; }
  T&& take() { SLUICE_ASSERT(ok()); return std::move(*value_); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }

 private:
  std::optional<T> value_;
  Status status_;
};

// Returns early with the status of an expression that yields Status.
#define SLUICE_TRY(expr)                              \
  do {                                                \
    ::sluice::Status sluice_try_status = (expr);      \
    if (!sluice_try_status.ok()) return sluice_try_status; \
  } while (0)

}  // namespace sluice
