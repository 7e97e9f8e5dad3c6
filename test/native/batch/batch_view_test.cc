#include "batch/batch_view.h"

#include <gtest/gtest.h>

#include <vector>

#include "batch/builder.h"

namespace sluice::batch {
namespace {

using Data = std::vector<uint8_t>;
Bytes Text(const char* text) { return {reinterpret_cast<const uint8_t*>(text), std::strlen(text)}; }

Data Batch(int records, int64_t base = 0) {
  BatchBuilder builder;
  builder.Start({.base_offset = Offset(base)});
  for (int i = 0; i < records; ++i) EXPECT_TRUE(builder.Append({Text("key"), Text("value"), TimestampMs(i), {}}).ok());
  const Bytes made = *builder.Finish();
  return Data(made.begin(), made.end());
}

TEST(BatchView, SequencesWrapAsKafkas) {
  EXPECT_EQ(SequencePlus(0, 5), 5);
  EXPECT_EQ(SequencePlus(INT32_MAX, 0), INT32_MAX);
  EXPECT_EQ(SequencePlus(INT32_MAX, 1), 0);
  EXPECT_EQ(SequencePlus(INT32_MAX - 1, 4), 2);
}

TEST(BatchView, LengthsThatLie) {
  Data bytes = Batch(2);
  ASSERT_TRUE(ParseBatch(bytes).ok());
  for (size_t n = 0; n < bytes.size(); ++n) EXPECT_EQ(ParseBatch(Bytes(bytes).first(n)).code(), Code::kCorrupt) << n;
  const int32_t right = LoadI32(bytes.data() + kBatchLengthAt);
  for (int32_t wrong : {right + 1, 48, 13, 0, -1, INT32_MIN}) {
    StoreI32(bytes.data() + kBatchLengthAt, wrong);
    EXPECT_EQ(ParseBatch(bytes).code(), Code::kCorrupt) << wrong;
  }
  StoreI32(bytes.data() + kBatchLengthAt, INT32_MAX);
  EXPECT_EQ(ParseBatch(bytes).code(), Code::kTooLarge);
  StoreI32(bytes.data() + kBatchLengthAt, right);
  EXPECT_EQ(ParseBatch(bytes, {.max_bytes = static_cast<int64_t>(bytes.size()) - 1}).code(), Code::kTooLarge);
  EXPECT_TRUE(ParseBatch(bytes, {.max_bytes = static_cast<int64_t>(bytes.size())}).ok());
  bytes[kMagicAt] = 1;
  EXPECT_EQ(ParseBatch(bytes).code(), Code::kUnsupportedFormat);
  bytes[kMagicAt] = 3;
  EXPECT_EQ(ParseBatch(bytes).code(), Code::kCorrupt);
}

TEST(BatchIterator, WholeBatchesAndATail) {
  Data bytes;
  std::vector<size_t> starts;
  for (int i = 0; i < 4; ++i) {
    starts.push_back(bytes.size());
    const Data one = Batch(i + 1, 10 * i);
    bytes.insert(bytes.end(), one.begin(), one.end());
  }
  for (size_t end = 0; end <= bytes.size(); ++end) {
    BatchIterator iterator(Bytes(bytes).first(end));
    BatchView batch;
    size_t n = 0;
    while (iterator.Next(&batch) == BatchIterator::Step::kBatch) {
      EXPECT_EQ(batch.base_offset().v, static_cast<int64_t>(10 * n));
      EXPECT_EQ(batch.record_count(), static_cast<int32_t>(n + 1));
      ++n;
    }
    EXPECT_TRUE(iterator.status().ok()) << end;
    EXPECT_EQ(iterator.Next(&batch), BatchIterator::Step::kEnd) << "asked again it says the same";
    const size_t whole = end == bytes.size() ? 4 : static_cast<size_t>(std::upper_bound(starts.begin(), starts.end(), end) - starts.begin()) - 1;
    EXPECT_EQ(n, whole) << end;
    EXPECT_EQ(iterator.position() + iterator.partial_bytes(), end);
    EXPECT_EQ(iterator.position(), whole == 4 ? bytes.size() : starts[whole]);
  }
}

TEST(BatchIterator, StopsAtDamage) {
  Data bytes = Batch(1);
  const size_t first = bytes.size();
  const Data second = Batch(1);
  bytes.insert(bytes.end(), second.begin(), second.end());
  bytes[first + kMagicAt] = 77;
  BatchIterator iterator(bytes);
  BatchView batch;
  EXPECT_EQ(iterator.Next(&batch), BatchIterator::Step::kBatch);
  EXPECT_EQ(iterator.Next(&batch), BatchIterator::Step::kBad);
  EXPECT_EQ(iterator.Next(&batch), BatchIterator::Step::kBad);
  EXPECT_EQ(iterator.status().code(), Code::kCorrupt);
  EXPECT_EQ(iterator.position(), first);
}

}  // namespace
}  // namespace sluice::batch
