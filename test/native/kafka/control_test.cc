// What may be with the control plane at a time, and what waits for it.
#include "kafka/control_handler.h"

#include "kafka/plane_fixture.h"

namespace sluice::kafka::test {
namespace {

constexpr int16_t kMetadata = 3, kJoin = 11, kHeartbeat = 12;

class ControlTest : public PlaneFixture {
 protected:
  static Blob Answer(int32_t correlation) {
    Out out;
    out.I32(correlation);
    return out.bytes;
  }
  void Respond(size_t i) { plane_->Respond(control_.requests[i].token, Answer(control_.requests[i].correlation_id)); }
  // One request each on connections of their own.
  void SendEach(size_t count, int16_t key, size_t body = 10) {
    for (size_t i = 0; i < count; ++i) {
      peers_.push_back(Connect());
      const Blob request = Request(key, 0, static_cast<int32_t>(peers_.size()), false, Blob(body, 0));
      size_t sent = 0;
      ASSERT_TRUE(Until([&] { return (sent = peers_.back().Send(request, sent)) == request.size(); }));
      if (i % 64 == 63) reactor_->RunOnce(0);
    }
    Settle();
  }
  size_t Up() const { return control_.requests.size(); }
  std::vector<Peer> peers_;
};

TEST_F(ControlTest, OutOfCreditRequestsWaitInOrderAndNothingElseStops) {
  config_.listen_backlog = 1000;
  Start();
  SendEach(kControlRequests + 3, kMetadata);
  EXPECT_EQ(Up(), kControlRequests);
  // A connection without credit is not read further.
  Peer& last = peers_.back();
  const size_t took = last.Send(Blob(64 << 20, 0));
  EXPECT_LT(took, size_t{64} << 20);
  Settle();
  EXPECT_LT(plane_->stats().bytes_in, 1 << 20);
  // Data and heartbeats go on.
  Peer other = Connect();
  Fill(other);
  EXPECT_EQ(AskFetch(other, 12, {{{"t"}}}).rows.at(0).high_watermark, 1);
  SendEach(1, kHeartbeat);
  ASSERT_EQ(Up(), kControlRequests + 1);
  EXPECT_EQ(control_.requests.back().api_key, kHeartbeat);
  // A credit that returns lets the one in that has waited longest.
  Respond(0);
  ASSERT_TRUE(Until([&] { return Up() == kControlRequests + 2; }));
  EXPECT_EQ(control_.requests.back().correlation_id, static_cast<int32_t>(kControlRequests + 1));
  Settle();
  EXPECT_EQ(Up(), kControlRequests + 2);
  Respond(1);
  plane_->CloseConnection(control_.requests[2].token, "no reason");
  ASSERT_TRUE(Until([&] { return Up() == kControlRequests + 4; }));
  EXPECT_EQ(control_.requests[Up() - 2].correlation_id, static_cast<int32_t>(kControlRequests + 2));
  EXPECT_EQ(control_.requests.back().correlation_id, static_cast<int32_t>(kControlRequests + 3));
}

TEST_F(ControlTest, HeartbeatsHaveABoundOfTheirOwn) {
  config_.listen_backlog = 1000;
  Start();
  SendEach(kHeartbeats + 1, kHeartbeat);
  EXPECT_EQ(Up(), kHeartbeats);
  SendEach(1, kMetadata);
  EXPECT_EQ(Up(), kHeartbeats + 1);
  SendEach(1, kHeartbeat, kHeartbeatBytes + 1);
  EXPECT_EQ(Up(), kHeartbeats + 2) << "a large one counts as any request";
  Respond(0);
  ASSERT_TRUE(Until([&] { return Up() == kHeartbeats + 3; }));
  EXPECT_EQ(control_.requests.back().correlation_id, static_cast<int32_t>(kHeartbeats + 1));
}

TEST_F(ControlTest, BytesAreBoundedTooAndALargeRequestHasItsTurn) {
  Start();
  SendEach(3, kMetadata, 9 << 20);
  EXPECT_EQ(Up(), 3u);
  SendEach(1, kMetadata, 40 << 20);
  SendEach(2, kMetadata, 10);
  EXPECT_EQ(Up(), 3u) << "the small ones do not overtake the large one for ever";
  Respond(0);
  Respond(1);
  Settle();
  EXPECT_EQ(Up(), 3u);
  // It waits without work: nothing asks for another tick. The clock of the test stands still, so no timer is due either.
  Settle();
  const int64_t from_us = io::RealClock().MonotonicUs();
  for (int i = 0; i < 10; ++i) reactor_->RunOnce(10);
  EXPECT_GE(io::RealClock().MonotonicUs() - from_us, 90000);
  Respond(2);
  ASSERT_TRUE(Until([&] { return Up() == 4; }));
  EXPECT_EQ(control_.requests[3].body.size(), size_t{40} << 20);
  Settle();
  EXPECT_EQ(Up(), 4u);
  Respond(3);
  ASSERT_TRUE(Until([&] { return Up() == 6; }));
  Respond(4);
  Respond(5);
  Settle();
  peers_.clear();
  ASSERT_TRUE(Until([&] { return plane_->stats().connections == 0; }));
  EXPECT_EQ(plane_->stats().request_memory, 0);
}

TEST_F(ControlTest, ACreditOutlivesItsClient) {
  config_.listen_backlog = 1000;
  Start();
  SendEach(kControlRequests, kMetadata);
  for (Peer& peer : peers_) {
    linger reset{1, 0};
    ::setsockopt(peer.fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  }
  peers_.clear();
  ASSERT_TRUE(Until([&] { return plane_->stats().connections == 0; }));
  SendEach(1, kMetadata);
  EXPECT_EQ(Up(), kControlRequests) << "clients that come again and again must not fill the control plane";
  Respond(7);
  EXPECT_TRUE(Until([&] { return Up() == kControlRequests + 1; }));
}

TEST_F(ControlTest, ThoseThatWaitForOthersKeepNoCredit) {
  config_.listen_backlog = 1000;
  Start();
  SendEach(kControlRequests, kJoin);
  SendEach(1, kJoin);
  EXPECT_EQ(Up(), kControlRequests);
  plane_->Parked(control_.requests[5].token);
  plane_->Parked(control_.requests[5].token);
  ASSERT_TRUE(Until([&] { return Up() == kControlRequests + 1; }));
  SendEach(1, kJoin);
  EXPECT_EQ(Up(), kControlRequests + 1) << "a credit returns once";
  Respond(5);
  Settle();
  EXPECT_EQ(Up(), kControlRequests + 1);
  EXPECT_EQ(Next(peers_[5]), Answer(6));
  Respond(6);
  EXPECT_TRUE(Until([&] { return Up() == kControlRequests + 2; }));
}

TEST_F(ControlTest, WhatWaitedWasReceivedWhenItCame) {
  config_.listen_backlog = 1000;
  Start();
  SendEach(kHeartbeats, kHeartbeat);
  const int64_t came = clock_.WallMs();
  SendEach(1, kHeartbeat);
  Advance(12345);
  Settle();
  Respond(0);
  ASSERT_TRUE(Until([&] { return Up() == kHeartbeats + 1; }));
  EXPECT_EQ(control_.requests.back().received_ms, came);
}

TEST_F(ControlTest, CaughtUpIsWhenAllThatHadComeIsUp) {
  config_.listen_backlog = 1000;
  Start();
  constexpr size_t kMany = 700;  // more than the kernel tells of at once
  for (size_t i = 0; i < kMany; ++i) {
    peers_.push_back(Connect());
    if (i % 64 == 63) reactor_->RunOnce(0);
  }
  Settle();
  for (size_t i = 0; i < kMany; ++i) peers_[i].Send(Request(kHeartbeat, 0, static_cast<int32_t>(i), false, Blob(10, 0)));
  size_t up_then = 0;
  plane_->WhenCaughtUp([&] { up_then = Up(); });
  ASSERT_TRUE(Until([&] { return up_then > 0; }));
  EXPECT_EQ(up_then, kMany);
  // What waits for a credit has come too.
  SendEach(kHeartbeats - kMany + 1, kHeartbeat);
  bool caught_up = false;
  plane_->WhenCaughtUp([&] { caught_up = true; });
  Settle();
  EXPECT_FALSE(caught_up);
  Respond(0);
  ASSERT_TRUE(Until([&] { return caught_up; }));
  EXPECT_EQ(Up(), kHeartbeats + 1);
}

TEST_F(ControlTest, AClientThatLeavesWhileItWaitsIsForgotten) {
  config_.listen_backlog = 1000;
  Start();
  SendEach(kControlRequests + 2, kMetadata);
  linger reset{1, 0};
  ::setsockopt(peers_[kControlRequests].fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  peers_[kControlRequests].Close();
  ASSERT_TRUE(Until([&] { return plane_->stats().connections == static_cast<int64_t>(kControlRequests + 1); }));
  Respond(0);
  ASSERT_TRUE(Until([&] { return Up() == kControlRequests + 1; }));
  EXPECT_EQ(control_.requests.back().correlation_id, static_cast<int32_t>(kControlRequests + 2));
}

}  // namespace
}  // namespace sluice::kafka::test
