// How fast backlogs may be read from the disk, so that those who wait for a write do not wait for a reader: a disk that is asked for all it has lets
// a journal write of 4 KiB wait for tens of milliseconds behind megabytes of reads.
//
// The rate grows while writes take about as long as they did before anybody read, fast up to where it went wrong last and slowly beyond, and falls
// when they take longer: additive increase, multiplicative decrease, as in congestion control. While nobody writes there is no limit.
// Thread: reactor.
// Owns: nothing; senders that wait are told once, or leave by being destroyed.
#pragma once

#include <cstdint>
#include <functional>

#include "base/intrusive_list.h"
#include "io/async_writer.h"
#include "net/reactor.h"
#include "net/timers.h"

namespace sluice::net {

class FileSender;

class ReadPacer final : private Timer {
 public:
  ReadPacer(Reactor& reactor, std::function<io::WriteTimes()> writes);

  // How many of `wanted` bytes may be asked of the disk now, which counts them as asked: none, or at least a chunk to send where so many are wanted.
  int64_t Take(int64_t wanted);
  // Told (OnPaced) when Take has something again.
  void Wait(FileSender* sender);
  // Bytes a second.
  int64_t rate() const { return rate_; }

 private:
  void OnTimer() override;
  void Adapt();
  void BeginStretch();

  Reactor& reactor_;
  const std::function<io::WriteTimes()> writes_;
  io::WriteTimes before_;             // at the last look
  bool writing_ = false;      // there were writes when last looked at
  int64_t usual_us_;          // of a write while nobody reads
  int64_t rate_;
  int64_t ceiling_;           // about where it went wrong last
  int64_t credit_ = 0;        // bytes; below zero after a large piece
  int64_t taken_ = 0;         // since the last look
  int64_t credited_us_ = 0, looked_us_ = 0, slowed_us_ = 0;
  IntrusiveList<FileSender, struct PipeWaitTag> waiting_;
};

}  // namespace sluice::net
