// What the model of a random world on a log directory knows of each partition; see recovery_world.h.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/endian.h"
#include "batch/builder.h"
#include "log/log.h"

namespace sluice::log::test {

struct WorldOptions {
  bool full_disk = false;   // ENOSPC comes and goes
  bool faults = false;      // accesses fail, reads are short, the clock jumps
  bool tell = false;        // keep a history
  std::string lies_about;   // see SimDisk
  int partitions = 6;
  size_t largest = 6 << 20;
};

struct Produced {
  int64_t base, end;
  uint32_t crc;
  int producer;
  int16_t epoch;
  int32_t sequence;
  std::vector<uint8_t> bytes;   // of small ones, for a retry
};
struct Producer {
  int64_t id;
  int16_t epoch = 0;
  int32_t next = 0;
};
struct Part {
  TopicPartition name;
  TopicId id;
  LogConfig config;
  Log* log = nullptr;
  bool gone = false;
  bool expected_reset = false;
  std::vector<Produced> batches;
  std::array<Producer, 2> producers;
  int64_t must = 0;        // records below survive a power cut
  int64_t kept = 0;        // records below are on the disk as the last end left it
  bool in_cache = false;   // when the process ended, some may have been in the page cache only
  int64_t soft = 0;        // records below were seen in mode os only
  int64_t start_answered = 0, start_seen = 0;
  bool may_reset = false;  // mode os with a moved start: a power cut may leave less than the start
  bool retained = false;   // has or had a limit on its size
  size_t waiting = 0;
};

// Each record carries a number of its own.
inline std::vector<uint8_t> MakeNumberedBatch(const Producer* producer, int records, size_t bytes, uint64_t* last_record) {
  batch::BatchBuilder builder;
  batch::BatchOptions options;
  if (producer != nullptr) {
    options.producer_id = ProducerId(producer->id);
    options.producer_epoch = ProducerEpoch(producer->epoch);
    options.base_sequence = producer->next;
  }
  builder.Start(options);
  std::vector<uint8_t> value(std::max<size_t>(8, bytes / static_cast<size_t>(records)));
  for (int i = 0; i < records; ++i) {
    StoreI64(value.data(), static_cast<int64_t>(++*last_record));
    for (size_t at = 8; at < value.size(); at += 997) value[at] = static_cast<uint8_t>(*last_record + at);
    batch::RecordInput record;
    record.value = Bytes(value);
    record.timestamp = TimestampMs(1700000000000 + i);
    EXPECT_TRUE(builder.Append(record).ok());
  }
  Result<Bytes> bytes_made = builder.Finish();
  EXPECT_TRUE(bytes_made.ok());
  return {bytes_made->begin(), bytes_made->end()};
}

}  // namespace sluice::log::test
