// What golden_test.cc cannot show: checks that lie outside of Kafka's validator, and when a compressed batch is looked into.
#include "batch/validate.h"

#include <gtest/gtest.h>

#include <vector>

#include "batch/builder.h"
#include "batch/recompress.h"
#include "batch/stamp.h"

namespace sluice::batch {
namespace {

using Data = std::vector<uint8_t>;
constexpr int64_t kNow = 1700000000000;
Bytes Text(const char* text) { return {reinterpret_cast<const uint8_t*>(text), std::strlen(text)}; }

Data Batch(Codec codec, std::vector<int64_t> times = {kNow - 1, kNow, kNow - 2}, BatchOptions options = {}) {
  BatchBuilder builder;
  options.codec = codec;
  builder.Start(options);
  for (int64_t t : times) EXPECT_TRUE(builder.Append({Text("key"), Text("some value"), TimestampMs(t), {}}).ok());
  const Bytes made = *builder.Finish();
  return Data(made.begin(), made.end());
}

AppendRules Rules() {
  AppendRules rules;
  rules.now = TimestampMs(kNow);
  return rules;
}

Code Verdict(const Data& bytes, const AppendRules& rules, ValidationDetail* detail = nullptr) {
  ValidationDetail local;
  return ValidateForAppend(BatchView(bytes), rules, detail != nullptr ? detail : &local).code();
}

TEST(Validate, OrderOfChecks) {
  Data bytes = Batch(Codec::kNone);
  EXPECT_EQ(Verdict(bytes, Rules()), Code::kOk);
  AppendRules small = Rules();
  small.max_message_bytes = static_cast<int64_t>(bytes.size());
  EXPECT_EQ(Verdict(bytes, small), Code::kOk) << "the limit itself is allowed";
  --small.max_message_bytes;
  EXPECT_EQ(Verdict(bytes, small), Code::kTooLarge);
  bytes.back() ^= 1;
  EXPECT_EQ(Verdict(bytes, Rules()), Code::kCorrupt);
  EXPECT_EQ(Verdict(bytes, small), Code::kTooLarge) << "size comes before CRC";
  StoreI64(bytes.data() + kBaseOffsetAt, 3);
  EXPECT_EQ(Verdict(bytes, small), Code::kInvalidRecord) << "base offset comes first";
}

TEST(Validate, BaseOffsetIsTheClientsConcernOnly) {
  const Data bytes = Batch(Codec::kNone, {kNow}, {.base_offset = Offset(7)});
  EXPECT_EQ(Verdict(bytes, Rules()), Code::kInvalidRecord);
  AppendRules rules = Rules();
  rules.origin = Origin::kCoordinator;
  EXPECT_EQ(Verdict(bytes, rules), Code::kOk);
}

TEST(Validate, ProducerFields) {
  EXPECT_EQ(Verdict(Batch(Codec::kNone, {kNow}, {.producer_id = ProducerId(1), .producer_epoch = ProducerEpoch(0), .base_sequence = 0}), Rules()), Code::kOk);
  EXPECT_EQ(Verdict(Batch(Codec::kNone, {kNow}, {.producer_id = ProducerId(1), .producer_epoch = ProducerEpoch(0)}), Rules()), Code::kInvalidRecord);
  EXPECT_EQ(Verdict(Batch(Codec::kNone, {kNow}, {.producer_id = ProducerId(1), .base_sequence = 0}), Rules()), Code::kInvalidRecord);
  EXPECT_EQ(Verdict(Batch(Codec::kNone, {kNow}, {.transactional = true}), Rules()), Code::kInvalidRecord);
}

TEST(Validate, Codecs) {
  AppendRules rules = Rules();
  rules.zstd_allowed = false;
  EXPECT_EQ(Verdict(Batch(Codec::kZstd), Rules()), Code::kOk);
  EXPECT_EQ(Verdict(Batch(Codec::kZstd), rules), Code::kUnsupportedFormat);
  EXPECT_EQ(Verdict(Batch(Codec::kLz4), rules), Code::kOk);
  for (int id : {5, 6, 7}) {
    Data bytes = Batch(Codec::kNone);
    StoreI16(bytes.data() + kAttributesAt, static_cast<int16_t>(id));
    StampCrc(bytes);
    EXPECT_EQ(Verdict(bytes, Rules()), Code::kUnsupportedFormat);
  }
  Data mislabelled = Batch(Codec::kGzip);
  StoreI16(mislabelled.data() + kAttributesAt, static_cast<int16_t>(Codec::kLz4));
  StampCrc(mislabelled);
  EXPECT_EQ(Verdict(mislabelled, Rules()), Code::kCorrupt);
}

TEST(Validate, LooksInsideOnlyWhenARuleNeedsIt) {
  const Data bytes = Batch(Codec::kZstd);
  const auto needed = [&](const AppendRules& rules, const Data& batch) {
    ValidationDetail detail;
    EXPECT_EQ(Verdict(batch, rules, &detail), Code::kOk);
    return detail.decompression_needed;
  };
  EXPECT_FALSE(needed(Rules(), bytes));
  AppendRules rules = Rules();
  rules.compacted = true;
  EXPECT_TRUE(needed(rules, bytes));
  rules = Rules();
  rules.always_look_inside = true;
  EXPECT_TRUE(needed(rules, bytes));
  rules = Rules();
  rules.timestamp_before_max_ms = 1000;
  EXPECT_TRUE(needed(rules, bytes));
  rules.log_append_time = true;
  EXPECT_FALSE(needed(rules, bytes)) << "the records' own times do not count";
  rules = Rules();
  rules.max_record_bytes = 1000;
  EXPECT_TRUE(needed(rules, bytes));
  rules = Rules();
  rules.now = TimestampMs(kNow - 3600000);
  EXPECT_FALSE(needed(rules, bytes));
  rules.now = TimestampMs(kNow - 3600001);
  EXPECT_TRUE(needed(rules, bytes)) << "the maximum is too late: who is it?";
  EXPECT_FALSE(needed(rules, Batch(Codec::kNone, {5}))) << "never for an uncompressed one";
}

TEST(Validate, ErrorsOfManyRecordsAreCappedButCounted) {
  const Data bytes = Batch(Codec::kNone, std::vector<int64_t>(5000, kNow + 4000000));
  ValidationDetail detail;
  EXPECT_EQ(Verdict(bytes, Rules(), &detail), Code::kInvalidTimestamp);
  EXPECT_EQ(detail.errors.size(), static_cast<size_t>(kMaxRecordErrors));
  EXPECT_EQ(detail.error_count, 5000);
  EXPECT_EQ(Verdict(Batch(Codec::kNone), Rules(), &detail), Code::kOk);
  EXPECT_EQ(detail.error_count, 0) << "the detail begins anew";
}

TEST(Validate, TimeLimitsThemselvesAreAllowed) {
  AppendRules rules = Rules();
  rules.timestamp_before_max_ms = 1000;
  rules.timestamp_after_max_ms = 2000;
  EXPECT_EQ(Verdict(Batch(Codec::kNone, {kNow - 1000, kNow + 2000}), rules), Code::kOk);
  EXPECT_EQ(Verdict(Batch(Codec::kNone, {kNow - 1001}), rules), Code::kInvalidTimestamp);
  EXPECT_EQ(Verdict(Batch(Codec::kNone, {kNow + 2001}), rules), Code::kInvalidTimestamp);
}

TEST(Validate, TimestampsAtTheEdgeOfTheirRange) {
  for (int64_t t : {INT64_MAX, INT64_MIN, INT64_MIN + 1, int64_t{-2}}) {
    Data bytes = Batch(Codec::kNone, {kNow});
    StoreI64(bytes.data() + kBaseTimestampAt, t);
    StampCrc(bytes);
    ValidationDetail detail;
    // now - t wraps in Kafka as it does here: far in the past is allowed unless that wraps to the future.
    const bool wraps = t == INT64_MAX || t == INT64_MIN || t == INT64_MIN + 1;
    EXPECT_EQ(Verdict(bytes, Rules(), &detail), wraps ? Code::kInvalidTimestamp : Code::kOk) << t;
  }
}

TEST(Validate, RecordsThatLie) {
  const Data good = Batch(Codec::kNone, {kNow, kNow});
  // record: length, attributes, timestamp delta, offset delta, key length, "key", value length, "some value", header count
  const size_t second = kRecordsAt + (good.size() - kRecordsAt) / 2;
  const auto edited = [&](size_t at, uint8_t value) {
    Data bytes = good;
    bytes[at] = value;
    StampCrc(bytes);
    return Verdict(bytes, Rules());
  };
  EXPECT_EQ(edited(second + 3, 2), Code::kOk) << "offset delta 1 is what stands there";
  EXPECT_EQ(edited(second + 3, 0), Code::kInvalidRecord) << "offset delta 0 twice";
  EXPECT_EQ(edited(second + 3, 4), Code::kInvalidRecord) << "a gap";
  EXPECT_EQ(edited(second, 0), Code::kInvalidRecord) << "length 0";
  EXPECT_EQ(edited(second, 1), Code::kInvalidRecord) << "length -1";
  EXPECT_EQ(edited(second, good[second] + 2), Code::kInvalidRecord) << "one byte too long";
  EXPECT_EQ(edited(second, good[second] - 2), Code::kInvalidRecord) << "one byte too short";
  EXPECT_EQ(edited(second + 4, 3), Code::kInvalidRecord) << "key length -2";
  EXPECT_EQ(edited(second + 4, 126), Code::kInvalidRecord) << "key longer than the record";
  EXPECT_EQ(edited(good.size() - 1, 1), Code::kInvalidRecord) << "header count -1";
  EXPECT_EQ(edited(good.size() - 1, 2), Code::kInvalidRecord) << "a header that is not there";
  // A record that holds one byte more than its fields, and says so.
  Data roomy = good;
  roomy[second] += 2;
  roomy.push_back(0);
  StoreI32(roomy.data() + kBatchLengthAt, static_cast<int32_t>(roomy.size() - kLengthOverhead));
  StampCrc(roomy);
  EXPECT_EQ(Verdict(roomy, Rules()), Code::kInvalidRecord);
  // A null value written as length -2.
  BatchBuilder builder;
  builder.Start({});
  ASSERT_TRUE(builder.Append({Text("k"), NullableBytes(), TimestampMs(kNow), {}}).ok());
  const Bytes made = *builder.Finish();
  Data null_value(made.begin(), made.end());
  ASSERT_EQ(null_value[null_value.size() - 2], 1);
  null_value[null_value.size() - 2] = 3;
  StampCrc(null_value);
  EXPECT_EQ(Verdict(null_value, Rules()), Code::kInvalidRecord);
  Data trailing = good;
  trailing.push_back(0);
  StoreI32(trailing.data() + kBatchLengthAt, static_cast<int32_t>(trailing.size() - kLengthOverhead));
  StampCrc(trailing);
  EXPECT_EQ(Verdict(trailing, Rules()), Code::kInvalidRecord);
}

TEST(Validate, BombInABatchIsBounded) {
  BatchBuilder builder;
  builder.Start({.codec = Codec::kZstd});
  const Data zeros(32 << 20);
  ASSERT_TRUE(builder.Append({Text("k"), Bytes(zeros), TimestampMs(kNow), {}}).ok());
  const Bytes made = *builder.Finish();
  ASSERT_LT(made.size(), 10000u);
  AppendRules rules = Rules();
  rules.compacted = true;
  rules.max_decompressed_bytes = 1 << 20;
  ValidationDetail detail;
  ASSERT_TRUE(ValidateForAppend(BatchView(made), rules, &detail).ok());
  Decompressor decompressor;
  Compressor compressor;
  EXPECT_EQ(ValidateCompressedRecords(BatchView(made), rules, &decompressor, &detail).code(), Code::kTooLarge);
  Buffer out;
  EXPECT_EQ(Recompress(BatchView(made), {.codec = Codec::kNone, .max_decompressed_bytes = 1 << 20}, &decompressor, &compressor, &out).code(), Code::kTooLarge);
  EXPECT_EQ(Recompress(BatchView(made), {.codec = Codec::kNone}, &decompressor, &compressor, &out).code(), Code::kTooLarge) << "max.message.bytes";
  EXPECT_EQ(Recompress(BatchView(made), {.codec = Codec::kLz4, .max_record_bytes = 1000}, &decompressor, &compressor, &out).code(), Code::kInvalidRecord);
  EXPECT_EQ(out.size(), 0u);
}

TEST(Recompress, RecordsAreCheckedOnTheWay) {
  Data bytes = Batch(Codec::kLz4, {kNow, kNow});
  StoreI32(bytes.data() + kRecordCountAt, 1);
  StoreI32(bytes.data() + kLastOffsetDeltaAt, 0);
  StampCrc(bytes);
  ASSERT_EQ(Verdict(bytes, Rules()), Code::kOk) << "the header alone cannot tell";
  Decompressor decompressor;
  Compressor compressor;
  Buffer out;
  EXPECT_EQ(Recompress(BatchView(bytes), {.codec = Codec::kNone}, &decompressor, &compressor, &out).code(), Code::kInvalidRecord);
}

TEST(Stamp, OffsetLiesOutsideTheCrc) {
  Data bytes = Batch(Codec::kGzip);
  const uint32_t crc = BatchView(bytes).stored_crc();
  StampOffset(bytes, Offset(123456789012), LeaderEpoch(9));
  const BatchView batch(bytes);
  EXPECT_EQ(batch.base_offset(), Offset(123456789012));
  EXPECT_EQ(batch.last_offset(), Offset(123456789014));
  EXPECT_EQ(batch.leader_epoch(), LeaderEpoch(9));
  EXPECT_EQ(batch.stored_crc(), crc);
  EXPECT_TRUE(batch.crc_ok());
}

TEST(Stamp, TimestampsOnlyWhenTheyDiffer) {
  Data bytes = Batch(Codec::kGzip);
  const Data before = bytes;
  EXPECT_FALSE(StampTimestamps(bytes, false, TimestampMs(kNow)));
  EXPECT_EQ(bytes, before);
  EXPECT_TRUE(StampTimestamps(bytes, true, TimestampMs(kNow + 5)));
  const BatchView batch(bytes);
  EXPECT_TRUE(batch.log_append_time());
  EXPECT_EQ(batch.codec(), Codec::kGzip);
  EXPECT_EQ(batch.max_timestamp(), TimestampMs(kNow + 5));
  EXPECT_TRUE(batch.crc_ok());
}

TEST(Builder, Limits) {
  BatchBuilder builder;
  EXPECT_EQ((builder.Start({}), builder.Finish().code()), Code::kInvalid) << "no record";
  builder.Start({.max_bytes = 100});
  const Data value(200);
  EXPECT_EQ(builder.Append({Text("k"), Bytes(value), TimestampMs(0), {}}).code(), Code::kTooLarge);
  EXPECT_EQ(builder.Append({Text("k"), Text("v"), TimestampMs(-2), {}}).code(), Code::kInvalid);
  EXPECT_TRUE(builder.Append({Text("k"), Text("v"), TimestampMs(0), {}}).ok());
  EXPECT_EQ(builder.AppendAt(0, {Text("k"), Text("v"), TimestampMs(0), {}}).code(), Code::kInvalid) << "the offset is taken";
  EXPECT_TRUE(builder.AppendAt(9, {Text("k"), Text("v"), TimestampMs(0), {}}).ok());
  int n = 2;
  while (builder.Append({Text("k"), Text("v"), TimestampMs(0), {}}).ok()) ++n;
  Result<Bytes> made = builder.Finish();
  ASSERT_TRUE(made.ok());
  EXPECT_LE(made->size(), 100u);
  EXPECT_GT(made->size(), 100u - 9) << "filled to the last record that fits";
  EXPECT_EQ(BatchView(*made).record_count(), n);
  EXPECT_EQ(BatchView(*made).last_offset_delta(), 9 + n - 2);
}

}  // namespace
}  // namespace sluice::batch
