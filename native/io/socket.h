// The one door to sockets and pipes. Numbers instead of Result where it is called per message: bytes moved, or a negated errno.
// Thread: any; a descriptor belongs to one thread at a time.
// Owns: Fd closes what it holds; the functions own nothing.
// After error: the descriptor stays open; whoever owns it decides.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"

namespace sluice::io {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() { Reset(); }
  Fd(Fd&& o) noexcept : fd_(std::exchange(o.fd_, -1)) {}
  Fd& operator=(Fd&& o) noexcept {
    std::swap(fd_, o.fd_);
    return *this;
  }
  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }
  int Release() { return std::exchange(fd_, -1); }
  void Reset();

 private:
  int fd_ = -1;
};

// The other side of a connection, as text: host "127.0.0.1", name "127.0.0.1:50312" ("[::1]:50312").
struct Peer {
  std::string host;
  std::string name;
};

// A listening socket, close-on-exec and without blocking. Host "" or "0.0.0.0": all addresses (both families where there are two).
// kExists: the address is in use; kInvalid: the name does not resolve; kIo.
Result<Fd> ListenTcp(const std::string& host, uint16_t port, int backlog);
Result<uint16_t> LocalPort(int fd);

// Accepts one connection; -EAGAIN when there is none, -EMFILE and the like otherwise.
int Accept(int listen_fd, Peer* peer);
// Sets TCP_NODELAY and, where positive, the size of the receive buffer. What the kernel refuses is left as it is (not every socket is TCP).
void TuneConnection(int fd, int receive_buffer_bytes);
void SetSendBuffer(int fd, int bytes);
// Sent, and not read yet as far as this side knows; 0 where the kernel cannot tell.
int UnreadBytes(int fd);
void TuneListener(int fd, int receive_buffer_bytes);

ssize_t Receive(int fd, MutableBytes into);
// `more`: further bytes follow at once, so a last short packet may wait for them.
ssize_t Send(int fd, Bytes bytes, bool more);

// --- zero copy (sendfile.cc)
ssize_t SendFileRange(int socket, int file, int64_t position, size_t length);
// Reads the range through the page cache into a pipe, which then holds on to the pages. May wait for the disk: not on a reactor.
ssize_t FileToPipe(int file, int64_t position, int pipe, size_t length);
ssize_t PipeToSocket(int pipe, int socket, size_t length, bool more);
struct Pipe {
  Fd read, write;
};
Result<Pipe> MakePipe(size_t bytes);
// How much of a range is in the page cache now, or on its way into it.
struct PageCacheShare {
  bool known = false;  // false where the kernel cannot tell (before 6.5)
  int64_t pages = 0, cached = 0;
  bool whole() const { return known && cached >= pages; }
  bool mostly() const { return known && 2 * cached >= pages; }
};
PageCacheShare LookAtPageCache(int file, int64_t position, int64_t length);

}  // namespace sluice::io
