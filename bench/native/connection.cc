#include "connection.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "wire.h"

namespace sluice::bench {
namespace {
constexpr size_t kMinBuffer = 256 * 1024;
constexpr size_t kMaxAnswer = 256u << 20;
}  // namespace

Connection::~Connection() {
  if (fd_ >= 0) close(fd_);
}

void Connection::Fail(const char* what) {
  if (failed_.empty()) failed_ = std::string(what) + (errno != 0 ? std::string(": ") + strerror(errno) : "");
}

bool Connection::Open(uint16_t port) {
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd_ < 0 || connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    Fail("connect");
    return false;
  }
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  fcntl(fd_, F_SETFL, fcntl(fd_, F_GETFL) | O_NONBLOCK);
  buffer_.resize(kMinBuffer);
  return true;
}

void Connection::Send(Bytes request, uint64_t intended) {
  Outgoing out;
  std::memcpy(out.prefix, request.data(), sizeof(out.prefix));
  const int32_t correlation = next_correlation_++;
  for (int i = 0; i < 4; ++i) out.prefix[8 + i] = static_cast<uint8_t>(static_cast<uint32_t>(correlation) >> (8 * (3 - i)));
  out.rest = request.subspan(sizeof(out.prefix));
  out.sent = 0;
  outgoing_.push_back(out);
  waiting_.push_back({correlation, intended});
}

bool Connection::Flush() {
  constexpr size_t kMaxParts = 64;
  while (!outgoing_.empty() && failed_.empty()) {
    iovec parts[kMaxParts];
    size_t count = 0;
    for (Outgoing& out : outgoing_) {
      if (count + 2 > kMaxParts) break;
      if (out.sent < sizeof(out.prefix)) parts[count++] = {out.prefix + out.sent, sizeof(out.prefix) - out.sent};
      const size_t of_rest = out.sent < sizeof(out.prefix) ? 0 : out.sent - sizeof(out.prefix);
      parts[count++] = {const_cast<uint8_t*>(out.rest.data()) + of_rest, out.rest.size() - of_rest};
    }
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = count;
    const ssize_t sent = sendmsg(fd_, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
      if (errno == EAGAIN) return true;
      if (errno == EINTR) continue;
      Fail("send");
      return false;
    }
    size_t left = static_cast<size_t>(sent);
    while (left > 0) {
      Outgoing& out = outgoing_.front();
      const size_t of_this = sizeof(out.prefix) + out.rest.size() - out.sent;
      if (left < of_this) {
        out.sent += left;
        break;
      }
      left -= of_this;
      outgoing_.pop_front();
    }
  }
  return false;
}

void Connection::Receive() {
  for (;;) {
    if (begin_ == end_) begin_ = end_ = 0;
    if (end_ - begin_ >= 4) {
      const size_t needed = static_cast<size_t>(static_cast<uint32_t>(ReadI32(buffer_.data() + begin_))) + 4;
      if (needed > kMaxAnswer) {
        errno = 0;
        return Fail("an answer is too large");
      }
      if (end_ - begin_ >= needed) return;  // An answer waits to be taken.
      if (begin_ + needed > buffer_.size()) {
        std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
        if (needed > buffer_.size()) buffer_.resize(needed + kMinBuffer);
      }
    } else if (end_ == buffer_.size() || buffer_.size() - begin_ < 4) {
      std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    const ssize_t got = recv(fd_, buffer_.data() + end_, buffer_.size() - end_, MSG_DONTWAIT);
    if (got < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) Fail("receive");
      return;
    }
    if (got == 0) {
      errno = 0;
      return Fail("the broker closed the connection");
    }
    end_ += static_cast<size_t>(got);
  }
}

bool Connection::Next(Bytes* answer, uint64_t* intended) {
  if (end_ - begin_ < 8 || !failed_.empty()) return false;
  const uint8_t* frame = buffer_.data() + begin_;
  const size_t length = static_cast<uint32_t>(ReadI32(frame));
  if (end_ - begin_ < length + 4) return false;
  errno = 0;
  if (waiting_.empty() || ReadI32(frame + 4) != waiting_.front().correlation) {
    Fail("an answer that nobody waits for");
    return false;
  }
  *answer = Bytes(frame + 8, length - 4);
  *intended = waiting_.front().intended;
  waiting_.pop_front();
  begin_ += length + 4;
  return true;
}

bool Connection::PopUnanswered() {
  if (waiting_.empty()) return false;
  waiting_.pop_front();
  return true;
}

bool Connection::Call(Bytes request, std::vector<uint8_t>* answer) {
  Send(request, 0);
  for (;;) {
    const bool more = Flush();
    Bytes view;
    uint64_t intended;
    Receive();
    if (Next(&view, &intended)) {
      answer->assign(view.begin(), view.end());
      return true;
    }
    if (!failed_.empty()) return false;
    pollfd wait{fd_, static_cast<short>(POLLIN | (more ? POLLOUT : 0)), 0};
    if (poll(&wait, 1, 30000) == 0) {
      errno = ETIMEDOUT;
      Fail("no answer");
      return false;
    }
  }
}

}  // namespace sluice::bench
