// Connections as clients see them: the control plane's requests, malformed frames, limits, budgets, idleness, the end.
#include <fcntl.h>

#include <map>

#include "kafka/plane_fixture.h"
#include "kafka/wire_reader.h"
#include "net/connection.h"

namespace sluice::kafka::test {
namespace {

class ClientTest : public PlaneFixture {
 protected:
  bool Line(const std::string& part) {
    for (const std::string& line : env_->lines()) {
      if (line.find(part) != std::string::npos) return true;
    }
    return false;
  }
  // The plane's own end of a connection has the peer's address as its remote one.
  int SendBufferOf(const Peer& peer) {
    int result = 0;
    EachSocket([&](int fd, uint16_t remote) {
      sockaddr_in local{};
      socklen_t length = sizeof local;
      ::getsockname(peer.fd(), reinterpret_cast<sockaddr*>(&local), &length);
      if (ntohs(local.sin_port) == remote) result = SendBuffer(fd);
    });
    return result;
  }
  // How many of the plane's sockets have which size.
  std::map<int, int> SendBuffers() {
    std::map<int, int> sizes;
    EachSocket([&](int fd, uint16_t) { ++sizes[SendBuffer(fd)]; });
    return sizes;
  }
  void EachSocket(const std::function<void(int fd, uint16_t remote)>& f) {
    for (int fd = 0; fd < 4096; ++fd) {
      sockaddr_in local{}, remote{};
      socklen_t length = sizeof local;
      if (::getsockname(fd, reinterpret_cast<sockaddr*>(&local), &length) != 0 || local.sin_family != AF_INET || ntohs(local.sin_port) != port_) continue;
      length = sizeof remote;
      if (::getpeername(fd, reinterpret_cast<sockaddr*>(&remote), &length) == 0) f(fd, ntohs(remote.sin_port));
    }
  }
  static int SendBuffer(int fd) {
    int bytes = 0;
    socklen_t length = sizeof bytes;
    ::getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, &length);
    return bytes;
  }
  static Blob Answer(int32_t correlation, const std::string& text) {
    Out out;
    out.I32(correlation).Str(text);
    return out.bytes;
  }
};

TEST_F(ClientTest, RequestsOfOthersGoUpAndComeBack) {
  Start();
  Peer peer = Connect();
  peer.Send(Request(3, 9, 42, true, {1, 2, 3}, "me"));
  ASSERT_TRUE(Until([&] { return control_.requests.size() == 1; }));
  const ControlRequest& request = control_.requests[0];
  EXPECT_EQ(request.api_key, 3);
  EXPECT_EQ(request.api_version, 9);
  EXPECT_EQ(request.correlation_id, 42);
  EXPECT_TRUE(request.has_client_id);
  EXPECT_EQ(request.client_id, "me");
  EXPECT_EQ(request.peer.rfind("127.0.0.1:", 0), 0u);
  EXPECT_EQ(request.listener, 0);
  EXPECT_EQ(request.body, (Blob{1, 2, 3}));
  plane_->Respond(request.token, Answer(42, "hello"));
  EXPECT_EQ(Next(peer), Answer(42, "hello"));
  plane_->Respond(request.token, Answer(42, "twice"));
  plane_->Respond(999999, Answer(42, "nobody"));
  Settle();
  EXPECT_FALSE(peer.Frame().has_value());
}

TEST_F(ClientTest, TheHeaderHasTheFormOfTheRequest) {
  Start();
  Peer peer = Connect();
  peer.Send(Request(3, 8, 1, false, {0, 7}));  // Metadata is flexible from 9: a byte 0 there is the body's
  ASSERT_TRUE(Until([&] { return control_.requests.size() == 1; }));
  EXPECT_EQ(control_.requests[0].body, (Blob{0, 7}));
  Out null_client;
  null_client.I16(12).I16(3).I32(7).NullStr().I8(5);
  Peer other = Connect();
  other.Send(Framed(null_client.bytes));
  ASSERT_TRUE(Until([&] { return control_.requests.size() == 2; }));
  EXPECT_FALSE(control_.requests[1].has_client_id);
  EXPECT_EQ(control_.requests[1].body, Blob{5});
}

TEST_F(ClientTest, ApiVersionsOfTheFutureGoesUp) {
  Start();
  Peer peer = Connect();
  peer.Send(Request(18, 99, 42, true, {1, 2}));
  ASSERT_TRUE(Until([&] { return control_.requests.size() == 1; }));
  EXPECT_EQ(control_.requests[0].api_version, 99);
  EXPECT_EQ(control_.requests[0].correlation_id, 42);
  Peer odd = Connect();
  Out header;
  header.I16(18).I16(77).I32(43).I16(1000);  // a client id that is not there
  odd.Send(Framed(header.bytes));
  ASSERT_TRUE(Until([&] { return control_.requests.size() == 2; }));
  EXPECT_EQ(control_.requests[1].correlation_id, 43);
}

TEST_F(ClientTest, AnswersKeepTheOrderOfRequests) {
  Start();
  Peer peer = Connect();
  Blob all = Produce(9, 1, -1, {{"t", {}, 0, MakeBatch()}});
  for (const Blob& more : {Request(3, 9, 2, true, {}), Produce(9, 3, -1, {{"t", {}, 0, MakeBatch()}}), Request(12, 4, 4, true, {})}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  writer_.hold = true;
  peer.Send(all);
  ASSERT_TRUE(Until([&] { return control_.requests.size() == 1; }));
  EXPECT_EQ(LogOf(1, 0)->next_offset().v, 1) << "the second Produce must wait for the control plane";
  plane_->Respond(control_.requests[0].token, Answer(2, "b"));
  ASSERT_TRUE(Until([&] { return control_.requests.size() == 2; }));
  plane_->Respond(control_.requests[1].token, Answer(4, "d"));
  Settle0();
  EXPECT_FALSE(peer.Frame().has_value()) << "the first answer waits for the disk, and so do those behind it";
  writer_.Release();
  EXPECT_EQ(ReadProduce(9, Next(peer)).correlation, 1);
  EXPECT_EQ(Next(peer), Answer(2, "b"));
  EXPECT_EQ(ReadProduce(9, Next(peer)).correlation, 3);
  EXPECT_EQ(Next(peer), Answer(4, "d"));
}

TEST_F(ClientTest, TheControlPlaneMayCloseInstead) {
  Start();
  Peer peer = Connect();
  peer.Send(Request(3, 9, 1, true, {}));
  ASSERT_TRUE(Until([&] { return control_.requests.size() == 1; }));
  plane_->CloseConnection(control_.requests[0].token, "no reason");
  EXPECT_TRUE(Ends(peer));
  EXPECT_TRUE(Line("no reason"));
  ASSERT_EQ(control_.gone.size(), 1u);
  EXPECT_EQ(control_.gone[0], control_.requests[0].connection);
}

TEST_F(ClientTest, APeerThatLeavesVoidsItsTokens) {
  Start();
  {
    Peer peer = Connect();
    peer.Send(Request(11, 5, 1, false, {}));
    ASSERT_TRUE(Until([&] { return control_.requests.size() == 1; }));
    linger reset{1, 0};
    ::setsockopt(peer.fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  }
  ASSERT_TRUE(Until([&] { return control_.gone.size() == 1; }));
  plane_->Respond(control_.requests[0].token, Answer(1, "late"));
  Settle();
  EXPECT_EQ(plane_->stats().connections, 0);
  EXPECT_EQ(plane_->stats().request_memory, 0);
}

TEST_F(ClientTest, MalformedRequestsCloseTheirConnectionOnly) {
  config_.max_request_bytes = 10000;
  Start();
  Peer good = Connect();
  const Blob produce = Produce(9, 1, -1, {{"t", {}, 0, MakeBatch()}});
  const Blob fetch = Fetch(12, 1, {{{"t"}}});
  std::vector<std::pair<std::string, Blob>> table = {
      {"negative size", {0xff, 0xff, 0xff, 0xff}},
      {"size 0", {0, 0, 0, 0}},
      {"size beyond the limit", {0, 0, 0x27, 0x11}},
      {"an HTTP request", {'G', 'E', 'T', ' ', '/', ' ', 'H', 'T', 'T', 'P'}},
      {"a header cut short", Framed({0, 0, 0, 9, 0})},
      {"a client id that is not there", Framed({0, 3, 0, 1, 0, 0, 0, 1, 0, 99})},
      {"an unknown key", Request(9999, 0, 1, true, {})},
      {"a negative key", Request(-1, 0, 1, true, {})},
      {"a key that is not served", Request(4, 0, 1, false, {})},
      {"an old version", Request(0, 2, 1, false, {})},
      {"a new version", Request(0, 14, 1, true, {})},
      {"Produce with nothing", Request(0, 9, 1, true, {})},
      {"Fetch with nothing", Request(1, 12, 1, true, {})},
      {"a million topics", Request(0, 3, 1, false, Out().NullStr().I16(1).I32(1).I32(1000000).bytes)},
      {"minus one topics", Request(0, 3, 1, false, Out().NullStr().I16(1).I32(1).I32(-1).bytes)},
      {"a records length that lies", Request(0, 3, 1, false, Out().NullStr().I16(1).I32(1).I32(1).Str("t").I32(1).I32(0).I32(5000).bytes)},
      {"a varint without end", Request(0, 9, 1, true, {0, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})},
  };
  for (size_t cut = 1; cut < produce.size() - 4; cut += 7) {
    Blob part(produce.begin() + 4, produce.begin() + 4 + static_cast<ptrdiff_t>(cut));
    table.emplace_back("Produce cut to " + std::to_string(cut), Framed(part));
  }
  for (size_t cut = 1; cut < fetch.size() - 4; cut += 5) {
    Blob part(fetch.begin() + 4, fetch.begin() + 4 + static_cast<ptrdiff_t>(cut));
    table.emplace_back("Fetch cut to " + std::to_string(cut), Framed(part));
  }
  for (const auto& [what, bytes] : table) {
    SCOPED_TRACE(what);
    Peer bad = Connect();
    bad.Send(bytes);
    EXPECT_TRUE(Ends(bad));
    EXPECT_EQ(bad.unread(), 0u);
  }
  EXPECT_TRUE(Line("connection from 127.0.0.1:"));
  EXPECT_EQ(LogOf(1, 0)->next_offset().v, 0);
  Fill(good);
}

TEST_F(ClientTest, LinesAboutPeersAreRateLimited) {
  Start();
  const size_t before = env_->lines().size();
  for (int i = 0; i < 100; ++i) {
    Peer bad = Connect();
    bad.Send({0, 0, 0, 0});
    EXPECT_TRUE(Ends(bad));
  }
  const size_t first = env_->lines().size() - before;
  EXPECT_LT(first, 100u);  // the bursts of a slow machine may span seconds
  Advance(2000);
  Peer bad = Connect();
  bad.Send({0, 0, 0, 0});
  EXPECT_TRUE(Ends(bad));
  EXPECT_TRUE(Line("were left out"));
}

TEST_F(ClientTest, IdleConnectionsAreClosedBusyOnesAreNot) {
  config_.idle_ms = 10000;
  Start();
  Peer idle = Connect(), waiting = Connect(), asking = Connect();
  FetchSpec spec;
  spec.rows = {{"t"}};
  spec.max_wait_ms = 1000000000;
  waiting.Send(Fetch(12, 1, spec));
  asking.Send(Request(11, 5, 1, false, {}));
  Settle();
  Advance(9000);
  Settle();
  EXPECT_FALSE(idle.ended());
  Advance(2000);
  EXPECT_TRUE(Ends(idle));
  Advance(20000);
  Settle();
  EXPECT_FALSE(waiting.ended());
  EXPECT_FALSE(asking.ended());
  plane_->Respond(control_.requests.at(0).token, Answer(1, "x"));
  EXPECT_EQ(Next(asking), Answer(1, "x"));
  Advance(20000);
  EXPECT_TRUE(Ends(asking));
}

TEST_F(ClientTest, AtMostSoManyFromOneHost) {
  config_.max_connections_per_ip = 2;
  Start();
  Peer a = Connect();
  std::optional<Peer> b(Connect());
  Settle();
  Peer c = Connect();
  EXPECT_TRUE(Ends(c));
  Fill(a);
  b.reset();
  ASSERT_TRUE(Until([&] { return plane_->stats().connections == 1; }));
  Peer d = Connect();
  Fill(d);
}

TEST_F(ClientTest, OneHostMayHaveALimitOfItsOwn) {
  config_.max_connections_per_ip = 0;
  config_.per_ip_overrides = {{"127.0.0.1", 2}};
  Start();
  Peer a = Connect(), b = Connect();
  Settle();
  Peer c = Connect();
  EXPECT_TRUE(Ends(c));
  Fill(a);
  Fill(b);
  config_.per_ip_overrides = {{"127.0.0.9", 2}};
  plane_->SetConfig(config_);
  Peer d = Connect();
  EXPECT_TRUE(Ends(d));
  Fill(a);
}

TEST_F(ClientTest, AtMostSoManyInASecondTheOthersWait) {
  config_.max_connection_rate = 3;
  Start();
  std::vector<Peer> peers;
  for (int i = 0; i < 8; ++i) peers.push_back(Connect());
  Settle();
  EXPECT_EQ(plane_->stats().connections, 3);
  Advance(1000);
  Settle();
  EXPECT_EQ(plane_->stats().connections, 6);
  Fill(peers[5]);
  EXPECT_FALSE(peers[7].ended());
  config_.max_connection_rate = 1000;
  plane_->SetConfig(config_);
  Settle();
  EXPECT_EQ(plane_->stats().connections, 8);
}

TEST_F(ClientTest, WhoReadsHasALargeSendBuffer) {
  config_.socket_memory_bytes = 3 * 2 * 102400;
  Start();
  Peer filler = Connect();
  for (int i = 0; i < 10; ++i) Fill(filler, 1, 900000);
  std::vector<Peer> more;
  for (int i = 0; i < 9; ++i) more.push_back(Connect());
  Settle();
  const int whole = 2 * 102400, small = 2 * net::kSmallSendBuffer;
  EXPECT_EQ(SendBuffers(), (std::map<int, int>{{whole, 3}, {small, 7}}));
  // One of those that came too late reads what fills its buffer: it gets a whole one, and who has not read for longest makes do.
  const FetchSpec all{{{"t", Blob(16), 0, 0, 1 << 26}}};
  EXPECT_EQ(AskFetch(more[8], 12, all).rows.at(0).high_watermark, 10);
  EXPECT_EQ(SendBufferOf(more[8]), whole);
  EXPECT_EQ(SendBuffers(), (std::map<int, int>{{whole, 3}, {small, 7}}));
  // One that does not read does not.
  more[7].Send(Fetch(12, 1, all));
  Settle();
  EXPECT_EQ(SendBufferOf(more[7]), small);
  more.clear();
  ASSERT_TRUE(Until([&] { return plane_->stats().connections == 1; }));
  Peer next = Connect();
  Settle();
  EXPECT_EQ(SendBufferOf(next), whole);
}

TEST_F(ClientTest, WhoReadsLargeAnswersHasALargerSendBufferWhereThereIsRoom) {
  Start();
  Peer filler = Connect();
  for (int i = 0; i < 10; ++i) Fill(filler, 1, 900000);
  Peer reader = Connect();
  Settle();
  EXPECT_EQ(SendBufferOf(reader), 2 * 102400);
  EXPECT_EQ(AskFetch(reader, 12, {{{"t", Blob(16), 0, 0, 1 << 26}}}).rows.at(0).high_watermark, 10);
  EXPECT_EQ(SendBufferOf(reader), 2 * (384 << 10));
  EXPECT_EQ(SendBufferOf(filler), 2 * 102400);
}

TEST_F(ClientTest, AnswersThatNobodyReadsAreBounded) {
  config_.response_memory_bytes = 4 << 20;
  config_.send_buffer_bytes = 16384;
  Start();
  Peer good = Connect();
  Fill(good);
  // Each asks for one large answer after the other, and reads none.
  std::vector<Peer> deaf;
  size_t answered = 0;
  const auto answer = [&] {
    for (; answered < control_.requests.size(); ++answered) {
      Blob bytes = Answer(control_.requests[answered].correlation_id, "");
      bytes.resize(300000);
      plane_->Respond(control_.requests[answered].token, bytes);
    }
  };
  for (int i = 0; i < 60; ++i) {
    deaf.push_back(Connect());
    for (int k = 0; k < 10; ++k) deaf.back().Send(Request(3, 9, k, true, {}));
    for (int tick = 0; tick < 5; ++tick) {
      reactor_->RunOnce(0);
      answer();
      EXPECT_LE(plane_->stats().response_memory, 6 << 20);
    }
  }
  // Until their sockets take no more, too.
  do {
    answer();
    Settle();
  } while (answered < control_.requests.size());
  EXPECT_TRUE(Line("does not read"));
  EXPECT_GT(plane_->stats().connections, 5);
  Fill(good);
  // Those who do read get theirs.
  Peer reader = Connect();
  reader.Send(Request(3, 9, 77, true, {}));
  std::optional<Blob> got;
  // Only they are answered: the others, who ask for more as soon as one of them is closed, have not shown yet that they do not read.
  ASSERT_TRUE(Until([&] {
    for (; answered < control_.requests.size(); ++answered) {
      if (control_.requests[answered].correlation_id != 77) continue;
      Blob bytes = Answer(77, "");
      bytes.resize(300000);
      plane_->Respond(control_.requests[answered].token, bytes);
    }
    return (got = reader.Frame()).has_value() || reader.ended();
  }));
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(got->size(), 300000u);
  deaf.clear();
  ASSERT_TRUE(Until([&] { return plane_->stats().connections == 2; }));
  EXPECT_EQ(plane_->stats().response_memory, 0);
}

TEST_F(ClientTest, LargeAnswersBehindAnUnfinishedOneAreBounded) {
  Start();
  Peer peer = Connect();
  writer_.hold = true;
  peer.Send(Produce(9, 1, -1, {{"t", {}, 0, MakeBatch()}}));
  for (int k = 0; k < 50; ++k) peer.Send(Request(3, 9, k, true, {}));
  for (size_t answered = 0; answered < control_.requests.size() || answered == 0;) {
    ASSERT_TRUE(Until([&] { return control_.requests.size() > answered; }));
    Blob bytes = Answer(control_.requests[answered].correlation_id, "");
    bytes.resize(400000);
    plane_->Respond(control_.requests[answered++].token, bytes);
    Settle0();
  }
  EXPECT_EQ(control_.requests.size(), 3u);
  writer_.Release();
  EXPECT_EQ(ReadProduce(9, Next(peer)).rows.at(0).error, 0);
  for (int k = 0; k < 50; ++k) {
    if (k >= 3) {
      std::optional<Blob> frame;
      ASSERT_TRUE(Until([&] { return control_.requests.size() > static_cast<size_t>(k); }));
      plane_->Respond(control_.requests[static_cast<size_t>(k)].token, Answer(k, ""));
    }
    const Blob answer = Next(peer);
    EXPECT_EQ(In(answer, false).I32(), k);
  }
}

TEST_F(ClientTest, AtMostSoManyInAllTheOthersWait) {
  config_.max_connections = 2;
  Start();
  std::optional<Peer> a(Connect());
  Peer b = Connect();
  ASSERT_TRUE(Until([&] { return plane_->stats().connections == 2; }));
  Peer c = Connect();
  c.Send(Produce(9, 1, -1, {{"t", {}, 0, MakeBatch()}}));
  Settle();
  EXPECT_EQ(plane_->stats().connections, 2);
  EXPECT_FALSE(c.ended());
  a.reset();
  EXPECT_EQ(ReadProduce(9, Next(c)).rows.at(0).error, 0);
  // More at run time, without anybody leaving.
  Peer d = Connect();
  d.Send(Produce(9, 1, -1, {{"t", {}, 0, MakeBatch()}}));
  Settle();
  EXPECT_EQ(plane_->stats().connections, 2);
  config_.max_connections = 3;
  plane_->SetConfig(config_);
  EXPECT_EQ(ReadProduce(9, Next(d)).rows.at(0).error, 0);
}

TEST_F(ClientTest, HalfSentRequestsDoNotStarveOthers) {
  config_.request_memory_bytes = 4 << 20;
  log_config_.max_message_bytes = 8 << 20;
  Start();
  // Many large requests, each missing its end, take all the memory there is.
  const Blob large = Produce(9, 7, -1, {{"t", {}, 0, MakeBatch(1, 1 << 20)}});
  std::vector<Peer> half;
  std::vector<size_t> sent;
  for (int i = 0; i < 12; ++i) {
    half.push_back(Connect());
    sent.push_back(0);
  }
  const Blob most(large.begin(), large.end() - 10);
  for (int round = 0; round < 200; ++round) {
    for (size_t i = 0; i < half.size(); ++i) sent[i] = half[i].Send(most, sent[i]);
    reactor_->RunOnce(0);
  }
  EXPECT_LE(plane_->stats().request_memory, (4 << 20) + (2 << 20));
  // Small requests have a share of their own.
  Peer small = Connect();
  Fill(small);
  Fill(small);
  // And all of the large ones can be finished.
  EXPECT_TRUE(Until([&] {
    bool all = true;
    for (size_t i = 0; i < half.size(); ++i) all &= (sent[i] = half[i].Send(large, sent[i])) == large.size();
    return all;
  }));
  for (Peer& peer : half) EXPECT_EQ(ReadProduce(9, Next(peer)).rows.at(0).error, 0);
  Settle();
  EXPECT_EQ(plane_->stats().request_memory, 0);
}

TEST_F(ClientTest, ARequestThatStallsWhileMemoryIsShortIsClosed) {
  config_.request_memory_bytes = 1 << 20;
  log_config_.max_message_bytes = 8 << 20;
  Start();
  const Blob large = Produce(9, 7, -1, {{"t", {}, 0, MakeBatch(1, 3 << 20)}});
  Peer stalls = Connect(), wants = Connect();
  const Blob half(large.begin(), large.begin() + (2 << 20));
  size_t a = 0, b = 0;
  ASSERT_TRUE(Until([&] { return (a = stalls.Send(half, a)) == half.size(); }));
  for (int i = 0; i < 100; ++i) {
    b = wants.Send(large, b);
    reactor_->RunOnce(0);
  }
  Advance(12000);
  EXPECT_TRUE(Ends(stalls));
  EXPECT_TRUE(Line("others wait for"));
  ASSERT_TRUE(Until([&] { return (b = wants.Send(large, b)) == large.size(); }));
  EXPECT_EQ(ReadProduce(9, Next(wants)).rows.at(0).error, 0);
}

TEST_F(ClientTest, ARequestThatDribblesWhileMemoryIsShortIsClosed) {
  config_.request_memory_bytes = 1 << 20;
  log_config_.max_message_bytes = 8 << 20;
  Start();
  const Blob large = Produce(9, 7, -1, {{"t", {}, 0, MakeBatch(1, 3 << 20)}});
  Peer dribbles = Connect(), wants = Connect();
  const Blob half(large.begin(), large.begin() + (2 << 20));
  size_t a = 0, b = 0;
  ASSERT_TRUE(Until([&] { return (a = dribbles.Send(half, a)) == half.size(); }));
  for (int i = 0; i < 100; ++i) {
    b = wants.Send(large, b);
    reactor_->RunOnce(0);
  }
  for (int second = 0; second < 25 && !dribbles.ended(); ++second) {
    dribbles.Send(Blob{0});  // never idle
    Advance(1000);
    Settle();
  }
  EXPECT_TRUE(dribbles.ended());
  ASSERT_TRUE(Until([&] { return (b = wants.Send(large, b)) == large.size(); }));
  EXPECT_EQ(ReadProduce(9, Next(wants)).rows.at(0).error, 0);
}

TEST_F(ClientTest, LargeRequestsThatAreWorkedOnDoNotAddUpBesideTheTotal) {
  config_.request_memory_bytes = 1 << 20;
  log_config_.max_message_bytes = 8 << 20;
  Start();
  // The disk stands still and the journal is full: what has come in stays where it is.
  writer_.hold = true;
  std::vector<Peer> fillers;
  std::vector<size_t> filled(3, 0);
  for (int i = 0; i < 3; ++i) fillers.push_back(Connect());
  Blob stream;
  for (int i = 0; i < 400; ++i) {
    const Blob one = Produce(9, i, -1, {{"t", {}, 1, MakeBatch(1, 60000)}});
    stream.insert(stream.end(), one.begin(), one.end());
  }
  const auto fill = [&] {
    for (size_t i = 0; i < 3; ++i) {
      filled[i] = fillers[i].Send(stream, filled[i]);
      fillers[i].Drain();
    }
  };
  ASSERT_TRUE(Until([&] {
    fill();
    return !dir_->HasRoom();
  }));
  const Blob large = Produce(9, 7, -1, {{"t", {}, 0, MakeBatch(1, 3 << 20)}});
  std::vector<Peer> peers;
  std::vector<size_t> sent(5, 0);
  for (int i = 0; i < 5; ++i) peers.push_back(Connect());
  for (int round = 0; round < 300; ++round) {
    for (size_t i = 0; i < peers.size(); ++i) sent[i] = peers[i].Send(large, sent[i]);
    reactor_->RunOnce(0);
  }
  EXPECT_LE(plane_->stats().request_memory, (1 << 20) + (4 << 20));
  writer_.Release();
  EXPECT_TRUE(Until([&] {
    fill();
    bool all = true;
    for (size_t i = 0; i < peers.size(); ++i) all &= (sent[i] = peers[i].Send(large, sent[i])) == large.size();
    return all;
  }));
  for (Peer& peer : peers) EXPECT_EQ(ReadProduce(9, Next(peer)).rows.at(0).error, 0);
}

TEST_F(ClientTest, MemoryIsNotReservedByAnAnnouncement) {
  Start();
  std::vector<Peer> peers;
  for (int i = 0; i < 50; ++i) {
    peers.push_back(Connect());
    peers.back().Send({0x06, 0x00, 0x00, 0x00, 0, 0, 0, 9});  // 100 MB are announced
  }
  Settle();
  EXPECT_EQ(plane_->stats().connections, 50);
  EXPECT_LE(plane_->stats().request_memory, 50 * 8192);
}

TEST_F(ClientTest, APeerThatSendsNoMoreGetsWhatItWaitsFor) {
  Start();
  Peer peer = Connect();
  FetchSpec spec;
  spec.rows = {{"t"}};
  spec.max_wait_ms = 1000000000;
  peer.Send(Fetch(12, 1, spec));
  ASSERT_TRUE(Until([&] { return plane_->stats().waiting == 1; }));
  peer.HalfClose();
  EXPECT_EQ(ReadFetch(12, Next(peer)).correlation, 1);
  EXPECT_TRUE(Ends(peer));
}

TEST_F(ClientTest, APeerThatSendsNoMoreGetsTheAnswersThatAreUnderWay) {
  Start();
  Peer peer = Connect();
  Blob all = Produce(9, 1, -1, {{"t", {}, 0, MakeBatch()}});
  const Blob second = Produce(9, 2, -1, {{"t", {}, 0, MakeBatch()}});
  all.insert(all.end(), second.begin(), second.end());
  all.insert(all.end(), second.begin(), second.end() - 5);   // and one that will never be whole
  writer_.hold = true;
  peer.Send(all);
  peer.HalfClose();
  ASSERT_TRUE(Until([&] { return LogOf(1, 0)->next_offset().v == 2; }));
  Settle0();
  EXPECT_FALSE(peer.ended());
  writer_.Release();
  EXPECT_EQ(ReadProduce(9, Next(peer)).correlation, 1);
  EXPECT_EQ(ReadProduce(9, Next(peer)).correlation, 2);
  EXPECT_TRUE(Ends(peer));
  EXPECT_FALSE(peer.Frame().has_value());
  EXPECT_EQ(LogOf(1, 0)->next_offset().v, 2);
  ASSERT_TRUE(Until([&] { return plane_->stats().connections == 0; }));
  EXPECT_EQ(plane_->stats().request_memory, 0);
}

TEST_F(ClientTest, APeerThatSendsNoMoreGetsAllOfALongAnswer) {
  log_config_.max_message_bytes = 8 << 20;
  Start();
  Peer filler = Connect();
  for (int i = 0; i < 24; ++i) Fill(filler, 1, 1 << 20);
  Peer peer = Connect();
  FetchSpec spec;
  spec.rows = {{"t"}};
  spec.rows[0].max_bytes = 50 << 20;
  peer.Send(Fetch(12, 1, spec));
  ASSERT_TRUE(Until([&] { return plane_->stats().bytes_out > (32 << 10); }));
  Settle();
  peer.HalfClose();
  const FetchReply reply = ReadFetch(12, Next(peer));
  EXPECT_GT(reply.rows.at(0).records->size(), size_t{20} << 20);
  EXPECT_TRUE(Ends(peer));
}

TEST_F(ClientTest, APeerThatSendsNoMoreAndDoesNotReadIsIdle) {
  config_.idle_ms = 10000;
  log_config_.max_message_bytes = 8 << 20;
  Start();
  Peer filler = Connect();
  Fill(filler, 1, 900000);   // more than the sockets take, and not so much that it is not read
  filler.Close();
  ASSERT_TRUE(Until([&] { return plane_->stats().connections == 0; }));
  Peer peer = Connect();
  FetchSpec spec;
  spec.rows = {{"t"}};
  peer.Send(Fetch(12, 1, spec));
  peer.HalfClose();
  ASSERT_TRUE(Until([&] { return plane_->stats().bytes_out > (32 << 10); }));
  Settle();
  EXPECT_EQ(plane_->stats().connections, 1);
  Advance(12000);
  EXPECT_TRUE(Until([&] { return plane_->stats().connections == 0; }));
}

// A held connection keeps what it has sent, not the memory of the largest request that it once sent.
TEST_F(ClientTest, WhoWaitsKeepsNoMoreMemoryThanItsBytes) {
  log_config_.max_message_bytes = 64 << 20;
  Start();
  Peer peer = Connect();
  FetchSpec spec;
  spec.rows = {{"t"}};
  spec.max_wait_ms = INT32_MAX;
  Blob all = Produce(9, 1, -1, {{"nope", {}, 0, MakeBatch(1, 40 << 20)}});
  for (const Blob& more : {Fetch(12, 2, spec), Blob{0, 0, 16, 0, 0, 0}}) all.insert(all.end(), more.begin(), more.end());
  size_t sent = 0;
  ASSERT_TRUE(Until([&] { return (sent = peer.Send(all, sent)) == all.size(); }));
  ASSERT_TRUE(Until([&] { return plane_->stats().waiting == 1; }));
  Settle();
  EXPECT_LE(plane_->stats().request_memory, 64 << 10);
}

// It is in the middle of a large request when it stops reading its answers.
TEST_F(ClientTest, WhoDoesNotReadItsAnswersKeepsNoMemoryFromOthers) {
  config_.request_memory_bytes = 1 << 20;
  log_config_.max_message_bytes = 8 << 20;
  Start();
  Peer filler = Connect();
  for (int i = 0; i < 24; ++i) Fill(filler, 1, 1 << 20);
  const Blob large = Produce(9, 7, -1, {{"t", {}, 0, MakeBatch(1, 3 << 20)}});
  Peer rude = Connect(), wants = Connect();
  FetchSpec spec;
  spec.rows = {{"t"}};
  spec.rows[0].max_bytes = 50 << 20;
  Blob all = Fetch(12, 1, spec);
  all.insert(all.end(), large.begin(), large.begin() + (2 << 20));
  size_t a = 0, b = 0;
  for (int i = 0; i < 300; ++i) {
    a = rude.Send(all, a);
    reactor_->RunOnce(0);
  }
  for (int i = 0; i < 100; ++i) {
    b = wants.Send(large, b);
    reactor_->RunOnce(0);
  }
  std::optional<Blob> answer;
  for (int second = 0; second < 45 && !answer; ++second) {
    Advance(1000);
    Settle();
    b = wants.Send(large, b);
    answer = wants.Frame();
  }
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(ReadProduce(9, *answer).rows.at(0).error, 0);
  EXPECT_TRUE(Line("others wait for"));
}

TEST_F(ClientTest, AnyIdleTimeEndsTheLookForTheIdle) {
  for (int64_t ms : {int64_t{0}, INT64_MAX, int64_t{-1}}) {
    SCOPED_TRACE(ms);
    config_.idle_ms = ms;
    if (plane_) {
      plane_->SetConfig(config_);
    } else {
      Start();
    }
    Peer waiting = Connect(), idle = Connect();
    FetchSpec spec;
    spec.rows = {{"t"}};
    spec.max_wait_ms = 1000000000;
    waiting.Send(Fetch(12, 1, spec));
    ASSERT_TRUE(Until([&] { return plane_->stats().waiting == 1; }));
    Advance(2000);
    Settle();
    EXPECT_FALSE(waiting.ended());
    EXPECT_EQ(idle.ended(), ms == 0);
    waiting.Close();
    idle.Close();
    ASSERT_TRUE(Until([&] { return plane_->stats().connections == 0; }));
  }
}

TEST_F(ClientTest, NobodyIsLetInWhereNobodyMayBe) {
  config_.max_connections = 0;
  Start();
  Peer peer = Connect();
  Settle();
  EXPECT_EQ(plane_->stats().connections, 0);
  config_.max_connections = 1;
  plane_->SetConfig(config_);
  EXPECT_TRUE(Until([&] { return plane_->stats().connections == 1; }));
}

// Three bytes on the wire are a topic without partitions, and many times that in memory.
TEST_F(ClientTest, ARequestNamesABoundedNumberOfTopics) {
  Start();
  for (size_t count : {kMaxRows + 1, kMaxRows}) {
    SCOPED_TRACE(count);
    Out produce(true), fetch(true), forget(true);
    produce.Varint(0).I16(-1).I32(1000);
    for (Out* out : {&fetch, &forget}) out->I32(-1).I32(0).I32(0).I32(1000).I8(0).I32(0).I32(-1);
    // Each: a name of no bytes, no partition, no tags.
    Blob each(count * 3, 0);
    for (size_t i = 0; i < each.size(); i += 3) each[i] = each[i + 1] = 1;
    produce.Varint(static_cast<uint32_t>(count) + 1).Raw(each).Varint(0);
    fetch.Varint(static_cast<uint32_t>(count) + 1).Raw(each).Varint(1).Varint(1).Varint(0);
    forget.Varint(1).Varint(static_cast<uint32_t>(count) + 1).Raw(each).Varint(1).Varint(0);
    for (const auto& [key, version, body] : {std::tuple{0, 9, produce.bytes}, std::tuple{1, 12, fetch.bytes}, std::tuple{1, 12, forget.bytes}}) {
      Peer peer = Connect();
      const Blob request = Request(static_cast<int16_t>(key), static_cast<int16_t>(version), 1, true, body);
      size_t sent = 0;
      ASSERT_TRUE(Until([&] { return (sent = peer.Send(request, sent)) == request.size(); }));
      if (count > kMaxRows) {
        EXPECT_TRUE(Ends(peer));
      } else {
        EXPECT_FALSE(Next(peer).empty());
      }
    }
  }
}

TEST_F(ClientTest, CloseAllAnswersWhatIsInFlight) {
  Start();
  Peer producer = Connect(), consumer = Connect(), idle = Connect();
  writer_.hold = true;
  producer.Send(Produce(9, 1, -1, {{"t", {}, 0, MakeBatch()}}));
  FetchSpec spec;
  spec.rows = {{"t"}};
  spec.max_wait_ms = 1000000000;
  consumer.Send(Fetch(12, 1, spec));
  Settle0();
  plane_->StopAccepting();
  plane_->CloseAll();
  EXPECT_TRUE(Ends(idle));
  EXPECT_EQ(ReadFetch(12, Next(consumer)).correlation, 1);
  EXPECT_TRUE(Ends(consumer));
  writer_.Release();
  EXPECT_EQ(ReadProduce(9, Next(producer)).rows.at(0).error, 0);
  EXPECT_TRUE(Ends(producer));
  EXPECT_EQ(plane_->stats().connections, 0);
}

TEST_F(ClientTest, CloseAllGivesUpAtLast) {
  Start();
  Peer producer = Connect();
  writer_.hold = true;
  producer.Send(Produce(9, 1, -1, {{"t", {}, 0, MakeBatch()}}));
  Settle0();
  plane_->CloseAll();
  Settle0();
  EXPECT_FALSE(producer.ended());
  Advance(3000);
  EXPECT_TRUE(Ends(producer));
}

TEST_F(ClientTest, APortInUseIsNamed) {
  Start();
  Result<std::vector<uint16_t>> again = plane_->Listen({{"PLAINTEXT", "127.0.0.1", port_}});
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.code(), Code::kIo);
  EXPECT_NE(again.status().what().find("in use"), std::string::npos);
  EXPECT_NE(again.status().what().find("127.0.0.1:" + std::to_string(port_)), std::string::npos);
}

TEST_F(ClientTest, ThePlaneMayGoWhileEverythingWaits) {
  log_config_.compression = static_cast<int8_t>(batch::Codec::kGzip);
  Start();
  Peer a = Connect(), b = Connect(), c = Connect(), d = Connect();
  FetchSpec spec;
  spec.rows = {{"t"}};
  spec.max_wait_ms = 1000000000;
  a.Send(Fetch(12, 1, spec));
  b.Send(Request(3, 9, 42, true, {1, 2, 3}));
  c.Send(Produce(9, 1, -1, {{"t", {}, 0, MakeBatch(100, 10000)}}));
  d.Send({0, 0, 9, 9, 1});
  ASSERT_TRUE(Until([&] { return control_.requests.size() == 1 && env_->pool().pending() > 0; }));
  plane_.reset();
  EXPECT_TRUE(Until([&] { return env_->pool().pending() == 0; }));
}

}  // namespace
}  // namespace sluice::kafka::test
