// Asynchronous writes for the journal: submitted in a batch, completed in any order.
// Thread: home thread only.
// Owns: nothing; a WriteOp and its bytes belong to the caller until OnWritten.
#pragma once

#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "base/result.h"
#include "io/executor.h"
#include "io/file.h"

namespace sluice::io {

// An intrusive field of its owner. All members are set by the caller before Submit.
class WriteOp {
 public:
  virtual ~WriteOp() = default;
  virtual void OnWritten(Status status) = 0;  // home thread, from Reap()
  File* file = nullptr;
  Bytes data;
  int64_t position = 0;
  bool sync_after = false;  // fdatasync behind the write, where the file was not opened O_DSYNC
};

// Of writes that others wait for: how many have ended so far, how long all of them took, and how long the oldest under way has been.
struct WriteTimes {
  int64_t ended = 0, total_us = 0, waiting_us = 0;
};

class AsyncWriter {
 public:
  virtual ~AsyncWriter() = default;
  // Queues the write; it reaches the kernel at the next Flush().
  virtual void Submit(WriteOp* op) = 0;
  virtual void Flush() = 0;
  // Calls OnWritten of what has completed, without waiting; returns how many.
  virtual size_t Reap() = 0;
  // Blocks until nothing is queued or in flight, calling OnWritten: for a stop, or before buffers in flight are freed.
  virtual void Drain() = 0;
  // Completions wait, as far as can be told without entering the kernel.
  virtual bool HasCompletions() const = 0;
  // Readable when completions wait.
  virtual int event_fd() const = 0;
  virtual size_t pending() const = 0;
  // "io_uring" or "epoll"
  virtual const char* driver() const = 0;
};

enum class Driver : uint8_t { kAuto, kUring, kEpoll };

// kAuto probes io_uring and falls back on pool threads with pwrite; kUring fails with kIo where the kernel refuses it, saying why.
Result<std::unique_ptr<AsyncWriter>> MakeAsyncWriter(Driver driver);

}  // namespace sluice::io
