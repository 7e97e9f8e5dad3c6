// Random operations on a log against a model that is a list of batches: appends, retries, rolls, deletions, retention, reads, and every kind of
// restart. The seed is printed; SLUICE_SEED repeats a run.
#include <algorithm>
#include <map>
#include <set>

#include "log_fixture.h"

namespace sluice::log {
namespace {

using test::BatchSpec;
using test::LogFixture;
using test::MakeBatch;

struct ModelBatch {
  std::vector<uint8_t> bytes;   // as appended: stamped
  int64_t base, end;
  std::vector<int64_t> times;   // of its records
  int64_t producer = -1;
  int16_t epoch = -1;
  int32_t sequence = -1;
};

class LogModelTest : public LogFixture, public ::testing::WithParamInterface<int> {
 protected:
  int64_t Below(int64_t n) { return static_cast<int64_t>(random_() % static_cast<uint64_t>(n)); }
  bool Chance(int percent) { return Below(100) < percent; }
  int64_t End() const { return model_.empty() ? start_of_empty_ : model_.back().end; }

  void Start(uint64_t seed) {
    random_.seed(seed);
    config_.segment_bytes = 1500 + Below(8000);
    config_.index_interval_bytes = Chance(30) ? 1 : 100 + Below(1500);
    config_.segment_index_bytes = Chance(30) ? 100 + Below(300) : 1 << 20;
    config_.durability = Chance(50) ? Durability::kFsync : Durability::kOs;
    config_.retention_ms = -1;
    config_.producer_id_expiration_ms = INT64_MAX;
    time_ = clock_.now;
    ASSERT_TRUE(Open(LoadState::Kind::kNew).ok());
    Checkpoint();
  }

  struct Client {
    int16_t epoch = 0;
    int32_t next = 0;
  };

  void StageOne() {
    BatchSpec spec;
    spec.records = 1 + static_cast<int>(Below(4));
    spec.value_bytes = static_cast<size_t>(Chance(10) ? Below(1000) : Below(200));
    time_ += Below(200) - 50;
    spec.timestamp = time_;
    spec.timestamp_step = Below(3) - 1;
    if (Chance(20)) spec.codec = static_cast<batch::Codec>(Below(5));
    Client* client = nullptr;
    if (Chance(60)) {
      spec.producer = Below(4);
      client = &clients_[spec.producer];
      if (Chance(3)) {
        ++client->epoch;
        client->next = 0;
      }
      spec.epoch = client->epoch;
      spec.sequence = client->next;
    }
    std::vector<uint8_t> bytes = MakeBatch(spec);
    if (static_cast<int64_t>(bytes.size()) > config_.segment_bytes) return;
    Result<AppendResult> result = Stage(std::move(bytes));
    ASSERT_TRUE(result.ok()) << result.status().ToString();
    ASSERT_FALSE(result->duplicate);
    ASSERT_EQ(result->base.v, End());
    ASSERT_EQ(result->last.v, End() + spec.records - 1);
    ModelBatch batch{batches_.back(), result->base.v, result->last.v + 1, {}, spec.producer, spec.epoch, spec.sequence};
    for (int i = 0; i < spec.records; ++i) batch.times.push_back(spec.timestamp + i * spec.timestamp_step);
    model_.push_back(std::move(batch));
    if (client != nullptr) client->next += spec.records;
  }

  void StageWrong() {
    const int64_t id = Below(4);
    Client& client = clients_[id];
    if (client.next == 0) return;
    BatchSpec spec;
    spec.producer = id;
    // One of its last five: a duplicate with the offsets of the first time.
    std::vector<const ModelBatch*> mine;
    for (auto it = model_.rbegin(); it != model_.rend() && mine.size() < 5; ++it) {
      if (it->producer == id && it->epoch == client.epoch) mine.push_back(&*it);
    }
    // A snapshot remembers only the last batch.
    const size_t known = remembers_one_.count(id) != 0 ? 1 : mine.size();
    if (!mine.empty() && Chance(60)) {
      const ModelBatch& again = *mine[static_cast<size_t>(Below(static_cast<int64_t>(std::min(known, mine.size()))))];
      spec.epoch = again.epoch;
      spec.sequence = again.sequence;
      spec.records = static_cast<int>(again.end - again.base);
      Result<AppendResult> result = Stage(MakeBatch(spec));
      ASSERT_TRUE(result.ok()) << result.status().ToString();
      ASSERT_TRUE(result->duplicate);
      ASSERT_EQ(result->base.v, again.base);
      ASSERT_EQ(result->last.v, again.end - 1);
    } else if (Chance(50)) {
      spec.epoch = client.epoch;
      spec.sequence = client.next + 1 + static_cast<int32_t>(Below(5));
      ASSERT_EQ(Stage(MakeBatch(spec)).code(), Code::kOutOfOrderSequence);
    } else if (client.epoch > 0) {
      spec.epoch = client.epoch - 1;
      spec.sequence = client.next;
      ASSERT_EQ(Stage(MakeBatch(spec)).code(), Code::kInvalidProducerEpoch);
    }
  }

  // Everything of a tick, durable or not.
  void Tick(bool durable) {
    ASSERT_TRUE((Chance(30) ? WriteCopies() : Write(false)).ok());
    if (config_.durability == Durability::kOs || durable) {
      log_->AdvanceHighWatermark(log_->written_end());
      durable_entries_ = journal_.size();
    }
  }

  void Checkpoint() {
    // A checkpoint covers what is written; what the journal has after it is replayed.
    ASSERT_TRUE(Sync().ok());
    proven_.clear();
    log_->EncodeProven(&proven_);
    if (config_.durability == Durability::kFsync && log_->high_watermark() < log_->written_end()) {
      log_->AdvanceHighWatermark(log_->written_end());
    }
    journal_.clear();
    durable_entries_ = 0;
    log_starts_.clear();
    proven_end_ = log_->written_end().v;
  }

  void CutModel(int64_t end) {
    while (!model_.empty() && model_.back().end > end) model_.pop_back();
    if (model_.empty()) start_of_empty_ = end;
    ASSERT_EQ(End(), end);
    // What each client would send next, as the log must remember it.
    for (auto& [id, client] : clients_) {
      client = Client();
      for (const ModelBatch& batch : model_) {
        if (batch.producer == id) client = {batch.epoch, batch.sequence + static_cast<int32_t>(batch.end - batch.base)};
      }
    }
  }


  void Restart() {
    const int64_t kind = Below(3);
    const bool fsync = config_.durability == Durability::kFsync;
    epoch_ += static_cast<int32_t>(Below(2));
    if (kind == 0 || (kind == 1 && fsync)) {
      log_->AdvanceHighWatermark(log_->written_end());
      ASSERT_TRUE(log_->CloseClean().ok());
      LoadState state;
      state.kind = LoadState::Kind::kClean;
      state.log_start = log_->log_start();
      ASSERT_TRUE(Open(state).ok());
      for (const auto& [id, client] : clients_) remembers_one_.insert(id);
    } else if (kind == 1) {
      LoadState state;
      state.kind = LoadState::Kind::kScan;
      state.recovery_point = log_->recovery_point();
      state.log_start = log_->log_start();
      Garble(false);
      Status opened = Open(state);
      ASSERT_TRUE(opened.ok()) << opened.ToString();
      for (const auto& [id, client] : clients_) remembers_one_.insert(id);
    } else {
      const int64_t want = fsync ? (durable_entries_ > 0 ? journal_[durable_entries_ - 1].entry.end.v : proven_end_) : End();
      log_.reset();
      if (fsync) Garble(true);
      const int attempts = 1 + static_cast<int>(Below(3));
      for (int i = 0; i < attempts; ++i) {
        LoadState state;
        state.kind = LoadState::Kind::kProven;
        state.proven = proven_;
        Status opened = Open(state);
        ASSERT_TRUE(opened.ok()) << opened.ToString();
        const bool last = i + 1 == attempts;
        const size_t until = last ? durable_entries_ : static_cast<size_t>(Below(static_cast<int64_t>(durable_entries_) + 1));
        size_t next_start = 0;
        for (size_t j = 0; j < until; ++j) {
          while (next_start < log_starts_.size() && log_starts_[next_start].first <= j) {
            ASSERT_TRUE(log_->ReplayLogStart(Offset(log_starts_[next_start++].second)).ok());
          }
          Status replayed = log_->ReplayBatch(journal_[j].View());
          ASSERT_TRUE(replayed.ok()) << replayed.ToString();
        }
        if (!last && Chance(50)) continue;  // cut in the middle
        while (next_start < log_starts_.size()) ASSERT_TRUE(log_->ReplayLogStart(Offset(log_starts_[next_start++].second)).ok());
        if (!last) {
          if (until == durable_entries_) {
            ASSERT_TRUE(log_->FinishReplay().ok());
          }
          continue;
        }
        Status finished = log_->FinishReplay();
        ASSERT_TRUE(finished.ok()) << finished.ToString();
      }
      ASSERT_EQ(log_->next_offset().v, want);
      CutModel(want);
    }
    ASSERT_EQ(log_->next_offset().v, End());
    ASSERT_EQ(log_->high_watermark().v, End());
    batches_.clear();
    Checkpoint();
  }

  // What a crash may leave: index files of any length, in mode fsync also data behind the proven end.
  void Garble(bool data) {
    Result<std::vector<io::DirEntry>> files = env_.fs->List(Dir());
    ASSERT_TRUE(files.ok());
    int64_t active = -1;
    for (const io::DirEntry& file : *files) {
      if (auto base = ParseSegmentFileName(file.name, kLogSuffix)) active = std::max(active, base->v);
    }
    if (!data || active < 0) return;
    // The unproven tail of the last segment: torn off, extended by garbage, or overwritten.
    Result<std::unique_ptr<io::File>> file = env_.fs->Open(PathOf(active, ".log"), io::OpenMode::kReadWrite);
    ASSERT_TRUE(file.ok());
    int64_t floor = 0;
    for (const auto& [base, size] : synced_sizes_) {
      if (base == active) floor = size;
    }
    const int64_t size = *(*file)->Size();
    if (size > floor && Chance(60)) {
      ASSERT_TRUE((*file)->Truncate(floor + Below(size - floor)).ok());
    }
    if (Chance(40)) {
      std::vector<uint8_t> garbage(static_cast<size_t>(1 + Below(300)));
      for (uint8_t& byte : garbage) byte = static_cast<uint8_t>(random_());
      ASSERT_TRUE((*file)->WriteAt(garbage, *(*file)->Size()).ok());
    }
    for (const char* suffix : {".index", ".timeindex"}) {
      if (Chance(30)) {
        Result<std::unique_ptr<io::File>> index = env_.fs->Open(PathOf(active, suffix), io::OpenMode::kCreate);
        ASSERT_TRUE(index.ok());
        std::vector<uint8_t> garbage(static_cast<size_t>(Below(50)));
        ASSERT_TRUE((*index)->WriteAt(garbage, *(*index)->Size()).ok());
      }
    }
  }

  void RememberSizes() {
    synced_sizes_.clear();
    Result<std::vector<io::DirEntry>> files = env_.fs->List(Dir());
    for (const io::DirEntry& file : *files) {
      if (auto base = ParseSegmentFileName(file.name, kLogSuffix)) synced_sizes_.push_back({base->v, *env_.fs->FileSize(Dir() + "/" + file.name)});
    }
  }

  void CheckReads() {
    const int64_t start = log_->log_start().v, end = log_->high_watermark().v;
    if (start > 0) {
      EXPECT_EQ(Read(start - 1, 100).code(), Code::kOffsetOutOfRange);
    }
    if (start == end) return;
    const int64_t from = Chance(30) ? start : start + Below(end - start);
    const auto first = std::find_if(model_.begin(), model_.end(), [&](const ModelBatch& batch) { return batch.end > from; });
    ASSERT_NE(first, model_.end());
    std::vector<std::vector<uint8_t>> want;
    for (auto it = first; it != model_.end() && it->end <= end; ++it) want.push_back(it->bytes);
    const auto got = ReadAll(from, 1 + Below(20000));
    ASSERT_EQ(got.size(), want.size()) << "from " << from << " of " << start << " to " << end;
    for (size_t i = 0; i < got.size(); ++i) {
      ASSERT_EQ(got[i], want[i]);
      const batch::BatchView view(got[i]);
      if (view.base_offset().v >= start) {
        EXPECT_EQ(log_->EpochOf(view.base_offset()), view.leader_epoch());
      }
    }
  }

  void CheckTimes() {
    const int64_t start = log_->log_start().v, end = log_->high_watermark().v;
    const int64_t target = time_ - 4000 + Below(4200);
    std::optional<std::pair<int64_t, int64_t>> want;  // offset, time
    int64_t largest = -1;
    for (const ModelBatch& batch : model_) {
      for (size_t i = 0; i < batch.times.size(); ++i) {
        const int64_t offset = batch.base + static_cast<int64_t>(i);
        if (offset < start || offset >= end) continue;
        largest = std::max(largest, batch.times[i]);
        if (!want && batch.times[i] >= target) want = {offset, batch.times[i]};
      }
    }
    Result<std::optional<TimestampOffset>> got = log_->FindTimestamp(TimestampMs(target))();
    ASSERT_TRUE(got.ok()) << got.status().ToString();
    if (*got) {
      ASSERT_TRUE(want);
      EXPECT_EQ((*got)->offset.v, want->first);
      EXPECT_EQ((*got)->timestamp.v, want->second);
      EXPECT_LE((*got)->epoch.v, epoch_);
    } else if (start == 0 && end == log_->written_end().v) {
      // (Below a moved start, or above the high watermark, Kafka's search may give up early.)
      EXPECT_FALSE(want) << target;
    }
    Result<std::optional<TimestampOffset>> top = log_->FindMaxTimestamp()();
    ASSERT_TRUE(top.ok()) << top.status().ToString();
    if (start == 0 && end == log_->written_end().v && end > 0) {
      ASSERT_TRUE(*top);
      EXPECT_EQ((*top)->timestamp.v, largest);
    }
  }

  std::mt19937_64 random_;
  std::vector<ModelBatch> model_;
  int64_t start_of_empty_ = 0;
  std::map<int64_t, Client> clients_;
  std::set<int64_t> remembers_one_;
  int64_t time_ = 0;
  std::string proven_;
  int64_t proven_end_ = 0;
  size_t durable_entries_ = 0;
  std::vector<std::pair<size_t, int64_t>> log_starts_;   // journal position, new start
  std::vector<std::pair<int64_t, int64_t>> synced_sizes_;
};

TEST_P(LogModelTest, HoldsWhatTheModelHolds) {
  const uint64_t seed = test::Seed() + static_cast<uint64_t>(GetParam()) * 1000003;
  SCOPED_TRACE("SLUICE_SEED base for this run: " + std::to_string(seed - static_cast<uint64_t>(GetParam()) * 1000003));
  Start(seed);
  RememberSizes();
  for (int step = 0; step < 400 && !HasFatalFailure(); ++step) {
    const int64_t what = Below(100);
    if (what < 55) {
      const int64_t count = Chance(20) ? 1 + Below(12) : 1;
      for (int64_t i = 0; i < count; ++i) Chance(15) ? StageWrong() : StageOne();
      Tick(Chance(80));
    } else if (what < 60) {
      ASSERT_TRUE(log_->Roll().ok());
    } else if (what < 64) {
      const int64_t start = log_->log_start().v, end = log_->high_watermark().v;
      const int64_t to = start + Below(end - start + 1);
      ASSERT_TRUE(log_->SetLogStart(Offset(to)).ok());
      EXPECT_EQ(log_->log_start().v, to);
      EXPECT_EQ(log_->SetLogStart(Offset(end + 1)).code(), Code::kOffsetOutOfRange);
      log_starts_.push_back({durable_entries_, to});
    } else if (what < 67) {
      LogConfig changed = config_;
      changed.retention_bytes = Below(30000);
      changed.file_delete_delay_ms = Below(2) * 1000;
      log_->SetConfig(changed);
      clock_.now += 500;
      if (log_->RunRetention(TimestampMs(clock_.now))) log_starts_.push_back({durable_entries_, log_->log_start().v});
      log_->SetConfig(config_);
    } else if (what < 72) {
      Checkpoint();
      RememberSizes();
    } else if (what < 76) {
      Restart();
      RememberSizes();
    } else if (what < 90) {
      CheckReads();
    } else {
      CheckTimes();
    }
  }
  EXPECT_TRUE(lines_.lines.empty()) << lines_.lines[0];
}

INSTANTIATE_TEST_SUITE_P(Seeds, LogModelTest, ::testing::Range(0, 12));

}  // namespace
}  // namespace sluice::log
