// Look-ups on other threads while the home thread appends, rolls, syncs and deletes. Meant for the thread sanitizer; without it it still holds
// that every answer is right for the moment it was asked.
#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "log_fixture.h"

namespace sluice::log {
namespace {

using test::BatchSpec;
using test::LogFixture;

class Workers {
 public:
  explicit Workers(int threads) {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
  }
  ~Workers() {
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  void Submit(std::function<void()> job) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [this] { return jobs_.size() < 16; });
    jobs_.push_back(std::move(job));
    wake_.notify_one();
  }

 private:
  void Run() {
    while (true) {
      std::function<void()> job;
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [this] { return stop_ || !jobs_.empty(); });
        if (jobs_.empty()) return;
        job = std::move(jobs_.front());
        jobs_.pop_front();
      }
      room_.notify_one();
      job();
    }
  }
  std::mutex mutex_;
  std::condition_variable wake_, room_;
  std::deque<std::function<void()>> jobs_;
  bool stop_ = false;
  std::vector<std::thread> threads_;
};

class LogThreadsTest : public LogFixture {
 protected:
  LogThreadsTest() : seed_(test::Seed()), random_(seed_) {
    config_.segment_bytes = 6000;
    config_.index_interval_bytes = 200;
    config_.file_delete_delay_ms = 0;
    config_.retention_ms = -1;
    config_.retention_bytes = 40000;
  }

  std::vector<uint8_t> SomeBatch(int step) { return test::MakeBatch(BatchSpec{.records = 2, .value_bytes = random_() % 300, .timestamp = 1700000000000 + step}); }

  void LookUp(Workers& workers, int step) {
    const uint64_t what = random_() % 100;
    const int64_t start = log_->log_start().v, end = log_->high_watermark().v;
    const int64_t from = start + static_cast<int64_t>(random_() % static_cast<uint64_t>(end - start + 1));
    if (what < 65) {
      workers.Submit([read = log_->ColdRead(Offset(from), 1500, true, Offset(end)), from, end] {
        Result<LogSlice> slice = read();
        if (!slice.ok()) {
          EXPECT_EQ(slice.code(), Code::kOffsetOutOfRange) << slice.status().ToString();  // deleted meanwhile
          return;
        }
        if (from == end) {
          EXPECT_EQ(slice->length, 0);
          return;
        }
        const std::vector<uint8_t> bytes = BytesOf(*slice);
        batch::BatchIterator batches(bytes);
        batch::BatchView view;
        ASSERT_EQ(batches.Next(&view), batch::BatchIterator::Step::kBatch);
        EXPECT_TRUE(view.crc_ok());
        EXPECT_LE(view.base_offset().v, from);
        EXPECT_GE(view.last_offset().v, from);
        while (batches.Next(&view) == batch::BatchIterator::Step::kBatch) EXPECT_LT(view.last_offset().v, end);
      });
    } else if (what < 85) {
      workers.Submit([find = log_->FindTimestamp(TimestampMs(1700000000000 + step - static_cast<int64_t>(random_() % 300)))] {
        Result<std::optional<TimestampOffset>> found = find();
        EXPECT_TRUE(found.ok()) << found.status().ToString();
      });
    } else if (what < 92) {
      workers.Submit([find = log_->FindMaxTimestamp()] { EXPECT_TRUE(find().ok() || find().code() == Code::kNotFound); });
    } else {
      (void)Read(from, 3000);
    }
  }

  const uint64_t seed_;
  std::mt19937_64 random_;
};

TEST_F(LogThreadsTest, LookUpsRunBesideEverything) {
  SCOPED_TRACE("SLUICE_SEED=" + std::to_string(seed_));
  ASSERT_TRUE(Open(LoadState::Kind::kNew).ok());
  Workers workers(2);
  for (int step = 0; step < 3000; ++step) {
    const uint64_t what = random_() % 100;
    if (what < 45) {
      ASSERT_TRUE(Append(SomeBatch(step)).ok());
    } else if (what < 92) {
      LookUp(workers, step);
    } else if (what < 96) {
      ASSERT_TRUE(Sync().ok());
    } else {
      (void)log_->RunRetention(TimestampMs(clock_.now));
    }
  }
}

// As on a disk that makes writers wait: one thread appends, one syncs, two look up, and home goes on.
TEST_F(LogThreadsTest, AppendsAndSyncsRunBesideEverythingToo) {
  SCOPED_TRACE("SLUICE_SEED=" + std::to_string(seed_));
  ASSERT_TRUE(Open(LoadState::Kind::kNew).ok());
  std::shared_ptr<LogWrite> write;
  std::optional<Log::SyncSet> sync;
  std::atomic<bool> written = false, synced = false;
  Workers appender(1), syncer(1), workers(2);
  const auto go_on = [&] {
    if (write != nullptr && written.exchange(false)) {
      const Status finished = log_->FinishWrite(*write, {}, {});
      ASSERT_TRUE(finished.ok()) << finished.ToString();
      write = nullptr;
      log_->AdvanceHighWatermark(log_->written_end());
    }
    if (sync && synced.exchange(false)) {
      log_->SyncDone(*sync);
      sync.reset();
    }
    if (write != nullptr || (write = log_->BeginWrite()) == nullptr) return;
    appender.Submit([&written, write] {
      write->Run();
      written = true;
    });
  };
  int64_t appended = 0;
  for (int step = 0; step < 3000 && !HasFatalFailure(); ++step) {
    go_on();
    const uint64_t what = random_() % 100;
    if (what < 45) {
      ASSERT_TRUE(Stage(SomeBatch(step)).ok());
      log_->KeepStaged();
      batches_.clear();
      appended += 2;
    } else if (what < 90) {
      LookUp(workers, step);
    } else if (what < 96) {
      if (sync) continue;
      Result<Log::SyncSet> set = log_->PrepareSync();
      ASSERT_TRUE(set.ok());
      sync = set.take();
      syncer.Submit([this, &sync, &synced] {
        EXPECT_TRUE(sync->Run(*env_.fs).ok());
        synced = true;
      });
    } else {
      (void)log_->RunRetention(TimestampMs(clock_.now));
    }
  }
  while ((write != nullptr || sync || log_->kept_bytes() > 0) && !HasFatalFailure()) {
    std::this_thread::yield();
    go_on();
  }
  EXPECT_EQ(log_->kept_bytes(), 0);
  EXPECT_EQ(log_->high_watermark(), Offset(appended));
  EXPECT_EQ(static_cast<int64_t>(ReadAll(log_->log_start().v).size()), (appended - log_->log_start().v) / 2);
}

}  // namespace
}  // namespace sluice::log
