#include "log/sweeper.h"

#include <algorithm>
#include <utility>

#include "log/log_format.h"

namespace sluice::log {
namespace {

constexpr int64_t kLeastBytesPerSecond = 32 << 20;
constexpr int64_t kWithinSeconds = 6;        // about how long a file waits, however much there is
constexpr int64_t kMaxElapsedUs = 1000000;
constexpr int64_t kFileCost = 64 << 10;      // of a name, in bytes: a thousand partitions are thousands of small files

}  // namespace

void Sweeper::Add(std::string path, int64_t bytes, std::weak_ptr<const void> reader) {
  Append(std::move(path), bytes, Kind::kFile).reader = std::move(reader);
}

void Sweeper::AddFolder(const Folder& folder) {
  for (const Folder::Content& content : folder.files) {
    File& file = Append(JoinPath(folder.path, content.name), content.bytes, Kind::kFileOfFolder);
    file.has_durable_name = true;
    file.stays_whole = folder.is_read;
  }
  Append(folder.path, 0, Kind::kFolder);
}

Sweeper::File& Sweeper::Append(std::string path, int64_t bytes, Kind kind) {
  waiting_cost_ += bytes + kFileCost;
  waiting_.push_back({std::move(path), bytes, {}, kind});
  return waiting_.back();
}

void Sweeper::Forget(const std::string& folder) {
  const std::string inside = folder + "/";
  std::erase_if(waiting_, [&](const File& file) {
    if (!file.path.starts_with(inside)) return false;
    waiting_cost_ -= file.bytes + kFileCost;
    return true;
  });
}

void Sweeper::OnTimer(bool hurry) {
  const int64_t now_us = env_.clock->MonotonicUs();
  const int64_t elapsed_us = std::clamp<int64_t>(now_us - looked_us_, 0, kMaxElapsedUs);
  looked_us_ = now_us;
  if (waiting_.empty()) {
    credit_ = 0;
    rate_ = 0;
    return;
  }
  // Not less as the list gets shorter: its last tenth would take longer than the rest.
  rate_ = std::max({rate_, kLeastBytesPerSecond, waiting_cost_ / kWithinSeconds});
  credit_ = std::min(credit_ + static_cast<int64_t>(static_cast<double>(rate_) * static_cast<double>(elapsed_us) / 1e6), rate_);
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
  const int64_t cost = cuts ? taken : taken + kFileCost;
  credit_ -= cost;
  waiting_cost_ -= cost;
  file.bytes -= taken;
  const bool syncs_name = cuts && !std::exchange(file.has_durable_name, true);
  return {file.path, file.bytes, syncs_name, file.kind == Kind::kFolder};
}

void Sweeper::Finish() {
  std::vector<Step> steps;
  for (File& file : waiting_) {
    if (file.kind == Kind::kFile) steps.push_back({std::move(file.path)});
  }
  waiting_.clear();
  waiting_cost_ = 0;
  Run(env_, steps);
}

// Its new name is durable first: under the old one a file that ends early would be a damaged segment.
Status Sweeper::Cut(const Env& env, const Step& step) {
  if (step.syncs_name) SLUICE_TRY(env.fs->SyncDir(step.path.substr(0, step.path.rfind('/'))));
  Result<std::unique_ptr<io::File>> file = env.fs->Open(step.path, io::OpenMode::kReadWrite);
  return file.ok() ? (*file)->Truncate(step.length) : file.status();
}

std::string Sweeper::Run(const Env& env, const std::vector<Step>& steps) {
  std::string uncut;
  for (const Step& step : steps) {
    const bool cuts = step.length > 0;
    if (cuts && step.path == uncut) continue;
    const Status done = cuts ? Cut(env, step) : step.is_folder ? env.fs->RemoveTree(step.path) : env.fs->Remove(step.path);
    if (done.ok()) continue;
    if (cuts) uncut = step.path;
    if (done.code() == Code::kNotFound || env.reporter == nullptr) continue;
    env.reporter->Report(Severity::kWarn, step.path + (cuts ? " cannot be cut down: " : " cannot be removed: ") + done.ToString());
  }
  return uncut;
}

}  // namespace sluice::log
