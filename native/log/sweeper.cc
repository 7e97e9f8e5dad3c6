#include "log/sweeper.h"

#include <algorithm>
#include <utility>

namespace sluice::log {
namespace {

constexpr int64_t kLeastBytesPerSecond = 32 << 20;
constexpr int64_t kWithinSeconds = 4;        // about how long a file waits, however much there is
constexpr int64_t kMaxElapsedUs = 1000000;

}  // namespace

void Sweeper::Add(std::string path, int64_t bytes, std::weak_ptr<const void> reader) {
  waiting_bytes_ += bytes;
  waiting_.push_back({std::move(path), bytes, std::move(reader)});
}

void Sweeper::Forget(const std::string& folder) {
  const std::string inside = folder + "/";
  std::erase_if(waiting_, [&](const File& file) {
    if (!file.path.starts_with(inside)) return false;
    waiting_bytes_ -= file.bytes;
    return true;
  });
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
  std::vector<Step> steps;
  while (!waiting_.empty() && (hurry || credit_ > 0)) {
    steps.push_back(NextStep(waiting_.front(), hurry));
    if (steps.back().length == 0) waiting_.pop_front();
  }
  if (steps.empty()) return;
  removing_ = true;
  auto uncut = std::make_shared<std::string>();
  env_.pool->Submit(io::MakeJob([env = env_, steps = std::move(steps), uncut] { *uncut = Run(env, steps); },
                                [this, uncut] {
                                  removing_ = false;
                                  if (!waiting_.empty() && waiting_.front().path == *uncut) waiting_.front().stays_whole = true;
                                }));
}

Sweeper::Step Sweeper::NextStep(File& file, bool hurry) {
  const bool cuts = !hurry && !file.stays_whole && file.bytes > piece_bytes_ && file.reader.expired();
  const int64_t taken = cuts ? piece_bytes_ : file.bytes;
  credit_ -= taken;
  waiting_bytes_ -= taken;
  file.bytes -= taken;
  const bool was_cut = std::exchange(file.is_cut, cuts);
  return {file.path, file.bytes, cuts && !was_cut};
}

void Sweeper::Finish() {
  std::vector<Step> steps;
  for (File& file : waiting_) steps.push_back({std::move(file.path)});
  waiting_.clear();
  waiting_bytes_ = 0;
  Run(env_, steps);
}

// Its new name is durable first: under the old one a file that ends early would be a damaged segment.
Status Sweeper::Cut(const Env& env, const Step& step) {
  if (step.is_first_cut) SLUICE_TRY(env.fs->SyncDir(step.path.substr(0, step.path.rfind('/'))));
  Result<std::unique_ptr<io::File>> file = env.fs->Open(step.path, io::OpenMode::kReadWrite);
  return file.ok() ? (*file)->Truncate(step.length) : file.status();
}

std::string Sweeper::Run(const Env& env, const std::vector<Step>& steps) {
  std::string uncut;
  for (const Step& step : steps) {
    const bool cuts = step.length > 0;
    if (cuts && step.path == uncut) continue;
    const Status done = cuts ? Cut(env, step) : env.fs->Remove(step.path);
    if (done.ok()) continue;
    if (cuts) uncut = step.path;
    if (done.code() == Code::kNotFound || env.reporter == nullptr) continue;
    env.reporter->Report(Severity::kWarn, step.path + (cuts ? " cannot be cut down: " : " cannot be removed: ") + done.ToString());
  }
  return uncut;
}

}  // namespace sluice::log
