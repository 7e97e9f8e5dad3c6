// Produce and Fetch against the bytes of Apache Kafka's own classes (golden_messages.txt). The values are those of
// test/wire/produce-fetch-messages.ts.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "kafka/fetch_request.h"
#include "kafka/fetch_response.h"
#include "kafka/produce_request.h"
#include "kafka/produce_response.h"

namespace sluice::kafka {
namespace {

using Blob = std::vector<uint8_t>;

struct Golden {
  std::string name;
  int16_t version;
  Blob bytes;
};

std::vector<Golden> Load(const std::string& name) {
  std::string path = __FILE__;
  path.replace(path.rfind('/'), std::string::npos, "/golden_messages.txt");
  std::ifstream file(path);
  std::vector<Golden> out;
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    Golden golden;
    std::string hex;
    words >> golden.name >> golden.version >> hex;
    if (golden.name != name) continue;
    for (size_t i = 0; i + 1 < hex.size(); i += 2) golden.bytes.push_back(static_cast<uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
    out.push_back(golden);
  }
  return out;
}

TopicId IdFrom(uint8_t first) {
  TopicId id;
  for (size_t i = 0; i < 16; ++i) id.bytes[i] = static_cast<uint8_t>(first + i);
  return id;
}

std::string Text(Bytes bytes) { return std::string(bytes.begin(), bytes.end()); }

TEST(GoldenMessages, ProduceRequest) {
  const std::vector<Golden> all = Load("ProduceRequest");
  ASSERT_EQ(all.size(), 11u);
  for (const Golden& golden : all) {
    SCOPED_TRACE(golden.version);
    ProduceRequest request;
    WireReader reader(golden.bytes);
    ASSERT_TRUE(request.Parse(reader, golden.version));
    EXPECT_EQ(reader.left(), 0u);
    EXPECT_EQ(request.has_transactional_id, golden.version % 2 == 0);
    EXPECT_EQ(request.acks, -1);
    EXPECT_EQ(request.timeout_ms, 1500);
    ASSERT_EQ(request.topics.size(), 2u);
    ASSERT_EQ(request.partitions.size(), 3u);
    if (golden.version >= kProduceTopicIds) {
      EXPECT_EQ(request.topics[0].id, IdFrom(1));
      EXPECT_EQ(request.topics[1].id, IdFrom(16));
    } else {
      EXPECT_EQ(request.topics[0].name, "orders");
      EXPECT_EQ(request.topics[1].name, "a");
    }
    EXPECT_EQ(request.topics[0].count, 2u);
    EXPECT_EQ(request.topics[1].first, 2u);
    EXPECT_EQ(request.partitions[0].index, 3);
    EXPECT_EQ(Text(request.partitions[0].records), "abcd");
    EXPECT_EQ(request.partitions[1].index, 70000);
    EXPECT_FALSE(request.partitions[1].has_records);
    EXPECT_TRUE(request.partitions[2].has_records);
    EXPECT_TRUE(request.partitions[2].records.empty());
    for (size_t cut = 0; cut < golden.bytes.size(); ++cut) {
      ProduceRequest part;
      WireReader shorter(Bytes(golden.bytes).first(cut));
      EXPECT_FALSE(part.Parse(shorter, golden.version)) << cut;
    }
  }
}

TEST(GoldenMessages, FetchRequest) {
  const std::vector<Golden> all = Load("FetchRequest");
  ASSERT_EQ(all.size(), 15u);
  for (const Golden& golden : all) {
    const int16_t v = golden.version;
    SCOPED_TRACE(v);
    FetchRequest request;
    WireReader reader(golden.bytes);
    ASSERT_TRUE(request.Parse(reader, v));
    EXPECT_EQ(reader.left(), 0u);
    EXPECT_EQ(request.replica_id, v >= 15 ? 8 : -1);
    EXPECT_EQ(request.max_wait_ms, 500);
    EXPECT_EQ(request.min_bytes, 1);
    EXPECT_EQ(request.max_bytes, 52428800);
    EXPECT_EQ(request.isolation, 1);
    EXPECT_EQ(request.session_id, v >= 7 ? 123456 : 0);
    EXPECT_EQ(request.session_epoch, v >= 7 ? 9 : -1);
    ASSERT_EQ(request.topics.size(), 2u);
    ASSERT_EQ(request.partitions.size(), 3u);
    const int32_t index[] = {3, 4, 0};
    const int64_t offset[] = {1234567890123, 0, 17};
    for (size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(request.partitions[i].index, index[i]);
      EXPECT_EQ(request.partitions[i].offset, offset[i]);
      EXPECT_EQ(request.partitions[i].leader_epoch, v >= 9 ? 5 : -1);
      EXPECT_EQ(request.partitions[i].last_epoch, v >= 12 ? 4 : -1);
      EXPECT_EQ(request.partitions[i].max_bytes, 1048576);
    }
    if (v >= kFetchTopicIds) {
      EXPECT_EQ(request.topics[1].id, IdFrom(16));
    } else {
      EXPECT_EQ(request.topics[1].name, "a");
    }
    if (v >= 7) {
      ASSERT_EQ(request.forgotten.size(), 1u);
      EXPECT_EQ(request.forgotten_partitions, (std::vector<int32_t>{1, 2}));
    } else {
      EXPECT_TRUE(request.forgotten.empty());
    }
    for (size_t cut = 0; cut < golden.bytes.size(); ++cut) {
      FetchRequest part;
      WireReader shorter(Bytes(golden.bytes).first(cut));
      EXPECT_FALSE(part.Parse(shorter, v)) << cut;
    }
  }
}

// Behind size, correlation id and, where the response is flexible, the tags of its header.
Blob BodyOf(const Buffer& buffer, bool flexible, int32_t correlation, int64_t extra) {
  EXPECT_EQ(LoadI32(buffer.data()), static_cast<int64_t>(buffer.size()) - 4 + extra);
  EXPECT_EQ(LoadI32(buffer.data() + 4), correlation);
  const size_t head = flexible ? 9 : 8;
  return Blob(buffer.data() + head, buffer.data() + buffer.size());
}

TEST(GoldenMessages, ProduceResponse) {
  const std::vector<Golden> all = Load("ProduceResponse");
  ASSERT_EQ(all.size(), 11u);
  const std::vector<batch::RecordError> errors = {{2, "no key"}};
  for (const Golden& golden : all) {
    SCOPED_TRACE(golden.version);
    Buffer buffer;
    ProduceResponseWriter writer(WireWriter(buffer), golden.version);
    writer.Begin(77, 2);
    writer.Topic("orders", IdFrom(1), 2);
    writer.Partition({3, ErrorCode::kNone, Offset(1234567890123), TimestampMs(-1), Offset(7)});
    writer.Partition({4, ErrorCode::kInvalidRecord, Offset(-1), TimestampMs(-1), Offset(9), "two records", &errors});
    writer.EndTopic();
    writer.Topic("a", IdFrom(16), 1);
    writer.Partition({0, ErrorCode::kNone, Offset(5), TimestampMs(1700000000000), Offset(0)});
    writer.EndTopic();
    writer.End();
    EXPECT_EQ(BodyOf(buffer, golden.version >= kProduceFlexible, 77, 0), golden.bytes);
  }
}

// A segment whose file is never read: only its length is told.
class NoFile final : public io::File {
 public:
  Result<size_t> ReadAt(MutableBytes, int64_t) override { return Status::Error(Code::kIo, "no file"); }
  Result<size_t> ReadAtNoWait(MutableBytes, int64_t) override { return Status::Error(Code::kIo, "no file"); }
  Status WriteAt(Bytes, int64_t) override { return Status::Ok(); }
  Status WriteVectorAt(std::span<iovec>, int64_t) override { return Status::Ok(); }
  Status Sync() override { return Status::Ok(); }
  void StartWriteback(int64_t, int64_t) override {}
  void DropCache(int64_t, int64_t) override {}
  void ReadAhead(int64_t, int64_t) override {}
  Status Truncate(int64_t) override { return Status::Ok(); }
  Status Allocate(int64_t) override { return Status::Ok(); }
  Result<int64_t> Size() override { return 0; }
  int fd() const override { return -1; }
};

class NoSegment final : public log::SegmentFiles {
 public:
  Offset base() const override { return Offset(0); }
  io::File& log_file() override { return file_; }
  const std::string& log_path() const override { return path_; }
  Status WriteIndexes() override { return Status::Ok(); }
  Status SyncFiles() override { return Status::Ok(); }
  Status WriteOut() override { return Status::Ok(); }
  Status WriteIndexesAway() override { return Status::Ok(); }
  Status SyncData() override { return Status::Ok(); }
  Status SyncOutcome() override { return Status::Ok(); }

 private:
  NoFile file_;
  std::string path_ = "none";
};

TEST(GoldenMessages, FetchResponse) {
  const std::vector<Golden> all = Load("FetchResponse");
  ASSERT_EQ(all.size(), 15u);
  std::unique_ptr<io::Executor> pool = io::MakePool(1).take();
  auto pipes = std::make_shared<net::PipePool>(*pool);
  const std::string records = "records";
  for (const Golden& golden : all) {
    SCOPED_TRACE(golden.version);
    net::Outgoing out(*pipes, [] {});
    FetchResponseWriter writer(out, golden.version);
    writer.Begin(77, ErrorCode::kNone, 424242, 2);
    writer.Topic("orders", IdFrom(1), 2);
    FetchOutcome first;
    first.index = 3;
    first.high_watermark = Offset(1234567890123);
    first.last_stable = Offset(1234567890120);
    first.log_start = Offset(7);
    first.tell_aborted = true;
    first.aborted = {{ProducerId(12), Offset(34)}};
    first.slice.segment = std::make_shared<NoSegment>();
    first.slice.length = static_cast<int64_t>(records.size());
    writer.Partition(first);
    FetchOutcome fenced;
    fenced.index = 4;
    fenced.error = ErrorCode::kFencedLeaderEpoch;
    fenced.leader_id = 1;
    fenced.leader_epoch = LeaderEpoch(6);
    writer.Partition(fenced);
    writer.EndTopic();
    writer.Topic("a", IdFrom(16), 1);
    FetchOutcome diverging;
    diverging.index = 0;
    diverging.high_watermark = diverging.last_stable = Offset(20);
    diverging.log_start = Offset(0);
    diverging.diverging = {LeaderEpoch(3), Offset(15)};
    writer.Partition(diverging);
    writer.EndTopic();
    writer.End();
    // The records travel beside the bytes; here they are cut out of Kafka's.
    Blob expected = golden.bytes;
    auto at = std::search(expected.begin(), expected.end(), records.begin(), records.end());
    ASSERT_NE(at, expected.end());
    expected.erase(at, at + static_cast<ptrdiff_t>(records.size()));
    EXPECT_EQ(BodyOf(out.buffer(), golden.version >= kFetchFlexible, 77, static_cast<int64_t>(records.size())), expected);
    EXPECT_EQ(out.queued_ranges(), 1u);
    EXPECT_EQ(out.queued_bytes(), static_cast<int64_t>(out.buffer().size() + records.size()));
  }
}

}  // namespace
}  // namespace sluice::kafka
