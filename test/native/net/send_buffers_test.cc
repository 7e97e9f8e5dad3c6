// Who has a send buffer of which size, with real sockets and a clock of its own.
#include "net/send_buffers.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <map>
#include <memory>
#include <vector>

#include "io/socket.h"

namespace sluice::net {
namespace {

constexpr int kFirst = 100 << 10, kLarge = 300 << 10;
constexpr int64_t kSecond = 1000000;

class SendBuffersTest : public ::testing::Test {
 protected:
  struct Client {
    io::Fd here, there;
    std::unique_ptr<SendBuffer> buffer;
  };

  // As many as have the first size at once.
  void Room(int first_sizes) { buffers_.Configure(kFirst, kLarge, int64_t{2} * kFirst * first_sizes); }
  Client& Connect() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    auto client = std::make_unique<Client>();
    client->here = io::Fd(ends[0]);
    client->there = io::Fd(ends[1]);
    client->buffer = std::make_unique<SendBuffer>(buffers_, client->here.get());
    buffers_.Begin(client->buffer.get(), now_);
    clients_.push_back(std::move(client));
    return *clients_.back();
  }
  void Reads(Client& client) { buffers_.Drained(client.buffer.get(), now_); }
  // Has an answer of half its buffer, and reads none of it.
  void IsDeaf(Client& client) {
    const std::vector<uint8_t> answer(static_cast<size_t>(SizeOf(client) / 2));
    EXPECT_GT(io::Send(client.here.get(), answer, false), 0);
  }
  // As it was asked for: the kernel says twice that.
  static int SizeOf(const Client& client) {
    int bytes = 0;
    socklen_t length = sizeof bytes;
    ::getsockopt(client.here.get(), SOL_SOCKET, SO_SNDBUF, &bytes, &length);
    return bytes / 2;
  }
  std::map<int, int> Sizes() const {
    std::map<int, int> sizes;
    for (const auto& client : clients_) ++sizes[SizeOf(*client)];
    return sizes;
  }

  SendBuffers buffers_;
  std::vector<std::unique_ptr<Client>> clients_;
  int64_t now_ = 1000 * kSecond;
};

TEST_F(SendBuffersTest, WhoReadsLargeAnswersGetsTheLargeSizeWhileThereIsRoom) {
  Room(6);
  Client& a = Connect();
  Client& b = Connect();
  Client& c = Connect();
  EXPECT_EQ(Sizes(), (std::map<int, int>{{kFirst, 3}}));
  Reads(a);
  EXPECT_EQ(SizeOf(a), kLarge);
  Reads(b);
  EXPECT_EQ(SizeOf(b), kFirst) << "there is room for one more of the first size only";
  Client& d = Connect();
  EXPECT_EQ(SizeOf(d), kFirst);
  EXPECT_EQ(SizeOf(Connect()), kSmallSendBuffer);
  // With who goes its buffer does.
  a.buffer.reset();
  Reads(c);
  EXPECT_EQ(SizeOf(c), kLarge);
}

TEST_F(SendBuffersTest, WhoHasReadNothingLargeForAWhileLeavesTheLargeSizeToOthers) {
  Room(6);
  Client& a = Connect();
  Reads(a);
  Client& b = Connect();
  Client& c = Connect();
  now_ += 9 * kSecond;
  Reads(b);
  EXPECT_EQ(SizeOf(a), kLarge);
  EXPECT_EQ(SizeOf(b), kFirst);
  now_ += 9 * kSecond;
  Reads(b);
  EXPECT_EQ(SizeOf(a), kSmallSendBuffer);
  EXPECT_EQ(SizeOf(b), kLarge);
  EXPECT_EQ(SizeOf(c), kFirst);
}

TEST_F(SendBuffersTest, ForTheFirstSizeWhoHasReadLongestAgoMakesRoomAtOnce) {
  Room(2);
  Client& a = Connect();
  Client& b = Connect();
  Client& c = Connect();
  EXPECT_EQ(SizeOf(c), kSmallSendBuffer);
  Reads(a);
  Reads(c);
  EXPECT_EQ(SizeOf(a), kFirst);
  EXPECT_EQ(SizeOf(b), kSmallSendBuffer);
  EXPECT_EQ(SizeOf(c), kFirst);
}

// What they were sent stays where it is, whatever size their buffers are given.
TEST_F(SendBuffersTest, WhoDoesNotReadMakesNoRoom) {
  Room(2);
  Client& a = Connect();
  Client& b = Connect();
  IsDeaf(a);
  IsDeaf(b);
  Client& c = Connect();
  now_ += 60 * kSecond;
  Reads(c);
  EXPECT_EQ(Sizes(), (std::map<int, int>{{kFirst, 2}, {kSmallSendBuffer, 1}}));
  std::vector<uint8_t> answer(kFirst);
  ASSERT_GT(io::Receive(b.there.get(), answer), 0);
  Reads(c);
  EXPECT_EQ(SizeOf(a), kFirst);
  EXPECT_EQ(SizeOf(b), kSmallSendBuffer);
  EXPECT_EQ(SizeOf(c), kFirst);
}

TEST_F(SendBuffersTest, OneHasTheFirstSizeHoweverLittleRoomThereIs) {
  buffers_.Configure(kFirst, kLarge, 1000);
  Client& a = Connect();
  Client& b = Connect();
  Reads(a);
  EXPECT_EQ(SizeOf(a), kFirst);
  EXPECT_EQ(SizeOf(b), kSmallSendBuffer);
}

TEST_F(SendBuffersTest, LessRoomTakesThemBack) {
  Room(6);
  Client& a = Connect();
  Client& b = Connect();
  Reads(a);
  Room(1);
  EXPECT_EQ(SizeOf(a), kSmallSendBuffer);
  EXPECT_EQ(SizeOf(b), kSmallSendBuffer);
  Reads(a);
  EXPECT_EQ(SizeOf(a), kFirst);
}

TEST_F(SendBuffersTest, AsTheKernelLikesIsLeftAlone) {
  buffers_.Configure(-1, kLarge, 1000);
  Client& a = Connect();
  const int size = SizeOf(a);
  Reads(a);
  EXPECT_EQ(SizeOf(a), size);
}

}  // namespace
}  // namespace sluice::net
