#include "kafka/control_handler.h"

#include "base/assert.h"
#include "kafka/plane.h"
#include "kafka/wire_writer.h"

namespace sluice::kafka {
namespace {
constexpr int16_t kHeartbeatKey = 12;
}

// Waits for the control plane's bytes.
class ControlAnswer final : public Answer {
 public:
  ControlAnswer(ControlHandler& handler, Client& client, uint64_t token) : handler_(handler), token_(token) {
    client.connection().Hold();
    client.Add(this);
  }
  ~ControlAnswer() override {
    auto it = handler_.pending_.find(token_);
    if (it != handler_.pending_.end()) it->second.answer = nullptr;
    client_->CountWaiting(-static_cast<int64_t>(response_.size()));
  }

  void Set(std::vector<uint8_t> response) {
    response_ = std::move(response);
    client_->CountWaiting(static_cast<int64_t>(response_.size()));
    client_->connection().Release();
    client_->Ready(this);
  }
  Client& client() { return *client_; }

  void Write(net::Outgoing& out) override {
    WireWriter writer(out.buffer());
    writer.I32(static_cast<int32_t>(response_.size()));
    out.buffer().Append(response_);
    out.AddBytes();
  }

 private:
  ControlHandler& handler_;
  const uint64_t token_;
  std::vector<uint8_t> response_;
};

bool ControlHandler::HasCredit(const Lane& lane, int64_t bytes) const {
  if (&lane == &heartbeats_) return lane.requests < kHeartbeats;
  return lane.requests == 0 || (lane.requests < kControlRequests && lane.bytes + bytes <= kControlBytes);
}

bool ControlHandler::Execute(Client& client, const RequestHeader& header, Bytes body) {
  const int64_t bytes = static_cast<int64_t>(body.size());
  Lane& lane = header.api_key == kHeartbeatKey && bytes <= kHeartbeatBytes ? heartbeats_ : requests_;
  if (!HasCredit(lane, bytes) || (!admitting_ && !lane.waiting.empty())) {
    // One that was let in and is too large after all keeps its place.
    if (admitting_) {
      lane.waiting.PushFront(&client);
    } else {
      lane.waiting.PushBack(&client);
    }
    return false;
  }
  ControlRequest request;
  request.token = ++last_token_;
  request.connection = client.id();
  request.api_key = header.api_key;
  request.api_version = header.api_version;
  request.correlation_id = header.correlation_id;
  request.has_client_id = header.has_client_id;
  request.client_id = std::string(header.client_id);
  request.peer = client.peer().name;
  request.listener = client.listener();
  request.received_ms = client.received_ms();
  request.body.assign(body.begin(), body.end());
  auto* answer = new ControlAnswer(*this, client, request.token);  // the client's from here on
  pending_.emplace(request.token, Pending{answer, &lane, bytes});
  ++lane.requests;
  lane.bytes += bytes;
  plane_.shared->budget.Force(bytes);
  ++plane_.stats.control_requests;
  plane_.control.OnRequest(std::move(request));
  return true;
}

void ControlHandler::Return(Pending& pending) {
  if (pending.lane == nullptr) return;
  SLUICE_ASSERT(pending.lane->requests > 0);
  --pending.lane->requests;
  pending.lane->bytes -= pending.bytes;
  plane_.shared->budget.Give(pending.bytes);
  if (!pending.lane->waiting.empty()) plane_.reactor.Again();
  pending.lane = nullptr;
}

void ControlHandler::Respond(uint64_t token, std::vector<uint8_t> response) {
  auto it = pending_.find(token);
  if (it == pending_.end()) return;
  ControlAnswer* answer = it->second.answer;
  Return(it->second);
  pending_.erase(it);
  if (answer != nullptr) answer->Set(std::move(response));
}

void ControlHandler::CloseConnection(uint64_t token, const std::string& why) {
  auto it = pending_.find(token);
  if (it == pending_.end()) return;
  ControlAnswer* answer = it->second.answer;
  Return(it->second);
  pending_.erase(it);
  if (answer != nullptr) answer->client().CloseFor(why);
}

void ControlHandler::Parked(uint64_t token) {
  auto it = pending_.find(token);
  if (it != pending_.end()) Return(it->second);
}

bool ControlHandler::HandedUp(int64_t received_by_ms) {
  for (Lane* lane : {&heartbeats_, &requests_}) {
    Client* oldest = lane->waiting.front();
    if (oldest != nullptr && oldest->received_ms() <= received_by_ms) return false;
  }
  return true;
}

void ControlHandler::EndTick() {
  Admit(heartbeats_);
  Admit(requests_);
}

void ControlHandler::Admit(Lane& lane) {
  admitting_ = true;
  while (!lane.waiting.empty() && HasCredit(lane, 0)) {
    Client* client = lane.waiting.PopFront();
    client->ExecuteParked();
    if (lane.waiting.front() == client) break;
  }
  admitting_ = false;
}

}  // namespace sluice::kafka
