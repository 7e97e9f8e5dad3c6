#include "io/thread.h"

#include <memory>

namespace sluice::io {
namespace {

void* RunBody(void* raw) {
  const std::unique_ptr<std::function<void()>> body(static_cast<std::function<void()>*>(raw));
  (*body)();
  return nullptr;
}

}  // namespace

Result<Thread> Thread::Start(std::function<void()> body) {
  auto kept = std::make_unique<std::function<void()>>(std::move(body));
  pthread_t started;
  const int error = ::pthread_create(&started, nullptr, RunBody, kept.get());
  if (error != 0) return Status::Error(Code::kIo, "a thread cannot be started", error);
  (void)kept.release();
  Thread thread;
  thread.thread_ = started;
  return thread;
}

void Thread::Join() {
  const int error = ::pthread_join(*thread_, nullptr);
  SLUICE_ASSERT(error == 0);
  thread_.reset();
}

}  // namespace sluice::io
