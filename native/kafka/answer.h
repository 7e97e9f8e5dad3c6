// One request in execution: its place in the order of its connection's answers. A connection's answers leave in the order of their requests.
// Thread: reactor.
// Owns: whatever the request needs until it is answered; belongs to its Client, which disposes of it when it is written or the peer has gone.
// After error: an answer that can only be given by closing the connection asks its client to.
#pragma once

#include <memory>

#include "base/intrusive_list.h"
#include "net/outgoing.h"

namespace sluice::kafka {

class Client;

class Answer : public ListNode<struct AnswerTag> {
 public:
  virtual ~Answer() = default;
  // Writes the whole response, size and all. Called once, when it is ready and all before it are written.
  virtual void Write(net::Outgoing& out) = 0;
  // The peer will send no more: what waits only for something to happen may give up waiting.
  virtual void OnPeerDone() {}
  virtual void Dispose() { delete this; }
  Client* client() const { return client_; }

 protected:
  friend class Client;
  Client* client_ = nullptr;
  bool ready_ = false;
};

struct Disposer {
  void operator()(Answer* answer) const { answer->Dispose(); }
};
template <class T>
using AnswerPtr = std::unique_ptr<T, Disposer>;

}  // namespace sluice::kafka
