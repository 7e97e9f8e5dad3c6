// One connection: receives frames, sends what its handler queues, and says when it is over. Knows no protocol beyond the size in front of a frame.
//
// Reading stops while the handler holds it, while memory is short and while too much is queued for a slow peer; nothing else stops.
// Thread: reactor.
// Owns: the socket, the receive memory in use, the outgoing queue. The shared part (Shared) outlives all connections.
// After error: Close; the handler is told once (OnClosed), never from inside one of its own calls into the connection.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/intrusive_list.h"
#include "net/chunk.h"
#include "net/file_sender.h"
#include "net/frame_reader.h"
#include "net/outgoing.h"
#include "net/read_pacer.h"
#include "net/reactor.h"
#include "net/send_buffers.h"

namespace sluice::net {

class Connection;

inline constexpr int kMaxFramesPerTick = 64;               // of one connection, then the others have their turn
inline constexpr int64_t kMaxReceivePerTick = 2 << 20;
inline constexpr int64_t kMaxQueuedBytes = 1 << 20;        // queued for sending beyond this: the connection's requests wait
inline constexpr size_t kMaxQueuedRanges = 64;

class ConnectionHandler {
 public:
  virtual ~ConnectionHandler() = default;
  virtual void OnFrame(Frame frame) = 0;
  // The announced size of a frame is impossible; the connection is closed right after.
  virtual void OnBadFrame(int32_t size) = 0;
  // The peer will send no more, while reading is held: what it waits for may be answered early.
  virtual void OnPeerDone() = 0;
  // The peer has sent its last: what is in flight is to be answered, then CloseWhenSent. Kafka's broker, which reads on only when it has answered, does so too.
  virtual void OnEnd() = 0;
  // The last call. `why` is ok when the peer closed.
  virtual void OnClosed(const Status& why) = 0;
};

// What all connections of a reactor share. Pool jobs that hold frames hold it too, so it may outlive the connections, not the reactor.
class Shared {
 public:
  Shared(Reactor& reactor, io::Executor& executor, int64_t memory);
  ~Shared();

  Reactor& reactor;
  Budget budget;
  ChunkPool chunks;
  const std::shared_ptr<PipePool> pipes;
  SendBuffers send_buffers;
  int32_t max_frame = INT32_MAX;
  int64_t idle_us = INT64_MAX;
  int64_t bytes_in = 0, bytes_out = 0;
  // Of answers that have not been sent. Beyond the limit who has some gets no further one; a quarter beyond it, those who do not read theirs are closed.
  int64_t out_limit = INT64_MAX;
  int64_t out_memory = 0;

  // Reads of the disk for answers make room for these writes from now on.
  void PaceReads(std::function<io::WriteTimes()> writes);

  // End of a tick, behind everything that queues answers: sends, continues what may continue, closes the idle.
  void EndTick();

 private:
  friend class Connection;
  void CheckIdle();
  void Shed();
  uint64_t tick_ = 0;
  IntrusiveList<Connection, struct FlushTag> to_flush_;
  IntrusiveList<Connection, struct ContinueTag> to_continue_;
  IntrusiveList<Connection, struct MemoryTag> short_of_memory_;
  IntrusiveList<Connection, struct IdleTag> by_activity_;  // least lately active first
  class IdleTimer;
  std::unique_ptr<IdleTimer> idle_timer_;
  std::unique_ptr<ReadPacer> pacer_;
};

class Connection final : public Watcher,
                         public ListNode<struct FlushTag>,
                         public ListNode<struct ContinueTag>,
                         public ListNode<struct MemoryTag>,
                         public ListNode<struct IdleTag> {
 public:
  // Takes the socket. Nothing happens before Start.
  Connection(Shared& shared, io::Fd socket, ConnectionHandler& handler);
  ~Connection() override;
  Status Start();

  // Holds back further frames until Release; counted.
  void Hold() { ++holds_; }
  void Release();

  Outgoing& out() { return out_; }
  // Something was queued: it is sent at the end of this tick.
  void FlushSoon();
  // Closes at the end of the tick; frames and answers stop at once.
  void Close(Status why);
  // Closes once what is queued has been sent; no further frame is read.
  void CloseWhenSent();

  bool closing() const { return closing_; }
  size_t receive_memory() const { return reader_.held(); }

  void OnEvents(uint32_t events) override;

 private:
  friend class Shared;
  bool MayExecute() const { return holds_ == 0 && !closing_ && !ending_ && !crowded_; }
  // Holds memory for a frame whose rest is still to come, or could come if the peer read its answers.
  bool HoldsMemory() const {
    return !reader_.empty() && holds_ == 0 && !closing_ && (!crowded_ || socket_full_) && reader_.held() > kMinChunk && !ListNode<MemoryTag>::is_linked();
  }
  // It does so, and in the last while too little has come or gone.
  bool StallsMemory(int64_t now_us);
  void ReadSocket();
  bool DeliverFrames();  // false: not to be read further now
  void ContinueSoon();
  void Continue();
  void WaitForMemory();
  void Flush();
  void CountOut();
  void UpdateInterest();
  void Touch();

  Shared& shared_;
  ConnectionHandler& handler_;
  io::Fd socket_;
  SendBuffer send_buffer_;
  FrameReader reader_;
  Outgoing out_;
  Status why_;
  uint32_t interest_ = 0;
  int holds_ = 0;
  int frames_this_tick_ = 0;
  int64_t received_this_tick_ = 0;
  uint64_t tick_ = 0;         // of the two above
  int64_t active_us_ = 0;     // bytes came or went
  int64_t sent_us_ = 0;       // bytes went
  int64_t moved_ = 0;         // bytes received and sent, in all
  int64_t marked_us_ = 0;     // since when it is watched for stalling memory; 0: it is not
  int64_t marked_bytes_ = 0;  // moved_ then
  bool unread_ = false;       // the socket was readable when reading stopped
  bool peer_done_ = false;
  bool crowded_ = false;      // too much is queued for sending
  bool socket_full_ = false;
  bool was_full_ = false;     // while sending what is queued
  int64_t out_counted_ = 0;   // in the sum of all connections
  bool closing_ = false;
  bool ending_ = false;       // CloseWhenSent
};

}  // namespace sluice::net
