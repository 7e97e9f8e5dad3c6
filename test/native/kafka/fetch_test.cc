#include <fcntl.h>

#include <filesystem>
#include <future>

#include "kafka/plane_fixture.h"

namespace sluice::kafka::test {
namespace {

class FetchTest : public PlaneFixture {
 protected:
  // Takes the files of the topic out of the page cache.
  void Forget() {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(temp_ / "data")) {
      if (entry.path().parent_path().filename().string().rfind("t-", 0) != 0 || !entry.is_regular_file()) continue;
      const int fd = ::open(entry.path().c_str(), O_RDONLY);
      ::fsync(fd);
      ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
      ::close(fd);
    }
  }
  static FetchRow Row(const std::string& topic, int32_t partition, int64_t offset, int32_t max_bytes = 1 << 20) {
    FetchRow row;
    row.topic = topic;
    row.id = IdBlob(topic == "t" ? 1 : (topic == "u" ? 2 : 99));
    row.partition = partition;
    row.offset = offset;
    row.max_bytes = max_bytes;
    return row;
  }
  static FetchSpec Spec(std::vector<FetchRow> rows) {
    FetchSpec spec;
    spec.rows = std::move(rows);
    return spec;
  }
  // Base offsets of the batches in a records field.
  static std::vector<int64_t> Bases(const Blob& records) {
    std::vector<int64_t> bases;
    batch::BatchIterator batches{Bytes(records)};
    batch::BatchView view;
    while (batches.Next(&view) == batch::BatchIterator::Step::kBatch) {
      EXPECT_TRUE(view.crc_ok());
      bases.push_back(view.base_offset().v);
    }
    EXPECT_EQ(batches.partial_bytes(), 0u);
    return bases;
  }
};

TEST_F(FetchTest, EveryVersionIsAnsweredInItsOwnForm) {
  Start();
  Peer peer = Connect();
  Fill(peer, 3);
  Fill(peer, 2);
  for (int16_t version = 4; version <= 18; ++version) {
    SCOPED_TRACE(version);
    const FetchReply reply = AskFetch(peer, version, Spec({Row("t", 0, 0), Row("t", 1, 0), Row("u", 0, 0)}));
    EXPECT_EQ(reply.correlation, correlation_);
    EXPECT_EQ(reply.error, 0);
    EXPECT_EQ(reply.session_id, 0);
    ASSERT_EQ(reply.rows.size(), 3u);
    EXPECT_EQ(reply.rows[0].error, 0);
    EXPECT_EQ(reply.rows[0].high_watermark, 5);
    EXPECT_EQ(reply.rows[0].last_stable, 5);
    if (version >= 5) {
      EXPECT_EQ(reply.rows[0].log_start, 0);
    }
    EXPECT_FALSE(reply.rows[0].aborted.has_value());
    EXPECT_EQ(Bases(reply.rows[0].records.value()), (std::vector<int64_t>{0, 3}));
    EXPECT_EQ(reply.rows[1].records.value().size(), 0u);
    EXPECT_EQ(reply.rows[1].high_watermark, 0);
    EXPECT_EQ(reply.rows[2].partition, 0);
    EXPECT_EQ(version >= 13 ? Blob(reply.rows[2].id) : Blob(reply.rows[2].topic.begin(), reply.rows[2].topic.end()),
              version >= 13 ? IdBlob(2) : Blob{'u'});
  }
}

TEST_F(FetchTest, InsideABatchGivesTheWholeBatch) {
  Start();
  Peer peer = Connect();
  Fill(peer, 3);
  Fill(peer, 4);
  const FetchReply reply = AskFetch(peer, 12, Spec({Row("t", 0, 5)}));
  EXPECT_EQ(Bases(reply.rows.at(0).records.value()), (std::vector<int64_t>{3}));
}

TEST_F(FetchTest, LimitsAreKafkas) {
  Start();
  Peer peer = Connect();
  for (int p = 0; p < 3; ++p) {
    for (int i = 0; i < 3; ++i) Fill(peer, 1, 1000, "t", p);
  }
  // One batch even beyond every limit, from the first partition that has one; nothing from the others.
  FetchSpec spec = Spec({Row("t", 0, 0, 1), Row("t", 1, 0, 1), Row("t", 2, 0)});
  spec.max_bytes = 1;
  FetchReply reply = AskFetch(peer, 12, spec);
  EXPECT_EQ(Bases(reply.rows.at(0).records.value()).size(), 1u);
  EXPECT_EQ(reply.rows.at(1).records.value().size(), 0u);
  EXPECT_EQ(reply.rows.at(2).records.value().size(), 0u);
  // The partition's own limit holds for those behind the first.
  spec = Spec({Row("t", 0, 3), Row("t", 1, 0, 1), Row("t", 2, 0, 2500)});
  reply = AskFetch(peer, 12, spec);
  EXPECT_EQ(Bases(reply.rows.at(1).records.value()).size(), 1u);
  EXPECT_EQ(Bases(reply.rows.at(2).records.value()).size(), 2u);
  // The request's limit is shared.
  spec = Spec({Row("t", 0, 0), Row("t", 1, 0), Row("t", 2, 0)});
  spec.max_bytes = 4500;
  reply = AskFetch(peer, 12, spec);
  EXPECT_EQ(Bases(reply.rows.at(0).records.value()).size(), 3u);
  EXPECT_EQ(Bases(reply.rows.at(1).records.value()).size(), 1u);
  EXPECT_EQ(reply.rows.at(2).records.value().size(), 0u);
}

TEST_F(FetchTest, RefusesAsKafkaDoes) {
  Start();
  Peer peer = Connect();
  Fill(peer, 3);
  const auto error = [&](int16_t version, FetchRow row, int32_t replica = -1) {
    FetchSpec spec = Spec({row});
    spec.replica_id = replica;
    const FetchReply reply = AskFetch(peer, version, spec);
    EXPECT_EQ(reply.rows.size(), 1u);
    if (reply.rows.at(0).error != 0) {
      EXPECT_EQ(reply.rows[0].records.value_or(Blob()).size(), 0u);
      EXPECT_EQ(reply.rows[0].high_watermark, -1);
    }
    return reply.rows.at(0).error;
  };
  EXPECT_EQ(error(12, Row("nope", 0, 0)), 3);
  EXPECT_EQ(error(13, Row("nope", 0, 0)), 100);
  EXPECT_EQ(error(13, Row("t", 77, 0)), 3);
  EXPECT_EQ(error(12, Row("t", 0, 4)), 1);
  EXPECT_EQ(error(12, Row("t", 0, -1)), 1);
  EXPECT_EQ(error(12, Row("t", 0, 3)), 0);
  FetchRow row = Row("t", 0, 0);
  row.leader_epoch = 4;
  EXPECT_EQ(error(9, row), 74);
  row.leader_epoch = 6;
  EXPECT_EQ(error(9, row), 75);
  row.leader_epoch = 5;
  EXPECT_EQ(error(9, row), 0);
  EXPECT_EQ(error(9, row, 2), 75);  // a follower that nobody knows
  row.leader_epoch = -1;
  EXPECT_EQ(error(9, row, 2), 6);
  row.leader_epoch = 5;
  EXPECT_EQ(error(17, row, 2), 75);
  row.leader_epoch = 4;
  const FetchReply fenced = AskFetch(peer, 16, Spec({row}));
  ASSERT_TRUE(fenced.rows.at(0).leader.has_value());
  EXPECT_EQ(*fenced.rows[0].leader, (std::pair<int32_t, int32_t>{1, 5}));
}

TEST_F(FetchTest, DivergingEpochs) {
  Start();
  Peer peer = Connect();
  Fill(peer, 3);
  FetchRow row = Row("t", 0, 3);
  row.leader_epoch = 5;
  row.last_epoch = 5;
  EXPECT_FALSE(AskFetch(peer, 12, Spec({row})).rows.at(0).diverging.has_value());
  row.last_epoch = 4;  // before the first epoch of this log: its end cannot be told
  const FetchReply reply = AskFetch(peer, 12, Spec({row}));
  const FetchResult& result = reply.rows.at(0);
  EXPECT_TRUE(result.diverging.has_value() || result.error == 1);
}

TEST_F(FetchTest, ReadCommittedTellsAList) {
  Start();
  Peer peer = Connect();
  Fill(peer, 3);
  FetchSpec spec = Spec({Row("t", 0, 0)});
  spec.isolation = 1;
  const FetchReply reply = AskFetch(peer, 12, spec);
  ASSERT_TRUE(reply.rows.at(0).aborted.has_value());
  EXPECT_TRUE(reply.rows[0].aborted->empty());
  EXPECT_EQ(Bases(*reply.rows[0].records), (std::vector<int64_t>{0}));
}

TEST_F(FetchTest, LongPollIsWokenByAnAppend) {
  Start();
  Peer consumer = Connect(), producer = Connect();
  FetchSpec spec = Spec({Row("t", 0, 0), Row("t", 1, 0)});
  spec.max_wait_ms = 1000000;
  consumer.Send(Fetch(12, 5, spec));
  Settle();
  EXPECT_FALSE(consumer.Frame().has_value());
  EXPECT_EQ(plane_->stats().waiting, 1);
  Fill(producer, 2, 100, "t", 1);
  const FetchReply reply = ReadFetch(12, Next(consumer));
  EXPECT_EQ(reply.correlation, 5);
  EXPECT_EQ(reply.rows.at(0).records->size(), 0u);
  EXPECT_EQ(Bases(reply.rows.at(1).records.value()), (std::vector<int64_t>{0}));
  EXPECT_EQ(plane_->stats().waiting, 0);
}

TEST_F(FetchTest, LongPollIsEndedByItsTimer) {
  Start();
  Peer consumer = Connect();
  FetchSpec spec = Spec({Row("t", 0, 0)});
  spec.max_wait_ms = 500;
  consumer.Send(Fetch(12, 5, spec));
  Settle();
  Advance(490);
  Settle();
  EXPECT_FALSE(consumer.Frame().has_value());
  Advance(20);
  const FetchReply reply = ReadFetch(12, Next(consumer));
  EXPECT_EQ(reply.rows.at(0).records->size(), 0u);
}

TEST_F(FetchTest, LongPollWaitsForMinBytes) {
  Start();
  Peer consumer = Connect(), producer = Connect();
  FetchSpec spec = Spec({Row("t", 0, 0), Row("t", 1, 0)});
  spec.max_wait_ms = 1000000;
  spec.min_bytes = 2500;
  consumer.Send(Fetch(12, 5, spec));
  Settle();
  Fill(producer, 1, 1000, "t", 0);
  Fill(producer, 1, 1000, "t", 1);
  Settle();
  EXPECT_FALSE(consumer.Frame().has_value());
  Fill(producer, 1, 1000, "t", 0);
  const FetchReply reply = ReadFetch(12, Next(consumer));
  EXPECT_EQ(Bases(reply.rows.at(0).records.value()).size(), 2u);
  EXPECT_EQ(Bases(reply.rows.at(1).records.value()).size(), 1u);
}

TEST_F(FetchTest, AWaitingFetchHoldsBackItsSuccessorsOnly) {
  Start();
  Peer consumer = Connect(), producer = Connect();
  FetchSpec spec = Spec({Row("t", 0, 0)});
  spec.max_wait_ms = 1000000;
  Blob both = Fetch(12, 1, spec);
  const Blob produce = Produce(9, 2, -1, {{"t", {}, 1, MakeBatch()}});
  both.insert(both.end(), produce.begin(), produce.end());
  consumer.Send(both);
  Settle();
  EXPECT_EQ(LogOf(1, 1)->next_offset().v, 0);
  Fill(producer, 1, 100, "t", 1);
  EXPECT_EQ(LogOf(1, 1)->next_offset().v, 1);
  EXPECT_FALSE(consumer.Frame().has_value());
  Fill(producer);
  EXPECT_EQ(ReadFetch(12, Next(consumer)).correlation, 1);
  EXPECT_EQ(ReadProduce(9, Next(consumer)).rows.at(0).base, 1);
}

TEST_F(FetchTest, AnUnknownTopicBesideAGoodOneDoesNotEndTheWait) {
  Start();
  Peer consumer = Connect(), producer = Connect();
  FetchSpec spec = Spec({Row("nope", 0, 0), Row("t", 0, 0)});
  spec.max_wait_ms = 1000000;
  consumer.Send(Fetch(12, 1, spec));
  Settle();
  EXPECT_FALSE(consumer.Frame().has_value());
  Fill(producer);
  const FetchReply reply = ReadFetch(12, Next(consumer));
  ASSERT_EQ(reply.rows.size(), 2u);
  EXPECT_EQ(reply.rows[0].error, 3);
}

TEST_F(FetchTest, ATopicThatGoesEndsTheWait) {
  Start();
  Peer one = Connect(), two = Connect();
  FetchSpec spec = Spec({Row("t", 0, 0), Row("u", 0, 0)});
  spec.max_wait_ms = 1000000;
  one.Send(Fetch(12, 1, spec));
  two.Send(Fetch(13, 1, spec));
  Settle();
  plane_->WithdrawTopic(IdOf(2));
  EXPECT_EQ(ReadFetch(12, Next(one)).rows.at(1).error, 3);
  EXPECT_EQ(ReadFetch(13, Next(two)).rows.at(1).error, 100);
  // Deleting the log afterwards finds nobody waiting.
  bool deleted = false;
  dir_->DeletePartition({IdOf(2), 0}, [&](Status status) { deleted = status.ok(); });
  EXPECT_TRUE(Until([&] { return deleted; }));
}

TEST_F(FetchTest, ADeletedLogEndsTheWait) {
  Start();
  Peer peer = Connect();
  FetchSpec spec = Spec({Row("u", 0, 0)});
  spec.max_wait_ms = 1000000;
  peer.Send(Fetch(12, 1, spec));
  Settle();
  dir_->DeletePartition({IdOf(2), 0}, [](Status) {});
  EXPECT_EQ(ReadFetch(12, Next(peer)).rows.at(0).error, 56);
}

TEST_F(FetchTest, AnEpochThatMovesEndsTheWait) {
  Start();
  Peer peer = Connect();
  FetchRow row = Row("u", 0, 0);
  row.leader_epoch = 5;
  FetchSpec spec = Spec({row});
  spec.max_wait_ms = 1000000;
  peer.Send(Fetch(12, 1, spec));
  Settle();
  TopicPublication topic = topics_[1];
  topic.partitions[0].epoch = LeaderEpoch(6);
  plane_->PublishTopic(topic);
  EXPECT_EQ(ReadFetch(12, Next(peer)).rows.at(0).error, 74);
}

TEST_F(FetchTest, AConsumerThatLeavesIsForgotten) {
  Start();
  {
    Peer consumer = Connect();
    FetchSpec spec = Spec({Row("t", 0, 0)});
    spec.max_wait_ms = 1000000;
    consumer.Send(Fetch(12, 1, spec));
    ASSERT_TRUE(Until([&] { return plane_->stats().waiting == 1; }));
  }
  EXPECT_TRUE(Until([&] { return plane_->stats().connections == 0; }));
  EXPECT_EQ(plane_->stats().waiting, 0);
  Peer producer = Connect();
  Fill(producer);
}

// What is neither in the page cache nor in the indexes' memory is looked up and read on the pool.
TEST_F(FetchTest, ColdPartitionsAreLookedUpOnThePool) {
  log_config_.segment_bytes = 200000;
  log_config_.durability = log::Durability::kOs;
  Start();
  Peer peer = Connect();
  for (int p = 0; p < 2; ++p) {
    for (int i = 0; i < 10; ++i) Fill(peer, 1, 50000, "t", p);
  }
  for (int round = 0; round < 10; ++round) {
    Forget();
    FetchSpec spec = Spec({Row("t", 0, round), Row("t", 1, 9 - round), Row("t", 2, 0)});
    // Waiting or not, the answer is what it would be hot.
    spec.max_wait_ms = round % 2 == 0 ? 0 : 1000000;
    const FetchReply reply = AskFetch(peer, 12, spec);
    ASSERT_EQ(reply.rows.size(), 3u);
    EXPECT_EQ(Bases(reply.rows[0].records.value()).at(0), round);
    EXPECT_EQ(Bases(reply.rows[1].records.value()).at(0), 9 - round);
    EXPECT_EQ(reply.rows[2].records->size(), 0u);
  }
  // The limit of the request holds for what the pool found as well.
  Forget();
  FetchSpec spec = Spec({Row("t", 0, 0), Row("t", 1, 0)});
  spec.max_bytes = 60000;
  const FetchReply reply = AskFetch(peer, 12, spec);
  EXPECT_EQ(Bases(reply.rows.at(0).records.value()).size(), 1u);
  EXPECT_EQ(reply.rows.at(1).records->size(), 0u);
}

// Looking and registering are one step only where nobody else looked: what comes while the pool does must not be missed.
TEST_F(FetchTest, WhatIsAppendedDuringAColdLookIsNotMissed) {
  log_config_.segment_bytes = 200000;
  log_config_.durability = log::Durability::kOs;
  Start();
  Peer producer = Connect(), consumer = Connect();
  for (int i = 0; i < 10; ++i) Fill(producer, 1, 50000);
  Settle();
  // A look that may not wait asks the disk all the same, and a fast one has sometimes answered by then: until one was cold.
  bool cold = false;
  for (int64_t last = 9; !cold; last += 3) {  // the first of a segment, each time
    ASSERT_LT(last, 300);
    Forget();
    FetchSpec spec = Spec({Row("t", 0, last)});
    spec.min_bytes = 80000;
    spec.max_wait_ms = 1000000;  // and no time passes here
    // The pool's threads are kept busy, so that what it is asked for waits.
    std::promise<void> go_on;
    const std::shared_future<void> gone_on = go_on.get_future().share();
    for (size_t i = 0; i < sluice::test::TestEnv::kPoolThreads; ++i) env_->pool().Submit(io::MakeJob([gone_on] { gone_on.wait(); }, [] {}));
    consumer.Send(Fetch(12, 1, spec));
    for (int tick = 0; tick < 50 && !cold; ++tick) {
      reactor_->RunOnce(1);
      cold = env_->pool().pending() > sluice::test::TestEnv::kPoolThreads;
    }
    Blob batch = MakeBatch(1, 50000);
    ASSERT_TRUE(LogOf(1, 0)->Append(MutableBytes(batch.data(), batch.size()), log::AppendOrigin::kClient, TimestampMs(clock_.WallMs())).ok());
    dir_->MarkStaged(LogOf(1, 0));
    dir_->Commit();
    ASSERT_EQ(LogOf(1, 0)->high_watermark().v, last + 2);
    go_on.set_value();
    const FetchReply reply = ReadFetch(12, Next(consumer));
    EXPECT_EQ(Bases(reply.rows.at(0).records.value()), (std::vector<int64_t>{last, last + 1}));
    for (int i = 0; i < 2; ++i) Fill(producer, 1, 50000);
    Settle();
  }
}

TEST_F(FetchTest, ASlowReaderHoldsNobodyUpAndGetsEverything) {
  Start();
  Peer producer = Connect(), slow = Connect(), quick = Connect();
  for (int i = 0; i < 30; ++i) Fill(producer, 1, 900000);
  for (int i = 0; i < 6; ++i) slow.Send(Fetch(12, i, Spec({Row("t", 0, 0, 64 << 20)})));
  Settle();
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(Bases(AskFetch(quick, 12, Spec({Row("t", 0, 29)})).rows.at(0).records.value()), (std::vector<int64_t>{29}));
  }
  for (int i = 0; i < 6; ++i) {
    const FetchReply reply = ReadFetch(12, Next(slow));
    EXPECT_EQ(reply.correlation, i);
    EXPECT_EQ(Bases(reply.rows.at(0).records.value()).size(), 30u);
  }
}

}  // namespace
}  // namespace sluice::kafka::test
