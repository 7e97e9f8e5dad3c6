#include "addon/js_verify.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "addon/convert.h"
#include "io/thread.h"
#include "log/verify.h"

namespace sluice::addon {
namespace {

constexpr size_t kMostThreads = 4;   // a disk gives no more to more

class VerifyWorker final : public Napi::AsyncWorker {
 public:
  VerifyWorker(Napi::Env env, std::string dir, std::string topic)
      : Napi::AsyncWorker(env), deferred_(Napi::Promise::Deferred::New(env)), dir_(std::move(dir)), topic_(std::move(topic)) {}
  Napi::Value promise() const { return deferred_.Promise(); }

 protected:
  void Execute() override {
    Result<std::unique_ptr<log::Verifier>> opened = log::Verifier::Open(io::RealFileSystem(), dir_, topic_);
    if (!opened.ok()) {
      status_ = opened.status();
      return;
    }
    log::Verifier& verifier = **opened;
    std::atomic<size_t> next{0};
    const auto work = [&] {
      for (size_t i; (i = next.fetch_add(1)) < verifier.partitions();) verifier.CheckPartition(i);
    };
    const size_t wanted = std::min({kMostThreads, size_t{std::max(1u, std::thread::hardware_concurrency())}, verifier.partitions()});
    std::vector<io::Thread> others;
    for (size_t i = 1; i < wanted; ++i) {
      Result<io::Thread> other = io::Thread::Start(work);
      if (!other.ok()) break;   // fewer do it too
      others.push_back(other.take());
    }
    work();
    for (io::Thread& other : others) other.Join();
    report_ = verifier.Finish();
  }

  void OnOK() override {
    Napi::Env env = Env();
    Napi::HandleScope scope(env);
    if (!status_.ok()) {
      Napi::Error error = Napi::Error::New(env, status_.ToString());
      error.Set("code", Napi::String::New(env, CodeName(status_.code())));
      deferred_.Reject(error.Value());
      return;
    }
    const auto number = [&](int64_t value) { return Napi::Number::New(env, static_cast<double>(value)); };
    Napi::Object out = Napi::Object::New(env);
    out.Set("clean", Napi::Boolean::New(env, report_.clean));
    for (const auto& [name, value] : {std::pair("partitions", report_.partitions), std::pair("segments", report_.segments), std::pair("batches", report_.batches),
                                      std::pair("indexEntries", report_.index_entries), std::pair("snapshots", report_.snapshots),
                                      std::pair("journalFrames", report_.journal_frames), std::pair("bytes", report_.bytes), std::pair("damaged", report_.damaged)}) {
      out.Set(name, number(value));
    }
    Napi::Array damages = Napi::Array::New(env, report_.damages.size());
    for (size_t i = 0; i < report_.damages.size(); ++i) {
      const log::Damage& damage = report_.damages[i];
      Napi::Object item = Napi::Object::New(env);
      item.Set("file", damage.file);
      item.Set("partition", damage.partition.empty() ? env.Null() : Napi::Value(Napi::String::New(env, damage.partition)));
      item.Set("position", number(damage.position));
      item.Set("what", damage.what);
      damages.Set(static_cast<uint32_t>(i), item);
    }
    out.Set("damages", damages);
    Napi::Array notes = Napi::Array::New(env, report_.notes.size());
    for (size_t i = 0; i < report_.notes.size(); ++i) notes.Set(static_cast<uint32_t>(i), report_.notes[i]);
    out.Set("notes", notes);
    deferred_.Resolve(out);
  }

 private:
  Napi::Promise::Deferred deferred_;
  const std::string dir_, topic_;
  Status status_;
  log::VerifyReport report_;
};

}  // namespace

Napi::Value VerifyDirectory(const Napi::CallbackInfo& info) {
  std::string dir, topic;
  if (!ToString(info[0], "dir", &dir) || !ToString(info[1], "topic", &topic)) return info.Env().Undefined();
  auto* worker = new VerifyWorker(info.Env(), std::move(dir), std::move(topic));
  worker->Queue();
  return worker->promise();
}

}  // namespace sluice::addon
