#include "net/message_queue.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

namespace sluice::net {

Result<io::Fd> MessageQueue::MakeEventFd() {
  int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) return Status::FromErrno(errno, "eventfd");
  return io::Fd(fd);
}

void MessageQueue::Wake() {
  uint64_t one = 1;
  (void)!::write(event_fd_.get(), &one, sizeof one);
}

void MessageQueue::Post(Message message) {
  bool first;
  {
    std::lock_guard<std::mutex> guard(mutex_);
    first = messages_.empty();
    messages_.push_back(std::move(message));
  }
  if (first) Wake();
}

void MessageQueue::Take(std::vector<Message>* out) {
  uint64_t count;
  (void)!::read(event_fd_.get(), &count, sizeof count);
  std::lock_guard<std::mutex> guard(mutex_);
  out->swap(messages_);
}

}  // namespace sluice::net
