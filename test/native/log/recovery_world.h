// A log directory on a simulated disk, driven by random operations and cut at random moments, beside a model that knows what must be there afterwards.
//
// What is promised, and compared after every kind of end:
//   - each batch that was answered in mode fsync, and everything that a consumer saw there, survives a power cut; what mode os answered survives kill -9;
//   - what is there is what was appended, in order, once, and nothing else; a producer's retry of its last batch is recognised;
//   - the log start is where it was answered to be, or further up for a reason;
//   - after a clean stop everything is there, the journal is not, and Kafka's mark is;
//   - a disk that fails an access takes nothing of that away: what it makes the engine refuse may be there or not, what was answered is.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "batch/batch_view.h"
#include "log/doubt.h"
#include "log/log_dir.h"
#include "recovery_model.h"
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

class World {
 public:
  explicit World(uint64_t seed, WorldOptions options = {}) : options_(options), seed_(seed), random_(seed) {
    disk_ = std::make_unique<SimDisk>(Chance(75) ? 4096 : 0);
    disk_->lies_about = options_.lies_about;
    constexpr std::array<int64_t, 3> kJournals{8 << 20, 16 << 20, 32 << 20};
    journal_bytes_ = kJournals[static_cast<size_t>(Below(3))];
    for (int i = 0; i < options_.partitions; ++i) AddTopic("t" + std::to_string(i));
  }
  virtual ~World() { EndLife(); }

  // Some lives of a process on one disk, or those of `script`.
  void LiveThrough(const Script& script = {}, Place* place = nullptr) {
    Place nowhere;
    place_ = place != nullptr ? place : &nowhere;
    std::mt19937_64 random(seed_);
    const int lives = 2 + static_cast<int>(random() % 6);
    for (life_ = 0; life_ < lives && !::testing::Test::HasFailure(); ++life_) {
      const int steps = 20 + static_cast<int>(random() % 400);
      if (!script.HasLife(life_)) continue;
      *place_ = {life_, 0, steps};
      Live(steps, script);
      if (!::testing::Test::HasFailure()) AfterLife(steps, script);
    }
    ++tally[Count::kWorlds];
    TakeLosses();
  }
  const std::vector<std::string>& history() const { return history_; }
  int takeovers = 0;   // recoveries that replayed more than one incarnation of the journal
  Tally tally;

 protected:
  // The disk is as the life has left it; its steps are over.
  virtual void AfterLife(int, const Script&) {}

  // One life: start (which may be cut, and tried again), work, some end.
  void Live(int steps, const Script& script) {
    ++tally[Count::kLives];
    Reseed(-1);
    while (!Recover()) {
      if (::testing::Test::HasFailure()) return;
    }
    Reseed(-2);
    // Often before the first checkpoint, which runs when all else does.
    if (Chance(60)) ScheduleEnd(1 + Below(Chance(40) ? 60 : 3000));
    if (options_.faults && Chance(50)) faults_.Arm(Chance(50) ? 40 : 1500);
    for (int i = 0; i < steps && Alive() && dir_->status().ok(); ++i) {
      if (!script.HasStep(life_, i)) continue;
      place_->step = i;
      Reseed(i);
      Step();
    }
    place_->step = steps;
    Reseed(-3);
    if (::testing::Test::HasFailure()) return;
    if (Alive() && dir_->status().ok() && Chance(30)) Settle();
    if (Alive() && Chance(35)) {
      if (Chance(30)) ScheduleEnd(1 + Below(60));
      if (!options_.full_disk || Chance(70)) disk_->capacity = INT64_MAX;
      StopClean();
    }
    if (Alive() && !closed_) EndNow();
    EndLife();
  }

  class Ack final : public OffsetWaiter {
   public:
    Ack(World* world, std::shared_ptr<Part> part, int64_t end) : world_(world), part_(std::move(part)) {
      target = Offset(end);
      ++part_->waiting;
    }
    void OnReached() override {
      --part_->waiting;
      world_->OnAnswer(part_, target.v);
      delete this;
    }
    void OnFailed(const Status& why) override {
      --part_->waiting;
      world_->OnRefused(part_, target.v, why);
      delete this;
    }

   private:
    World* const world_;
    const std::shared_ptr<Part> part_;
  };

  int64_t Below(int64_t n) { return static_cast<int64_t>(random_() % static_cast<uint64_t>(n)); }
  bool Chance(int percent) { return Below(100) < percent; }
  // Whatever came before, a step is decided by its own numbers: others can be left out.
  void Reseed(int step) { random_.seed(seed_ + 0x9E3779B97F4A7C15ull * static_cast<uint64_t>((life_ + 1) * 100000 + step + 10)); }
  bool Alive() const { return dir_ != nullptr && !over_ && !::testing::Test::HasFailure(); }
  void Note(const std::string& line) {
    if (!options_.tell && std::getenv("SLUICE_TRACE") == nullptr) return;
    history_.push_back(line);
    if (std::getenv("SLUICE_TRACE") != nullptr) std::fprintf(stderr, "%s\n", line.c_str());
  }

  // --- topics
  void AddTopic(const std::string& name) {
    auto part = std::make_shared<Part>();
    part->name = {name, 0};
    const uint64_t number = ++last_id_ * 0x9E3779B97F4A7C15ull;   // no two differ in one bit
    std::memcpy(part->id.bytes.data(), &number, 8);
    part->config.durability = Chance(70) ? Durability::kFsync : Durability::kOs;
    part->config.segment_bytes = Chance(50) ? 20000 + Below(200000) : (8 << 20);
    part->config.index_interval_bytes = 1000;
    part->config.retention_ms = -1;
    part->config.retention_bytes = Chance(25) ? Below(3 << 20) : -1;
    part->retained = part->config.retention_bytes >= 0;
    part->config.file_delete_delay_ms = Below(3) * 500;
    part->config.producer_id_expiration_ms = INT64_MAX;
    for (auto& producer : part->producers) producer.id = Below(1000000);
    if (part->producers[0].id == part->producers[1].id) ++part->producers[1].id;
    topics_[name] = std::move(part);
  }
  PartitionSpec SpecOf(const Part& part) const { return {part.name, part.id, LeaderEpoch(0), part.config}; }

  // --- lives
  bool Recover() {
    Note("--- start");
    over_ = false;
    closed_ = false;
    disk_->capacity = INT64_MAX;
    env_ = std::make_unique<SimEnv>(disk_.get(), &clock_, random_);
    disk_->dirty_budget = Chance(50) ? INT64_MAX : int64_t{1} << (10 + Below(13));
    disk_->on_change = [this](const std::string& what) { OnChange(what); };
    disk_->fail = [this](const char* what, const std::string& path) {
      const Status failed = over_ ? Status::Ok() : faults_.OnAccess(what, path);
      if (!failed.ok()) Note("fails (" + std::string(std::strerror(failed.sys_errno())) + "): " + what + " " + path);
      return failed;
    };
    disk_->shorten = nullptr;
    if (options_.faults && Chance(40)) {
      disk_->shorten = [this](size_t size) {
        const size_t some = Chance(50) ? size : static_cast<size_t>(Below(static_cast<int64_t>(size) + 1));
        tally[Count::kShortReads] += some < size ? 1 : 0;
        return some;
      };
    }
    faults_.Reset();
    if (options_.faults && Chance(15)) faults_.Arm(120);
    if (Chance(35)) ScheduleEnd(1 + Below(120));
    LogDirOptions options;
    options.path = "/data";
    options.cluster_id = "the-cluster";
    options.journal_bytes = journal_bytes_;
    options.logs_at_once = static_cast<size_t>(1 + seed_ % 4);
    options.removal_piece_bytes = 1024;
    if (seed_ % 5 == 0) options.syncs_one_by_one = options.new_logs_one_by_one = 0;
    if (seed_ % 3 == 0) options.beside_journal_bytes = 700;
    Result<std::unique_ptr<LogDir>> dir = LogDir::Open(env_->env, options);
    if (!dir.ok()) {
      EXPECT_TRUE(over_ || Excused(dir.status())) << dir.status().ToString();
      if (!over_) EndNow();
      EndLife();
      return false;
    }
    dir_ = dir.take();
    std::vector<PartitionSpec> specs;
    std::vector<std::shared_ptr<Part>> parts;
    for (auto& [name, part] : topics_) {
      specs.push_back(SpecOf(*part));
      parts.push_back(part);
    }
    auto opened = std::make_shared<bool>(false), finished = std::make_shared<bool>(false);
    dir_->OpenPartitions(specs, [this, parts, opened](std::vector<OpenOutcome> outcomes) {
      for (size_t i = 0; i < outcomes.size() && !over_; ++i) {
        EXPECT_TRUE(outcomes[i].status.ok() || Excused(outcomes[i].status)) << parts[i]->name.ToString() << ": " << outcomes[i].status.ToString();
        parts[i]->log = outcomes[i].log;
      }
      *opened = true;
    });
    Drive([&] { return *opened; });
    if (Alive() && Chance(20)) {
      // The configuration was changed meanwhile. Nobody is promised anything before the directory serves.
      std::shared_ptr<Part> part = Any();
      if (part->log != nullptr) {
        part->config.durability = Chance(50) ? Durability::kFsync : Durability::kOs;
        dir_->SetConfig(part->log, part->config, [](Status) {});
      }
    }
    if (Alive()) {
      dir_->FinishRecovery(false, [this, finished](Result<RecoveryReport> report) {
        EXPECT_TRUE(over_ || report.ok() || Excused(report.status())) << report.status().ToString();
        if (report.ok() && report->incarnations > 1) ++takeovers;
        *finished = true;
      });
      Drive([&] { return *finished; });
      if (Alive() && !dir_->ready() && faults_.struck()) EndNow();
    }
    if (!Alive()) {
      EndLife();
      return false;
    }
    EXPECT_TRUE(dir_->ready());
    serving_ = true;
    end_in_ = -1;
    faults_.Disarm();
    for (auto& part : parts) {
      if (!Lost(*part)) Compare(*part);
    }
    return true;
  }
  // The disk has failed in this life, and it could not be served, or is not any more.
  bool Lost(const Part& part) const { return faults_.struck() && (part.log == nullptr || !part.log->offline().ok()); }

  // Once the disk has failed in a life, refusals are in order; that it is damaged is never true.
  bool Excused(const Status& why) const {
    return faults_.struck() && (why.code() == Code::kIo || why.code() == Code::kOffline || IsLack(why.code()) || why.code() == Code::kClosed);
  }
  void TakeLosses() {
    tally[Count::kPagesDropped] = disk_->losses.pages_dropped;
    tally[Count::kPagesTorn] = disk_->losses.pages_torn;
    tally[Count::kNamesDropped] = disk_->losses.names_dropped;
    tally[Count::kPagesForgotten] = disk_->losses.pages_forgotten;
  }

  void EndLife() {
    if (env_ == nullptr) return;
    over_ = true;
    serving_ = false;
    if (disk_) {
      disk_->on_change = nullptr;
      disk_->fail = nullptr;
      disk_->shorten = nullptr;
    }
    if (dir_) tally[Count::kCheckpoints] += dir_->stats().checkpoints;
    dir_.reset();
    env_.reset();
    waiting_for_space_.clear();
    for (auto& [name, part] : topics_) {
      part->log = nullptr;
      EXPECT_EQ(part->waiting, 0u) << part->name.ToString() << " has waiters that nobody told";
    }
    if (next_disk_) {
      disk_ = std::move(next_disk_);
      if (*disk_->Exists("/data/meta.properties")) ExpectNoDamage(*disk_, "/data");
    }
    bytes_.clear();
    old_bytes_.clear();
    end_in_ = -1;
  }

  void ScheduleEnd(int64_t changes) { end_in_ = changes; }

  // Called by the disk before each change: it may be the last, or another thread may get its turn.
  void OnChange(const std::string& what) {
    if (const char* trace = std::getenv("SLUICE_TRACE"); trace != nullptr && what.find(trace) != std::string::npos) std::fprintf(stderr, "  %s\n", what.c_str());
    if (over_ || in_hook_) return;
    if (disk_->has_late() && Chance(5)) {
      Note("what was in flight when the last life was killed lands: before " + what);
      disk_->LandLate();
    }
    // The disk makes writers wait for a while: then others write for the home thread.
    if (Chance(1)) clock_.now_us += 40000;
    // Nothing can be promised of a kill between a sync that has failed and the note of it, the next call.
    const bool notes = what.starts_with("create ") && what.ends_with(std::string("/") + kSyncFailedName);
    if (end_in_ > 0 && !notes && --end_in_ == 0) {
      Note("end within: " + what);
      ++inside_;
      EndNow();
      inside_ = 0;
      return;
    }
    const bool reserve = what.size() >= 8 && what.compare(what.size() - 8, 8, "/reserve") == 0;   // changed under a lock that the home thread takes
    if (env_->pool.running && dir_ && dir_->ready() && !closing_ && !reserve && Chance(15)) {
      in_hook_ = true;
      HomeStep();
      in_hook_ = false;
    }
  }

  // A power cut or kill -9, now.
  void EndNow() {
    const bool power = Chance(65);
    ++tally[power ? Count::kPowerCuts : Count::kKills];
    if (power) {
      tally[Count::kCutsInside] += inside_;
      tally[Count::kCutsInRecovery] += serving_ ? 0 : 1;
    }
    Note(power ? "--- power cut" : "--- kill -9");
    over_ = true;
    for (auto& [name, part] : topics_) {
      if (part->log != nullptr && serving_) {
        const bool fsync = part->log->config().durability == Durability::kFsync;
        const int64_t seen = part->log->high_watermark().v;
        if (fsync && seen > part->soft) part->must = std::max(part->must, seen);
        if (std::getenv("SLUICE_TRACE") != nullptr) std::fprintf(stderr, "  %s ends: %s seen %ld soft %ld wants %d\n", part->name.ToString().c_str(), fsync ? "fsync" : "os", seen, part->soft, (int)part->config.durability);
        part->kept = std::max(part->must, seen);
        part->in_cache = !fsync || part->soft > 0;
        // Retention may be about to move it, its files being renamed already.
        part->start_seen = std::max(part->start_seen, part->retained ? seen : part->log->log_start().v);
      }
      if (power) {
        part->kept = part->must;
        part->may_reset |= part->in_cache;
      }
    }
    env_->writer.Tear(!power, power ? nullptr : disk_.get());
    next_disk_ = power ? disk_->Cut(random_) : disk_->Kill();
    disk_->dead = true;
  }

  void StopClean() {
    Note("--- clean stop");
    closing_ = true;
    auto result = std::make_shared<std::optional<Status>>();
    dir_->CloseClean([result](Status status) { *result = status; });
    Drive([&] { return result->has_value(); });
    closing_ = false;
    if (over_) return;
    ASSERT_TRUE(result->has_value());
    if ((options_.full_disk && (*result)->code() == Code::kNoSpace) || Excused(**result)) {
      EndNow();
      return;
    }
    ++tally[Count::kCleanStops];
    ASSERT_TRUE((*result)->ok()) << (*result)->ToString();
    EXPECT_FALSE(*disk_->Exists("/data/journal.sluice")) << disk_->Dump();
    EXPECT_TRUE(*disk_->Exists("/data/.kafka_cleanshutdown"));
    for (auto& [name, part] : topics_) {
      if (part->log == nullptr) continue;
      part->must = part->kept = part->log->written_end().v;
      part->soft = 0;
      part->may_reset = part->in_cache = false;
      part->start_seen = std::max(part->start_seen, part->log->log_start().v);
      part->start_answered = part->log->log_start().v;
    }
    closed_ = true;
    over_ = true;
    // What a clean stop has left must not need the page cache either.
    const bool power = Chance(50);
    ++tally[power ? Count::kPowerCuts : Count::kKills];
    Note(power ? "--- power cut after it" : "--- end");
    next_disk_ = power ? disk_->Cut(random_) : disk_->Kill();
  }

  void Drive(const std::function<bool()>& until) {
    const auto over = [&] { return over_ || ::testing::Test::HasFailure(); };
    const auto time = [&] {
      clock_.now_us += 200000;
      dir_->OnTimer();
    };
    if (env_->Drive(until, over, time, [&] { Commit(); })) return;
    std::string who;
    for (auto& [name, part] : topics_) {
      who += name + (part->log == nullptr ? " is not open" : "") + ", " + std::to_string(part->waiting) + " waiting" + (part->log != nullptr ? Tell(*part) : "") + "\n";
    }
    ADD_FAILURE() << "stuck: " << dir_->status().ToString() << "\n" << who << disk_->Dump();
  }

  // Everything that was appended is answered in the end.
  void Settle() {
    Note("settle");
    disk_->capacity = INT64_MAX;
    Drive([&] {
      OpenWaiting();   // what was refused before may be told only now
      for (auto& [name, part] : topics_) {
        if (Lost(*part)) continue;
        if (part->waiting > 0 || part->log == nullptr) return false;
      }
      return true;
    });
  }

  // --- work
  void Commit() {
    // Batches stay until the Commit after the one that may have staged them.
    std::deque<std::vector<uint8_t>> done = std::move(old_bytes_);
    old_bytes_ = std::move(bytes_);
    bytes_.clear();
    dir_->Commit();
  }

  virtual void Step() {
    ++tally[Count::kOperations];
    const int64_t what = Below(100);
    if (options_.faults && Chance(4)) {
      ReadSome();
    } else if (options_.faults && Chance(1)) {
      JumpClock();
    } else if (what < 30) {
      HomeStep();
    } else if (what < 55) {
      Append();
      if (Chance(60)) Commit();
    } else {
      env_->Turn();
    }
  }

  // What the home thread may do at any time.
  void HomeStep() {
    if (!Alive()) return;
    const int64_t what = Below(100);
    if (what < 45) {
      const int64_t count = 1 + Below(6);
      for (int64_t i = 0; i < count && Alive(); ++i) Append();
      if (Alive()) Commit();
    } else if (what < 55) {
      env_->writer.Reap();
    } else if (what < 65) {
      env_->pool.RunCompletions();
    } else if (what < 75) {
      clock_.now_us += Chance(10) ? 61000000 : Below(1500000);
      if (options_.full_disk && Chance(40)) {
        disk_->capacity = Chance(50) ? INT64_MAX : disk_->used_bytes() + Below(2 << 20);
        if (disk_->capacity == INT64_MAX) OpenWaiting();
      }
      dir_->OnTimer();
    } else if (what < 80) {
      Commit();
    } else if (what < 85) {
      DeleteSomeRecords();
    } else if (what < 90) {
      ChangeMode();
    } else if (what < 94) {
      Recreate();
    } else if (what < 96) {
      AskDurable();
    } else {
      RetryLast();
    }
  }

  std::shared_ptr<Part> Any() {
    auto it = topics_.begin();
    std::advance(it, Below(static_cast<int64_t>(topics_.size())));
    return it->second;
  }

  void Append() {
    if (!dir_->HasRoom() && Chance(90)) return;
    std::shared_ptr<Part> part = Any();
    if (part->log == nullptr || !part->log->offline().ok()) return;
    const int64_t kind = Below(1000);
    size_t bytes = kind < 900 ? 100 + random_() % 3000 : kind < 975 ? random_() % 100000 : kind < 992 ? random_() % (1500 << 10) : random_() % options_.largest;
    bytes = std::min(bytes, static_cast<size_t>(part->config.segment_bytes) - 500);
    const int which = static_cast<int>(Below(3)) - 1;
    Producer* producer = which < 0 ? nullptr : &part->producers[static_cast<size_t>(which)];
    const int records = 1 + static_cast<int>(Below(5));
    bytes_.push_back(MakeNumberedBatch(producer, records, bytes, &last_record_));
    std::vector<uint8_t>& batch = bytes_.back();
    Result<AppendResult> result = part->log->Append(batch, AppendOrigin::kClient, TimestampMs(clock_.WallMs()));
    if (!result.ok() && Excused(result.status())) return;
    ASSERT_TRUE(result.ok()) << part->name.ToString() << ": " << result.status().ToString() << Tell(*part);
    ++tally[Count::kAppends];
    if (options_.tell) {
      Note("append to " + part->name.ToString() + ": offsets " + std::to_string(result->base.v) + " to " + std::to_string(result->last.v) + ", " + std::to_string(batch.size()) +
           " bytes" + (producer != nullptr ? ", producer " + std::to_string(which) : ""));
    }
    ASSERT_FALSE(result->duplicate) << Tell(*part);
    Produced made{result->base.v, result->last.v + 1, batch::BatchView(batch).stored_crc(), which, 0, -1, {}};
    ASSERT_EQ(made.base, part->batches.empty() ? made.base : part->batches.back().end);
    if (producer != nullptr) {
      made.epoch = producer->epoch;
      made.sequence = producer->next;
      producer->next += records;
      if (batch.size() < 10000) made.bytes = batch;
    }
    part->batches.push_back(std::move(made));
    dir_->MarkStaged(part->log);
    part->log->Await(new Ack(this, part, result->last.v + 1));
  }

  // The producer's last batch once more: its first answer, not a second copy.
  void RetryLast() {
    std::shared_ptr<Part> part = Any();
    if (part->log == nullptr || !part->log->offline().ok()) return;
    Retry(*part, static_cast<int>(Below(2)));
  }
  void Retry(Part& part, int which) {
    for (auto it = part.batches.rbegin(); it != part.batches.rend(); ++it) {
      if (it->producer != which) continue;
      if (it->bytes.empty() || it->base < part.log->log_start().v) return;
      bytes_.push_back(it->bytes);
      Result<AppendResult> again = part.log->Append(bytes_.back(), AppendOrigin::kClient, TimestampMs(clock_.WallMs()));
      if (!again.ok() && Excused(again.status())) return;
      ++tally[Count::kRetries];
      ASSERT_TRUE(again.ok()) << part.name.ToString() << ": " << again.status().ToString() << Tell(part);
      ASSERT_TRUE(again->duplicate) << part.name.ToString() << " took a batch twice, at " << it->base << " and " << again->base.v << Tell(part);
      EXPECT_EQ(again->base.v, it->base);
      ++tally[Count::kRetriesRecognised];
      return;
    }
  }

  void OnAnswer(const std::shared_ptr<Part>& part, int64_t end) {
    if (over_ || part->log == nullptr || part->gone) return;
    if (part->log->config().durability == Durability::kFsync && end > part->soft) {
      part->must = std::max(part->must, end);
      if (std::getenv("SLUICE_TRACE") != nullptr) std::fprintf(stderr, "  %s answered %ld\n", part->name.ToString().c_str(), end);
    }
    // Whoever is answered may go on at once.
    if (Chance(5)) Append();
    if (Alive() && Chance(1)) Recreate();
  }

  void OnRefused(const std::shared_ptr<Part>& part, int64_t end, const Status& why) {
    if (over_ || part->gone || closed_) return;
    Note(part->name.ToString() + " refuses what ends at " + std::to_string(end) + ": " + why.ToString());
    if (!IsLack(why.code()) && Excused(why)) return;   // it may be there after the next start, or not
    ASSERT_TRUE(IsLack(why.code()) && (options_.full_disk || faults_.struck())) << part->name.ToString() << " refused " << end << ": " << why.ToString();
    // Taken back: it and what was staged behind it.
    while (!part->batches.empty() && part->batches.back().end >= end) part->batches.pop_back();
    Resume(*part);
  }

  // Producers go on behind what is there.
  void Resume(Part& part) {
    for (size_t i = 0; i < part.producers.size(); ++i) {
      Producer& producer = part.producers[i];
      const Produced* last = nullptr;
      for (const Produced& batch : part.batches) {
        if (batch.producer == static_cast<int>(i)) last = &batch;
      }
      if (last == nullptr || (part.log != nullptr && last->base < part.log->log_start().v)) {
        // Whether it is remembered depends on what retention has left: a new epoch is right in any case.
        ++producer.epoch;
        producer.next = 0;
      } else {
        producer.epoch = last->epoch;
        producer.next = last->sequence + static_cast<int32_t>(last->end - last->base);
      }
    }
  }

  void DeleteSomeRecords() {
    std::shared_ptr<Part> part = Any();
    if (part->log == nullptr || !part->log->offline().ok() || !Chance(40)) return;
    const int64_t start = part->log->log_start().v, end = part->log->high_watermark().v;
    const int64_t to = Chance(20) ? end : start + Below(end - start + 1);
    part->start_seen = std::max(part->start_seen, to);
    Note(part->name.ToString() + ": delete records below " + std::to_string(to));
    dir_->DeleteRecords(part->log, Offset(to), [this, part](Result<Offset> moved) {
      if (over_ || part->gone || (!moved.ok() && Excused(moved.status()))) return;
      ASSERT_TRUE(moved.ok()) << moved.status().ToString();
      ++tally[Count::kDeleteRecords];
      part->start_answered = std::max(part->start_answered, moved->v);
    });
  }

  void ChangeMode() {
    std::shared_ptr<Part> part = Any();
    if (part->log == nullptr || !part->log->offline().ok()) return;
    LogConfig config = part->config;
    config.durability = Chance(50) ? Durability::kFsync : Durability::kOs;
    if (Chance(30)) config.retention_bytes = Chance(50) ? -1 : Below(3 << 20);
    const bool hardens = config.durability == Durability::kFsync && part->log->config().durability == Durability::kOs;
    if (hardens) Commit();
    if (part->log == nullptr || !Alive()) return;
    part->config = config;
    part->retained |= config.retention_bytes >= 0;
    if (hardens && part->log->config().durability == Durability::kOs) part->soft = part->log->written_end().v;
    Note(part->name.ToString() + (config.durability == Durability::kFsync ? ": fsync" : ": os"));
    dir_->SetConfig(part->log, config, [this, part](Status changed) {
      if (over_ || part->gone || (!changed.ok() && Excused(changed))) return;
      ASSERT_TRUE(changed.ok()) << changed.ToString();
      ++tally[Count::kModeChanges];
      if (part->log->config().durability == Durability::kFsync) {
        part->must = std::max(part->must, part->soft);
        part->soft = 0;
      }
    });
  }

  void AskDurable() {
    std::shared_ptr<Part> part = Any();
    if (part->log == nullptr || !part->log->offline().ok()) return;
    Commit();
    if (part->log == nullptr || !Alive()) return;
    const int64_t end = part->log->written_end().v;
    dir_->WhenDurable(part->log, Offset(end), [this, part, end](Status durable) {
      if (over_ || part->gone || !durable.ok()) return;
      part->must = std::max(part->must, end);
    });
  }

  // New topics that the full disk refused.
  void OpenWaiting() {
    std::vector<std::shared_ptr<Part>> waiting = std::move(waiting_for_space_);
    waiting_for_space_.clear();
    for (auto& part : waiting) {
      if (!part->gone) OpenNew(part);
    }
  }

  // A consumer somewhere in the log, while all else goes on.
  void ReadSome() {
    std::shared_ptr<Part> part = Any();
    if (part->log == nullptr || !part->log->offline().ok()) return;
    Log& log = *part->log;
    const int64_t start = log.log_start().v, end = log.high_watermark().v;
    if (start >= end) return;
    const Offset from(start + Below(end - start));
    Result<LogSlice> slice = log.Read(from, Below(200000), true, log.high_watermark(), Chance(70) ? ReadMode::kNoWait : ReadMode::kBlocking);
    if (!slice.ok() && slice.code() == Code::kWouldBlock) slice = log.ColdRead(from, Below(200000), true, log.high_watermark())();
    if (!slice.ok() && Excused(slice.status())) return;
    ASSERT_TRUE(slice.ok()) << slice.status().ToString() << Tell(*part);
    ASSERT_GT(slice->length, 0) << Tell(*part);
    ++tally[Count::kReads];
    std::vector<uint8_t> bytes(static_cast<size_t>(slice->length));
    Result<size_t> got = slice->segment->log_file().ReadAt(bytes, slice->position.v);
    if (!got.ok() && Excused(got.status())) return;
    ASSERT_TRUE(got.ok() && *got == bytes.size()) << Tell(*part);
    auto at = std::find_if(part->batches.begin(), part->batches.end(), [&](const Produced& batch) { return batch.end > from.v; });
    batch::BatchIterator batches(bytes);
    batch::BatchView view;
    for (; batches.Next(&view) == batch::BatchIterator::Step::kBatch; ++at) {
      ASSERT_NE(at, part->batches.end()) << Tell(*part);
      ASSERT_EQ(view.base_offset().v, at->base) << Tell(*part);
      ASSERT_TRUE(view.stored_crc() == at->crc && view.crc_ok()) << "at offset " << at->base << Tell(*part);
      ++tally[Count::kBatchesCompared];
    }
    ASSERT_EQ(batches.partial_bytes(), 0u);
  }

  void JumpClock() {
    constexpr std::array<int64_t, 4> kJumps{1000, 3600000, 86400000ll * 30, 86400000ll * 3650};
    clock_.wall_ms = std::max<int64_t>(0, clock_.wall_ms + (Chance(50) ? 1 : -1) * Below(kJumps[static_cast<size_t>(Below(4))]));
    ++tally[Count::kClockJumps];
    Note("the clock jumps to " + std::to_string(clock_.WallMs()));
  }

  // The topic goes, and another of its name comes, perhaps at once.
  void Recreate() {
    std::shared_ptr<Part> part = Any();
    if (part->log == nullptr || !Chance(50)) return;
    Note(part->name.ToString() + ": deleted and made anew");
    part->gone = true;
    part->log = nullptr;
    AddTopic(part->name.topic);
    std::shared_ptr<Part> next = topics_[part->name.topic];
    dir_->DeletePartition({part->id, 0}, [this](Status deleted) { EXPECT_TRUE(over_ || deleted.ok() || Excused(deleted)) << deleted.ToString(); });
    ++tally[Count::kDeletedTopics];
    OpenNew(next);
  }
  void OpenNew(const std::shared_ptr<Part>& part) {
    dir_->OpenPartitions({SpecOf(*part)}, [this, part](std::vector<OpenOutcome> outcomes) {
      if (over_) return;
      if ((options_.full_disk || faults_.struck()) && IsLack(outcomes[0].status.code())) {
        waiting_for_space_.push_back(part);
        return;
      }
      if (!outcomes[0].status.ok() && Excused(outcomes[0].status)) return;
      ASSERT_TRUE(outcomes[0].status.ok()) << outcomes[0].status.ToString();
      part->log = outcomes[0].log;
    });
  }

  // --- what was found
  std::string Tell(const Part& part) const {
    std::string out = "\n" + part.name.ToString() + " must " + std::to_string(part.must) + " kept " + std::to_string(part.kept) + " soft " + std::to_string(part.soft) + " start answered " +
                      std::to_string(part.start_answered) + " seen " + std::to_string(part.start_seen);
    if (part.log != nullptr) {
      out += "; log " + std::to_string(part.log->log_start().v) + " to " + std::to_string(part.log->high_watermark().v) + ", written " +
             std::to_string(part.log->written_end().v) + ", next " + std::to_string(part.log->next_offset().v);
    }
    out += "; model of " + std::to_string(part.batches.size()) + " batches";
    if (!part.batches.empty()) out += " up to " + std::to_string(part.batches.back().end);
    if (env_ != nullptr) {
      for (const std::string& line : env_->reporter.lines) out += "\n  " + line;
    }
    const size_t from = history_.size() > 60 ? history_.size() - 60 : 0;
    for (size_t i = from; i < history_.size(); ++i) out += "\n    " + history_[i];
    return out;
  }

  void Compare(Part& part) {
    ++tally[Count::kPartitionsCompared];
    ASSERT_NE(part.log, nullptr);
    Log& log = *part.log;
    const int64_t start = log.log_start().v, end = log.high_watermark().v;
    ASSERT_EQ(end, log.next_offset().v);
    const int64_t appended = part.batches.empty() ? 0 : part.batches.back().end;
    ASSERT_GE(start, part.start_answered) << Tell(part);
    ASSERT_LE(start, std::max(part.start_seen, part.start_answered)) << Tell(part);
    if (part.may_reset && start == end && end > appended) {
      // Mode os and a power cut: nothing is left of it but its start.
    } else {
      ASSERT_LE(end, std::max(appended, start)) << Tell(part);
    }
    ASSERT_GE(end, part.kept) << Tell(part);
    // Batch by batch.
    size_t at = 0;
    while (at < part.batches.size() && part.batches[at].end <= start) ++at;
    int64_t from = start;
    while (from < end) {
      Result<LogSlice> slice = log.ColdRead(Offset(from), 1 << 20, true, log.high_watermark())();
      ASSERT_TRUE(slice.ok()) << slice.status().ToString() << Tell(part);
      ASSERT_GT(slice->length, 0) << Tell(part);
      std::vector<uint8_t> bytes(static_cast<size_t>(slice->length));
      Result<size_t> got = slice->segment->log_file().ReadAt(bytes, slice->position.v);
      ASSERT_TRUE(got.ok() && *got == bytes.size());
      batch::BatchIterator batches(bytes);
      batch::BatchView view;
      while (batches.Next(&view) == batch::BatchIterator::Step::kBatch) {
        ASSERT_TRUE(view.crc_ok()) << Tell(part);
        ASSERT_LT(at, part.batches.size()) << Tell(part);
        ASSERT_EQ(view.base_offset().v, part.batches[at].base) << Tell(part);
        ASSERT_EQ(view.stored_crc(), part.batches[at].crc) << "at offset " << view.base_offset().v << Tell(part);
        from = view.next_offset().v;
        ++at;
        ++tally[Count::kBatchesCompared];
      }
      ASSERT_EQ(batches.partial_bytes(), 0u);
    }
    ASSERT_EQ(from, end) << Tell(part);
    // What was never answered and is not there does not come back; its numbers are given again.
    part.batches.resize(std::min(at, part.batches.size()));
    if (!part.batches.empty() && part.batches.back().end != end) part.batches.clear();
    // What mode fsync shows is durable, in the old journal if not in the segments; what mode os shows is there.
    part.kept = end;
    part.must = part.config.durability == Durability::kFsync ? end : std::min(part.must, end);
    part.soft = 0;
    part.may_reset = part.in_cache = false;
    part.start_seen = start;
    Resume(part);
    for (int i = 0; i < 2; ++i) {
      if (Chance(50)) Retry(part, i);
    }
  }

  const WorldOptions options_;
  const uint64_t seed_;
  std::mt19937_64 random_;
  Place* place_ = nullptr;
  int life_ = 0;
  int64_t inside_ = 0;
  DiskFaults faults_{random_, tally};
  int64_t journal_bytes_ = 0;
  SimClock clock_;
  std::unique_ptr<SimDisk> disk_, next_disk_;
  std::unique_ptr<SimEnv> env_;
  std::unique_ptr<LogDir> dir_;
  std::map<std::string, std::shared_ptr<Part>> topics_;
  std::vector<std::shared_ptr<Part>> waiting_for_space_;
  std::deque<std::vector<uint8_t>> bytes_, old_bytes_;
  std::vector<std::string> history_;
  uint64_t last_id_ = 0, last_record_ = 0;
  int64_t end_in_ = -1;
  bool over_ = false;      // this life has ended: nothing that happens now was seen by anybody
  bool serving_ = false, closed_ = false, closing_ = false, in_hook_ = false;
};

}  // namespace sluice::log::test
