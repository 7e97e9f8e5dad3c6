#include "kafka/fetch_answer.h"

#include <algorithm>

#include "kafka/cold_look.h"
#include "kafka/plane.h"

namespace sluice::kafka {
namespace {
constexpr int kMaxColdTries = 3;  // memory so short that indexes leave it again at once: answer with what there is
}

FetchAnswer::FetchAnswer(FetchHandler& handler, const FetchParams& params) : handler_(handler), params_(params) {}

FetchAnswer::~FetchAnswer() {
  if (cold_running_ != nullptr) cold_running_->owner = nullptr;
  if (set_ && set_->waiting == this) set_->waiting = nullptr;
}

void ColdLook::Done() {
  if (owner == nullptr) return;
  FetchAnswer& answer = *owner;
  answer.cold_running_ = nullptr;
  answer.cold_found_.clear();
  for (size_t i = 0; i < found.size(); ++i) answer.cold_found_.push_back({partitions[i], uppers[i], std::move(found[i])});
  answer.Proceed();
}

void FetchAnswer::Refuse(ErrorCode error) {
  error_ = error;
  MakeReady();
}

void FetchAnswer::AddRefusedRow(const FetchTopicView& topic, int32_t index, ErrorCode error) {
  Row& row = rows_.emplace_back();
  row.name = std::string(topic.name);
  row.outcome.index = index;
  row.outcome.error = error;
}

void FetchAnswer::Start(FetchKind kind, std::shared_ptr<FetchSet> set, SessionRef session) {
  kind_ = kind;
  set_ = std::move(set);
  session_ = std::move(session);
  set_->waiting = this;
  if (params_.max_wait_us <= 0) forced_ = true;
  Proceed();
}

void FetchAnswer::Proceed() {
  Look();
  if (cold_) {
    if (state_ == State::kNew) {
      held_ = true;
      client_->connection().Hold();
      if (!forced_) handler_.plane().reactor.Arm(this, params_.max_wait_us);
    }
    state_ = State::kCold;
    ListNode<FetchWaitTag>::Unlink();
    rows_.clear();
    cold_->owner = this;
    cold_running_ = cold_.get();
    handler_.plane().env.pool->Submit(std::move(cold_));
    return;
  }
  if (forced_ || Enough()) {
    Finish();
  } else {
    Wait();
  }
}

void FetchAnswer::Look() {
  rows_.clear();
  known_ = 0;
  bytes_ = 0;
  urgent_ = false;
  cold_next_ = 0;
  int64_t limit = params_.max_bytes;
  bool at_least_one = true;
  const bool all = kind_ != FetchKind::kIncremental || handler_.LooksAtAll(*session_);
  for (FetchPartition* partition = set_->first(); partition != nullptr; partition = set_->next(partition)) {
    if (!all && !partition->NeedsLook()) {
      ++known_;
      continue;
    }
    Row& row = rows_.emplace_back();
    row.partition = partition;
    LookAt(*partition, row, limit, at_least_one);
    const int64_t length = row.outcome.slice.length;
    if (!row.unknown) ++known_;
    if (length > 0) {
      at_least_one = false;
      limit = std::max<int64_t>(0, limit - length);
      bytes_ += length;
    }
    if (row.outcome.diverging.epoch.v >= 0 || (row.outcome.error != ErrorCode::kNone && !row.unknown)) urgent_ = true;
  }
  cold_found_.clear();
  if (cold_ && ++cold_tries_ > kMaxColdTries) cold_.reset();
}

void FetchAnswer::LookAt(FetchPartition& partition, Row& row, int64_t limit, bool at_least_one) {
  FetchOutcome& out = row.outcome;
  const FetchPartitionView& asked = partition.asked;
  Partition* home = partition.Resolve(handler_.plane().table);
  partition.settled = false;
  partition.available = 0;
  row.topic = partition.topic;
  row.id = partition.id;
  if (!row.topic) row.name = partition.name;
  out.index = asked.index;
  if (home == nullptr) {
    row.unknown = true;
    out.error = partition.by_id && !row.topic ? ErrorCode::kUnknownTopicId : ErrorCode::kUnknownTopicOrPartition;
    return;
  }
  log::Log* log = home->log;
  if (log == nullptr || !log->offline().ok()) {
    // Versions to 5 do not know this error; they look for the leader anew.
    out.error = params_.version <= 5 ? ErrorCode::kNotLeaderOrFollower : ErrorCode::kKafkaStorageError;
    return;
  }
  if (asked.leader_epoch >= 0 && asked.leader_epoch != home->epoch.v) {
    out.error = asked.leader_epoch < home->epoch.v ? ErrorCode::kFencedLeaderEpoch : ErrorCode::kUnknownLeaderEpoch;
    if (out.error == ErrorCode::kFencedLeaderEpoch) {
      out.leader_id = handler_.plane().config.node_id;
      out.leader_epoch = home->epoch;
    }
    return;
  }
  if (params_.replica_id >= 0) {  // nobody replicates from here yet: no replica is known
    out.error = asked.leader_epoch >= 0 ? ErrorCode::kUnknownLeaderEpoch : ErrorCode::kNotLeaderOrFollower;
    return;
  }
  if (params_.version < 10 && log->config().compression == static_cast<int8_t>(batch::Codec::kZstd)) {
    out.error = ErrorCode::kUnsupportedCompressionType;
    return;
  }
  const Offset from(asked.offset), upper = UpperOf(*log), high_watermark = log->high_watermark(), log_start = log->log_start();
  const Offset last_stable = log->last_stable();
  row.upper = upper;
  if (asked.last_epoch >= 0) {
    const log::EpochEnd end = log->EndOffsetForEpoch(LeaderEpoch(asked.last_epoch));
    if (end.epoch.v < 0 || end.end.v < 0 || from < log_start) {
      out.error = ErrorCode::kOffsetOutOfRange;
      return;
    }
    if (end.epoch.v < asked.last_epoch || end.end < from) out.diverging = end;
  }
  if (out.diverging.epoch.v < 0) {
    const int64_t most = std::max<int64_t>(0, std::min<int64_t>(asked.max_bytes, limit));
    Result<log::LogSlice> slice = log::LogSlice();
    if (cold_next_ < cold_found_.size() && cold_found_[cold_next_].partition == &partition) {
      row.upper = cold_found_[cold_next_].upper;
      slice = std::move(cold_found_[cold_next_++].slice);
      if (slice.ok() && slice->length > most && !at_least_one) *slice = log::LogSlice();  // others took the room meanwhile
    } else if (from < upper || from < log_start || from > log->next_offset()) {
      slice = log->Read(from, most, at_least_one, upper, log::ReadMode::kNoWait);
      if (!slice.ok() && slice.code() == Code::kWouldBlock) {
        if (!cold_) cold_ = std::make_unique<ColdLook>();
        cold_->partitions.push_back(&partition);
        cold_->uppers.push_back(upper);
        cold_->lookups.push_back(log->ColdRead(from, most, at_least_one, upper));
        slice = log::LogSlice();
      }
    } else {
      partition.settled = true;
    }
    if (!slice.ok()) {
      out.error = ErrorOf(slice.code());
      if (out.error == ErrorCode::kKafkaStorageError && params_.version <= 5) out.error = ErrorCode::kNotLeaderOrFollower;
      return;
    }
    out.slice = slice.take();
  }
  out.high_watermark = high_watermark;
  out.last_stable = last_stable;
  out.log_start = log_start;
  if (params_.committed) {
    out.tell_aborted = true;
    if (out.slice.length > 0) out.aborted = log->AbortedIn(from, upper);
  }
}

bool FetchAnswer::Enough() const { return known_ == 0 || urgent_ || bytes_ >= params_.min_bytes; }

void FetchAnswer::Wait() {
  if (state_ == State::kNew) {
    held_ = true;
    client_->connection().Hold();
    handler_.plane().reactor.Arm(this, params_.max_wait_us);
  }
  state_ = State::kWaiting;
  waiting_bytes_ = bytes_;
  for (Row& row : rows_) {
    row.partition->available = row.outcome.slice.length;
    Partition* home = row.topic ? row.topic->Find(row.outcome.index) : nullptr;
    if (home != nullptr && home->log != nullptr) row.partition->WatchLog(home->log);
  }
  if (!ListNode<FetchWaitTag>::is_linked()) handler_.waiting().PushBack(this);
  // What the pool has looked up is as old as its question: an advance since then has told nobody.
  for (Row& row : rows_) {
    if (row.partition->watched != nullptr && row.upper.v >= 0 && UpperOf(*row.partition->watched) > row.upper) Advanced(row.partition);
  }
  rows_.clear();
}

void FetchAnswer::Advanced(FetchPartition* partition) {
  if (state_ != State::kWaiting || ListNode<FetchDueTag>::is_linked()) return;
  log::Log* log = partition->watched;
  const Offset from(partition->asked.offset), upper = UpperOf(*log);
  if (upper <= from) return;
  if (params_.min_bytes > 1) {
    Result<log::LogSlice> slice = log->Read(from, std::max(partition->asked.max_bytes, 0), true, upper, log::ReadMode::kNoWait);
    if (slice.ok()) {
      const int64_t available = std::min<int64_t>(slice->length, partition->asked.max_bytes);
      waiting_bytes_ += available - partition->available;
      partition->available = available;
      if (waiting_bytes_ < params_.min_bytes) return;
    }
  }
  Hurry();
}

void FetchAnswer::Hurry() {
  forced_ = true;
  if (state_ != State::kWaiting || ListNode<FetchDueTag>::is_linked()) return;
  handler_.due().PushBack(this);
}

void FetchAnswer::TopicChanged(const Topic* topic) {
  for (FetchPartition* partition = set_->first(); partition != nullptr; partition = set_->next(partition)) {
    if (partition->topic.get() == topic) {
      Hurry();
      return;
    }
  }
}

void FetchAnswer::CompleteDue() {
  if (state_ == State::kWaiting) Proceed();
}

void FetchAnswer::OnTimer() {
  forced_ = true;
  CompleteDue();
}

void FetchAnswer::Superseded() {
  if (cold_running_ != nullptr) cold_running_->owner = nullptr;
  cold_running_ = nullptr;
  set_->waiting = nullptr;
  rows_.clear();
  error_ = ErrorCode::kInvalidFetchSessionEpoch;
  session_id_ = session_->id;
  MakeReady();
}

void FetchAnswer::Finish() {
  set_->waiting = nullptr;
  if (kind_ == FetchKind::kFull) {
    session_ = handler_.sessions().Create(handler_.plane().reactor.wall_ms(), params_.replica_id >= 0, params_.by_id, set_);
  }
  if (session_) TellSession();
  MakeReady();
}

// Remembers what is told; a session's later answers leave out what has not changed since.
void FetchAnswer::TellSession() {
  session_id_ = session_->id;
  for (Row& row : rows_) {
    FetchPartition& partition = *row.partition;
    const FetchOutcome& out = row.outcome;
    const bool records = out.slice.length > 0;
    const bool changed = partition.told_high_watermark != out.high_watermark || partition.told_log_start != out.log_start;
    const bool failed = out.error != ErrorCode::kNone;
    row.dropped = kind_ == FetchKind::kIncremental && !records && !changed && !failed && out.diverging.epoch.v < 0;
    partition.told_high_watermark = failed && kind_ == FetchKind::kIncremental ? Offset(-1) : out.high_watermark;
    partition.told_log_start = out.log_start;
    if (records && kind_ == FetchKind::kIncremental) set_->MoveToEnd(&partition);  // the others come first the next time
    if (partition.settled) partition.WatchLog(row.topic->Find(out.index)->log);
  }
}

void FetchAnswer::MakeReady() {
  state_ = State::kReady;
  handler_.plane().reactor.Disarm(this);
  ListNode<FetchWaitTag>::Unlink();
  ListNode<FetchDueTag>::Unlink();
  if (held_) client_->connection().Release();
  held_ = false;
  client_->Ready(this);  // may dispose of this
}

bool FetchAnswer::SameTopic(const Row& a, const Row& b) {
  if (a.topic || b.topic) return a.topic == b.topic;
  return a.id == b.id && a.name == b.name;
}

void FetchAnswer::Write(net::Outgoing& out) {
  std::erase_if(rows_, [](const Row& row) { return row.dropped; });
  size_t topics = 0;
  for (size_t i = 0; i < rows_.size(); ++i) topics += i == 0 || !SameTopic(rows_[i - 1], rows_[i]);
  FetchResponseWriter writer(out, params_.version);
  writer.Begin(params_.correlation_id, error_, session_id_, topics);
  for (size_t i = 0; i < rows_.size();) {
    size_t end = i + 1;
    while (end < rows_.size() && SameTopic(rows_[i], rows_[end])) ++end;
    writer.Topic(rows_[i].topic ? std::string_view(rows_[i].topic->name) : std::string_view(rows_[i].name), rows_[i].id, end - i);
    for (; i < end; ++i) writer.Partition(rows_[i].outcome);
    writer.EndTopic();
  }
  writer.End();
}

}  // namespace sluice::kafka
