// Messages from other threads to a reactor, in order per sender, with one wake-up per batch.
// Thread: Post and Wake from any; Take on the reactor.
// Owns: the messages and the eventfd.
// After error: cannot fail once made.
#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include "io/socket.h"

namespace sluice::net {

class MessageQueue {
 public:
  using Message = std::function<void()>;
  static Result<io::Fd> MakeEventFd();
  explicit MessageQueue(io::Fd event_fd) : event_fd_(std::move(event_fd)) {}

  void Post(Message message);
  void Wake();
  // All messages there are; clears the wake-up.
  void Take(std::vector<Message>* out);
  int event_fd() const { return event_fd_.get(); }

 private:
  const io::Fd event_fd_;
  std::mutex mutex_;
  std::vector<Message> messages_;  // guarded by mutex_
};

}  // namespace sluice::net
