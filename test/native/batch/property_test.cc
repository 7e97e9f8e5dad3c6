// Random records there and back, and what damage does. SLUICE_SEED repeats a run.
#include <gtest/gtest.h>

#include "batch/batch_view.h"
#include "batch/record.h"
#include "batch/recompress.h"
#include "batch/stamp.h"
#include "batch/stream_walk.h"
#include "batch/validate.h"
#include "random_batches.h"

namespace sluice::batch {
namespace {

AppendRules AnyTime() {
  AppendRules rules;
  rules.max_message_bytes = 1 << 30;
  rules.timestamp_after_max_ms = INT64_MAX;
  return rules;
}

void ExpectRecords(const BatchView& batch, const std::vector<OwnedRecord>& want) {
  Buffer plain;
  ASSERT_TRUE(Decompress(batch.codec(), batch.records(), 1 << 30, &plain).ok());
  RecordWalker walker(plain.bytes(), batch.record_count());
  RecordView record;
  for (size_t i = 0; i < want.size(); ++i) {
    ASSERT_EQ(walker.Next(&record), RecordWalker::Step::kRecord) << walker.status().ToString();
    ASSERT_EQ(record.offset_delta, static_cast<int32_t>(i));
    ASSERT_EQ(static_cast<int64_t>(static_cast<uint64_t>(batch.base_timestamp().v) + static_cast<uint64_t>(record.timestamp_delta)),
              want[i].timestamp.v);
    ASSERT_TRUE(record.key == want[i].Key());
    ASSERT_TRUE(record.value == want[i].Value());
    const std::vector<HeaderView> headers = want[i].HeaderViews();
    ASSERT_EQ(record.header_count, static_cast<int32_t>(headers.size()));
    HeaderIterator iterator(record);
    HeaderView header;
    for (const HeaderView& h : headers) {
      ASSERT_TRUE(iterator.Next(&header));
      ASSERT_TRUE(NullableBytes(header.key) == NullableBytes(h.key));
      ASSERT_TRUE(header.value == h.value);
    }
  }
  ASSERT_EQ(walker.Next(&record), RecordWalker::Step::kEnd);
}

TEST(Property, EveryCodecThereAndBack) {
  SCOPED_TRACE("SLUICE_SEED=" + std::to_string(TestSeed()));
  RandomRecords random(TestSeed());
  BatchBuilder builder;
  Decompressor decompressor;
  Compressor compressor;
  for (int round = 0; round < 60; ++round) {
    const std::vector<OwnedRecord> records = random.Some(round % 10 == 0 ? 400 : 30);
    BatchOptions options;
    options.codec = static_cast<Codec>(random.Below(kCodecCount));
    options.producer_id = ProducerId(static_cast<int64_t>(random.Below(3)) - 1);
    if (options.producer_id > kNoProducer) {
      options.producer_epoch = ProducerEpoch(3);
      options.base_sequence = static_cast<int32_t>(random.Below(INT32_MAX));
    }
    builder.Start(options);
    TimestampMs max{-1};
    for (const OwnedRecord& r : records) {
      const std::vector<HeaderView> headers = r.HeaderViews();
      ASSERT_TRUE(builder.Append({r.Key(), r.Value(), r.timestamp, headers}).ok());
      max = std::max(max, r.timestamp);
    }
    Result<Bytes> made = builder.Finish();
    ASSERT_TRUE(made.ok()) << made.status().ToString();
    Result<BatchView> batch = ParseBatch(*made);
    ASSERT_TRUE(batch.ok());
    EXPECT_EQ(batch->max_timestamp(), max);
    AppendRules rules = AnyTime();
    rules.always_look_inside = true;
    ValidationDetail detail;
    Status status = ValidateForAppend(*batch, rules, &detail);
    ASSERT_TRUE(status.ok()) << status.ToString();
    ASSERT_EQ(detail.decompression_needed, batch->compressed());
    if (detail.decompression_needed) {
      status = ValidateCompressedRecords(*batch, rules, &decompressor, &detail);
      ASSERT_TRUE(status.ok()) << status.ToString();
    }
    EXPECT_EQ(detail.max_timestamp, max);
    ExpectRecords(*batch, records);

    const Codec target = static_cast<Codec>(random.Below(kCodecCount));
    Buffer other;
    status = Recompress(*batch, {.codec = target, .max_batch_bytes = 1 << 30}, &decompressor, &compressor, &other);
    ASSERT_TRUE(status.ok()) << status.ToString();
    Result<BatchView> again = ParseBatch(other.bytes());
    ASSERT_TRUE(again.ok());
    EXPECT_TRUE(again->crc_ok());
    EXPECT_EQ(again->codec(), target);
    ExpectRecords(*again, records);
  }
}

// Damage anywhere but in the fields before the CRC (which the broker writes itself) must be noticed; nothing may crash.
TEST(Property, DamagedBatchesAreRefused) {
  SCOPED_TRACE("SLUICE_SEED=" + std::to_string(TestSeed()));
  RandomRecords random(TestSeed() + 1);
  BatchBuilder builder;
  Decompressor decompressor;
  for (int round = 0; round < 2000; ++round) {
    BatchOptions options;
    options.codec = static_cast<Codec>(random.Below(kCodecCount));
    builder.Start(options);
    for (uint64_t n = 1 + random.Below(4); n > 0; --n) {
      const OwnedRecord r = random.One();
      ASSERT_TRUE(builder.Append({r.Key(), r.Value(), r.timestamp, {}}).ok());
    }
    Result<Bytes> made = builder.Finish();
    ASSERT_TRUE(made.ok());
    std::vector<uint8_t> bytes(made->begin(), made->end());
    AppendRules rules = AnyTime();
    rules.always_look_inside = true;
    ValidationDetail detail;
    // 1. One bit: the CRC or the lengths tell.
    const size_t at = kCrcAt + random.Below(bytes.size() - kCrcAt);
    bytes[at] ^= static_cast<uint8_t>(1 << random.Below(8));
    Result<BatchView> batch = ParseBatch(bytes);
    ASSERT_TRUE(batch.ok());
    EXPECT_EQ(ValidateForAppend(*batch, rules, &detail).code(), Code::kCorrupt);
    // 2. The same with a CRC that fits, as a hostile client would send it: any verdict, no crash, and what passes can be read.
    for (uint64_t n = random.Below(3); n > 0; --n) bytes[kAttributesAt + random.Below(bytes.size() - kAttributesAt)] = static_cast<uint8_t>(random.Below(256));
    StampCrc(bytes);
    Status status = ValidateForAppend(*batch, rules, &detail);
    if (status.ok() && detail.decompression_needed) status = ValidateCompressedRecords(*batch, rules, &decompressor, &detail);
    if (status.ok()) {
      Buffer plain;
      ASSERT_TRUE(Decompress(batch->codec(), batch->records(), 1 << 30, &plain).ok());
      RecordWalker walker(plain.bytes(), batch->record_count());
      RecordView record;
      RecordWalker::Step step;
      while ((step = walker.Next(&record)) == RecordWalker::Step::kRecord) {
      }
      EXPECT_EQ(step, RecordWalker::Step::kEnd) << walker.status().ToString();
    }
    // 3. Cut short anywhere.
    EXPECT_FALSE(ParseBatch(Bytes(bytes).first(random.Below(bytes.size()))).ok());
  }
}

// The walk over bytes and the walk over a stream, with a window of any size, agree on every section, sound or damaged.
TEST(Property, BothWalksAgree) {
  SCOPED_TRACE("SLUICE_SEED=" + std::to_string(TestSeed()));
  RandomRecords random(TestSeed() + 2);
  BatchBuilder builder;
  Decompressor decompressor;
  int bad = 0;
  for (int round = 0; round < 3000; ++round) {
    builder.Start({});
    for (uint64_t n = 1 + random.Below(5); n > 0; --n) {
      const OwnedRecord r = random.One();
      const std::vector<HeaderView> headers = r.HeaderViews();
      ASSERT_TRUE(builder.Append({Bytes(r.key).first(std::min<size_t>(r.key.size(), 8)), NullableBytes(), r.timestamp, headers}).ok());
    }
    Result<Bytes> made = builder.Finish();
    std::vector<uint8_t> section(made->begin() + kRecordsAt, made->end());
    const int32_t count = builder.count() + (random.Below(10) == 0 ? static_cast<int32_t>(random.Below(3)) - 1 : 0);
    for (uint64_t n = random.Below(3); n > 0; --n) section[random.Below(section.size())] = static_cast<uint8_t>(random.Below(random.Below(2) ? 8 : 256));
    for (size_t window : {size_t{64 << 10}, 1 + random.Below(100)}) {
      RecordWalker plain(section, count);
      decompressor.Start(Codec::kNone, section, 1 << 20);
      StreamWalker stream(&decompressor, count, kNoRecordLimit, window);
      RecordView view;
      RecordOutline outline;
      for (;;) {
        const RecordWalker::Step a = plain.Next(&view);
        const StreamWalker::Step b = stream.Next(&outline);
        ASSERT_EQ(static_cast<int>(a), static_cast<int>(b)) << "window " << window << ": " << stream.status().ToString();
        if (a != RecordWalker::Step::kRecord) {
          bad += a == RecordWalker::Step::kBad;
          break;
        }
        ASSERT_EQ(view.offset_delta, outline.offset_delta);
        ASSERT_EQ(view.timestamp_delta, outline.timestamp_delta);
        ASSERT_EQ(!view.key.is_null(), outline.has_key);
      }
    }
  }
  EXPECT_GT(bad, 100) << "the test must see damage";
}

}  // namespace
}  // namespace sluice::batch
