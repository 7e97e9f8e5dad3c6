// A Fetch in execution: looks at its partitions, waits for min_bytes or max_wait if there is too little, and becomes a response.
//
//   Start -> look -> [cold: look again when the pool has read what was not in memory] -> enough? finish : wait -> (advance | timer | ...) -> look -> finish
// Looking and registering are one step, on one thread: no advance falls between them.
// Thread: reactor.
// Owns: its rows with the slices pinned; shares its set with the session.
// After error: an error of a partition is in its row, an error of the session in the response's head.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kafka/answer.h"
#include "kafka/fetch_response.h"
#include "kafka/fetch_session.h"
#include "kafka/request_header.h"
#include "net/timers.h"

namespace sluice::kafka {

class FetchHandler;
struct ColdLook;

enum class FetchKind : uint8_t {
  kRefused,      // an error for the whole request
  kSessionless,
  kFull,         // makes a session when it is answered
  kIncremental,
};

struct FetchParams {
  int32_t correlation_id = 0;
  int16_t version = 0;
  int32_t replica_id = -1;
  int64_t max_wait_us = 0;
  int64_t min_bytes = 0;
  int64_t max_bytes = 0;
  bool committed = false;  // isolation level
  bool by_id = false;
};

class FetchAnswer final : public Answer, private net::Timer, public ListNode<struct FetchWaitTag>, public ListNode<struct FetchDueTag> {
 public:
  FetchAnswer(FetchHandler& handler, const FetchParams& params);
  ~FetchAnswer() override;

  void Refuse(ErrorCode error);
  // A row of a refused request of a version that knows no error for the whole.
  void AddRefusedRow(const FetchTopicView& topic, int32_t index, ErrorCode error);
  void Start(FetchKind kind, std::shared_ptr<FetchSet> set, SessionRef session);

  // --- while it waits
  void Advanced(FetchPartition* partition);
  void Hurry();  // answered at the end of this tick, with what there is
  void Superseded();  // the session goes on with a newer request
  void TopicChanged(const Topic* topic);
  void CompleteDue();

  void OnPeerDone() override { Hurry(); }
  void Write(net::Outgoing& out) override;

 private:
  friend struct ColdLook;
  struct Row {
    FetchPartition* partition = nullptr;  // not valid any more when written
    TopicRef topic;
    TopicId id;
    std::string name;  // of an unknown topic
    FetchOutcome outcome;
    Offset upper{-1};      // the log's end for this reader, that the outcome goes by
    bool unknown = false;  // no such topic or partition: does not end the wait, as in Kafka
    bool dropped = false;  // nothing new to tell in a session
  };
  enum class State : uint8_t { kNew, kCold, kWaiting, kReady };

  void Proceed();
  void Look();
  void LookAt(FetchPartition& partition, Row& row, int64_t limit, bool at_least_one);
  bool Enough() const;
  void Wait();
  void Finish();
  void TellSession();
  void MakeReady();
  void OnTimer() override;
  Offset UpperOf(const log::Log& log) const { return params_.committed ? log.last_stable() : log.high_watermark(); }
  static bool SameTopic(const Row& a, const Row& b);

  FetchHandler& handler_;
  const FetchParams params_;
  FetchKind kind_ = FetchKind::kRefused;
  State state_ = State::kNew;
  std::shared_ptr<FetchSet> set_;
  SessionRef session_;
  ErrorCode error_ = ErrorCode::kNone;
  int32_t session_id_ = kNoSession;
  std::vector<Row> rows_;
  size_t known_ = 0;     // partitions that exist, of the last look
  int64_t bytes_ = 0;    // found by the last look
  bool urgent_ = false;  // the last look found an error or a divergence: nothing to wait for
  bool forced_ = false;
  bool held_ = false;
  int64_t waiting_bytes_ = 0;
  int cold_tries_ = 0;
  std::unique_ptr<ColdLook> cold_;     // being collected by a look
  ColdLook* cold_running_ = nullptr;   // owned by the executor
  struct ColdFound {
    FetchPartition* partition;
    Offset upper;
    Result<log::LogSlice> slice;
  };
  std::vector<ColdFound> cold_found_;  // in the set's order
  size_t cold_next_ = 0;
};

}  // namespace sluice::kafka
