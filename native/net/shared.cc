#include <algorithm>
#include <utility>
#include <vector>

#include "net/connection.h"

namespace sluice::net {
namespace {

// While memory is short, a half-sent request of which less than this, or this part of the memory it holds, comes in this time is given up: the largest
// has 160 s, longer than Kafka's clients wait for an answer.
constexpr int64_t kStallUs = 10000000;
constexpr int64_t kLeastProgress = 64 << 10;
constexpr int64_t kLeastShare = 16;
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

void Shared::PaceReads(std::function<io::WriteTimes()> writes) {
  pacer_ = std::make_unique<ReadPacer>(reactor, std::move(writes));
  pipes->SetPacer(pacer_.get());
}

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
  if (out_memory > out_limit + out_limit / 4) Shed();
  IntrusiveList<Connection, ContinueTag> continuing;
  continuing.TakeAll(&to_continue_);
  bool executed = !continuing.empty();
  while (Connection* connection = continuing.PopFront()) connection->Continue();

  for (int tries = 0; tries < kMemoryTriesPerTick && !short_of_memory_.empty() && budget.HasRoom(); ++tries) {
    Connection* connection = short_of_memory_.PopFront();
    connection->Continue();
    executed |= !connection->ListNode<MemoryTag>::is_linked();
  }
  // What was executed here has staged and answered behind this tick's commit. Everything else of a tick is dealt with before it ends.
  if (executed || !to_flush_.empty()) reactor.Again();
}

// Who has read least lately goes first; asking for more is not reading.
void Shared::Shed() {
  std::vector<Connection*> full;
  for (Connection* each = by_activity_.front(); each != nullptr; each = by_activity_.Next(each)) {
    if (each->socket_full_ && each->out_counted_ > 0 && !each->closing_) full.push_back(each);
  }
  std::stable_sort(full.begin(), full.end(), [](const Connection* a, const Connection* b) { return a->sent_us_ < b->sent_us_; });
  for (size_t i = 0; i < full.size() && out_memory > out_limit; ++i) {
    full[i]->Close(Status::Error(Code::kBudget, "answers that it does not read kept memory that others wait for"));
    out_memory -= std::exchange(full[i]->out_counted_, 0);
  }
}

bool Connection::StallsMemory(int64_t now_us) {
  if (!HoldsMemory()) {
    marked_us_ = 0;
    return false;
  }
  if (marked_us_ == 0) {
    marked_us_ = active_us_;
    marked_bytes_ = moved_;
  }
  if (now_us - marked_us_ < kStallUs) return false;
  const bool stalls = moved_ - marked_bytes_ < std::max(kLeastProgress, static_cast<int64_t>(reader_.held()) / kLeastShare);
  marked_us_ = now_us;
  marked_bytes_ = moved_;
  return stalls;
}

void Shared::CheckIdle() {
  const int64_t now = reactor.now_us();
  while (Connection* oldest = by_activity_.front()) {
    if (now - oldest->active_us_ < idle_us) break;
    if (oldest->holds_ > 0 && !oldest->ending_) {
      oldest->Touch();  // it waits for us, not we for it
      continue;
    }
    oldest->ListNode<IdleTag>::Unlink();
    oldest->Close(Status::Error(Code::kTimeout, "idle"));
  }
  if (!short_of_memory_.empty()) {
    for (Connection* slow = by_activity_.front(); slow != nullptr;) {
      Connection* next = by_activity_.Next(slow);
      if (slow->StallsMemory(now)) {
        slow->Close(Status::Error(Code::kBudget, "a half-sent request kept memory that others wait for"));
      }
      slow = next;
    }
  }
  pipes->Trim();
  int64_t next = kCheckEveryUs;
  if (idle_us < 4 * kCheckEveryUs) next = std::max<int64_t>(idle_us / 4, 1000);
  reactor.Arm(idle_timer_.get(), next);
}

}  // namespace sluice::net
