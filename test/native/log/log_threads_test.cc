// Look-ups on other threads while the home thread appends, rolls, syncs and deletes. Meant for the thread sanitizer; without it it still holds
// that every answer is right for the moment it was asked.
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "log_fixture.h"

namespace sluice::log {
namespace {

using test::BatchSpec;
using test::LogFixture;

class LogThreadsTest : public LogFixture {};

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

TEST_F(LogThreadsTest, LookUpsRunBesideEverything) {
  const uint64_t seed = test::Seed();
  SCOPED_TRACE("SLUICE_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  config_.segment_bytes = 6000;
  config_.index_interval_bytes = 200;
  config_.file_delete_delay_ms = 0;
  config_.retention_ms = -1;
  config_.retention_bytes = 40000;
  ASSERT_TRUE(Open(LoadState::Kind::kNew).ok());
  Workers workers(2);
  for (int step = 0; step < 3000; ++step) {
    const uint64_t what = random() % 100;
    const int64_t start = log_->log_start().v, end = log_->high_watermark().v;
    const int64_t from = start + static_cast<int64_t>(random() % static_cast<uint64_t>(end - start + 1));
    if (what < 45) {
      ASSERT_TRUE(Append(BatchSpec{.records = 2, .value_bytes = random() % 300, .timestamp = 1700000000000 + step}).ok());
    } else if (what < 75) {
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
      workers.Submit([find = log_->FindTimestamp(TimestampMs(1700000000000 + step - static_cast<int64_t>(random() % 300)))] {
        Result<std::optional<TimestampOffset>> found = find();
        EXPECT_TRUE(found.ok()) << found.status().ToString();
      });
    } else if (what < 88) {
      workers.Submit([find = log_->FindMaxTimestamp()] { EXPECT_TRUE(find().ok() || find().code() == Code::kNotFound); });
    } else if (what < 92) {
      Result<Log::SyncSet> set = log_->PrepareSync();
      ASSERT_TRUE(set.ok());
      ASSERT_TRUE(set->Run(*env_.fs).ok());
      log_->SyncDone(*set);
    } else if (what < 96) {
      (void)Read(from, 3000);
    } else {
      (void)log_->RunRetention(TimestampMs(clock_.now));
    }
  }
}

}  // namespace
}  // namespace sluice::log
