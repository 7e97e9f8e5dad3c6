// Fetch sessions as KIP-227 and Kafka's broker have them.
#include "kafka/fetch_session.h"

#include "kafka/plane_fixture.h"

namespace sluice::kafka::test {
namespace {

class FetchSessionTest : public PlaneFixture {
 protected:
  static FetchRow Row(int32_t partition, int64_t offset, uint8_t id = 1) {
    FetchRow row;
    row.topic = id == 1 ? "t" : (id == 2 ? "u" : "later");
    row.id = IdBlob(id);
    row.partition = partition;
    row.offset = offset;
    return row;
  }
  FetchReply Ask(Peer& peer, int16_t version, int32_t session, int32_t epoch, std::vector<FetchRow> rows, std::vector<FetchRow> forget = {}) {
    FetchSpec spec;
    spec.rows = std::move(rows);
    spec.forget = std::move(forget);
    spec.session_id = session;
    spec.session_epoch = epoch;
    return AskFetch(peer, version, spec);
  }
};

// A session costs memory for each partition, whether there is one of its name or not.
TEST_F(FetchSessionTest, AllSessionsTogetherAreBounded) {
  Start();
  Peer peer = Connect();
  std::vector<FetchRow> rows;
  for (int32_t i = 0; i < static_cast<int32_t>(kMaxRows); ++i) rows.push_back(Row(i, 0));
  std::vector<int32_t> sessions;
  for (size_t all = 0; all < kMaxSessionPartitions; all += kMaxRows) sessions.push_back(Ask(peer, 12, 0, 0, rows).session_id);
  for (int32_t session : sessions) EXPECT_NE(session, 0);
  FetchReply reply = Ask(peer, 12, 0, 0, {Row(0, 0)});
  EXPECT_EQ(reply.error, 0);
  EXPECT_EQ(reply.session_id, 0) << "answered without a session";
  EXPECT_EQ(Ask(peer, 12, sessions[0], 1, {Row(-1, 0)}).error, 70);
  EXPECT_EQ(plane_->stats().sessions, static_cast<int64_t>(sessions.size()) - 1);
  EXPECT_NE(Ask(peer, 12, 0, 0, {Row(0, 0)}).session_id, 0);
  EXPECT_EQ(Ask(peer, 12, sessions[1], 1, {Row(1, 0)}).error, 0);
}

TEST_F(FetchSessionTest, TellsOnlyWhatHasChanged) {
  for (int16_t version : {7, 12, 13, 18}) {
    SCOPED_TRACE(version);
    if (!plane_) Start();
    Peer peer = Connect();
    FetchReply reply = Ask(peer, version, 0, 0, {Row(0, LogOf(1, 0)->high_watermark().v), Row(1, 0), Row(2, 0), Row(0, 0, 2)});
    EXPECT_EQ(reply.error, 0);
    const int32_t session = reply.session_id;
    ASSERT_NE(session, 0);
    EXPECT_EQ(reply.rows.size(), 4u);
    EXPECT_TRUE(Ask(peer, version, session, 1, {}).rows.empty());
    const int64_t at = LogOf(1, 0)->high_watermark().v;
    Fill(peer);
    reply = Ask(peer, version, session, 2, {});
    EXPECT_EQ(reply.session_id, session);
    ASSERT_EQ(reply.rows.size(), 1u);
    EXPECT_EQ(reply.rows[0].partition, 0);
    EXPECT_GT(reply.rows[0].records->size(), 0u);
    // Not moved on by the client: the same again.
    EXPECT_EQ(Ask(peer, version, session, 3, {}).rows.size(), 1u);
    EXPECT_TRUE(Ask(peer, version, session, 4, {Row(0, at + 1)}).rows.empty());
    // Added, changed and forgotten partitions.
    EXPECT_EQ(Ask(peer, version, session, 5, {Row(0, at)}).rows.size(), 1u);
    EXPECT_TRUE(Ask(peer, version, session, 6, {}, {Row(0, 0)}).rows.empty());
    Fill(peer);
    EXPECT_TRUE(Ask(peer, version, session, 7, {}).rows.empty());
    EXPECT_EQ(Ask(peer, version, session, 8, {Row(0, at)}).rows.size(), 1u);
    // Closed for good.
    EXPECT_EQ(Ask(peer, version, session, -1, {Row(1, 0)}).session_id, 0);
    EXPECT_EQ(Ask(peer, version, session, 9, {}).error, 70);
  }
}

TEST_F(FetchSessionTest, ErrorsOfTheSession) {
  Start();
  Peer peer = Connect();
  FetchReply reply = Ask(peer, 12, 12345, 1, {});
  EXPECT_EQ(reply.error, 70);
  EXPECT_EQ(reply.session_id, 0);
  const int32_t session = Ask(peer, 12, 0, 0, {Row(0, 0)}).session_id;
  EXPECT_EQ(Ask(peer, 12, session, 2, {}).error, 71);
  EXPECT_EQ(Ask(peer, 13, session, 1, {}).error, 106);
  EXPECT_EQ(Ask(peer, 12, session, 1, {}).error, 0);
  // A full fetch that names a session ends it and makes another.
  const int32_t other = Ask(peer, 12, session, 0, {Row(0, 0)}).session_id;
  EXPECT_NE(other, 0);
  EXPECT_NE(other, session);
  EXPECT_EQ(Ask(peer, 12, session, 2, {}).error, 70);
  EXPECT_EQ(plane_->stats().sessions, 1);
  // Without partitions there is no session.
  EXPECT_EQ(Ask(peer, 12, other, 1, {}, {Row(0, 0)}).session_id, 0);
  EXPECT_EQ(plane_->stats().sessions, 0);
}

TEST_F(FetchSessionTest, ANewerRequestEndsAnOlderOneOfTheSameSession) {
  Start();
  Peer peer = Connect(), stale = Connect();
  const int32_t session = Ask(peer, 12, 0, 0, {Row(0, 0)}).session_id;
  FetchSpec spec;
  spec.session_id = session;
  spec.session_epoch = 1;
  spec.max_wait_ms = 1000000;
  stale.Send(Fetch(12, 1, spec));
  ASSERT_TRUE(Until([&] { return plane_->stats().waiting == 1; }));
  EXPECT_EQ(Ask(peer, 12, session, 2, {}).error, 0);
  const FetchReply reply = ReadFetch(12, Next(stale));
  EXPECT_EQ(reply.error, 71);
  EXPECT_EQ(reply.session_id, session);
}

TEST_F(FetchSessionTest, LongPollsOfASessionAreWoken) {
  Start();
  Peer consumer = Connect(), producer = Connect();
  const int32_t session = Ask(consumer, 13, 0, 0, {Row(0, 0), Row(1, 0), Row(2, 0)}).session_id;
  int64_t next[3] = {0, 0, 0};
  for (int round = 1; round < 40; ++round) {
    FetchSpec spec;
    spec.session_id = session;
    spec.session_epoch = round;
    spec.max_wait_ms = 1000000;
    const int partition = round % 3;
    if (round > 1) spec.rows = {Row((round - 1) % 3, next[(round - 1) % 3])};
    consumer.Send(Fetch(13, round, spec));
    ASSERT_TRUE(Until([&] { return plane_->stats().waiting == 1; })) << round;
    Fill(producer, 1, 100, "t", partition);
    const FetchReply reply = ReadFetch(13, Next(consumer));
    ASSERT_EQ(reply.rows.size(), 1u) << round;
    EXPECT_EQ(reply.rows[0].partition, partition);
    ++next[partition];
  }
}

// What one wait had counted must not count in the next.
TEST_F(FetchSessionTest, MinBytesAreCountedAnewForEachWait) {
  Start();
  Peer consumer = Connect(), producer = Connect();
  const int32_t session = Ask(consumer, 13, 0, 0, {Row(0, 0), Row(1, 0)}).session_id;
  FetchSpec spec;
  spec.session_id = session;
  spec.session_epoch = 1;
  spec.max_wait_ms = 1000000;
  spec.min_bytes = 1500;
  consumer.Send(Fetch(13, 1, spec));
  ASSERT_TRUE(Until([&] { return plane_->stats().waiting == 1; }));
  Fill(producer, 1, 1000, "t", 0);
  Fill(producer, 1, 1000, "t", 1);
  EXPECT_EQ(ReadFetch(13, Next(consumer)).rows.size(), 2u);
  spec.session_epoch = 2;
  spec.rows = {Row(0, 1), Row(1, 1)};
  consumer.Send(Fetch(13, 2, spec));
  ASSERT_TRUE(Until([&] { return plane_->stats().waiting == 1; }));
  Fill(producer, 1, 1000, "t", 0);
  Settle();
  EXPECT_FALSE(consumer.Frame().has_value());
  Fill(producer, 1, 1000, "t", 0);
  EXPECT_EQ(ReadFetch(13, Next(consumer)).rows.size(), 1u);
}

TEST_F(FetchSessionTest, WhatHadRecordsComesLastTheNextTime) {
  Start();
  Peer peer = Connect();
  for (int p = 0; p < 3; ++p) {
    for (int i = 0; i < 4; ++i) Fill(peer, 1, 1000, "t", p);
  }
  FetchSpec spec;
  spec.rows = {Row(0, 0), Row(1, 0), Row(2, 0)};
  spec.session_epoch = 0;
  spec.max_bytes = 1;
  const int32_t session = AskFetch(peer, 12, spec).session_id;
  std::vector<int32_t> order;
  for (int round = 1; round <= 6; ++round) {
    FetchSpec more;
    more.session_id = session;
    more.session_epoch = round;
    more.max_bytes = 1;
    const FetchReply reply = AskFetch(peer, 12, more);
    for (const FetchResult& row : reply.rows) {
      if (row.records->size() > 0) order.push_back(row.partition);
    }
  }
  EXPECT_EQ(order, (std::vector<int32_t>{0, 1, 2, 0, 1, 2}));
}

TEST_F(FetchSessionTest, AnUnknownTopicIsToldUntilItIsThere) {
  Start();
  Peer peer = Connect();
  FetchReply reply = Ask(peer, 13, 0, 0, {Row(0, 0, 9), Row(0, 0)});
  EXPECT_EQ(reply.rows.at(0).error, 100);
  const int32_t session = reply.session_id;
  reply = Ask(peer, 13, session, 1, {});
  ASSERT_EQ(reply.rows.size(), 1u);
  EXPECT_EQ(reply.rows[0].error, 100);
  AddTopic("later", 9, 1);
  reply = Ask(peer, 13, session, 2, {});
  ASSERT_EQ(reply.rows.size(), 1u);
  EXPECT_EQ(reply.rows[0].error, 0);
  EXPECT_TRUE(Ask(peer, 13, session, 3, {}).rows.empty());
  plane_->WithdrawTopic(IdOf(9));
  EXPECT_EQ(Ask(peer, 13, session, 4, {}).rows.at(0).error, 100);
}

TEST(FetchSessionCache, PushesOutAsKafkaDoes) {
  const auto set_of = [](size_t size) {
    auto set = std::make_shared<FetchSet>();
    set->EnableIndex();
    for (size_t i = 0; i < size; ++i) {
      FetchPartitionView asked;
      asked.index = static_cast<int32_t>(i);
      set->Put({false, {}, "t", asked.index}, asked, nullptr);
    }
    return set;
  };
  FetchSessionCache cache(1);
  cache.SetSlots(2);
  SessionRef a = cache.Create(0, false, true, set_of(2));
  SessionRef b = cache.Create(1, false, true, set_of(4));
  ASSERT_TRUE(a && b);
  EXPECT_NE(a->id, b->id);
  // Both are new: nobody may push them out, but a follower.
  EXPECT_FALSE(cache.Create(2, false, true, set_of(100)));
  SessionRef follower = cache.Create(3, true, true, set_of(1));
  ASSERT_TRUE(follower);
  EXPECT_FALSE(cache.Find(a->id));
  // Old and in use: a larger one pushes out the smaller consumer's, an equal one does not, and a follower's stays.
  cache.Touch(*b, 130000);
  cache.Touch(*follower, 130001);
  EXPECT_FALSE(cache.Create(130002, false, true, set_of(4)));
  SessionRef c = cache.Create(130003, false, true, set_of(5));
  ASSERT_TRUE(c);
  EXPECT_FALSE(cache.Find(b->id));
  EXPECT_TRUE(cache.Find(follower->id));
  // Unused for two minutes: anybody may have the place.
  cache.Touch(*follower, 200000);
  EXPECT_TRUE(cache.Create(130003 + 120001, false, true, set_of(1)));
  EXPECT_FALSE(cache.Find(c->id));
  cache.SetSlots(0);
  EXPECT_FALSE(cache.Create(1000000, false, true, set_of(9)));
}

TEST(FetchSessionEpoch, FollowsKafkas) {
  EXPECT_EQ(NextSessionEpoch(0), 1);
  EXPECT_EQ(NextSessionEpoch(INT32_MAX), 1);
  EXPECT_EQ(NextSessionEpoch(-1), -1);
}

}  // namespace
}  // namespace sluice::kafka::test
