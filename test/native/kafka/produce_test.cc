#include <mutex>
#include <thread>

#include "kafka/plane_fixture.h"

namespace sluice::kafka::test {
namespace {

using ProduceTest = PlaneFixture;

TEST_F(ProduceTest, EveryVersionIsAnsweredInItsOwnForm) {
  Start();
  Peer peer = Connect();
  for (int16_t version = 3; version <= 13; ++version) {
    ProduceRow row{"t", IdBlob(1), 0, MakeBatch(2)};
    const ProduceReply reply = AskProduce(peer, version, version % 2 == 0 ? 1 : -1, {row});
    ASSERT_EQ(reply.rows.size(), 1u) << version;
    EXPECT_EQ(reply.correlation, correlation_);
    EXPECT_EQ(reply.rows[0].error, 0) << version;
    EXPECT_EQ(reply.rows[0].base, (version - 3) * 2);
    EXPECT_EQ(reply.rows[0].append_time, -1);
    EXPECT_EQ(reply.rows[0].topic, version >= 13 ? "" : "t");
    if (version >= 13) {
      EXPECT_EQ(reply.rows[0].id, IdBlob(1));
    }
    if (version >= 5) {
      EXPECT_EQ(reply.rows[0].log_start, 0);
    }
    if (version >= 8) {
      EXPECT_FALSE(reply.rows[0].message.has_value());
    }
  }
  EXPECT_EQ(LogOf(1, 0)->high_watermark().v, 22);
}

TEST_F(ProduceTest, PipelinedRequestsAreAnsweredInOrder) {
  Start();
  Peer peer = Connect();
  Blob all;
  for (int i = 0; i < 300; ++i) {
    const Blob one = Produce(9, i, i % 3 == 0 ? 1 : -1, {{"t", {}, i % 3, MakeBatch()}});
    all.insert(all.end(), one.begin(), one.end());
  }
  ASSERT_EQ(peer.Send(all), all.size());
  for (int i = 0; i < 300; ++i) {
    const ProduceReply reply = ReadProduce(9, Next(peer));
    ASSERT_EQ(reply.correlation, i);
    ASSERT_EQ(reply.rows.at(0).error, 0);
    EXPECT_EQ(reply.rows[0].base, i / 3);
  }
}

TEST_F(ProduceTest, AnswersOnlyWhatIsDurable) {
  Start();
  Peer peer = Connect();
  const ProduceReply reply = AskProduce(peer, 9, 1, {{"t", {}, 0, MakeBatch()}});
  EXPECT_EQ(reply.rows.at(0).error, 0);
  EXPECT_EQ(LogOf(1, 0)->high_watermark().v, 1);  // in mode fsync that is the durable end
}

TEST_F(ProduceTest, AcksZeroIsNotAnsweredAndAnErrorCloses) {
  Start();
  Peer peer = Connect();
  peer.Send(Produce(9, 1, 0, {{"t", {}, 0, MakeBatch()}}));
  const ProduceReply reply = AskProduce(peer, 9, 1, {{"t", {}, 0, MakeBatch()}});
  EXPECT_EQ(reply.correlation, correlation_);
  EXPECT_EQ(reply.rows.at(0).base, 1);
  peer.Send(Produce(9, 2, 0, {{"nope", {}, 0, MakeBatch()}}));
  EXPECT_TRUE(Ends(peer));
  EXPECT_EQ(peer.unread(), 0u);
}

TEST_F(ProduceTest, AcksZeroThenCloseLosesNothing) {
  Start();
  {
    Peer peer = Connect();
    Blob all;
    for (int i = 0; i < 50; ++i) {
      const Blob one = Produce(9, i, 0, {{"t", {}, 0, MakeBatch()}});
      all.insert(all.end(), one.begin(), one.end());
    }
    peer.Send(all);
  }
  EXPECT_TRUE(Until([&] { return LogOf(1, 0)->high_watermark().v == 50; }));
}

struct Refusal {
  const char* what;
  int16_t version;
  int16_t acks;
  const char* topic;
  int partition;
  std::function<std::optional<Blob>()> records;
  int16_t error;
};

TEST_F(ProduceTest, RefusesAsKafkaDoes) {
  log_config_.max_message_bytes = 2000;
  Start();
  AddTopic("__consumer_offsets", 3, 1, true);
  const auto good = [] { return std::optional<Blob>(MakeBatch()); };
  const Refusal table[] = {
      {"unknown topic", 9, 1, "nope", 0, good, 3},
      {"unknown partition", 9, 1, "t", 99, good, 3},
      {"negative partition", 9, 1, "t", -1, good, 3},
      {"unknown id", 13, 1, "", 0, good, 100},
      {"acks 2", 9, 2, "t", 0, good, 21},
      {"acks -2", 9, -2, "t", 0, good, 21},
      {"internal topic", 9, 1, "__consumer_offsets", 0, good, 17},
      {"no records", 9, 1, "t", 0, [] { return std::optional<Blob>(Blob()); }, 87},
      {"null records", 9, 1, "t", 0, [] { return std::optional<Blob>(); }, 87},
      {"two batches", 9, 1, "t", 0,
       [] {
         Blob two = MakeBatch(), second = MakeBatch();
         two.insert(two.end(), second.begin(), second.end());
         return std::optional<Blob>(two);
       },
       87},
      {"bad crc", 9, 1, "t", 0,
       [] {
         Blob bad = MakeBatch();
         bad.back() ^= 1;
         return std::optional<Blob>(bad);
       },
       2},
      {"magic 1", 9, 1, "t", 0,
       [] {
         Blob old = MakeBatch();
         old[16] = 1;
         return std::optional<Blob>(old);
       },
       87},
      {"too large", 9, 1, "t", 0, [] { return std::optional<Blob>(MakeBatch(1, 3000)); }, 10},
      {"zstd before version 7", 6, 1, "t", 0,
       [] {
         batch::BatchOptions options;
         options.codec = batch::Codec::kZstd;
         return std::optional<Blob>(MakeBatch(1, 100, options));
       },
       76},
      {"transactional batch", 9, 1, "t", 0,
       [] {
         batch::BatchOptions options;
         options.producer_id = ProducerId(7);
         options.producer_epoch = ProducerEpoch(0);
         options.base_sequence = 0;
         options.transactional = true;
         return std::optional<Blob>(MakeBatch(1, 100, options));
       },
       53},
      {"a sequence that does not begin", 9, 1, "t", 0,
       [] {
         batch::BatchOptions options;
         options.producer_id = ProducerId(8);
         options.producer_epoch = ProducerEpoch(0);
         options.base_sequence = -5;
         return std::optional<Blob>(MakeBatch(1, 100, options));
       },
       87},
  };
  Peer peer = Connect();
  for (const Refusal& row : table) {
    SCOPED_TRACE(row.what);
    ProduceRow request{row.topic, IdBlob(99), row.partition, row.records()};
    const ProduceReply reply = AskProduce(peer, row.version, row.acks, {request});
    ASSERT_EQ(reply.rows.size(), 1u);
    EXPECT_EQ(reply.rows[0].error, row.error);
    EXPECT_EQ(reply.rows[0].base, -1);
    EXPECT_EQ(reply.rows[0].partition, row.partition);
  }
  EXPECT_EQ(LogOf(1, 0)->next_offset().v, 0);
  // Kafka lets one client id write to internal topics.
  const Blob answer = Ask(peer, Produce(9, 1, 1, {{"__consumer_offsets", {}, 0, MakeBatch()}}, 30000, std::nullopt, "__admin_client"));
  EXPECT_EQ(ReadProduce(9, answer).rows.at(0).error, 0);
}

TEST_F(ProduceTest, ATransactionalIdIsRefusedForEveryPartition) {
  Start();
  Peer peer = Connect();
  const Blob answer = Ask(peer, Produce(9, 1, -1, {{"t", {}, 0, MakeBatch()}, {"t", {}, 1, MakeBatch()}}, 30000, "tx"));
  const ProduceReply reply = ReadProduce(9, answer);
  ASSERT_EQ(reply.rows.size(), 2u);
  for (const ProduceResult& row : reply.rows) EXPECT_EQ(row.error, 53);
  EXPECT_EQ(LogOf(1, 0)->next_offset().v, 0);
}

TEST_F(ProduceTest, RecordErrorsNameTheRecords) {
  log_config_.cleanup_compact = true;
  Start();
  Peer peer = Connect();
  const ProduceReply reply = AskProduce(peer, 9, -1, {{"t", {}, 0, MakeBatch(3)}, {"t", {}, 1, MakeBatch(3, 100, {}, true)}});
  ASSERT_EQ(reply.rows.size(), 2u);
  EXPECT_EQ(reply.rows[0].error, 87);
  EXPECT_EQ(reply.rows[0].record_errors.size(), 3u);
  EXPECT_EQ(reply.rows[0].record_errors.at(1).first, 1);
  EXPECT_TRUE(reply.rows[0].message.has_value());
  EXPECT_EQ(reply.rows[1].error, 0);
}

TEST_F(ProduceTest, OneRequestManyTopicsSomeWrong) {
  Start();
  Peer peer = Connect();
  const ProduceReply reply = AskProduce(peer, 9, -1, {{"t", {}, 2, MakeBatch()}, {"nope", {}, 0, MakeBatch()}, {"u", {}, 0, MakeBatch(4)}});
  ASSERT_EQ(reply.rows.size(), 3u);
  EXPECT_EQ(reply.rows[0].error, 0);
  EXPECT_EQ(reply.rows[1].error, 3);
  EXPECT_EQ(reply.rows[1].topic, "nope");
  EXPECT_EQ(reply.rows[2].error, 0);
  EXPECT_EQ(LogOf(2, 0)->high_watermark().v, 4);
}

TEST_F(ProduceTest, ThePartitionNamedTwiceIsWrittenOnce) {
  Start();
  Peer peer = Connect();
  const ProduceReply reply = AskProduce(peer, 9, -1, {{"t", {}, 0, MakeBatch(1)}, {"t", {}, 0, MakeBatch(5)}});
  ASSERT_EQ(reply.rows.size(), 1u);
  EXPECT_EQ(reply.rows[0].error, 0);
  EXPECT_EQ(LogOf(1, 0)->high_watermark().v, 5);
}

TEST_F(ProduceTest, IdempotentRetriesGetTheFirstOffset) {
  Start();
  Peer peer = Connect();
  batch::BatchOptions options;
  options.producer_id = ProducerId(7);
  options.producer_epoch = ProducerEpoch(0);
  options.base_sequence = 0;
  const Blob first = MakeBatch(3, 100, options);
  options.base_sequence = 3;
  const Blob second = MakeBatch(2, 100, options);
  options.base_sequence = 9;
  const Blob gap = MakeBatch(1, 100, options);
  EXPECT_EQ(AskProduce(peer, 9, -1, {{"t", {}, 0, first}}).rows.at(0).base, 0);
  EXPECT_EQ(AskProduce(peer, 9, -1, {{"t", {}, 0, second}}).rows.at(0).base, 3);
  const ProduceReply again = AskProduce(peer, 9, -1, {{"t", {}, 0, first}});
  EXPECT_EQ(again.rows.at(0).error, 0);
  EXPECT_EQ(again.rows.at(0).base, 0);
  EXPECT_EQ(AskProduce(peer, 9, -1, {{"t", {}, 0, gap}}).rows.at(0).error, 45);
  EXPECT_EQ(LogOf(1, 0)->high_watermark().v, 5);
}

TEST_F(ProduceTest, LogAppendTimeIsTold) {
  log_config_.log_append_time = true;
  Start();
  Peer peer = Connect();
  const int64_t before = clock_.WallMs();
  const ProduceReply reply = AskProduce(peer, 9, -1, {{"t", {}, 0, MakeBatch()}});
  EXPECT_GE(reply.rows.at(0).append_time, before);
}

TEST_F(ProduceTest, RecompressesOnThePoolAndKeepsOrder) {
  log_config_.compression = static_cast<int8_t>(batch::Codec::kLz4);
  Start();
  Peer peer = Connect();
  Blob all;
  for (int i = 0; i < 20; ++i) {
    batch::BatchOptions options;
    options.codec = i % 2 == 0 ? batch::Codec::kGzip : batch::Codec::kNone;
    const Blob one = Produce(9, i, -1, {{"t", {}, 0, MakeBatch(10, 1000, options)}});
    all.insert(all.end(), one.begin(), one.end());
  }
  size_t sent = 0;
  ASSERT_TRUE(Until([&] { return (sent = peer.Send(all, sent)) == all.size(); }));
  for (int i = 0; i < 20; ++i) {
    const ProduceReply reply = ReadProduce(9, Next(peer));
    EXPECT_EQ(reply.correlation, i);
    EXPECT_EQ(reply.rows.at(0).error, 0);
    EXPECT_EQ(reply.rows.at(0).base, i * 10);
  }
  const FetchReply fetched = AskFetch(peer, 12, {{{"t"}}});
  const Blob& records = fetched.rows.at(0).records.value();
  batch::BatchIterator batches{Bytes(records)};
  batch::BatchView view;
  int count = 0;
  for (; batches.Next(&view) == batch::BatchIterator::Step::kBatch; ++count) {
    EXPECT_EQ(view.codec(), batch::Codec::kLz4);
    EXPECT_TRUE(view.crc_ok());
  }
  EXPECT_EQ(count, 20);
}

TEST_F(ProduceTest, ALargeRequestInSmallPieces) {
  log_config_.max_message_bytes = 8 << 20;
  Start();
  Peer peer = Connect();
  const Blob records = MakeBatch(4, 1 << 20);
  const Blob request = Produce(9, 1, -1, {{"t", {}, 0, records}});
  size_t sent = 0;
  while (sent < request.size()) {
    const size_t piece = std::min<size_t>(request.size() - sent, 70001);
    const Blob part(request.begin() + static_cast<ptrdiff_t>(sent), request.begin() + static_cast<ptrdiff_t>(sent + piece));
    size_t done = 0;
    ASSERT_TRUE(Until([&] { return (done = peer.Send(part, done)) == part.size(); }));
    sent += piece;
  }
  EXPECT_EQ(ReadProduce(9, Next(peer)).rows.at(0).error, 0);
  const FetchReply fetched = AskFetch(peer, 12, {{{"t", Blob(16), 0, 0, 16 << 20}}});
  const Blob& got = fetched.rows.at(0).records.value();
  ASSERT_EQ(got.size(), records.size());
  EXPECT_TRUE(std::equal(got.begin() + 17, got.end(), records.begin() + 17));  // behind what the broker stamps
}

TEST_F(ProduceTest, WaitsNoLongerThanItsTimeout) {
  Start();
  Peer peer = Connect();
  Fill(peer);
  writer_.hold = true;
  peer.Send(Produce(9, 77, -1, {{"t", {}, 0, MakeBatch()}}, 5000));
  Settle0();
  EXPECT_FALSE(peer.Frame().has_value());
  Advance(4900);
  Settle0();
  EXPECT_FALSE(peer.Frame().has_value());
  Advance(200);
  const ProduceReply reply = ReadProduce(9, Next(peer));
  EXPECT_EQ(reply.correlation, 77);
  EXPECT_EQ(reply.rows.at(0).error, 7);
  EXPECT_EQ(reply.rows.at(0).base, -1);
}

TEST_F(ProduceTest, NothingIsAnsweredBeforeItIsDurable) {
  Start();
  Peer peer = Connect();
  Fill(peer);
  writer_.hold = true;
  peer.Send(Produce(9, 1, 1, {{"t", {}, 0, MakeBatch()}}));
  Settle0();
  EXPECT_FALSE(peer.Frame().has_value());
  EXPECT_EQ(LogOf(1, 0)->high_watermark().v, 1);
  writer_.Release();
  EXPECT_EQ(ReadProduce(9, Next(peer)).rows.at(0).error, 0);
}

TEST_F(ProduceTest, AFullJournalMakesProducersWaitAndLosesNothing) {
  Start();
  std::vector<Peer> peers;
  std::vector<Blob> streams(3);
  std::vector<size_t> sent(3, 0);
  const Blob batch = MakeBatch(1, 60000);
  constexpr int kEach = 400;
  for (int c = 0; c < 3; ++c) {
    peers.push_back(Connect());
    for (int i = 0; i < kEach; ++i) {
      const Blob one = Produce(9, i, -1, {{"t", {}, c, batch}});
      streams[static_cast<size_t>(c)].insert(streams[static_cast<size_t>(c)].end(), one.begin(), one.end());
    }
  }
  writer_.hold = true;
  const auto send = [&] {
    for (size_t c = 0; c < 3; ++c) sent[c] = peers[c].Send(streams[c], sent[c]);
    return !dir_->HasRoom();
  };
  ASSERT_TRUE(Until(send));
  for (int round = 0; round < 400; ++round) {
    send();
    reactor_->RunOnce(0);
  }
  int64_t taken = 0;
  for (int c = 0; c < 3; ++c) taken += LogOf(1, c)->next_offset().v;
  EXPECT_LT(taken, 3 * kEach) << "the disk stands still, and everything was taken all the same";
  // A request of another kind is not held up.
  Peer other = Connect();
  other.Send(Request(3, 9, 42, true, {}));
  EXPECT_TRUE(Until([&] { return control_.requests.size() == 1; }));
  writer_.Release();
  for (size_t c = 0; c < 3; ++c) {
    for (int i = 0; i < kEach; ++i) {
      std::optional<Blob> frame;
      ASSERT_TRUE(Until([&] {
        for (size_t k = 0; k < 3; ++k) sent[k] = peers[k].Send(streams[k], sent[k]);
        return (frame = peers[c].Frame()).has_value();
      }));
      const ProduceReply reply = ReadProduce(9, *frame);
      ASSERT_EQ(reply.correlation, i);
      ASSERT_EQ(reply.rows.at(0).error, 0);
      ASSERT_EQ(reply.rows[0].base, i);
    }
  }
}

TEST_F(ProduceTest, ATopicThatGoesFailsWhatWaitsForIt) {
  Start();
  Peer peer = Connect();
  Fill(peer);
  writer_.hold = true;
  peer.Send(Produce(9, 1, -1, {{"t", {}, 0, MakeBatch()}}));
  peer.Send(Produce(13, 2, -1, {{"", IdBlob(1), 0, MakeBatch()}}));
  Settle0();
  plane_->WithdrawTopic(IdOf(1));
  EXPECT_EQ(ReadProduce(9, Next(peer)).rows.at(0).error, 3);
  EXPECT_EQ(ReadProduce(13, Next(peer)).rows.at(0).error, 100);
  writer_.Release();
  EXPECT_EQ(AskProduce(peer, 9, -1, {{"t", {}, 0, MakeBatch()}}).rows.at(0).error, 3);
  EXPECT_EQ(AskProduce(peer, 13, -1, {{"", IdBlob(1), 0, MakeBatch()}}).rows.at(0).error, 100);
}

TEST_F(ProduceTest, ADiskThatMakesWritersWaitHoldsUpNothingElse) {
  log::test::FaultFs& fs = fault_fs_;
  plane_env_.fs = &fs;
  Start();
  Peer reader = Connect();
  Fill(reader, 1, 100, "t", 1);
  // One write takes long, and everybody waits for it. From then on another thread writes, and a write may take for ever.
  fs.before_log_write = [this] { clock_.added_us += 50000; };
  Fill(reader);
  const std::thread::id home = std::this_thread::get_id();
  std::atomic<int> blocked = 0, at_home = 0;
  std::mutex gate;
  gate.lock();
  fs.before_log_write = [&] {
    if (std::this_thread::get_id() == home) {
      ++at_home;
      return;
    }
    ++blocked;
    std::lock_guard lock(gate);
  };
  Peer producer = Connect();
  constexpr int kBatches = 5;
  for (int i = 0; i < kBatches; ++i) producer.Send(Produce(9, i, -1, {{"t", {}, 0, MakeBatch()}}));
  EXPECT_TRUE(Until([&] { return blocked > 0; }));
  for (int round = 0; round < 3; ++round) {
    Peer other = Connect();
    other.Send(Request(12, 4, round, true, {}));  // Heartbeat
    EXPECT_TRUE(Until([&] { return control_.requests.size() == static_cast<size_t>(round) + 1; }));
    FetchSpec spec;
    spec.rows = {{"t", {}, 1, 0}};
    EXPECT_EQ(AskFetch(reader, 11, spec).rows.at(0).high_watermark, 1);
  }
  EXPECT_FALSE(producer.Frame().has_value());
  EXPECT_EQ(LogOf(1, 0)->high_watermark().v, 1);
  gate.unlock();
  for (int i = 0; i < kBatches; ++i) {
    const ProduceReply reply = ReadProduce(9, Next(producer));
    EXPECT_EQ(reply.correlation, i);
    EXPECT_EQ(reply.rows.at(0).error, 0);
    EXPECT_EQ(reply.rows.at(0).base, 1 + i);
  }
  EXPECT_EQ(at_home, 0);
  Settle();
}

}  // namespace
}  // namespace sluice::kafka::test
