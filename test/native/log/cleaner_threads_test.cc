// Compaction on a real pool while the home thread appends, housekeeps and deletes, and look-ups run on the other thread. Meant for the thread sanitizer;
// without it it still holds that every answer is whole batches that begin where they were asked for or behind.
#include <gtest/gtest.h>

#include <atomic>
#include <deque>

#include "batch/batch_view.h"
#include "batch/builder.h"
#include "log/log_dir.h"
#include "support/temp_dir.h"
#include "support/test_env.h"

namespace sluice::log {
namespace {

std::vector<uint8_t> KeyedBatch(int64_t number) {
  batch::BatchBuilder builder;
  builder.Start({});
  for (int i = 0; i < 4; ++i) {
    const std::string key = "key-" + std::to_string((number * 7 + i * 3) % 50);
    const std::string value(static_cast<size_t>(50 + number % 100), 'v');
    batch::RecordInput record;
    record.key = Bytes(reinterpret_cast<const uint8_t*>(key.data()), key.size());
    if (number % 9 != 0) record.value = Bytes(reinterpret_cast<const uint8_t*>(value.data()), value.size());
    record.timestamp = TimestampMs(1700000000000 + number);
    EXPECT_TRUE(builder.Append(record).ok());
  }
  Result<Bytes> made = builder.Finish();
  return {made->begin(), made->end()};
}

TEST(CleanerThreads, LookUpsGoOnWhileSegmentsAreReplaced) {
  sluice::test::TempDir folder;
  sluice::test::TestEnv env;
  LogDirOptions options;
  options.path = folder / "data";
  options.journal_bytes = 8 << 20;
  options.cleaner.backoff_ms = 0;
  options.cleaner.buffer_bytes = 16384;
  Result<std::unique_ptr<LogDir>> opened = LogDir::Open(env.env(), options);
  ASSERT_TRUE(opened.ok()) << opened.status().ToString();
  std::unique_ptr<LogDir> dir = opened.take();
  LogConfig config;
  config.cleanup_compact = true;
  config.cleanup_delete = false;
  config.segment_bytes = 20000;
  config.index_interval_bytes = 500;
  config.min_cleanable_ratio = 0.2;
  config.delete_retention_ms = 0;
  config.file_delete_delay_ms = 0;
  TopicId id;
  id.bytes[0] = 1;
  Log* log = nullptr;
  bool ready = false;
  dir->OpenPartitions({{{"t", 0}, id, LeaderEpoch(0), config}}, [&](std::vector<OpenOutcome> outcomes) {
    log = outcomes[0].log;
    dir->FinishRecovery(false, [&](Result<RecoveryReport> report) { ready = report.ok(); });
  });
  env.RunUntil([&] { return ready; });
  ASSERT_NE(log, nullptr);

  std::atomic<int64_t> answers{0}, wrong{0};
  std::deque<std::vector<uint8_t>> bytes;
  for (int64_t i = 0; dir->stats().cleanings < 4; ++i) {
    bytes.push_back(KeyedBatch(i));
    if (bytes.size() > 40) bytes.pop_front();
    ASSERT_TRUE(log->Append(bytes.back(), AppendOrigin::kClient, TimestampMs(env.env().clock->WallMs())).ok());
    dir->MarkStaged(log);
    dir->Commit();
    if (i % 3 == 0) {
      const int64_t from = log->high_watermark().v == 0 ? 0 : (i * 977) % log->high_watermark().v;
      env.pool().Submit(io::MakeJob(
          [read = log->ColdRead(Offset(from), 3000, true, log->high_watermark()), find = log->FindTimestamp(TimestampMs(1700000000000 + i / 2)), from, &answers, &wrong] {
            Result<LogSlice> slice = read();
            if (!find().ok() || !slice.ok()) ++wrong;
            if (!slice.ok() || slice->length == 0) return;
            std::vector<uint8_t> got(static_cast<size_t>(slice->length));
            if (!slice->segment->log_file().ReadAt(got, slice->position.v).ok()) ++wrong;
            batch::BatchIterator batches(got);
            batch::BatchView view;
            bool first = true;
            while (batches.Next(&view) == batch::BatchIterator::Step::kBatch) {
              if (!view.crc_ok() || (first && view.last_offset().v < from)) ++wrong;
              first = false;
            }
            if (batches.partial_bytes() != 0 || first) ++wrong;
            ++answers;
          },
          [] {}));
    }
    if (i % 10 == 0) {
      dir->OnTimer();
      log->Housekeep(TimestampMs(env.env().clock->WallMs()));
    }
    env.writer().Reap();
    env.pool().RunCompletions();
    if (env.pool().pending() > 8) env.RunUntil([&] { return env.pool().pending() < 3; });
  }
  env.RunUntil([&] { return env.pool().pending() == 0 && env.writer().pending() == 0; });
  EXPECT_EQ(wrong.load(), 0);
  EXPECT_GT(answers.load(), 0);
  bool closed = false;
  dir->CloseClean([&](Status status) {
    EXPECT_TRUE(status.ok()) << status.ToString();
    closed = true;
  });
  env.RunUntil([&] { return closed; });
}

}  // namespace
}  // namespace sluice::log
