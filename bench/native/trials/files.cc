// Writes that have to be on the disk, as the journal makes them, and writes to the page cache, as segments get them.
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "ring.h"
#include "trial.h"

namespace sluice::bench {
namespace {

constexpr uint64_t kFile = 64ull << 20;
constexpr unsigned kMaxDepth = 8;

struct Shape {
  size_t size;
  int flags;      // of open()
  bool per_byte;  // CPU is told by GB, not by write
};

Pass PassFrom(Histogram latency, double seconds, double cpu_seconds, const Shape& shape) {
  const auto count = static_cast<double>(latency.Count());
  return {count / seconds, shape.per_byte ? cpu_seconds / (count * static_cast<double>(shape.size)) * 1e9 : cpu_seconds / count * 1e6, std::move(latency)};
}

std::pair<std::optional<Pass>, std::string> ByPwrite(const TrialOptions& options, Shape shape) {
  const io::Fd file = WrittenFile(options.directory, kFile, shape.flags);
  const Pages data(shape.size);
  Histogram latency;
  const double before = CpuSeconds();
  const double started = NowSeconds();
  for (uint64_t at = 0; NowSeconds() < started + options.seconds; at = (at + shape.size) % kFile) {
    const uint64_t from = NowNanos();
    if (pwrite(file.get(), data.data(), shape.size, static_cast<off_t>(at)) != static_cast<ssize_t>(shape.size)) Die("write");
    latency.Record(NowNanos() - from);
  }
  return {PassFrom(std::move(latency), NowSeconds() - started, CpuSeconds() - before, shape), ""};
}

// `registered`: the kernel knows file and memory beforehand.
std::pair<std::optional<Pass>, std::string> ByRing(const TrialOptions& options, Shape shape, unsigned depth, bool registered) {
  const io::Fd file = WrittenFile(options.directory, kFile, shape.flags);
  const Pages data(shape.size * kMaxDepth);
  Ring ring(64, IORING_SETUP_COOP_TASKRUN);
  if (!ring.refusal().empty()) return {std::nullopt, ring.refusal()};
  const int fd = file.get();
  const iovec memory{data.data(), data.size()};
  if (registered && (io_uring_register_files(ring.get(), &fd, 1) != 0 || io_uring_register_buffers(ring.get(), &memory, 1) != 0)) {
    return {std::nullopt, "refused"};
  }
  uint64_t at = 0;
  uint64_t began[kMaxDepth];
  const auto submit = [&](unsigned lane) {
    io_uring_sqe* entry = ring.Next();
    uint8_t* from = data.data() + lane * shape.size;
    const auto size = static_cast<unsigned>(shape.size);
    if (registered) {
      io_uring_prep_write_fixed(entry, 0, from, size, at, 0);
      entry->flags |= IOSQE_FIXED_FILE;
    } else {
      io_uring_prep_write(entry, fd, from, size, at);
    }
    io_uring_sqe_set_data64(entry, lane);
    at = (at + shape.size) % kFile;
    began[lane] = NowNanos();
  };
  Histogram latency;
  const double before = CpuSeconds();
  const double started = NowSeconds();
  unsigned in_flight = depth;
  for (unsigned lane = 0; lane < depth; ++lane) submit(lane);
  while (in_flight > 0) {
    io_uring_submit_and_wait(ring.get(), 1);
    io_uring_cqe* done = nullptr;
    while (io_uring_peek_cqe(ring.get(), &done) == 0) {
      const auto lane = static_cast<unsigned>(done->user_data);
      if (done->res != static_cast<int>(shape.size)) {
        errno = done->res < 0 ? -done->res : EIO;
        Die("a write by the ring");
      }
      io_uring_cqe_seen(ring.get(), done);
      latency.Record(NowNanos() - began[lane]);
      --in_flight;
      if (NowSeconds() >= started + options.seconds) continue;
      submit(lane);
      ++in_flight;
    }
  }
  return {PassFrom(std::move(latency), NowSeconds() - started, CpuSeconds() - before, shape), ""};
}

std::vector<Way> WaysOf(const TrialOptions& options, Shape shape) {
  const auto ring = [&](std::string name, unsigned depth, bool registered) {
    return Way{std::move(name), [=] { return ByRing(options, shape, depth, registered); }};
  };
  return {{"pwrite", [=] { return ByPwrite(options, shape); }},
          ring("io_uring, one at a time", 1, false),
          ring("io_uring, one at a time, file and memory registered", 1, true),
          ring("io_uring, eight at a time", kMaxDepth, false),
          ring("io_uring, eight at a time, file and memory registered", kMaxDepth, true)};
}

}  // namespace

std::vector<Trial> FileTrials(const TrialOptions& options) {
  return {{"4 KiB into written space with O_DIRECT and O_DSYNC", "writes a second", "us each", WaysOf(options, {4096, O_DIRECT | O_DSYNC, false})},
          {"64 KiB into the page cache", "writes a second", "s/GB", WaysOf(options, {64u << 10, 0, true})}};
}

}  // namespace sluice::bench
