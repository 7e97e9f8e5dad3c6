#include "log/sweeper.h"

#include <algorithm>
#include <utility>

namespace sluice::log {
namespace {

constexpr int64_t kLeastBytesPerSecond = 32 << 20;
constexpr int64_t kWithinSeconds = 4;        // about how long a file waits, however much there is
constexpr int64_t kMaxElapsedUs = 1000000;

}  // namespace

void Sweeper::Add(std::string path, int64_t bytes) {
  waiting_bytes_ += bytes;
  waiting_.push_back({std::move(path), bytes});
}

void Sweeper::OnTimer(bool hurry) {
  const int64_t now_us = env_.clock->MonotonicUs();
  const int64_t elapsed_us = std::clamp<int64_t>(now_us - looked_us_, 0, kMaxElapsedUs);
  looked_us_ = now_us;
  if (waiting_.empty()) {
    credit_ = 0;
    return;
  }
  const int64_t rate = std::max(kLeastBytesPerSecond, waiting_bytes_ / kWithinSeconds);
  credit_ = std::min(credit_ + static_cast<int64_t>(static_cast<double>(rate) * static_cast<double>(elapsed_us) / 1e6), rate);
  if (removing_) return;
  std::vector<std::string> due;
  while (!waiting_.empty() && (hurry || credit_ > 0)) {
    credit_ -= waiting_.front().bytes;
    waiting_bytes_ -= waiting_.front().bytes;
    due.push_back(std::move(waiting_.front().path));
    waiting_.pop_front();
  }
  if (due.empty()) return;
  removing_ = true;
  env_.pool->Submit(io::MakeJob([env = env_, due = std::move(due)] { Remove(env, due); }, [this] { removing_ = false; }));
}

void Sweeper::Finish() {
  std::vector<std::string> due;
  for (File& file : waiting_) due.push_back(std::move(file.path));
  waiting_.clear();
  waiting_bytes_ = 0;
  Remove(env_, due);
}

void Sweeper::Remove(const Env& env, const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    const Status removed = env.fs->Remove(path);
    if (removed.ok() || removed.code() == Code::kNotFound || env.reporter == nullptr) continue;
    env.reporter->Report(Severity::kWarn, path + " cannot be removed: " + removed.ToString());
  }
}

}  // namespace sluice::log
