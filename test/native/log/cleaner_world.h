// Compacted logs on a simulated disk, beside a model that knows every record that was ever appended.
//
// What is compared: each record read is one that was appended, at its offset; of each key the last record read is the last one appended, or the key is gone
// because that one was a tombstone; what was promised durable is there; a producer's retry of its last batch is recognised. A disk that fails an access takes
// nothing of that away, and what only lacks for a while (a full disk, no descriptor) neither takes the directory offline nor ends compaction.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "batch/batch_view.h"
#include "batch/builder.h"
#include "batch/record.h"
#include "log/cleaner.h"
#include "support/disk_faults.h"
#include "support/sim_disk.h"
#include "support/sim_env.h"
#include "support/tally.h"
#include "verified.h"

namespace sluice::log::test {

using sluice::test::SimClock;
using sluice::test::SimDisk;
using sluice::test::SimEnv;
using sluice::test::Count;
using sluice::test::DiskFaults;
using sluice::test::Place;
using sluice::test::Script;
using sluice::test::Tally;

struct KeyedRecord {
  int key = 0;
  int64_t serial = 0;      // 0: a tombstone
  bool operator==(const KeyedRecord&) const = default;
};

class CleanerWorld {
 public:
  struct Part {
    TopicPartition name;
    TopicId id;
    LogConfig config;
    Log* log = nullptr;
    std::map<int64_t, KeyedRecord> appended;
    int64_t producer = 0;
    int32_t sequence = 0;
    std::vector<uint8_t> last_batch;   // of that producer
    int64_t last_base = -1;
    int64_t durable = 0;               // survives a power cut
    int64_t must = 0;                  // survives the end that came
  };

  explicit CleanerWorld(uint64_t seed) : seed_(seed), random_(seed), disk_(std::make_unique<SimDisk>()) {
    options_.path = "/data";
    options_.cluster_id = "the-cluster";
    options_.journal_bytes = 8 << 20;
    options_.cleaner.backoff_ms = 0;
    options_.cleaner.buffer_bytes = 8192;
    options_.logs_at_once = 1 + seed % 4;
    options_.removal_piece_bytes = 1024;
    if (seed % 5 == 0) options_.syncs_one_by_one = options_.new_logs_one_by_one = 0;
    if (seed % 3 == 0) options_.beside_journal_bytes = 500;
  }
  ~CleanerWorld() { EndLife(); }

  LogDirOptions& options() { return options_; }
  SimDisk& disk() { return *disk_; }
  SimClock& clock() { return clock_; }
  LogDir& dir() { return *dir_; }
  // For this life.
  void TurnCleanerOn() {
    CleanerOptions on = options_.cleaner;
    on.enabled = true;
    dir_->SetCleaner(on);
  }
  DiskFaults& next_faults() { return faults_; }
  std::vector<std::string>& lines() { return env_->reporter.lines; }
  std::mt19937_64& random() { return random_; }
  int64_t Below(int64_t n) { return static_cast<int64_t>(random_() % static_cast<uint64_t>(n)); }
  bool Chance(int percent) { return Below(100) < percent; }

  Part& AddPart(const std::string& topic, Durability mode) {
    auto part = std::make_unique<Part>();
    part->name = {topic, 0};
    part->id.bytes[0] = static_cast<uint8_t>(parts_.size() + 1);
    part->config.durability = mode;
    part->config.cleanup_compact = true;
    part->config.cleanup_delete = false;
    part->config.retention_ms = -1;
    part->config.segment_bytes = 6000;
    part->config.index_interval_bytes = 500;
    part->config.file_delete_delay_ms = 500;
    part->config.delete_retention_ms = 3000;
    part->config.min_cleanable_ratio = 0.3;
    part->config.producer_id_expiration_ms = INT64_MAX;
    part->producer = 1000 + static_cast<int64_t>(parts_.size());
    parts_.push_back(std::move(part));
    return *parts_.back();
  }
  std::vector<std::unique_ptr<Part>>& parts() { return parts_; }

  // --- one life
  bool over() const { return over_; }
  bool Start() {
    over_ = false;
    Note("--- start");
    env_ = std::make_unique<SimEnv>(disk_.get(), &clock_, random_);
    disk_->on_change = [this](const std::string& what) { OnChange(what); };
    disk_->fail = [this](const char* what, const std::string& path) {
      const Status failed = over_ || looking_ ? Status::Ok() : faults_.OnAccess(what, path);
      if (!failed.ok()) Note("fails: " + failed.ToString());
      return failed;
    };
    faults_.Reset();
    const std::vector<std::string> files = disk_->Files();
    const bool between = std::any_of(files.begin(), files.end(), [](const std::string& path) { return path.find(".swap") != std::string::npos; });
    if (fail_start) {
      fail_start(faults_);
    } else if (faults && between && Chance(30)) {
      faults_.Arm(Chance(70) ? DiskFaults::Kind::kRead : DiskFaults::Kind::kNames, ".swap");
    } else if (faults && Chance(15)) {
      faults_.Arm(200);
    }
    Result<std::unique_ptr<LogDir>> dir = LogDir::Open(env_->env, options_);
    if (!dir.ok()) {
      EXPECT_TRUE(over_ || Excused(dir.status())) << dir.status().ToString();
      if (!over_) EndNow(Chance(60));
      EndLife();
      return false;
    }
    dir_ = dir.take();
    std::vector<PartitionSpec> specs;
    for (auto& part : parts_) specs.push_back({part->name, part->id, LeaderEpoch(0), part->config});
    auto opened = std::make_shared<bool>(false), finished = std::make_shared<bool>(false);
    dir_->OpenPartitions(specs, [this, opened](std::vector<OpenOutcome> outcomes) {
      for (size_t i = 0; i < outcomes.size() && !over_; ++i) {
        EXPECT_TRUE(outcomes[i].status.ok() || Excused(outcomes[i].status)) << parts_[i]->name.ToString() << ": " << outcomes[i].status.ToString() << "\n" << disk_->Dump();
        parts_[i]->log = outcomes[i].log;
      }
      *opened = true;
    });
    Drive([&] { return *opened; });
    if (!over_ && !::testing::Test::HasFailure()) {
      dir_->FinishRecovery(false, [this, finished](Result<RecoveryReport> report) {
        EXPECT_TRUE(over_ || report.ok() || Excused(report.status())) << report.status().ToString();
        *finished = true;
      });
      Drive([&] { return *finished; });
      if (!over_ && !dir_->ready() && faults_.struck()) EndNow(Chance(60));
    }
    if (over_ || ::testing::Test::HasFailure()) {
      EndLife();
      return false;
    }
    serving_ = true;
    faults_.Disarm();
    for (auto& part : parts_) {
      if (Serves(*part)) Check(*part);
    }
    return !::testing::Test::HasFailure();
  }

  // The change that is the `n`th from now is the last: a power cut, or kill -9.
  void EndAfter(int64_t n, bool power) {
    end_in_ = n;
    power_ = power;
  }
  int64_t changes() const { return changes_; }
  void EndNow(bool power) {
    over_ = true;
    ++tally[power ? Count::kPowerCuts : Count::kKills];
    Note(power ? "--- power cut" : "--- kill -9");
    for (auto& part : parts_) {
      if (part->log != nullptr) {
        const int64_t seen = part->log->high_watermark().v;
        const bool os = part->log->config().durability == Durability::kOs;
        part->durable = std::max(part->durable, os ? std::min(seen, part->log->recovery_point().v) : seen);
        part->must = std::max(part->must, seen);
      }
      if (power) part->must = part->durable;
    }
    env_->writer.Tear(!power);
    next_disk_ = power ? disk_->Cut(random_) : disk_->Kill();
    disk_->dead = true;
  }
  void EndLife() {
    if (env_ == nullptr) return;
    over_ = true;
    serving_ = false;
    disk_->on_change = nullptr;
    disk_->fail = nullptr;
    if (dir_) {
      tally[Count::kCheckpoints] += dir_->stats().checkpoints;
      tally[Count::kCleanings] += dir_->stats().cleanings;
    }
    dir_.reset();
    env_.reset();
    for (auto& part : parts_) part->log = nullptr;
    if (next_disk_) {
      disk_ = std::move(next_disk_);
      if (*disk_->Exists("/data/meta.properties")) ExpectNoDamage(*disk_, "/data");
    }
    bytes_.clear();
    old_bytes_.clear();
    end_in_ = -1;
  }
  void StopClean() {
    auto result = std::make_shared<std::optional<Status>>();
    dir_->CloseClean([result](Status status) { *result = status; });
    Drive([&] { return result->has_value(); });
    if (over_) return;
    ASSERT_TRUE(result->has_value());
    if (Excused(**result)) return;
    ASSERT_TRUE((*result)->ok()) << (*result)->ToString();
    for (auto& part : parts_) {
      if (part->log != nullptr) part->must = part->durable = part->log->written_end().v;
    }
    over_ = true;
    ++tally[Count::kCleanStops];
    Note("--- clean stop");
    const bool power = Chance(50);
    ++tally[power ? Count::kPowerCuts : Count::kKills];
    next_disk_ = power ? disk_->Cut(random_) : disk_->Kill();
  }

  // --- work
  void Append(Part& part, int keys, int tombstones = 15) {
    if (over_ || part.log == nullptr || !part.log->offline().ok()) return;
    ForgetWhatWasTakenBack(part);
    batch::BatchBuilder builder;
    batch::BatchOptions options;
    const bool idempotent = Chance(40);
    options.codec = static_cast<batch::Codec>(Chance(50) ? 0 : Below(batch::kCodecCount));
    if (idempotent) {
      options.producer_id = ProducerId(part.producer);
      options.producer_epoch = ProducerEpoch(0);
      options.base_sequence = part.sequence;
    }
    builder.Start(options);
    std::vector<KeyedRecord> records(static_cast<size_t>(1 + Below(6)));
    for (KeyedRecord& one : records) {
      one = {static_cast<int>(Below(keys)), Chance(tombstones) ? 0 : ++serial_};
      const std::string key = "key-" + std::to_string(one.key);
      const std::string value = std::to_string(one.serial) + std::string(static_cast<size_t>(Below(200)), 'x');
      batch::RecordInput input;
      input.key = Bytes(reinterpret_cast<const uint8_t*>(key.data()), key.size());
      if (one.serial != 0) input.value = Bytes(reinterpret_cast<const uint8_t*>(value.data()), value.size());
      input.timestamp = TimestampMs(clock_.WallMs());
      ASSERT_TRUE(builder.Append(input).ok());
    }
    Result<Bytes> made = builder.Finish();
    ASSERT_TRUE(made.ok());
    bytes_.emplace_back(made->begin(), made->end());
    Result<AppendResult> result = part.log->Append(bytes_.back(), AppendOrigin::kClient, TimestampMs(clock_.WallMs()));
    if (!result.ok() && Excused(result.status())) return;
    ASSERT_TRUE(result.ok()) << result.status().ToString();
    for (size_t i = 0; i < records.size(); ++i) part.appended[result->base.v + static_cast<int64_t>(i)] = records[i];
    if (idempotent) {
      part.sequence += static_cast<int32_t>(records.size());
      part.last_batch = {made->begin(), made->end()};
      part.last_base = result->base.v;
    }
    dir_->MarkStaged(part.log);
    ++tally[Count::kAppends];
    Note("append to " + part.name.ToString() + ": offsets " + std::to_string(result->base.v) + " to " + std::to_string(result->last.v));
  }
  void Commit() {
    old_bytes_ = std::move(bytes_);
    bytes_.clear();
    dir_->Commit();
  }
  void Turn() { env_->Turn(); }
  void Drive(const std::function<bool()>& until) {
    const auto over = [&] { return over_ || ::testing::Test::HasFailure(); };
    const auto time = [&] {
      clock_.now_us += 200000;
      dir_->OnTimer();
    };
    if (!env_->Drive(until, over, time, [&] { Commit(); })) ADD_FAILURE() << "stuck: " << dir_->status().ToString() << "\n" << disk_->Dump();
  }
  // Until the cleaner finds nothing more to do.
  void Settle() {
    int quiet = 0;
    int64_t seen = -1;
    Drive([&] {
      if (env_->pool.pending() > 0 || env_->writer.pending() > 0) return false;
      const int64_t now = dir_->stats().cleanings;
      quiet = now == seen ? quiet + 1 : 0;
      seen = now;
      return quiet > 12;
    });
  }

  // --- random lives
  // Some lives of three compacted logs on one disk, or those of `script`.
  void LiveThrough(const Script& script = {}, Place* place = nullptr) {
    Place nowhere;
    if (place == nullptr) place = &nowhere;
    options_.cleaner.threads = static_cast<int32_t>(1 + Below(2));
    options_.cleaner.map_bytes = 24 * (10 + Below(200));
    for (int i = 0; i < 3; ++i) {
      Part& part = AddPart("t" + std::to_string(i), i == 0 ? Durability::kOs : Durability::kFsync);
      part.config.segment_bytes = 2000 + Below(20000);
      part.config.min_cleanable_ratio = static_cast<double>(Below(60)) / 100;
      if (Chance(30)) part.config.min_compaction_lag_ms = Below(5000);
      if (Chance(30)) part.config.max_compaction_lag_ms = 5000 + Below(60000);
    }
    std::mt19937_64 random(seed_);
    const int lives = 2 + static_cast<int>(random() % 4);
    for (life_ = 0; life_ < lives && !::testing::Test::HasFailure(); ++life_) {
      const int steps = static_cast<int>(random() % 1500);
      if (!script.HasLife(life_)) continue;
      *place = {life_, 0, steps};
      Live(steps, script, place);
    }
    ++tally[Count::kWorlds];
    tally[Count::kPagesDropped] = disk_->losses.pages_dropped;
    tally[Count::kPagesTorn] = disk_->losses.pages_torn;
    tally[Count::kNamesDropped] = disk_->losses.names_dropped;
  }
  const std::vector<std::string>& history() const { return history_; }
  bool tell = false;     // keep a history
  bool faults = false;   // accesses fail
  std::function<void(DiskFaults&)> fail_start;
  Tally tally;

  struct Seen {
    int64_t offset;
    KeyedRecord record;
  };
  // Every record that a consumer gets, batch by batch through fetches of different sizes.
  std::vector<Seen> ReadAll(Part& part) {
    std::vector<Seen> out;
    Log& log = *part.log;
    int64_t from = log.log_start().v, batches = 0;
    Buffer plain;
    while (from < log.high_watermark().v) {
      Result<LogSlice> slice = Chance(50) ? log.Read(Offset(from), Below(5000), true, log.high_watermark(), ReadMode::kBlocking)
                                          : log.ColdRead(Offset(from), Below(5000), true, log.high_watermark())();
      EXPECT_TRUE(slice.ok()) << slice.status().ToString();
      if (!slice.ok()) break;
      if (slice->length == 0) break;   // nothing was left between here and the end
      std::vector<uint8_t> bytes(static_cast<size_t>(slice->length));
      EXPECT_EQ(*slice->segment->log_file().ReadAt(bytes, slice->position.v), bytes.size());
      batch::BatchIterator iterator(bytes);
      batch::BatchView view;
      while (iterator.Next(&view) == batch::BatchIterator::Step::kBatch) {
        ++batches;
        ++tally[Count::kBatchesCompared];
        EXPECT_TRUE(view.crc_ok());
        EXPECT_GE(view.last_offset().v, from);
        Bytes records = view.records();
        if (view.compressed()) {
          plain.Clear();
          EXPECT_TRUE(batch::Decompress(view.codec(), records, 1 << 20, &plain).ok());
          records = plain.bytes();
        }
        batch::RecordWalker walker(records, view.record_count());
        batch::RecordView record;
        while (walker.Next(&record) == batch::RecordWalker::Step::kRecord) {
          const int64_t offset = view.base_offset().v + record.offset_delta;
          if (offset < from) continue;
          const std::string key(reinterpret_cast<const char*>(record.key.bytes().data()), record.key.size());
          const std::string value(reinterpret_cast<const char*>(record.value.bytes().data()), record.value.size());
          out.push_back({offset, {std::atoi(key.c_str() + 4), record.value.is_null() ? 0 : std::atoll(value.c_str())}});
        }
        from = view.next_offset().v;
      }
      EXPECT_EQ(iterator.partial_bytes(), 0u);
      if (::testing::Test::HasFailure()) break;
    }
    return out;
  }

  void Check(Part& part) {
    looking_ = true;   // reads that fail are for the worlds of recovery
    Compare(part);
    looking_ = false;
  }
  void Compare(Part& part) {
    Log& log = *part.log;
    ++tally[Count::kPartitionsCompared];
    SCOPED_TRACE(part.name.ToString());
    ASSERT_GE(log.high_watermark().v, part.must) << disk_->Dump();
    ForgetWhatWasTakenBack(part);
    std::map<int, KeyedRecord> expected, found;
    for (const auto& [offset, record] : part.appended) {
      if (offset < log.high_watermark().v) expected[record.key] = record;
    }
    int64_t last = -1;
    for (const Seen& seen : ReadAll(part)) {
      ASSERT_GT(seen.offset, last);
      last = seen.offset;
      auto at = part.appended.find(seen.offset);
      ASSERT_TRUE(at != part.appended.end()) << "offset " << seen.offset;
      ASSERT_TRUE(at->second == seen.record) << "offset " << seen.offset << " key " << seen.record.key << " " << seen.record.serial;
      found[seen.record.key] = seen.record;
    }
    for (const auto& [key, record] : expected) {
      auto at = found.find(key);
      if (at == found.end()) {
        ASSERT_EQ(record.serial, 0) << "key " << key << " is lost";
      } else {
        ASSERT_TRUE(at->second == record) << "key " << key << " is " << at->second.serial << ", not " << record.serial;
      }
    }
    CheckRetry(part);
  }

  int64_t Records(Part& part) { return static_cast<int64_t>(ReadAll(part).size()); }
  // Names in a partition's folder that end so.
  std::vector<std::string> Files(Part& part, const std::string& ending) {
    std::vector<std::string> names;
    Result<std::vector<io::DirEntry>> entries = disk_->List("/data/" + part.name.ToString());
    EXPECT_TRUE(entries.ok());
    for (const io::DirEntry& entry : *entries) {
      if (entry.name.size() >= ending.size() && entry.name.compare(entry.name.size() - ending.size(), ending.size(), ending) == 0) names.push_back(entry.name);
    }
    return names;
  }

 private:
  void Note(const std::string& line) {
    if (tell) history_.push_back(line);
  }
  // Whatever came before, a step is decided by its own numbers: others can be left out.
  void Reseed(int step) { random_.seed(seed_ + 0x9E3779B97F4A7C15ull * static_cast<uint64_t>((life_ + 1) * 100000 + step + 10)); }
  void Live(int steps, const Script& script, Place* place) {
    ++tally[Count::kLives];
    Reseed(-1);
    if (Chance(30)) EndAfter(1 + Below(150), Chance(60));   // within the start, too
    while (!Start()) {
      if (::testing::Test::HasFailure()) return;
    }
    EndAfter(Chance(60) ? 1 + Below(1500) : -1, Chance(60));
    if (faults && Chance(60)) faults_.Arm(Chance(50) ? 100 : 2000);
    const int keys = static_cast<int>(5 + Below(100));
    for (int i = 0; i < steps && !over_ && dir_->status().ok() && !::testing::Test::HasFailure(); ++i) {
      if (!script.HasStep(life_, i)) continue;
      place->step = i;
      Reseed(i);
      ++tally[Count::kOperations];
      const int64_t what = Below(100);
      Part& part = *parts_[static_cast<size_t>(Below(3))];
      if (what < 30) {
        Append(part, keys);
      } else if (what < 50) {
        Commit();
      } else if (what < 60) {
        clock_.now_us += Below(400000);
        dir_->OnTimer();
      } else if (what < 61) {
        Commit();
        if (!over_ && Serves(part)) Check(part);
      } else {
        Turn();
      }
    }
    place->step = steps;
    Reseed(-3);
    if (!over_ && Chance(faults_.struck() ? 60 : 30)) {
      faults_.Disarm();
      Settle();
      if (!over_) ExpectAllCleaned();
    }
    if (!over_) {
      ExpectInService();
      for (auto& part : parts_) {
        if (!::testing::Test::HasFailure() && Serves(*part) && !part->log->has_staged()) Check(*part);
      }
    }
    if (!over_ && Chance(40)) StopClean();
    if (!over_) EndNow(Chance(60));
    EndLife();
  }
  // Lost in a power cut, or refused by a disk that was full: whose batch it was begins anew.
  void ForgetWhatWasTakenBack(Part& part) {
    const int64_t next = part.log->next_offset().v;
    part.appended.erase(part.appended.lower_bound(next), part.appended.end());
    if (part.last_base < next) return;
    part.last_base = -1;
    part.sequence = 0;
    part.producer += 1001;
  }
  // The disk has failed in this life; refusals are in order then, damage is not.
  bool Excused(const Status& why) const {
    return faults_.struck() && (why.code() == Code::kIo || why.code() == Code::kOffline || IsLack(why.code()) || why.code() == Code::kClosed);
  }
  bool Serves(const Part& part) const {
    if (part.log != nullptr && part.log->offline().ok()) return true;
    EXPECT_TRUE(faults_.struck()) << part.name.ToString() << (part.log == nullptr ? " is not open" : ": " + part.log->offline().ToString());
    return false;
  }
  void CheckRetry(Part& part) {
    if (part.last_base < 0 || !dir_->ready()) return;
    std::vector<uint8_t> again = part.last_batch;
    Result<AppendResult> retried = part.log->Append(again, AppendOrigin::kClient, TimestampMs(clock_.WallMs()));
    if (!retried.ok() && Excused(retried.status())) return;
    ASSERT_TRUE(retried.ok()) << retried.status().ToString();
    ASSERT_TRUE(retried->duplicate);
    ASSERT_EQ(retried->base.v, part.last_base);
    ++tally[Count::kRetries];
    ++tally[Count::kRetriesRecognised];
  }
  // What lacks for a moment is tried again, all but writes of the journal, which has its space.
  void ExpectInService() {
    if (faults_.struck() && (!IsLack(faults_.failure().code()) || faults_.path().find(".sluice/") != std::string::npos)) return;
    EXPECT_TRUE(dir_->status().ok()) << "offline after " << faults_.failure().ToString() << ": " << dir_->status().ToString();
  }
  // Settled: of nothing that can be compacted there is enough left.
  void ExpectAllCleaned() {
    if (!dir_->status().ok()) return;
    looking_ = true;
    Result<OffsetsByPartition> cleaned = ReadOffsets(*disk_, std::string("/data/") + kCleanedOffsetsName);
    const bool known = cleaned.ok() && std::none_of(lines().begin(), lines().end(), [](const std::string& line) { return line.find("-checkpoint is not written") != std::string::npos; });
    for (auto& part : parts_) {
      if (part->log == nullptr || !part->log->offline().ok()) continue;
      const auto names_it = [&](const std::string& line) { return line.find("partition " + part->name.ToString() + " cannot be compacted") != std::string::npos; };
      if (std::any_of(lines().begin(), lines().end(), names_it)) {
        EXPECT_TRUE(faults_.failure().code() == Code::kIo) << lines().back();
        continue;
      }
      for (const char* ending : {".cleaned", ".swap"}) EXPECT_TRUE(Files(*part, ending).empty()) << part->name.ToString() << " has " << Files(*part, ending).front();
      if (!known) continue;
      auto noted = cleaned->find(part->name);
      const std::optional<Offset> to = noted == cleaned->end() ? std::nullopt : std::optional(noted->second);
      Result<CleanRange> range = MeasureDirt(part->log->ViewForCleaning(), to, TimestampMs(clock_.WallMs()));
      EXPECT_TRUE(range.ok() && (!range->due || range->first_uncleanable == Offset(0))) << part->name.ToString() << " waits to be compacted from " << (range.ok() ? range->first_dirty.v : -1);
    }
    looking_ = false;
  }
  void OnChange(const std::string& what) {
    if (over_) return;
    ++changes_;
    if (std::getenv("SLUICE_TRACE") != nullptr) std::fprintf(stderr, "  %ld %s\n", static_cast<long>(changes_), what.c_str());
    if (end_in_ > 0 && --end_in_ == 0) {
      Note("end within: " + what);
      tally[Count::kCutsInside] += power_ ? 1 : 0;
      tally[Count::kCutsInRecovery] += power_ && !serving_ ? 1 : 0;
      EndNow(power_);
    }
  }

  const uint64_t seed_;
  std::mt19937_64 random_;
  LogDirOptions options_;
  std::vector<std::unique_ptr<Part>> parts_;
  SimClock clock_;
  std::unique_ptr<SimDisk> disk_, next_disk_;
  std::unique_ptr<SimEnv> env_;
  std::unique_ptr<LogDir> dir_;
  std::deque<std::vector<uint8_t>> bytes_, old_bytes_;
  std::vector<std::string> history_;
  DiskFaults faults_{random_, tally};
  bool over_ = true, power_ = false, serving_ = false, looking_ = false;
  int life_ = 0;
  int64_t end_in_ = -1, changes_ = 0, serial_ = 0;
};

}  // namespace sluice::log::test
