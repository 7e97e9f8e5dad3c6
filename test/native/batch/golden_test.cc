// Against bytes and verdicts of Apache Kafka's own classes (golden_batches.txt).
#include "golden.h"

#include <gtest/gtest.h>

#include "batch/batch_view.h"
#include "batch/builder.h"
#include "batch/record.h"
#include "batch/recompress.h"
#include "batch/stamp.h"
#include "batch/stream_walk.h"
#include "batch/validate.h"

namespace sluice::batch {
namespace {

using golden::Data;
using golden::Entry;

std::optional<Data> Copy(const NullableBytes& bytes) {
  if (bytes.is_null()) return std::nullopt;
  return Data(bytes.bytes().begin(), bytes.bytes().end());
}
NullableBytes View(const std::optional<Data>& data) { return data ? NullableBytes(Bytes(*data)) : NullableBytes(); }

// All records of a batch of any codec, decompressed into *plain.
std::vector<RecordView> Records(const BatchView& batch, Buffer* plain) {
  const Status status = Decompress(batch.codec(), batch.records(), 1 << 20, plain);
  EXPECT_TRUE(status.ok()) << status.ToString();
  std::vector<RecordView> out;
  RecordWalker walker(plain->bytes(), batch.record_count());
  RecordView record;
  RecordWalker::Step step;
  while ((step = walker.Next(&record)) == RecordWalker::Step::kRecord) out.push_back(record);
  EXPECT_EQ(step, RecordWalker::Step::kEnd);
  return out;
}

TEST(Golden, FixtureIsThere) {
  EXPECT_GT(golden::Load().batches.size(), 15u);
  EXPECT_GT(golden::Load().validations.size(), 100u);
  EXPECT_GT(golden::Load().produces.size(), 10u);
}

TEST(Golden, HeadersReadAsKafkaReadsThem) {
  for (const Entry& e : golden::Load().batches) {
    SCOPED_TRACE(e.name);
    Result<BatchView> parsed = ParseBatch(e.bytes);
    ASSERT_TRUE(parsed.ok()) << parsed.status().ToString();
    const BatchView& b = *parsed;
    EXPECT_EQ(b.size(), e.bytes.size());
    EXPECT_EQ(CodecName(b.codec()), e.fields.at("codec"));
    EXPECT_EQ(b.base_offset().v, e.Number("baseOffset"));
    EXPECT_EQ(b.last_offset().v, e.Number("lastOffset"));
    EXPECT_EQ(b.next_offset().v, e.Number("lastOffset") + 1);
    EXPECT_EQ(b.leader_epoch().v, e.Number("leaderEpoch"));
    EXPECT_EQ(b.log_append_time(), e.Number("logAppendTime") == 1);
    EXPECT_EQ(b.max_timestamp().v, e.Number("maxTimestamp"));
    EXPECT_EQ(b.producer_id().v, e.Number("producerId"));
    EXPECT_EQ(b.producer_epoch().v, e.Number("producerEpoch"));
    EXPECT_EQ(b.base_sequence(), e.Number("baseSequence"));
    EXPECT_EQ(b.last_sequence(), e.Number("lastSequence"));
    EXPECT_EQ(b.transactional(), e.Number("transactional") == 1);
    EXPECT_EQ(b.control(), e.Number("control") == 1);
    EXPECT_EQ(b.record_count(), e.Number("count"));
    EXPECT_EQ(b.stored_crc(), e.Number("crc"));
    EXPECT_TRUE(b.crc_ok());
    EXPECT_TRUE(LooksLike(b.codec(), b.records()));
  }
}

TEST(Golden, RecordsReadAsKafkaReadsThem) {
  for (const Entry& e : golden::Load().batches) {
    SCOPED_TRACE(e.name);
    const BatchView batch(e.bytes);
    Buffer plain;
    const std::vector<RecordView> records = Records(batch, &plain);
    ASSERT_EQ(records.size(), e.records.size());
    for (size_t i = 0; i < records.size(); ++i) {
      const golden::Record& want = e.records[i];
      EXPECT_EQ(batch.base_offset().v + records[i].offset_delta, want.offset);
      const int64_t timestamp =
          batch.log_append_time() ? batch.max_timestamp().v : batch.base_timestamp().v + records[i].timestamp_delta;
      EXPECT_EQ(timestamp, want.timestamp);
      EXPECT_EQ(Copy(records[i].key), want.key);
      EXPECT_EQ(Copy(records[i].value), want.value);
      HeaderIterator headers(records[i]);
      HeaderView header;
      size_t n = 0;
      for (; headers.Next(&header); ++n) {
        ASSERT_LT(n, want.headers.size());
        EXPECT_EQ(Copy(header.key), want.headers[n].first);
        EXPECT_EQ(Copy(header.value), want.headers[n].second);
      }
      EXPECT_EQ(n, want.headers.size());
    }
    // The walk that keeps nothing sees the same outlines.
    Decompressor decompressor;
    decompressor.Start(batch.codec(), batch.records(), 1 << 20);
    StreamWalker walker(&decompressor, batch.record_count());
    RecordOutline outline;
    for (const RecordView& record : records) {
      ASSERT_EQ(walker.Next(&outline), StreamWalker::Step::kRecord);
      EXPECT_EQ(outline.offset_delta, record.offset_delta);
      EXPECT_EQ(outline.timestamp_delta, record.timestamp_delta);
      EXPECT_EQ(outline.has_key, !record.key.is_null());
    }
    EXPECT_EQ(walker.Next(&outline), StreamWalker::Step::kEnd);
  }
}

// The builder, fed with what Kafka says is in a batch, makes Kafka's bytes. Codec libraries differ between the two, so a compressed batch is
// compared by what its records section holds, and its header but for length and CRC.
TEST(Golden, BuilderMakesKafkasBytes) {
  BatchBuilder builder;
  for (const Entry& e : golden::Load().batches) {
    SCOPED_TRACE(e.name);
    const BatchView want(e.bytes);
    BatchOptions options;
    options.codec = want.codec();
    options.base_offset = want.base_offset();
    options.leader_epoch = want.leader_epoch();
    options.producer_id = want.producer_id();
    options.producer_epoch = want.producer_epoch();
    options.base_sequence = want.base_sequence();
    options.transactional = want.transactional();
    options.control = want.control();
    options.log_append_time = want.log_append_time();
    options.append_time = want.max_timestamp();
    builder.Start(options);
    Buffer plain;
    const std::vector<RecordView> deltas = Records(want, &plain);  // only for the records' own times under LogAppendTime
    for (size_t i = 0; i < e.records.size(); ++i) {
      const golden::Record& r = e.records[i];
      std::vector<HeaderView> headers;
      for (const auto& [key, value] : r.headers) headers.push_back({Bytes(key), View(value)});
      const TimestampMs timestamp =
          want.log_append_time() ? TimestampMs(want.base_timestamp().v + deltas[i].timestamp_delta) : TimestampMs(r.timestamp);
      const RecordInput input{View(r.key), View(r.value), timestamp, headers};
      const size_t before = builder.records_bytes();
      const size_t size = builder.SizeOf(input);
      const Status status = builder.Append(input);
      ASSERT_TRUE(status.ok()) << status.ToString();
      EXPECT_EQ(builder.records_bytes(), before + size);
    }
    Result<Bytes> made = builder.Finish();
    ASSERT_TRUE(made.ok()) << made.status().ToString();
    if (!want.compressed()) {
      EXPECT_EQ(Data(made->begin(), made->end()), e.bytes);
      continue;
    }
    const BatchView got(*made);
    EXPECT_TRUE(got.crc_ok());
    Data ours(made->begin(), made->begin() + kHeaderBytes), theirs(e.bytes.begin(), e.bytes.begin() + kHeaderBytes);
    for (size_t at : {kBatchLengthAt, kCrcAt}) std::fill_n(ours.begin() + at, 4, 0), std::fill_n(theirs.begin() + at, 4, 0);
    EXPECT_EQ(ours, theirs);
    Buffer our_records;
    ASSERT_TRUE(Decompress(got.codec(), got.records(), 1 << 20, &our_records).ok());
    EXPECT_EQ(Data(our_records.bytes().begin(), our_records.bytes().end()), Data(plain.bytes().begin(), plain.bytes().end()));
  }
}

const char* KafkaName(const Status& status) {
  switch (status.code()) {
    case Code::kOk: return "NONE";
    case Code::kInvalidRecord: return "INVALID_RECORD";
    case Code::kInvalidTimestamp: return "INVALID_TIMESTAMP";
    case Code::kCorrupt: return "CORRUPT_MESSAGE";
    default: return CodeName(status.code());
  }
}

// Every validation case: the same verdict, the same records blamed, and after stamping (and recompression) the same bytes.
TEST(Golden, ValidationAgreesWithKafka) {
  Decompressor decompressor;
  Compressor compressor;
  for (const Entry& e : golden::Load().validations) {
    SCOPED_TRACE(e.name);
    const BatchView batch(e.bytes);
    AppendRules rules;
    rules.origin = e.Number("coordinator") == 1 ? Origin::kCoordinator : Origin::kClient;
    rules.compacted = e.Number("compacted") == 1;
    rules.log_append_time = e.Number("logAppendTime") == 1;
    rules.timestamp_before_max_ms = e.Number("before");
    rules.timestamp_after_max_ms = e.Number("after");
    rules.now = TimestampMs(e.Number("now"));
    rules.max_record_bytes = static_cast<int32_t>(e.Number("maxRecord"));
    ValidationDetail detail;
    Status status = ValidateForAppend(batch, rules, &detail);
    if (status.ok() && detail.decompression_needed) status = ValidateCompressedRecords(batch, rules, &decompressor, &detail);
    EXPECT_EQ(status.ok() ? "ok" : KafkaName(status), e.result) << status.ToString();
    std::vector<int> blamed;
    for (const RecordError& error : detail.errors) blamed.push_back(error.index);
    EXPECT_EQ(blamed, e.indexes);
    EXPECT_EQ(static_cast<size_t>(detail.error_count), e.indexes.size());
    if (e.result != "ok" || !status.ok()) continue;

    EXPECT_EQ(detail.max_timestamp.v, e.max_timestamp);
    const Codec target = *CodecByName(e.fields.at("target"));
    Buffer result;
    const bool recompress = NeedsRecompression(batch, target);
    if (recompress) {
      status = Recompress(batch, {.codec = target}, &decompressor, &compressor, &result);
      ASSERT_TRUE(status.ok()) << status.ToString();
    } else {
      result.Append(e.bytes);
    }
    StampOffset(result.mutable_bytes(), Offset(1000), LeaderEpoch(7));
    StampTimestamps(result.mutable_bytes(), rules.log_append_time, detail.max_timestamp);
    const BatchView got(result.bytes()), want(e.output);
    EXPECT_TRUE(got.crc_ok());
    if (!recompress || target == Codec::kNone) {
      EXPECT_EQ(Data(result.bytes().begin(), result.bytes().end()), e.output);
      continue;
    }
    Data ours(got.bytes().begin(), got.bytes().begin() + kHeaderBytes), theirs(e.output.begin(), e.output.begin() + kHeaderBytes);
    for (size_t at : {kBatchLengthAt, kCrcAt}) std::fill_n(ours.begin() + at, 4, 0), std::fill_n(theirs.begin() + at, 4, 0);
    EXPECT_EQ(ours, theirs);
    Buffer our_records, their_records;
    ASSERT_TRUE(Decompress(target, got.records(), 1 << 20, &our_records).ok());
    ASSERT_TRUE(Decompress(target, want.records(), 1 << 20, &their_records).ok());
    EXPECT_EQ(Data(our_records.bytes().begin(), our_records.bytes().end()), Data(their_records.bytes().begin(), their_records.bytes().end()));
  }
}

TEST(Golden, ProduceRequestsAgreeWithKafka) {
  for (const Entry& e : golden::Load().produces) {
    SCOPED_TRACE(e.result + " of " + std::to_string(e.bytes.size()) + " bytes, version " + e.name);
    Result<BatchView> batch = ParseProduced(e.bytes);
    if (e.result == "UNSUPPORTED_COMPRESSION_TYPE") {
      ASSERT_TRUE(batch.ok());
      AppendRules rules;
      rules.now = batch->max_timestamp();
      rules.zstd_allowed = std::stoi(e.name) >= 7;
      ValidationDetail detail;
      EXPECT_EQ(ValidateForAppend(*batch, rules, &detail).code(), Code::kUnsupportedFormat);
    } else if (e.result == "UNKNOWN_SERVER_ERROR") {
      EXPECT_EQ(batch.code(), Code::kTooLarge);  // Kafka's int overflows here; a name of our own is clearer
    } else {
      EXPECT_EQ(KafkaName(batch.status()), e.result);
    }
  }
}

}  // namespace
}  // namespace sluice::batch
