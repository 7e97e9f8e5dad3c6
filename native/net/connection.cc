#include "net/connection.h"

#include <sys/epoll.h>

#include <cerrno>
#include <utility>

#include "base/assert.h"

namespace sluice::net {

Connection::Connection(Shared& shared, io::Fd socket, ConnectionHandler& handler)
    : shared_(shared), handler_(handler), socket_(std::move(socket)), send_buffer_(shared.send_buffers, socket_.get()), reader_(shared.chunks), out_(*shared.pipes, [this] { FlushSoon(); }) {}

Connection::~Connection() {
  shared_.out_memory -= out_counted_;
  if (interest_ != 0) shared_.reactor.Unwatch(socket_.get());
}

Status Connection::Start() {
  interest_ = EPOLLIN | EPOLLRDHUP;
  Status watched = shared_.reactor.Watch(socket_.get(), interest_, this);
  if (!watched.ok()) interest_ = 0;
  Touch();
  sent_us_ = active_us_;
  shared_.send_buffers.Begin(&send_buffer_, active_us_);
  return watched;
}

void Connection::Touch() {
  active_us_ = shared_.reactor.now_us();
  ListNode<IdleTag>::Unlink();
  shared_.by_activity_.PushBack(this);
}

void Connection::Release() {
  SLUICE_ASSERT_OP(holds_, >, 0);
  if (--holds_ == 0) ContinueSoon();
}

void Connection::FlushSoon() {
  if (!ListNode<FlushTag>::is_linked()) shared_.to_flush_.PushBack(this);
}

void Connection::ContinueSoon() {
  if (!ListNode<ContinueTag>::is_linked()) shared_.to_continue_.PushBack(this);
}

void Connection::Close(Status why) {
  if (closing_) return;
  closing_ = true;
  why_ = std::move(why);
  FlushSoon();
}

void Connection::CloseWhenSent() {
  ending_ = true;
  FlushSoon();
}

void Connection::OnEvents(uint32_t events) {
  if (closing_) return;
  if ((events & EPOLLERR) != 0 || ((events & EPOLLHUP) != 0 && !MayExecute())) {
    Close(Status::Error(Code::kClosed, "the peer has gone", ECONNRESET));
    return;
  }
  if ((events & EPOLLOUT) != 0) {
    socket_full_ = false;
    FlushSoon();
  }
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP)) == 0) return;
  if (MayExecute() && !ListNode<MemoryTag>::is_linked() && !ListNode<ContinueTag>::is_linked()) {
    ReadSocket();
    return;
  }
  unread_ = true;
  if ((events & EPOLLRDHUP) != 0 && !peer_done_) {
    peer_done_ = true;
    handler_.OnPeerDone();
  }
  UpdateInterest();
}

bool Connection::DeliverFrames() {
  if (tick_ != shared_.tick_) {
    tick_ = shared_.tick_;
    frames_this_tick_ = 0;
    received_this_tick_ = 0;
  }
  for (;;) {
    if (!MayExecute()) {
      reader_.Shrink();
      return false;
    }
    if (frames_this_tick_ >= kMaxFramesPerTick) {
      ContinueSoon();
      return false;
    }
    Frame frame;
    switch (reader_.Next(shared_.max_frame, &frame)) {
      case FrameReader::Step::kMore: return true;
      case FrameReader::Step::kBad:
        handler_.OnBadFrame(reader_.bad_size());
        Close(Status::Error(Code::kInvalid, "impossible size of a frame"));
        return false;
      case FrameReader::Step::kFrame:
        ++frames_this_tick_;
        handler_.OnFrame(std::move(frame));
        break;
    }
  }
}

void Connection::ReadSocket() {
  Touch();
  if (!DeliverFrames()) return;
  for (;;) {
    if (received_this_tick_ >= kMaxReceivePerTick) return;  // epoll tells again
    MutableBytes room = reader_.Room();
    if (room.empty()) {
      WaitForMemory();
      return;
    }
    const ssize_t n = io::Receive(socket_.get(), room);
    if (n == -EAGAIN) {
      reader_.Rest();
      return;
    }
    if (n < 0) {
      Close(Status::Error(Code::kClosed, "receive", static_cast<int>(-n)));
      return;
    }
    if (n == 0) {
      reader_.Discard();
      unread_ = peer_done_ = true;   // there is nothing to be told of any more
      UpdateInterest();
      handler_.OnEnd();
      return;
    }
    reader_.Filled(static_cast<size_t>(n));
    shared_.bytes_in += n;
    received_this_tick_ += n;
    moved_ += n;
    if (!DeliverFrames()) return;
    if (static_cast<size_t>(n) < room.size()) {  // nothing more there, most likely; epoll tells if there is
      reader_.Rest();
      return;
    }
  }
}

void Connection::WaitForMemory() {
  unread_ = true;
  if (!ListNode<MemoryTag>::is_linked()) shared_.short_of_memory_.PushBack(this);
  UpdateInterest();
}

void Connection::Continue() {
  ListNode<MemoryTag>::Unlink();
  if (closing_ || !DeliverFrames()) return;
  if (unread_) {
    unread_ = false;
    ReadSocket();
    if (!unread_) UpdateInterest();
  } else {
    reader_.Rest();
  }
}

void Connection::Flush() {
  int64_t sent = 0;
  const Outgoing::Progress progress = out_.Flush(socket_.get(), &sent);
  shared_.bytes_out += sent;
  moved_ += sent;
  if (sent > 0) {
    Touch();
    sent_us_ = active_us_;
  }
  switch (progress) {
    case Outgoing::Progress::kAllSent:
      socket_full_ = false;
      if (std::exchange(was_full_, false)) shared_.send_buffers.Drained(&send_buffer_, active_us_);
      if (ending_) Close(Status::Ok());
      break;
    case Outgoing::Progress::kSocketFull: socket_full_ = was_full_ = true; break;
    case Outgoing::Progress::kReading: socket_full_ = false; break;
    case Outgoing::Progress::kYield:
      socket_full_ = false;
      FlushSoon();
      break;
    case Outgoing::Progress::kBroken: Close(out_.why()); return;
  }
  CountOut();
  const bool crowded = out_.queued_bytes() > kMaxQueuedBytes || out_.queued_ranges() > kMaxQueuedRanges ||
                       (shared_.out_memory > shared_.out_limit && out_.queued_bytes() > 0);
  if (crowded_ && !crowded) ContinueSoon();
  crowded_ = crowded;
  UpdateInterest();
}

void Connection::CountOut() {
  const int64_t memory = out_.empty() ? 0 : out_.memory();
  shared_.out_memory += memory - out_counted_;
  out_counted_ = memory;
}

void Connection::UpdateInterest() {
  uint32_t wanted = (unread_ ? 0u : static_cast<uint32_t>(EPOLLIN)) | (peer_done_ ? 0u : static_cast<uint32_t>(EPOLLRDHUP)) |
                    (socket_full_ ? static_cast<uint32_t>(EPOLLOUT) : 0u);
  if (wanted == 0) wanted = EPOLLET;  // errors only; interest 0 stands for "not watched"
  if (wanted == interest_) return;
  interest_ = wanted;
  (void)shared_.reactor.Change(socket_.get(), wanted, this);
}

}  // namespace sluice::net
