#include "log/log.h"

#include <algorithm>

#include "log/log_format.h"
#include "log/log_impl.h"

namespace sluice::log {

Log::Impl::Impl(Log* owner, const Env& env_in, std::string dir_in, TopicPartition name_in, TopicId id_in, const LogConfig& config_in)
    : self(owner),
      env(env_in),
      name(std::move(name_in)),
      id(id_in),
      dir(std::move(dir_in)),
      shared_dir(std::make_shared<const std::string>(dir)),
      config(config_in),
      segments(std::make_shared<const SegmentList>()) {}

Log::Log(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) { impl_->self = this; }

Log::~Log() {
  // Whoever still waits hears of it: the list would unlink them silently.
  if (impl_->offline.ok()) TakeOffline(Status::Error(Code::kClosed, impl_->name.ToString() + " is closed"));
}

const TopicPartition& Log::name() const { return impl_->name; }
const TopicId& Log::topic_id() const { return impl_->id; }
const std::string& Log::dir() const { return impl_->dir; }
const LogConfig& Log::config() const { return impl_->config; }
void Log::SetConfig(const LogConfig& config) { impl_->config = config; }
LeaderEpoch Log::leader_epoch() const { return impl_->epoch; }

void Log::SetLeaderEpoch(LeaderEpoch epoch) {
  impl_->epoch = epoch;
  if (epoch.v >= 0 && impl_->epochs.Assign(epoch, impl_->next_offset)) impl_->epochs_dirty = true;
}

Offset Log::log_start() const { return impl_->log_start; }
Offset Log::high_watermark() const { return impl_->high_watermark; }
Offset Log::last_stable() const { return impl_->LastStable(); }
Offset Log::written_end() const { return impl_->written_end; }
Offset Log::next_offset() const { return impl_->next_offset; }
int64_t Log::size_bytes() const { return impl_->total_size; }
Status Log::offline() const { return impl_->offline; }
Offset Log::recovery_point() const { return impl_->recovery_point; }
bool Log::has_staged() const { return impl_->staged.size() > impl_->copies.size(); }
bool Log::repaired() const { return impl_->repaired; }

EpochEnd Log::EndOffsetForEpoch(LeaderEpoch epoch) const {
  const LeaderEpochs::Entry end = impl_->epochs.EndOf(epoch, impl_->high_watermark);
  return {end.epoch, end.start};
}

LeaderEpoch Log::EpochOf(Offset offset) const { return impl_->epochs.EpochOf(offset); }

std::vector<ProducerDescription> Log::Producers() const {
  std::vector<ProducerDescription> out;
  out.reserve(impl_->producers.size());
  for (const auto& [id, producer] : impl_->producers.all()) {
    const ProducerBatch* last = producer.last_batch();
    out.push_back({ProducerId(id), producer.epoch, last == nullptr ? -1 : last->last_sequence, producer.last_timestamp,
                   producer.coordinator_epoch, producer.txn_first});
  }
  return out;
}

void Log::AdvanceHighWatermark(Offset end) {
  Impl& log = *impl_;
  if (end <= log.high_watermark) return;
  SLUICE_ASSERT_OP(end.v, <=, log.written_end.v);
  log.high_watermark = end;
  while (log.hw_mark + 1 < log.marks.size() && log.marks[log.hw_mark + 1].end <= end) ++log.hw_mark;
  constexpr size_t kOldMarks = 64;
  if (log.hw_mark > 2 * kOldMarks) {
    log.marks.erase(log.marks.begin(), log.marks.begin() + static_cast<ptrdiff_t>(log.hw_mark - kOldMarks));
    log.hw_mark = kOldMarks;
  }
  log.producers.OnHighWatermark(end);
  log.CheckEnds();
  while (OffsetWaiter* waiter = log.waiters.front()) {
    if (waiter->target > log.high_watermark) break;
    waiter->Unlink();
    waiter->OnReached();
  }
  // A watcher may unlink itself or others, or add some: each is called once, from a list of its own.
  IntrusiveList<AdvanceWatcher, AdvanceWatcherTag> todo;
  todo.TakeAll(&log.watchers);
  while (AdvanceWatcher* watcher = todo.PopFront()) {
    log.watchers.PushBack(watcher);
    watcher->OnAdvance(*this);
  }
}

void Log::Await(OffsetWaiter* waiter) {
  if (!impl_->offline.ok()) {
    waiter->OnFailed(impl_->offline);
    return;
  }
  if (waiter->target <= impl_->high_watermark) {
    waiter->OnReached();
    return;
  }
  // Nearly always behind all others.
  if (impl_->waiters.empty() || impl_->waiters.back()->target <= waiter->target) {
    impl_->waiters.PushBack(waiter);
    return;
  }
  OffsetWaiter* at = impl_->waiters.front();
  while (at != nullptr && at->target <= waiter->target) at = impl_->waiters.Next(at);
  impl_->waiters.InsertBefore(at, waiter);
}

void Log::Watch(AdvanceWatcher* watcher) {
  if (!impl_->offline.ok()) {
    watcher->OnGone(*this);
    return;
  }
  impl_->watchers.PushBack(watcher);
}

void Log::Abandon(const Status& why) {
  if (impl_->offline.ok()) impl_->offline = why;  // those that wait anew fail at once
  impl_->FailWaiters(Offset(-1), why);
}

void Log::TakeOffline(Status why) {
  Impl& log = *impl_;
  SLUICE_ASSERT(!why.ok());
  if (!log.offline.ok()) return;
  log.offline = why;
  if (!log.staged.empty()) log.TakeBack(0, why);
  log.FailWaiters(Offset(-1), why);
  while (AdvanceWatcher* watcher = log.watchers.PopFront()) watcher->OnGone(*this);
}

// --- Impl

void Log::Impl::FailWaiters(Offset beyond, const Status& why) {
  // Those beyond are at the end; they are moved aside first, because OnFailed may wait anew.
  IntrusiveList<OffsetWaiter, OffsetWaiterTag> failed;
  while (OffsetWaiter* waiter = waiters.back()) {
    if (waiter->target <= beyond) break;
    waiter->Unlink();
    failed.PushFront(waiter);
  }
  while (OffsetWaiter* waiter = failed.PopFront()) waiter->OnFailed(why);
}

void Log::Impl::CheckEnds() const {
  SLUICE_ASSERT_OP(log_start.v, <=, high_watermark.v);
  SLUICE_ASSERT_OP(high_watermark.v, <=, written_end.v);
  SLUICE_ASSERT_OP(written_end.v, <=, next_offset.v);
}

Offset Log::Impl::LastStable() const {
  const Offset unstable = producers.FirstUnstable();
  if (unstable.v < 0 || unstable >= high_watermark) return high_watermark;
  return std::max(unstable, log_start);
}

void Log::Impl::AddSegment(std::shared_ptr<Segment> segment) {
  auto next = std::make_shared<SegmentList>(*segments);
  SLUICE_ASSERT(next->empty() || next->back()->base() < segment->base());
  next->push_back(std::move(segment));
  segments = std::move(next);
}

void Log::Impl::DropSegments(size_t first, size_t count) {
  auto next = std::make_shared<SegmentList>(*segments);
  next->erase(next->begin() + static_cast<ptrdiff_t>(first), next->begin() + static_cast<ptrdiff_t>(first + count));
  segments = std::move(next);
}

void Log::Impl::ResetMarks() {
  marks.assign(1, Mark{high_watermark, active().base(), active().size()});
  hw_mark = 0;
}

void Log::Impl::Report(Severity severity, const std::string& line) const {
  if (env.reporter != nullptr) env.reporter->Report(severity, line);
}

ptrdiff_t FloorSegment(const SegmentList& segments, Offset offset) {
  auto above = std::upper_bound(segments.begin(), segments.end(), offset, [](Offset o, const std::shared_ptr<Segment>& s) { return o < s->base(); });
  return above - segments.begin() - 1;
}

SegmentView ViewOf(const SegmentList& segments, size_t i, const SegmentView& active) {
  if (i + 1 == segments.size()) return active;
  return segments[i]->View(segments[i], false);  // sealed: nothing of it is in memory
}

}  // namespace sluice::log
