// One log on the real disk, driven by hand: what a LogDir does for it, without journal and pool.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/endian.h"
#include "batch/batch_view.h"
#include "batch/builder.h"
#include "log/log.h"
#include "log/log_format.h"
#include "support/temp_dir.h"

namespace sluice::log::test {

inline uint64_t Seed() {
  const char* text = std::getenv("SLUICE_SEED");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : std::random_device()();
}

class ManualClock final : public io::Clock {
 public:
  int64_t WallMs() override { return now; }
  int64_t MonotonicUs() override { return now * 1000; }
  int64_t now = 1700000000000;
};

class Lines final : public Reporter {
 public:
  void Report(Severity, const std::string& line) override { lines.push_back(line); }
  std::vector<std::string> lines;
};

struct BatchSpec {
  int records = 1;
  size_t value_bytes = 100;
  int64_t timestamp = 1700000000000;
  int64_t timestamp_step = 0;
  batch::Codec codec = batch::Codec::kNone;
  int64_t producer = -1;
  int16_t epoch = -1;
  int32_t sequence = -1;
  bool transactional = false;
};

inline std::vector<uint8_t> MakeBatch(const BatchSpec& spec) {
  batch::BatchBuilder builder;
  batch::BatchOptions options;
  options.codec = spec.codec;
  options.producer_id = ProducerId(spec.producer);
  options.producer_epoch = ProducerEpoch(spec.epoch);
  options.base_sequence = spec.sequence;
  options.transactional = spec.transactional;
  builder.Start(options);
  std::vector<uint8_t> value(spec.value_bytes);
  for (int i = 0; i < spec.records; ++i) {
    for (size_t j = 0; j < value.size(); ++j) value[j] = static_cast<uint8_t>(i * 31 + j * 7);
    batch::RecordInput record;
    record.value = Bytes(value);
    record.timestamp = TimestampMs(spec.timestamp + i * spec.timestamp_step);
    EXPECT_TRUE(builder.Append(record).ok());
  }
  Result<Bytes> bytes = builder.Finish();
  EXPECT_TRUE(bytes.ok());
  return std::vector<uint8_t>(bytes->begin(), bytes->end());
}

// A transaction marker, as a coordinator appends it.
inline std::vector<uint8_t> MakeMarker(int64_t producer, int16_t epoch, bool abort, int32_t coordinator_epoch = 0, int64_t timestamp = 1700000000000) {
  batch::BatchBuilder builder;
  batch::BatchOptions options;
  options.producer_id = ProducerId(producer);
  options.producer_epoch = ProducerEpoch(epoch);
  options.transactional = true;
  options.control = true;
  builder.Start(options);
  uint8_t key[4], value[6];
  StoreI16(key, 0);
  StoreI16(key + 2, abort ? batch::kControlAbort : batch::kControlCommit);
  StoreI16(value, 0);
  StoreI32(value + 2, coordinator_epoch);
  batch::RecordInput record;
  record.key = Bytes(key);
  record.value = Bytes(value);
  record.timestamp = TimestampMs(timestamp);
  EXPECT_TRUE(builder.Append(record).ok());
  Result<Bytes> bytes = builder.Finish();
  EXPECT_TRUE(bytes.ok());
  return std::vector<uint8_t>(bytes->begin(), bytes->end());
}

// A journal entry with bytes of its own.
struct OwnedEntry {
  BatchEntry entry;
  std::vector<uint8_t> bytes;
  BatchEntry View() const {
    BatchEntry view = entry;
    view.batch = bytes;
    return view;
  }
};

class LogFixture : public ::testing::Test {
 protected:
  LogFixture() {
    env_.fs = &io::RealFileSystem();
    env_.clock = &clock_;
    env_.reporter = &lines_;
    topic_id_.bytes = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    config_.durability = Durability::kOs;
  }

  std::string Dir() const { return dir_ / "t-0"; }
  std::string PathOf(int64_t base, const char* suffix) const { return Dir() + "/" + SegmentFileName(Offset(base), suffix); }

  Status Open(LoadState state) {
    log_.reset();
    Result<std::unique_ptr<Log>> log = Log::Load(env_, Dir(), {"t", 0}, topic_id_, config_, LeaderEpoch(epoch_), state);
    if (!log.ok()) return log.status();
    log_ = log.take();
    return Status::Ok();
  }
  Status Open(LoadState::Kind kind) {
    LoadState state;
    state.kind = kind;
    return Open(state);
  }

  // Appends without writing.
  Result<AppendResult> Stage(std::vector<uint8_t> batch, AppendOrigin origin = AppendOrigin::kClient) {
    batches_.push_back(std::move(batch));
    return log_->Append(batches_.back(), origin, TimestampMs(clock_.now));
  }
  // Writes what is staged and, unless told otherwise, makes it visible. Journal entries are kept.
  Status Write(bool advance = true) {
    Status written = by_copies_ ? WriteCopies() : log_->WriteStaged({}, [this](const BatchEntry& entry) {
      journal_.push_back({entry, {entry.batch.begin(), entry.batch.end()}});
    });
    batches_.clear();
    if (advance) log_->AdvanceHighWatermark(log_->written_end());
    return written;
  }
  // In the way of a disk that makes writers wait: copies first, then one write after the other.
  Status WriteCopies() {
    log_->KeepStaged();
    batches_.clear();
    while (const std::shared_ptr<LogWrite> write = log_->BeginWrite()) {
      write->Run();
      SLUICE_TRY(log_->FinishWrite(*write, {}, [this](const BatchEntry& entry) { journal_.push_back({entry, {entry.batch.begin(), entry.batch.end()}}); }));
    }
    return Status::Ok();
  }
  Result<AppendResult> Append(std::vector<uint8_t> batch, AppendOrigin origin = AppendOrigin::kClient) {
    Result<AppendResult> result = Stage(std::move(batch), origin);
    Status written = Write();
    if (result.ok() && !written.ok()) return written;
    return result;
  }
  Result<AppendResult> Append(const BatchSpec& spec) { return Append(MakeBatch(spec)); }

  Status Sync() {
    Result<Log::SyncSet> set = log_->PrepareSync();
    if (!set.ok()) return set.status();
    SLUICE_TRY(set->Run(*env_.fs));
    log_->SyncDone(*set);
    return Status::Ok();
  }

  // The bytes of a slice.
  static std::vector<uint8_t> BytesOf(const LogSlice& slice) {
    std::vector<uint8_t> bytes(static_cast<size_t>(slice.length));
    if (bytes.empty()) return bytes;
    Result<size_t> got = slice.segment->log_file().ReadAt(bytes, slice.position.v);
    EXPECT_TRUE(got.ok());
    if (got.ok()) {
      EXPECT_EQ(*got, bytes.size());
    }
    return bytes;
  }
  // Reads like a consumer: hot if it can, else cold.
  Result<LogSlice> Read(int64_t from, int64_t max_bytes, bool at_least_one = true, Offset upper = Offset(INT64_MAX)) {
    Result<LogSlice> slice = log_->Read(Offset(from), max_bytes, at_least_one, upper, ReadMode::kNoWait);
    if (!slice.ok() && slice.code() == Code::kWouldBlock) return log_->ColdRead(Offset(from), max_bytes, at_least_one, upper)();
    return slice;
  }
  // All batches from `from` to the high watermark, read piece by piece.
  std::vector<std::vector<uint8_t>> ReadAll(int64_t from, int64_t max_bytes = 10000) {
    std::vector<std::vector<uint8_t>> out;
    while (from < log_->high_watermark().v) {
      Result<LogSlice> slice = Read(from, max_bytes);
      EXPECT_TRUE(slice.ok()) << slice.status().ToString();
      if (!slice.ok() || slice->length == 0) break;
      const std::vector<uint8_t> bytes = BytesOf(*slice);
      batch::BatchIterator batches(bytes);
      batch::BatchView view;
      bool first = true;
      while (batches.Next(&view) == batch::BatchIterator::Step::kBatch) {
        EXPECT_TRUE(view.crc_ok());
        if (first) {
          EXPECT_EQ(view.base_offset().v, slice->first_offset.v);
          EXPECT_LE(view.base_offset().v, from);
          EXPECT_GE(view.last_offset().v, from);
        }
        first = false;
        out.emplace_back(view.bytes().begin(), view.bytes().end());
        from = view.next_offset().v;
      }
      EXPECT_EQ(batches.partial_bytes(), 0u);
      if (first) {
        ADD_FAILURE() << "no batch in the slice";
        break;
      }
    }
    return out;
  }

  std::string FileContent(const std::string& path) {
    Result<std::string> content = io::ReadWholeFile(*env_.fs, path, 1 << 30);
    EXPECT_TRUE(content.ok()) << path;
    return content.ok() ? *content : std::string();
  }
  bool Exists(const std::string& path) { return *env_.fs->Exists(path); }

  sluice::test::TempDir dir_;
  ManualClock clock_;
  Lines lines_;
  Env env_;
  TopicId topic_id_;
  LogConfig config_;
  int32_t epoch_ = 0;
  std::unique_ptr<Log> log_;
  std::deque<std::vector<uint8_t>> batches_;
  std::vector<OwnedEntry> journal_;
  bool by_copies_ = false;
};

}  // namespace sluice::log::test
