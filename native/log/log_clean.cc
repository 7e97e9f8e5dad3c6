// A log that is being compacted: what the cleaner is told, and segments that take the place of others.
#include <algorithm>

#include "log/cleaner_run.h"
#include "log/log_format.h"
#include "log/log_impl.h"
#include "log/saturate.h"

namespace sluice::log {

CleanView Log::ViewForCleaning() const {
  const Impl& log = *impl_;
  return {{log.id, log.name.partition}, log.name, log.config, log.shared_dir, log.segments, log.log_start, log.LastStable(), log.next_offset};
}

std::unordered_map<int64_t, LastOfProducer> Log::LastOfProducers() const {
  std::unordered_map<int64_t, LastOfProducer> last;
  for (const auto& [id, producer] : impl_->producers.all()) {
    const ProducerBatch* batch = producer.last_batch();
    last[id] = {batch == nullptr ? Offset(-1) : batch->last, producer.epoch};
  }
  return last;
}

Offset Log::active_base() const { return impl_->active().base(); }
bool Log::has_sealed() const { return impl_->segments->size() > 1; }

bool Log::BeginClean(Offset end) {
  Impl& log = *impl_;
  SLUICE_ASSERT(!log.cleaning);
  if (!log.offline.ok() || log.closed || log.replay != nullptr || !log.staged.empty() || end > log.active().base()) return false;
  for (const auto& segment : *log.segments) {
    if (segment->base() < end && segment->dirty()) return false;
  }
  log.cleaning = true;
  return true;
}

void Log::EndClean() { impl_->cleaning = false; }

void Log::Replace(Replacement replacement) {
  Impl& log = *impl_;
  SLUICE_ASSERT(log.cleaning && !replacement.old.empty());
  auto next = std::make_shared<SegmentList>(*log.segments);
  auto first = std::find(next->begin(), next->end(), replacement.old.front());
  SLUICE_ASSERT(first != next->end() && next->end() - first > static_cast<ptrdiff_t>(replacement.old.size()));
  const Offset end = first[static_cast<ptrdiff_t>(replacement.old.size())]->base();
  for (const auto& old : replacement.old) log.total_size -= old->size();
  log.total_size += replacement.cleaned->size();
  replacement.cleaned->bytes_before = -replacement.cleaned->size();
  *first = std::move(replacement.cleaned);
  next->erase(first + 1, first + static_cast<ptrdiff_t>(replacement.old.size()));
  log.segments = std::move(next);

  // Positions that were remembered are those of the old files. What is visible reaches at least to where they ended.
  size_t stale = 0;
  while (stale < log.hw_mark && log.marks[stale].segment < end) ++stale;
  log.marks.erase(log.marks.begin(), log.marks.begin() + static_cast<ptrdiff_t>(stale));
  log.hw_mark -= stale;
  if (log.marks[log.hw_mark].segment < end) log.marks[log.hw_mark] = {end, end, 0};

  for (Offset snapshot : replacement.snapshots) {
    const std::string path = JoinPath(log.dir, SegmentFileName(snapshot, kSnapshotSuffix));
    std::erase(log.snapshots, snapshot);
    std::erase_if(log.pending_files, [&](const PendingFile& file) { return file.path == path; });
  }
  const int64_t due = SaturatingAdd(log.Now().v, log.config.file_delete_delay_ms);
  for (std::string& path : replacement.set_aside) log.doomed.push_back({std::move(path), due});
}

}  // namespace sluice::log
