// Appending by another thread: the log goes on at home while bytes are written, and takes them up when they are there.
#include <algorithm>
#include <cstring>

#include "log/log_format.h"
#include "log/log_impl.h"

namespace sluice::log {
namespace {

constexpr int64_t kMaxUnflushed = 1024;  // index entries in memory only

}  // namespace

// A roll or bytes, never both: a file that a failed roll leaves is empty, as recovery expects. Home fills it; from then on Run's thread has it until FinishWrite.
class Log::Impl::Write final : public LogWrite {
 public:
  void Run() override { status = sealed ? Roll() : WriteBatches(); }

  std::shared_ptr<Segment> sealed;    // rolled away from, where it is that
  std::shared_ptr<Segment> segment;   // written to, or new
  std::vector<std::pair<std::shared_ptr<const uint8_t[]>, iovec>> batches;
  int64_t position = 0;
  int64_t bytes = 0;
  Status cut;

 private:
  Status Roll() {
    SLUICE_TRY(sealed->WriteIndexes());
    return segment->Create();
  }
  Status WriteBatches() {
    std::vector<iovec> parts;
    for (const auto& [copy, part] : batches) parts.push_back(part);
    const Status written = segment->WriteBytes(parts, position);
    cut = written.ok() ? written : CutBack();
    // What cannot be written of the indexes now is written by the next sync.
    if (written.ok() && segment->offset_index().unflushed() > kMaxUnflushed) (void)segment->WriteIndexes();
    return written;
  }
  Status CutBack() {
    if (!segment->data_open()) return Status::Ok();   // nothing was written either
    return segment->log_file().Truncate(position);
  }
};

void Log::KeepStaged() {
  Impl& log = *impl_;
  size_t bytes = 0;
  for (size_t i = log.copies.size(); i < log.staged.size(); ++i) bytes += log.staged[i].bytes.size();
  if (bytes == 0) return;
  const std::shared_ptr<uint8_t[]> copy(new uint8_t[bytes]);
  uint8_t* at = copy.get();
  while (log.copies.size() < log.staged.size()) {
    Impl::Staged& item = log.staged[log.copies.size()];
    std::memcpy(at, item.bytes.data(), item.bytes.size());
    item.bytes = MutableBytes(at, item.bytes.size());
    at += item.bytes.size();
    log.copies.push_back(copy);
  }
  log.kept_bytes += static_cast<int64_t>(bytes);
}

int64_t Log::kept_bytes() const { return impl_->kept_bytes; }

std::shared_ptr<LogWrite> Log::BeginWrite() {
  Impl& log = *impl_;
  if (!log.offline.ok() || log.writing || log.copies.empty()) return nullptr;
  auto write = std::make_shared<Impl::Write>();
  const Impl::Staged& first = log.staged.front();
  if (log.active().ShouldRoll(log.config, first.head, first.now, {})) {
    log.active().AddFinalTimeEntry();  // the last one: from here on its indexes can be written by another thread
    write->sealed = log.active_ref();
    write->segment = std::make_shared<Segment>(*log.env.fs, log.shared_dir, first.head.base, log.Now().v);
    log.writing = true;
    return write;
  }
  write->segment = log.active_ref();
  SegmentGrowth growth(*write->segment);
  for (size_t i = 0; i < log.copies.size(); ++i) {
    const Impl::Staged& item = log.staged[i];
    if (i > 0 && write->segment->ShouldRoll(log.config, item.head, item.now, growth)) break;
    growth.Add(item.head, log.config.index_interval_bytes);
    write->batches.push_back({log.copies[i], iovec{item.bytes.data(), item.bytes.size()}});
  }
  write->position = write->segment->size();
  write->bytes = growth.bytes;
  log.writing = true;
  return write;
}

Status Log::FinishWrite(LogWrite& write, const std::function<bool()>& make_space, const std::function<void(const BatchEntry&)>& journaled) {
  return impl_->FinishWrite(static_cast<Impl::Write&>(write), make_space, journaled);
}

Status Log::Impl::FinishWrite(Write& write, const std::function<bool()>& make_space, const std::function<void(const BatchEntry&)>& journaled) {
  writing = false;
  if (!offline.ok()) return offline;  // everything was taken back then
  Status status = write.status;
  if (write.sealed && status.ok()) {
    do status = write.sealed->Seal();
    while (status.code() == Code::kNoSpace && make_space && make_space());
  }
  if (!status.ok()) {
    if (write.sealed) {
      (void)env.fs->Remove(write.segment->log_path());
      NamesChanged();
    }
    // What cannot be cut off may be there after the next start: no lack that leaves nothing behind.
    const Status& why = write.cut.ok() ? status : write.cut;
    if (!write.cut.ok()) Report(Severity::kError, write.segment->log_path() + ": what was half written cannot be cut off: " + write.cut.ToString());
    TakeBack(0, why);
    if (!IsLack(status.code()) || !write.cut.ok()) self->TakeOffline(why);
    return status;
  }
  if (write.sealed) {
    TakeUpRoll(std::move(write.segment), 0);
    return status;
  }
  SLUICE_ASSERT(active_ref() == write.segment);
  write.segment->Wrote(write.bytes);
  NoteWritten(0, write.batches.size(), write.position, journaled);
  DropStaged(write.batches.size());
  CheckEnds();
  return status;
}

}  // namespace sluice::log
