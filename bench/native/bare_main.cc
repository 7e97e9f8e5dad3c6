// sluice-bare: the limit to compare with. A one-threaded server that speaks just enough of Kafka's protocol for sluice-load and does
// only the necessary work:
//   Produce      receive | + CRC32C | + pwrite into a recycled file | + one O_DIRECT|O_DSYNC journal write a tick, then answer
//   Fetch        an answer's head, then sendfile from a file of record batches (one partition)
//   sluice-bare --port P --directory D --work receive|crc|write|journal [--fetch-bytes B --batch-records 60 --record-size 1024]
// It prints "ready" and runs until it is told to stop, or its standard input closes.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "bare_storage.h"
#include "wire.h"

namespace sluice::bench {
namespace {

constexpr size_t kBuffer = 256u << 10;
constexpr size_t kMaxFrame = 100u << 20;
constexpr int64_t kLatest = -1;

struct Peer {
  int fd = -1;
  std::vector<uint8_t> in = std::vector<uint8_t>(kBuffer);
  size_t begin = 0;
  size_t end = 0;
  std::vector<uint8_t> answers;
};

[[noreturn]] void Die(const char* what) {
  std::fprintf(stderr, "sluice-bare: %s: %s\n", what, strerror(errno));
  std::exit(1);
}

void SendAll(int fd, const uint8_t* data, size_t size) {
  // A blocking socket: the limit is about doing little, not about many slow peers.
  while (size > 0) {
    const ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
    if (sent <= 0) return;
    data += sent;
    size -= static_cast<size_t>(sent);
  }
}

class Server {
 public:
  Server(Work work, const std::string& directory) : storage_(work, directory) {}
  void ServeFetch(const std::string& directory, uint64_t bytes, int batch_records, int record_size) {
    fetch_.emplace(directory, bytes, batch_records, record_size);
  }

  [[noreturn]] void Run(uint16_t port) {
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 || listen(listener, 128) != 0) Die("listen");
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    Watch(listener);
    Watch(STDIN_FILENO);
    std::printf("ready\n");
    std::fflush(stdout);
    for (;;) {
      epoll_event events[256];
      const int ready = epoll_wait(epoll_, events, 256, -1);
      for (int i = 0; i < ready; ++i) {
        const int fd = events[i].data.fd;
        if (fd == listener) {
          Accept(listener);
        } else if (fd == STDIN_FILENO) {
          char byte;
          if (read(STDIN_FILENO, &byte, 1) <= 0) std::exit(0);
        } else {
          Read(*peers_[fd]);
        }
      }
      storage_.Commit();
      for (auto it = peers_.begin(); it != peers_.end();) {
        Peer& peer = *it->second;
        if (!peer.answers.empty()) SendAll(peer.fd, peer.answers.data(), peer.answers.size());
        peer.answers.clear();
        const bool gone = peer.fd < 0;
        it = gone ? peers_.erase(it) : std::next(it);
      }
    }
  }

 private:
  void Watch(int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }

  void Accept(int listener) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    auto peer = std::make_unique<Peer>();
    peer->fd = fd;
    peers_[fd] = std::move(peer);
    Watch(fd);
  }

  void Read(Peer& peer) {
    if (peer.begin == peer.end) peer.begin = peer.end = 0;
    if (peer.end == peer.in.size()) Compact(peer);
    const ssize_t got = recv(peer.fd, peer.in.data() + peer.end, peer.in.size() - peer.end, MSG_DONTWAIT);
    if (got <= 0) {
      if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
      close(peer.fd);
      peer.fd = -1;
      return;
    }
    peer.end += static_cast<size_t>(got);
    while (peer.end - peer.begin >= 4) {
      Reader length_in(Bytes(peer.in.data() + peer.begin, 4));
      const size_t size = static_cast<uint32_t>(length_in.I32());
      if (size > kMaxFrame) std::exit(1);
      if (peer.end - peer.begin < size + 4) {
        if (size + 4 > peer.in.size()) {
          Compact(peer);
          peer.in.resize(size + 4 + kBuffer);
        }
        return;
      }
      Answer(peer, Bytes(peer.in.data() + peer.begin + 4, size));
      peer.begin += size + 4;
    }
  }

  static void Compact(Peer& peer) {
    std::memmove(peer.in.data(), peer.in.data() + peer.begin, peer.end - peer.begin);
    peer.end -= peer.begin;
    peer.begin = 0;
  }

  void Answer(Peer& peer, Bytes frame) {
    Reader in(frame);
    const int16_t key = in.I16();
    in.I16();
    const int32_t correlation = in.I32();
    in.String();
    if (key == kFetch && fetch_) return AnswerFetch(peer, in, correlation);
    Writer out;
    out.I32(0);
    out.I32(correlation);
    if (key == kListOffsets && fetch_) {
      in.I32();
      in.I8();
      in.I32();
      in.String();
      in.I32();
      in.I32();
      const bool is_latest = in.I64() == kLatest;
      out.I32(0);
      out.I32(1);
      out.String("bare");
      out.I32(1);
      out.I32(0);
      out.I16(0);
      out.I64(-1);
      out.I64(is_latest ? fetch_->EndOffset() : 0);
    } else {
      if (key == kProduce) storage_.Append(frame);
      out.I32(0);  // no topics
      out.I32(0);
    }
    const std::vector<uint8_t> answer = out.End();
    peer.answers.insert(peer.answers.end(), answer.begin(), answer.end());
  }

  void AnswerFetch(Peer& peer, Reader& in, int32_t correlation) {
    in.I32();
    in.I32();
    in.I32();
    in.I32();
    in.I8();
    in.I32();
    in.I32();
    in.I32();
    const std::string_view topic = in.String();
    in.I32();
    const int32_t partition = in.I32();
    in.I32();
    const int64_t offset = in.I64();
    in.I64();
    const int32_t most = in.I32();
    const uint64_t position = std::min(fetch_->PositionOf(std::max<int64_t>(offset, 0)), fetch_->size());
    uint64_t size = std::min<uint64_t>(static_cast<uint64_t>(std::max(most, 0)), fetch_->size() - position);
    size = std::max(size - size % fetch_->batch_size(), std::min(fetch_->batch_size(), fetch_->size() - position));
    Writer out;
    out.I32(0);
    out.I32(correlation);
    out.I32(0);
    out.I16(0);
    out.I32(0);
    out.I32(1);
    out.String(topic);
    out.I32(1);
    out.I32(partition);
    out.I16(0);
    out.I64(fetch_->EndOffset());
    out.I64(fetch_->EndOffset());
    out.I64(0);
    out.I32(0);
    out.I32(-1);
    out.I32(static_cast<int32_t>(size));
    out.PatchI32(0, static_cast<int32_t>(out.size() + size) - 4);
    const std::vector<uint8_t> head = out.Take();
    send(peer.fd, head.data(), head.size(), MSG_NOSIGNAL | MSG_MORE);
    off_t at = static_cast<off_t>(position);
    const off_t end = at + static_cast<off_t>(size);
    while (at < end) {
      if (sendfile(peer.fd, fetch_->fd(), &at, static_cast<size_t>(end - at)) <= 0) return;
    }
  }

  Storage storage_;
  std::optional<FetchFile> fetch_;
  int epoll_ = -1;
  std::map<int, std::unique_ptr<Peer>> peers_;
};

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  using namespace sluice::bench;
  std::map<std::string, std::string> given{{"--port", "0"},        {"--directory", "."},      {"--work", "receive"},
                                           {"--fetch-bytes", "0"}, {"--batch-records", "60"}, {"--record-size", "1024"}};
  for (int i = 1; i < argc; i += 2) {
    if (i + 1 >= argc || given.find(argv[i]) == given.end()) {
      std::fprintf(stderr, "sluice-bare: there is no option %s, or it lacks its value\n", argv[i]);
      return 2;
    }
    given[argv[i]] = argv[i + 1];
  }
  const std::map<std::string, Work> works{{"receive", Work::kReceive}, {"crc", Work::kCrc}, {"write", Work::kWrite}, {"journal", Work::kJournal}};
  const auto work = works.find(given["--work"]);
  const long port = std::strtol(given["--port"].c_str(), nullptr, 10);
  if (work == works.end() || port < 1 || port > 65535) {
    std::fprintf(stderr, "sluice-bare: --work is receive, crc, write or journal, and --port from 1 to 65535\n");
    return 2;
  }
  Server server(work->second, given["--directory"]);
  const uint64_t fetch_bytes = std::strtoull(given["--fetch-bytes"].c_str(), nullptr, 10);
  if (fetch_bytes > 0) {
    server.ServeFetch(given["--directory"], fetch_bytes, std::atoi(given["--batch-records"].c_str()), std::atoi(given["--record-size"].c_str()));
  }
  server.Run(static_cast<uint16_t>(port));
}
