#include "net/listener.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

#include "reactor_fixture.h"

namespace sluice::net {
namespace {

class ListenerTest : public test::ReactorFixture {
 protected:
  ListenerTest() {
    Result<std::unique_ptr<Listener>> listener = Listener::Open(
        *reactor_, "127.0.0.1", 0, 50, -1, [this](io::Fd fd, io::Peer peer) {
          accepted_.push_back(std::move(fd));
          peers_.push_back(peer.name);
        },
        [this](const std::string& line) { lines_.push_back(line); });
    EXPECT_TRUE(listener.ok());
    listener_ = listener.take();
  }
  io::Fd Connect() {
    io::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(listener_->port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    return fd;
  }

  std::unique_ptr<Listener> listener_;
  std::vector<io::Fd> accepted_;
  std::vector<std::string> peers_, lines_;
};

TEST_F(ListenerTest, PausedConnectionsWait) {
  listener_->Pause();
  io::Fd a = Connect();
  reactor_->RunOnce(0);
  EXPECT_TRUE(accepted_.empty());
  listener_->Resume();
  reactor_->RunOnce(0);
  ASSERT_EQ(accepted_.size(), 1u);
  EXPECT_EQ(peers_[0].rfind("127.0.0.1:", 0), 0u);
}

TEST_F(ListenerTest, OutOfDescriptorsTurnsAwayAndDoesNotSpin) {
  std::vector<io::Fd> clients;
  for (int i = 0; i < 5; ++i) clients.push_back(Connect());
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  rlimit none = before;
  // The lowest free number is the first that would be refused.
  none.rlim_cur = static_cast<rlim_t>(::dup(0));
  ::close(static_cast<int>(none.rlim_cur));
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  reactor_->RunOnce(0);
  reactor_->RunOnce(0);
  reactor_->RunOnce(0);
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(lines_.size(), 1u) << "one line, then rest";
  EXPECT_TRUE(accepted_.empty());
  clock_.now_us += 200000;
  for (int i = 0; i < 3; ++i) reactor_->RunOnce(0);
  EXPECT_EQ(accepted_.size(), 4u) << "the one turned away is gone, the others are served";
}

}  // namespace
}  // namespace sluice::net
