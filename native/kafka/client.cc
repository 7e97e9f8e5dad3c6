#include "kafka/client.h"

#include <cerrno>

#include "kafka/plane.h"

namespace sluice::kafka {
namespace {

// Closed for reasons that belong to the peer or to nobody: not worth a line.
bool Unremarkable(const Status& why) {
  if (why.ok()) return true;
  const int error = why.sys_errno();
  return error == ECONNRESET || error == EPIPE || error == ETIMEDOUT || error == ENOTCONN;
}

}  // namespace

Client::Client(Plane& plane, uint64_t id, io::Fd socket, io::Peer peer, uint16_t listener)
    : plane_(plane), id_(id), peer_(std::move(peer)), listener_(listener), connection_(*plane.shared, std::move(socket), *this) {}

Client::~Client() {
  while (Answer* answer = answers_.PopFront()) answer->Dispose();
}

void Client::Add(Answer* answer) {
  answer->client_ = this;
  answers_.PushBack(answer);
  ++waiting_;
  LimitWaiting();
}

void Client::CountWaiting(int64_t bytes) {
  waiting_bytes_ += bytes;
  plane_.shared->out_memory += bytes;
  LimitWaiting();
}

void Client::LimitWaiting() {
  if (!too_many_ && (waiting_ >= kMaxAnswersWaiting || waiting_bytes_ > net::kMaxQueuedBytes)) {
    too_many_ = true;
    connection_.Hold();
  } else if (too_many_ && waiting_ < kMaxAnswersWaiting / 2 && waiting_bytes_ <= net::kMaxQueuedBytes / 2) {
    too_many_ = false;
    connection_.Release();
  }
}

void Client::Ready(Answer* answer) {
  answer->ready_ = true;
  if (answers_.front() == answer) WriteReady();
}

void Client::Drop(Answer* answer) {
  answer->Unlink();
  --waiting_;
  answer->Dispose();
  WriteReady();
}

void Client::WriteReady() {
  bool wrote = false;
  while (Answer* answer = answers_.front()) {
    if (!answer->ready_) break;
    answer->Unlink();
    --waiting_;
    if (!connection_.closing()) answer->Write(connection_.out());
    answer->Dispose();
    wrote = true;
  }
  if (wrote) connection_.FlushSoon();
  LimitWaiting();
  if (draining_ && answers_.empty()) connection_.CloseWhenSent();
}

void Client::Malformed(const std::string& what) {
  if (connection_.closing()) return;
  plane_.Report(log::Severity::kWarn, "connection from " + peer_.name + " closed: " + what);
  connection_.Close(Status::Ok());
}

void Client::CloseFor(const std::string& why) {
  if (connection_.closing()) return;
  plane_.Report(log::Severity::kInfo, "connection from " + peer_.name + " closed: " + why);
  connection_.Close(Status::Ok());
}

void Client::Drain() {
  if (draining_) return;
  draining_ = true;
  connection_.Hold();
  OnPeerDone();
  if (answers_.empty()) connection_.CloseWhenSent();
}

void Client::OnBadFrame(int32_t size) {
  Malformed("a request of " + std::to_string(size) + " bytes, where 1 to " + std::to_string(plane_.shared->max_frame) + " are allowed");
}

void Client::OnPeerDone() {
  for (Answer* answer = answers_.front(); answer != nullptr;) {
    Answer* next = answers_.Next(answer);
    answer->OnPeerDone();
    answer = next;
  }
}

void Client::OnClosed(const Status& why) {
  if (!Unremarkable(why) && why.code() != Code::kTimeout) {
    plane_.Report(log::Severity::kWarn, "connection to " + peer_.name + " closed: " + why.ToString());
  }
  plane_.Remove(this);  // destroys this
}

void Client::Park(net::Frame frame) {
  parked_ = std::move(frame);
  connection_.Hold();
}

void Client::ExecuteParked() {
  net::Frame frame = std::move(parked_);
  if (!connection_.closing()) Dispatch(std::move(frame));
  connection_.Release();   // behind it: one that is parked again has not been let go of in between
}

void Client::OnFrame(net::Frame frame) {
  ++plane_.stats.requests;
  received_ms_ = plane_.reactor.wall_ms();
  Dispatch(std::move(frame));
}

void Client::Dispatch(net::Frame frame) {
  WireReader reader(frame.bytes);
  RequestHeader header;
  if (!ParseRequestHeader(reader, &header)) {
    // An ApiVersions request of the future may look different behind the version; it is answered all the same.
    if (header.api_key != kApiVersionsKey || frame.bytes.size() < 8 || plane_.Serves(header.api_key, header.api_version)) {
      Malformed("a request header that is cut short or contradicts itself");
      return;
    }
  }
  if (header.api_key == kApiVersionsKey) {
    used_control_ = true;
    if (!plane_.controls.Execute(*this, header, reader.ok() ? frame.bytes.last(reader.left()) : frame.bytes.last(0))) Park(std::move(frame));
    return;
  }
  if (!plane_.Serves(header.api_key, header.api_version)) {
    Malformed("version " + std::to_string(header.api_version) + " of API " + std::to_string(header.api_key) + " is not served");
    return;
  }
  switch (header.api_key) {
    case kProduceKey:
      if (!plane_.HasRoom()) {
        Park(std::move(frame));
        plane_.WaitForRoom(this);
        return;
      }
      plane_.produce.Execute(*this, header, reader, std::move(frame));
      return;
    case kFetchKey: plane_.fetch.Execute(*this, header, reader); return;
    default:
      used_control_ = true;
      if (!plane_.controls.Execute(*this, header, frame.bytes.last(reader.left()))) Park(std::move(frame));
  }
}

}  // namespace sluice::kafka
