#include "io/socket.h"

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace sluice::io {
namespace {

uint16_t PortOf(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
  if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  return 0;
}

void Describe(const sockaddr_storage& address, Peer* peer) {
  char text[INET6_ADDRSTRLEN] = "";
  bool six = false;
  if (address.ss_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, text, sizeof text);
  } else if (address.ss_family == AF_INET6) {
    const in6_addr& in = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&in)) {
      ::inet_ntop(AF_INET, in.s6_addr + 12, text, sizeof text);
    } else {
      six = true;
      ::inet_ntop(AF_INET6, &in, text, sizeof text);
    }
  } else {
    std::strcpy(text, "local");
  }
  peer->host = text;
  peer->name = (six ? "[" + peer->host + "]" : peer->host) + ":" + std::to_string(PortOf(address));
}

Result<Fd> BindOne(int family, const sockaddr* address, socklen_t length, int backlog, bool both_families) {
  Fd fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.open()) return Status::FromErrno(errno, "socket");
  int one = 1, zero = 0;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (both_families) ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
  if (::bind(fd.get(), address, length) != 0 || ::listen(fd.get(), backlog) != 0) {
    if (errno == EADDRINUSE) return Status::Error(Code::kExists, "the address is in use", EADDRINUSE);
    return Status::Error(Code::kIo, "bind", errno);
  }
  return fd;
}

}  // namespace

void Fd::Reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Result<Fd> ListenTcp(const std::string& host, uint16_t port, int backlog) {
  if (host.empty() || host == "0.0.0.0") {
    sockaddr_in6 all{};
    all.sin6_family = AF_INET6;
    all.sin6_port = htons(port);
    Result<Fd> both = BindOne(AF_INET6, reinterpret_cast<const sockaddr*>(&all), sizeof all, backlog, true);
    if (both.ok() || both.code() == Code::kExists) return both;
    sockaddr_in four{};
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
    return BindOne(AF_INET, reinterpret_cast<const sockaddr*>(&four), sizeof four, backlog, false);
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found); error != 0) {
    return Status::Error(Code::kInvalid, "the host name does not resolve: " + std::string(::gai_strerror(error)));
  }
  Result<Fd> bound = BindOne(found->ai_family, found->ai_addr, found->ai_addrlen, backlog, false);
  ::freeaddrinfo(found);
  return bound;
}

Result<uint16_t> LocalPort(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) return Status::FromErrno(errno, "getsockname");
  return PortOf(address);
}

int Accept(int listen_fd, Peer* peer) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  int fd = ::accept4(listen_fd, reinterpret_cast<sockaddr*>(&address), &length, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return -errno;
  Describe(address, peer);
  return fd;
}

void TuneConnection(int fd, int receive_buffer_bytes) {
  int one = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
  if (receive_buffer_bytes > 0) ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
}

void SetSendBuffer(int fd, int bytes) { ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes); }

int UnreadBytes(int fd) {
  int bytes = 0;
  return ::ioctl(fd, SIOCOUTQ, &bytes) == 0 ? bytes : 0;
}

void TuneListener(int fd, int receive_buffer_bytes) {
  if (receive_buffer_bytes > 0) ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
}

ssize_t Receive(int fd, MutableBytes into) {
  for (;;) {
    ssize_t n = ::recv(fd, into.data(), into.size(), 0);
    if (n >= 0) return n;
    if (errno != EINTR) return -errno;
  }
}

ssize_t Send(int fd, Bytes bytes, bool more) {
  for (;;) {
    ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | (more ? MSG_MORE : 0));
    if (n >= 0) return n;
    if (errno != EINTR) return -errno;
  }
}

}  // namespace sluice::io
