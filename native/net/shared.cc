#include <algorithm>

#include "net/connection.h"

namespace sluice::net {
namespace {

constexpr int64_t kStallUs = 10000000;     // a connection that may exceed the memory budget and sends nothing for so long is closed
constexpr int64_t kCheckEveryUs = 1000000;
constexpr int kMemoryTriesPerTick = 16;

}  // namespace

class Shared::IdleTimer final : public Timer {
 public:
  explicit IdleTimer(Shared& shared) : shared_(shared) {}
  void OnTimer() override { shared_.CheckIdle(); }

 private:
  Shared& shared_;
};

Shared::Shared(Reactor& r, io::Executor& executor, int64_t memory)
    : reactor(r), budget(memory), chunks(budget), pipes(std::make_shared<PipePool>(executor)), idle_timer_(std::make_unique<IdleTimer>(*this)) {
  reactor.Arm(idle_timer_.get(), kCheckEveryUs);
}

Shared::~Shared() = default;

void Shared::EndTick() {
  ++tick_;
  IntrusiveList<Connection, FlushTag> flushing;
  flushing.TakeAll(&to_flush_);
  while (Connection* connection = flushing.PopFront()) {
    if (connection->closing_) {
      connection->handler_.OnClosed(connection->why_);
    } else {
      connection->Flush();
    }
  }
  IntrusiveList<Connection, ContinueTag> continuing;
  continuing.TakeAll(&to_continue_);
  while (Connection* connection = continuing.PopFront()) connection->Continue();

  for (int i = 0; i < kMemoryTriesPerTick && !short_of_memory_.empty() && budget.HasRoom(); ++i) {
    short_of_memory_.PopFront()->Continue();
  }
}

void Shared::CheckIdle() {
  const int64_t now = reactor.now_us();
  while (Connection* oldest = by_activity_.front()) {
    if (now - oldest->active_us_ < idle_us) break;
    if (oldest->holds_ > 0) {
      oldest->Touch();  // it waits for us, not we for it
      continue;
    }
    oldest->ListNode<IdleTag>::Unlink();
    oldest->Close(Status::Error(Code::kTimeout, "idle"));
  }
  if (!short_of_memory_.empty() && budget.finisher() != nullptr) {
    by_activity_.ForEach([&](Connection* connection) {
      if (&connection->reader_ == budget.finisher() && now - connection->active_us_ >= kStallUs) {
        connection->Close(Status::Error(Code::kTimeout, "a half-sent request while memory is short"));
      }
    });
  }
  int64_t next = kCheckEveryUs;
  if (idle_us < 4 * kCheckEveryUs) next = std::max<int64_t>(idle_us / 4, 1000);
  reactor.Arm(idle_timer_.get(), next);
}

}  // namespace sluice::net
