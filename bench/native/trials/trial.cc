#include "trial.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace sluice::bench {
namespace {

double MedianOf(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

std::string Microseconds(const std::vector<Pass>& passes, double quantile) {
  std::vector<double> values;
  for (const Pass& pass : passes) {
    if (pass.latency) values.push_back(static_cast<double>(pass.latency->Quantile(quantile)) / 1e3);
  }
  if (values.empty()) return "";
  char text[32];
  std::snprintf(text, sizeof text, "%.0f us", MedianOf(values));
  return text;
}

double MedianOver(const std::vector<Pass>& passes, double Pass::* figure) {
  std::vector<double> values;
  for (const Pass& pass : passes) values.push_back(pass.*figure);
  return MedianOf(values);
}

}  // namespace

void Die(const std::string& what) {
  std::fprintf(stderr, "sluice-trials: %s: %s\n", what.c_str(), strerror(errno));
  std::exit(1);
}

double NowSeconds() { return static_cast<double>(NowNanos()) / 1e9; }

Ends Connect() {
  io::Fd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* where = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener.get(), where, length) != 0 || listen(listener.get(), 1) != 0 || getsockname(listener.get(), where, &length) != 0) Die("listen");
  Ends ends{io::Fd(), io::Fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))};
  if (connect(ends.client.get(), where, length) != 0) Die("connect");
  ends.server = io::Fd(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (ends.server.get() < 0) Die("accept");
  const int on = 1;
  for (const int fd : {ends.server.get(), ends.client.get()}) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return ends;
}

Pages::Pages(size_t size, bool huge) : size_(size) {
  constexpr size_t kHugePage = 2u << 20;
  void* memory = nullptr;
  if (posix_memalign(&memory, kHugePage, (size + kHugePage - 1) / kHugePage * kHugePage) != 0) Die("memory");
  madvise(memory, size, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
  data_ = static_cast<uint8_t*>(memory);
  std::memset(data_, 0x5a, size);
}

Pages::~Pages() { std::free(data_); }

io::Fd WrittenFile(const std::string& directory, uint64_t size, int flags) {
  std::string path = directory + "/sluice-trial-XXXXXX";
  io::Fd file(mkstemp(path.data()));
  if (file.get() < 0) Die("a file in " + directory);
  const Pages block(1u << 20);
  for (uint64_t at = 0; at < size; at += block.size()) {
    if (pwrite(file.get(), block.data(), block.size(), static_cast<off_t>(at)) != static_cast<ssize_t>(block.size())) Die("write");
  }
  if (fsync(file.get()) != 0) Die("fsync");
  io::Fd again(open(path.c_str(), O_RDWR | O_CLOEXEC | flags));
  if (again.get() < 0) Die("open");
  unlink(path.c_str());
  return again;
}

void RunTrial(const Trial& trial, int rounds) {
  std::vector<std::vector<Pass>> passes(trial.ways.size());
  std::vector<std::string> refused(trial.ways.size());
  for (int round = 0; round < rounds; ++round) {
    for (size_t i = 0; i < trial.ways.size(); ++i) {
      const size_t way = round % 2 == 0 ? i : trial.ways.size() - 1 - i;
      if (!refused[way].empty()) continue;
      auto [pass, reason] = trial.ways[way].run();
      if (pass) passes[way].push_back(std::move(*pass));
      else refused[way] = reason;
    }
  }
  std::printf("\n| %s | %s | CPU %s | p50 | p99 |\n|--|--:|--:|--:|--:|\n", trial.title.c_str(), trial.rate_unit.c_str(), trial.cpu_unit.c_str());
  for (size_t way = 0; way < trial.ways.size(); ++way) {
    const char* name = trial.ways[way].name.c_str();
    if (passes[way].empty()) {
      std::printf("| %s | %s | | | |\n", name, refused[way].c_str());
      continue;
    }
    const std::vector<Pass>& of = passes[way];
    std::printf("| %s | %.0f | %.3g | %s | %s |\n", name, MedianOver(of, &Pass::rate), MedianOver(of, &Pass::cpu), Microseconds(of, 0.5).c_str(),
                Microseconds(of, 0.99).c_str());
  }
  std::fflush(stdout);
}

}  // namespace sluice::bench
