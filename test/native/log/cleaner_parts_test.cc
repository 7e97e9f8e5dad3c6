// The pieces of compaction, one by one: hash, map, what stays of a batch, which segments go together.
#include <gtest/gtest.h>

#include <array>
#include <numeric>
#include <random>
#include <set>

#include "base/endian.h"
#include "batch/builder.h"
#include "log/cleaner_filter.h"
#include "log/cleaner_map.h"
#include "log_fixture.h"

namespace sluice::log {
namespace {

Bytes BytesOf(const std::string& text) { return {reinterpret_cast<const uint8_t*>(text.data()), text.size()}; }

// The first vectors of SipHash-2-4 with 128 bits, as its authors publish them: key 00..0f, input 00..n-1.
TEST(CleanerMap, HashesAsSipHashDoes) {
  std::array<uint8_t, 16> key;
  std::iota(key.begin(), key.end(), uint8_t{0});
  HashSecret secret;
  std::memcpy(&secret, key.data(), 16);
  const auto hash = [&](size_t length) {
    std::array<uint8_t, 64> input;
    std::iota(input.begin(), input.end(), uint8_t{0});
    const KeyHash made = HashKey(secret, Bytes(input.data(), length));
    std::array<uint8_t, 16> out;
    std::memcpy(out.data(), &made.low, 8);
    std::memcpy(out.data() + 8, &made.high, 8);
    return out;
  };
  EXPECT_EQ(hash(0), (std::array<uint8_t, 16>{0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6, 0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02, 0x93}));
  EXPECT_EQ(hash(1), (std::array<uint8_t, 16>{0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44, 0x34, 0x76, 0x59, 0x11, 0x9b, 0x22, 0xfc, 0x45}));
  std::set<std::array<uint8_t, 16>> all;
  for (size_t length = 0; length <= 64; ++length) all.insert(hash(length));
  EXPECT_EQ(all.size(), 65u);
}

TEST(CleanerMap, HoldsTheLastOffsetOfEachKeyUpToItsLimit) {
  CleanerMap map(24 * 1000, 0.9, INT64_MAX / 2);
  EXPECT_EQ(map.slots(), 1000);
  EXPECT_EQ(map.limit(), 900);
  for (int64_t i = 0; i < 900; ++i) ASSERT_TRUE(map.Put(BytesOf("key " + std::to_string(i)), Offset(i)));
  EXPECT_FALSE(map.Put(BytesOf("one more"), Offset(5000)));
  EXPECT_TRUE(map.Put(BytesOf("key 17"), Offset(5001)));
  EXPECT_EQ(map.size(), 900);
  for (int64_t i = 0; i < 900; ++i) ASSERT_EQ(map.Get(BytesOf("key " + std::to_string(i))).v, i == 17 ? 5001 : i);
  EXPECT_EQ(map.Get(BytesOf("one more")).v, -1);
  EXPECT_EQ(map.Get(Bytes()).v, -1);
  EXPECT_TRUE(CleanerMap(24 * 1000, 0.9, 3).slots() < 10);   // no more than there can be keys
  EXPECT_EQ(CleanerMap(1, 0.9, 100).limit() > 0, true);
}

struct Input {
  std::string key;          // "-": none
  std::string value;        // "-": a tombstone
  int64_t timestamp = 1000;
};

class CleanerFilterTest : public ::testing::Test {
 protected:
  std::vector<uint8_t> Batch(const std::vector<Input>& inputs, batch::BatchOptions options = {}) {
    batch::BatchBuilder builder;
    builder.Start(options);
    for (const Input& input : inputs) {
      batch::RecordInput record;
      if (input.key != "-") record.key = BytesOf(input.key);
      if (input.value != "-") record.value = BytesOf(input.value);
      record.timestamp = TimestampMs(input.timestamp);
      const std::array<batch::HeaderView, 1> headers{batch::HeaderView{BytesOf(header_), BytesOf(header_)}};
      record.headers = headers;
      EXPECT_TRUE(builder.Append(record).ok());
    }
    Result<Bytes> made = builder.Finish();
    EXPECT_TRUE(made.ok());
    return {made->begin(), made->end()};
  }
  // What is left of a batch.
  std::vector<uint8_t> Clean(const std::vector<uint8_t>& bytes) {
    const batch::BatchView view{Bytes(bytes)};
    Result<BatchHead> head = ParseBatchHead(bytes, static_cast<int64_t>(bytes.size()));
    EXPECT_TRUE(head.ok());
    Buffer out;
    outcome_ = FilterOutcome();
    rules_.map = &map_;
    rules_.producers = &producers_;
    const Status status = filter_.Filter(view, *head, rules_, &txns_, &out, &outcome_);
    EXPECT_TRUE(status.ok()) << status.ToString();
    return {out.data(), out.data() + out.size()};
  }
  // "offset key=value@time" of each record.
  std::vector<std::string> RecordsOf(const std::vector<uint8_t>& bytes) {
    std::vector<std::string> out;
    const batch::BatchView view{Bytes(bytes)};
    EXPECT_TRUE(view.crc_ok());
    Buffer plain;
    Bytes records = view.records();
    if (view.compressed()) {
      EXPECT_TRUE(batch::Decompress(view.codec(), records, 1 << 20, &plain).ok());
      records = plain.bytes();
    }
    batch::RecordWalker walker(records, view.record_count());
    batch::RecordView record;
    batch::RecordWalker::Step step;
    const auto text = [](const batch::NullableBytes& b) { return b.is_null() ? "-" : std::string(b.bytes().begin(), b.bytes().end()); };
    while ((step = walker.Next(&record)) == batch::RecordWalker::Step::kRecord) {
      EXPECT_EQ(record.header_count, 1);
      const int64_t time = view.log_append_time() ? view.max_timestamp().v : view.base_timestamp().v + record.timestamp_delta;
      out.push_back(std::to_string(view.base_offset().v + record.offset_delta) + " " + text(record.key) + "=" + text(record.value) + "@" + std::to_string(time));
    }
    EXPECT_EQ(step, batch::RecordWalker::Step::kEnd);
    return out;
  }
  using Lines = std::vector<std::string>;

  std::string header_ = "h";
  CleanerMap map_{24 * 100, 0.9, 100};
  LastOfProducers producers_;
  CleanerTxns txns_;
  CleanerFilter filter_;
  FilterRules rules_{.upper = Offset(1000000), .now = TimestampMs(50000), .delete_retention_ms = 7000};
  FilterOutcome outcome_;
};

TEST_F(CleanerFilterTest, WhatALaterRecordReplacesGoesAndTheRestKeepsItsOffsets) {
  for (int codec = 0; codec < batch::kCodecCount; ++codec) {
    const auto bytes = Batch({{"a", "1", 1000}, {"b", "2", 1003}, {"a", "3", 1001}, {"c", "4", 900}},
                             {.codec = static_cast<batch::Codec>(codec), .base_offset = Offset(10), .leader_epoch = LeaderEpoch(3), .producer_id = ProducerId(7),
                              .producer_epoch = ProducerEpoch(1), .base_sequence = 40});
    map_.Put(BytesOf("a"), Offset(12));
    map_.Put(BytesOf("b"), Offset(11));
    map_.Put(BytesOf("c"), Offset(99));
    map_.SetLatest(Offset(99));
    const auto left = Clean(bytes);
    EXPECT_EQ(RecordsOf(left), (Lines{"11 b=2@1003", "12 a=3@1001"}));
    const batch::BatchView view{Bytes(left)};
    EXPECT_EQ(view.base_offset().v, 10);
    EXPECT_EQ(view.last_offset().v, 13);
    EXPECT_EQ(view.codec_id(), codec);
    EXPECT_EQ(view.base_timestamp().v, 1003);
    EXPECT_EQ(view.max_timestamp().v, 1003);
    EXPECT_EQ(view.leader_epoch().v, 3);
    EXPECT_EQ(view.last_sequence(), 43);
    EXPECT_EQ(outcome_.records_read, 4);
    EXPECT_EQ(outcome_.records_kept, 2);
  }
}

TEST_F(CleanerFilterTest, WhatIsWholeStaysByteForByte) {
  const auto bytes = Batch({{"a", "1"}, {"b", "2"}}, {.base_offset = Offset(10)});
  map_.Put(BytesOf("a"), Offset(10));
  map_.SetLatest(Offset(10));   // b lies behind what the map knows
  EXPECT_EQ(Clean(bytes), bytes);
}

TEST_F(CleanerFilterTest, ATombstoneGetsAHorizonAndGoesWhenItHasPassed) {
  const auto bytes = Batch({{"a", "-", 1000}, {"b", "2", 1005}}, {.base_offset = Offset(10)});
  map_.Put(BytesOf("a"), Offset(10));
  map_.Put(BytesOf("b"), Offset(11));
  map_.SetLatest(Offset(20));
  const auto marked = Clean(bytes);
  EXPECT_EQ(RecordsOf(marked), (Lines{"10 a=-@1000", "11 b=2@1005"}));
  EXPECT_TRUE(batch::BatchView{Bytes(marked)}.has_delete_horizon());
  EXPECT_EQ(batch::BatchView{Bytes(marked)}.base_timestamp().v, 57000);
  EXPECT_EQ(batch::BatchView{Bytes(marked)}.max_timestamp().v, 1005);
  rules_.now = TimestampMs(56999);
  EXPECT_EQ(Clean(marked), marked);
  rules_.now = TimestampMs(57000);
  const auto left = Clean(marked);
  EXPECT_EQ(RecordsOf(left), (Lines{"11 b=2@1005"}));
  EXPECT_EQ(batch::BatchView{Bytes(left)}.base_timestamp().v, 57000);   // the horizon stays, as in Kafka
}

TEST_F(CleanerFilterTest, TheLastBatchOfARoundAndOfAProducerStayWithoutRecords) {
  map_.SetLatest(Offset(100));
  map_.Put(BytesOf("a"), Offset(90));
  const auto plain = Batch({{"a", "1"}, {"a", "2"}}, {.codec = batch::Codec::kGzip, .base_offset = Offset(10)});
  EXPECT_TRUE(Clean(plain).empty());
  rules_.upper = Offset(12);
  const auto left = Clean(plain);
  ASSERT_EQ(left.size(), batch::kHeaderBytes);
  const batch::BatchView view{Bytes(left)};
  EXPECT_TRUE(view.crc_ok());
  EXPECT_EQ(view.record_count(), 0);
  EXPECT_EQ(view.last_offset().v, 11);
  EXPECT_EQ(view.base_timestamp().v, -1);
  EXPECT_EQ(view.max_timestamp().v, 1000);
  EXPECT_EQ(view.codec_id(), 0);

  rules_.upper = Offset(1000000);
  const auto produced = Batch({{"a", "1"}, {"a", "2"}}, {.base_offset = Offset(20), .producer_id = ProducerId(5), .producer_epoch = ProducerEpoch(2), .base_sequence = 8});
  EXPECT_TRUE(Clean(produced).empty());
  producers_[5] = {Offset(21), ProducerEpoch(2)};
  const auto kept = Clean(produced);
  ASSERT_EQ(kept.size(), batch::kHeaderBytes);
  EXPECT_EQ(batch::BatchView{Bytes(kept)}.last_sequence(), 9);
  EXPECT_EQ(Clean(kept), kept);   // and again
  producers_[5] = {Offset(30), ProducerEpoch(2)};
  EXPECT_TRUE(Clean(kept).empty());
}

TEST_F(CleanerFilterTest, AbortedRecordsGoAndTheMarkerWhenNothingIsLeftOfItsTransaction) {
  const batch::BatchOptions txn{.base_offset = Offset(10), .producer_id = ProducerId(5), .producer_epoch = ProducerEpoch(0), .base_sequence = 0, .transactional = true};
  const auto data = Batch({{"a", "1"}}, txn);
  auto marker = test::MakeMarker(5, 0, true);
  StoreI64(marker.data(), 11);
  const AbortedTxn aborted{ProducerId(5), Offset(10), Offset(11), Offset(12)};
  map_.SetLatest(Offset(100));
  txns_.AddAborted({aborted, aborted});
  EXPECT_TRUE(Clean(data).empty());
  EXPECT_EQ(Clean(marker), marker);                  // its transaction was met: it stays, and in the index
  ASSERT_TRUE(outcome_.aborted);
  EXPECT_TRUE(*outcome_.aborted == aborted);
  // The next round meets no batch of it: the marker gets its horizon, then goes.
  txns_ = CleanerTxns();
  txns_.AddAborted({aborted});
  const auto marked = Clean(marker);
  EXPECT_TRUE(batch::BatchView{Bytes(marked)}.has_delete_horizon());
  EXPECT_FALSE(outcome_.aborted);
  rules_.now = TimestampMs(60000);
  txns_ = CleanerTxns();
  EXPECT_TRUE(Clean(marked).empty());
  // Unless a producer is known by nothing else.
  producers_[5] = {Offset(-1), ProducerEpoch(0)};
  const auto kept = Clean(marked);
  ASSERT_EQ(kept.size(), batch::kHeaderBytes);
  EXPECT_TRUE(batch::BatchView{Bytes(kept)}.control());
  producers_.clear();
  txns_ = CleanerTxns();
  EXPECT_TRUE(Clean(kept).empty());
}

TEST_F(CleanerFilterTest, CommittedRecordsStayAndSoDoesTheirMarkerWhileTheyDo) {
  const batch::BatchOptions txn{.base_offset = Offset(10), .producer_id = ProducerId(5), .producer_epoch = ProducerEpoch(0), .base_sequence = 0, .transactional = true};
  const auto data = Batch({{"a", "1"}}, txn);
  auto marker = test::MakeMarker(5, 0, false);
  StoreI64(marker.data(), 11);
  map_.Put(BytesOf("a"), Offset(10));
  map_.SetLatest(Offset(100));
  EXPECT_EQ(Clean(data), data);
  EXPECT_EQ(Clean(marker), marker);
  EXPECT_TRUE(batch::BatchView{Bytes(Clean(marker))}.has_delete_horizon());   // met alone
}

TEST_F(CleanerFilterTest, DamageIsToldAndLeavesNothing) {
  auto bytes = Batch({{"a", "1"}, {"b", "2"}}, {.base_offset = Offset(10)});
  bytes[batch::kRecordsAt] = 0x7f;
  map_.SetLatest(Offset(100));
  map_.Put(BytesOf("a"), Offset(90));
  const batch::BatchView view{Bytes(bytes)};
  Result<BatchHead> head = ParseBatchHead(bytes, static_cast<int64_t>(bytes.size()));
  Buffer out;
  rules_.map = &map_;
  rules_.producers = &producers_;
  EXPECT_EQ(filter_.Filter(view, *head, rules_, &txns_, &out, &outcome_).code(), Code::kCorrupt);
  EXPECT_TRUE(out.empty());
}

TEST_F(CleanerFilterTest, RecordsWithoutAKeyGoAsInKafka) {
  map_.SetLatest(Offset(100));
  const auto bytes = Batch({{"-", "1"}, {"b", "2"}}, {.base_offset = Offset(10)});
  EXPECT_EQ(RecordsOf(Clean(bytes)), (Lines{"11 b=2@1000"}));
}

}  // namespace
}  // namespace sluice::log
