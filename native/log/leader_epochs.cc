#include "log/leader_epochs.h"

#include <algorithm>
#include <charconv>

namespace sluice::log {
namespace {

constexpr size_t kMaxEntries = 1 << 20;

// Takes the next line; false at the end.
bool TakeLine(std::string_view* text, std::string_view* line) {
  if (text->empty()) return false;
  const size_t end = text->find('\n');
  *line = text->substr(0, end);
  *text = end == std::string_view::npos ? std::string_view() : text->substr(end + 1);
  if (!line->empty() && line->back() == '\r') line->remove_suffix(1);
  return true;
}

template <class T>
bool ParseInt(std::string_view text, T* out) {
  auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return failure == std::errc() && end == text.data() + text.size();
}

}  // namespace

bool LeaderEpochs::Assign(LeaderEpoch epoch, Offset start) {
  if (!entries_.empty() && entries_.back().epoch == epoch && entries_.back().start <= start) return false;
  while (!entries_.empty() && (entries_.back().epoch >= epoch || entries_.back().start >= start)) entries_.pop_back();
  entries_.push_back({epoch, start});
  return true;
}

bool LeaderEpochs::TruncateFromStart(Offset start) {
  size_t below = 0;
  while (below < entries_.size() && entries_[below].start <= start) ++below;
  if (below == 0 || (below == 1 && entries_[0].start == start)) return false;
  entries_.erase(entries_.begin(), entries_.begin() + static_cast<ptrdiff_t>(below - 1));
  entries_[0].start = start;
  return true;
}

bool LeaderEpochs::TruncateFromEnd(Offset end) {
  const size_t before = entries_.size();
  while (!entries_.empty() && entries_.back().start >= end) entries_.pop_back();
  return entries_.size() != before;
}

LeaderEpoch LeaderEpochs::EpochOf(Offset offset) const {
  auto above = std::upper_bound(entries_.begin(), entries_.end(), offset, [](Offset o, const Entry& e) { return o < e.start; });
  return above == entries_.begin() ? kNoEpoch : std::prev(above)->epoch;
}

LeaderEpochs::Entry LeaderEpochs::EndOf(LeaderEpoch epoch, Offset log_end) const {
  if (epoch == kNoEpoch || entries_.empty()) return {kNoEpoch, kNoOffset};
  if (epoch == latest()) return {epoch, log_end};
  auto above = std::upper_bound(entries_.begin(), entries_.end(), epoch, [](LeaderEpoch e, const Entry& x) { return e < x.epoch; });
  if (above == entries_.end()) return {kNoEpoch, kNoOffset};
  if (above == entries_.begin()) return {epoch, above->start};
  return {std::prev(above)->epoch, above->start};
}

std::string LeaderEpochs::Encode() const {
  std::string text = "0\n" + std::to_string(entries_.size()) + "\n";
  for (const Entry& entry : entries_) text += std::to_string(entry.epoch.v) + " " + std::to_string(entry.start.v) + "\n";
  return text;
}

Result<LeaderEpochs> LeaderEpochs::Decode(std::string_view text) {
  const auto bad = [](const char* what) { return Status::Error(Code::kCorrupt, std::string("leader-epoch-checkpoint: ") + what); };
  std::string_view line;
  int version = -1;
  size_t count = 0;
  if (!TakeLine(&text, &line) || !ParseInt(line, &version) || version != 0) return bad("not version 0");
  if (!TakeLine(&text, &line) || !ParseInt(line, &count) || count > kMaxEntries) return bad("no count of entries");
  LeaderEpochs epochs;
  for (size_t i = 0; i < count; ++i) {
    Entry entry;
    if (!TakeLine(&text, &line)) return bad("fewer entries than it says");
    const size_t space = line.find(' ');
    if (space == std::string_view::npos || !ParseInt(line.substr(0, space), &entry.epoch.v) ||
        !ParseInt(line.substr(space + 1), &entry.start.v) || entry.epoch.v < 0 || entry.start.v < 0) {
      return bad("an entry that is no \"epoch offset\"");
    }
    epochs.Assign(entry.epoch, entry.start);
  }
  while (TakeLine(&text, &line)) {
    if (!line.empty()) return bad("more entries than it says");
  }
  return epochs;
}

}  // namespace sluice::log
