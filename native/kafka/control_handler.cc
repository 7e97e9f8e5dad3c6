#include "kafka/control_handler.h"

#include "base/assert.h"
#include "kafka/plane.h"
#include "kafka/wire_writer.h"

namespace sluice::kafka {

// Waits for the control plane's bytes. Its memory in the budget is the body that travels up.
class ControlAnswer final : public Answer {
 public:
  ControlAnswer(Plane& plane, Client& client, uint64_t token, int64_t charged) : plane_(plane), token_(token), charged_(charged) {
    plane_.controls.pending_.emplace(token, this);
    plane_.shared->budget.Force(charged_);
    client.connection().Hold();
    client.Add(this);
  }
  ~ControlAnswer() override {
    plane_.controls.pending_.erase(token_);
    plane_.shared->budget.Give(charged_);
  }

  void Set(std::vector<uint8_t> response) {
    response_ = std::move(response);
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
  Plane& plane_;
  const uint64_t token_;
  const int64_t charged_;
  std::vector<uint8_t> response_;
};

void ControlHandler::Execute(Client& client, const RequestHeader& header, Bytes body) {
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
  request.received_ms = plane_.reactor.wall_ms();
  request.body.assign(body.begin(), body.end());
  new ControlAnswer(plane_, client, request.token, static_cast<int64_t>(body.size()));  // the client's from here on
  ++plane_.stats.control_requests;
  plane_.control.OnRequest(std::move(request));
}

void ControlHandler::Respond(uint64_t token, std::vector<uint8_t> response) {
  auto it = pending_.find(token);
  if (it == pending_.end()) return;
  ControlAnswer* answer = it->second;
  pending_.erase(it);
  answer->Set(std::move(response));
}

void ControlHandler::CloseConnection(uint64_t token, const std::string& why) {
  auto it = pending_.find(token);
  if (it == pending_.end()) return;
  it->second->client().CloseFor(why);
}

}  // namespace sluice::kafka
