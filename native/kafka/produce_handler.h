// Executes Produce: finds the partitions, validates, appends, and waits for what acks asks.
//
// Nothing is appended before the whole request has been looked at. What needs a codec (records to be judged inside, another compression) goes
// to the pool first; the request then holds back its successors, so that a pipelining producer is not reordered.
// Thread: reactor.
// Owns: the answers' memory, and lists that are used from request to request.
// After error: per partition, in the answer; a request that cannot be read closes its connection.
#pragma once

#include <memory>
#include <vector>

#include "batch/codec.h"
#include "batch/recompress.h"
#include "batch/validate.h"
#include "io/executor.h"
#include "kafka/produce_answer.h"
#include "kafka/request_header.h"
#include "net/connection.h"

namespace sluice::kafka {

struct Plane;

// One batch on its way into a log.
struct ProduceBatch {
  uint32_t slot = 0;
  batch::BatchView view;
  batch::AppendRules rules;
  batch::ValidationDetail detail;
  Status status;
  bool recompress = false;
  batch::RecompressTarget target;
  Buffer recompressed;

  bool needs_pool() const { return status.ok() && (detail.decompression_needed || recompress); }
};

// The part of a request that runs on the pool.
struct ProduceWork final : io::Job {
  ProduceAnswer* owner = nullptr;  // null when the peer has gone
  ProduceHandler* handler = nullptr;
  std::shared_ptr<net::Shared> shared;  // what the frame's memory belongs to
  net::Frame frame;
  std::vector<ProduceBatch> batches;
  int16_t acks = 0;
  int32_t timeout_ms = 0;
  void Run() override;
  void Done() override;
};

class ProduceHandler {
 public:
  explicit ProduceHandler(Plane& plane) : plane_(plane) {}
  void Execute(Client& client, const RequestHeader& header, WireReader& reader, net::Frame frame);
  void TopicGone(const Topic* topic);

  Plane& plane() { return plane_; }
  IntrusiveList<ProduceAnswer, ProduceWaitTag>& waiting() { return waiting_; }
  void Reuse(ProduceAnswer* answer);

 private:
  friend struct ProduceWork;
  bool FindPartitions(ProduceAnswer& answer, const RequestHeader& header);
  void Validate(ProduceAnswer& answer, const RequestHeader& header);
  void Append(ProduceAnswer& answer, std::vector<ProduceBatch>& batches, const net::ChunkRef& chunk);
  void Finish(Client& client, ProduceAnswer& answer, int16_t acks, int32_t timeout_ms);

  Plane& plane_;
  IntrusiveList<ProduceAnswer, ProduceWaitTag> waiting_;
  ProduceRequest request_;
  std::vector<ProduceBatch> batches_;
  std::vector<std::unique_ptr<ProduceAnswer>> spare_;
  uint64_t request_number_ = 0;
};

}  // namespace sluice::kafka
