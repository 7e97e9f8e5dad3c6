#include "net/read_pacer.h"

#include <algorithm>
#include <utility>

#include "net/file_sender.h"

namespace sluice::net {
namespace {

constexpr int64_t kLeast = 32 << 20;            // a reader always gets on
constexpr int64_t kFirst = 128 << 20;
constexpr int64_t kMost = int64_t{16} << 30;    // no disk's
constexpr int64_t kLookEveryUs = 10000;
constexpr int64_t kNewStretchUs = 1000000;      // without reads
constexpr int64_t kEnough = 16;                 // writes to tell what is usual
constexpr int64_t kLeastUsualUs = 400, kMostUsualUs = 20000;
constexpr int64_t kTooLong = 2;                 // times the usual
constexpr int64_t kDrainUs = 30000;             // what was asked before still has to come
constexpr int64_t kBurstUs = 2000;              // credit of so long is kept
constexpr int64_t kMostDebt = 4 << 20;          // of what was taken while nobody wrote
constexpr int64_t kRetryUs = 1000;

int64_t Share(int64_t rate, int64_t percent) { return rate / 100 * percent; }

}  // namespace

ReadPacer::ReadPacer(Reactor& reactor, std::function<io::WriteTimes()> writes)
    : reactor_(reactor), writes_(std::move(writes)), usual_us_(kLeastUsualUs), rate_(kFirst), ceiling_(kMost) {}

void ReadPacer::BeginStretch() {
  const io::WriteTimes now = writes_();
  const int64_t ended = now.ended - before_.ended;
  if (ended >= kEnough) usual_us_ = std::clamp((now.total_us - before_.total_us) / ended, kLeastUsualUs, kMostUsualUs);
  // Whether they still come the next look tells.
  writing_ = now.waiting_us > 0;
  before_ = now;
  rate_ = kFirst;
  ceiling_ = kMost;
  credit_ = kSendChunk;
  taken_ = 0;
  credited_us_ = looked_us_ = reactor_.now_us();
  slowed_us_ = 0;
}

void ReadPacer::Adapt() {
  const int64_t now_us = reactor_.now_us();
  if (looked_us_ == 0 || now_us - looked_us_ >= kNewStretchUs) {
    BeginStretch();
    return;
  }
  credit_ += rate_ / 1000 * (now_us - credited_us_) / 1000;
  credit_ = std::clamp(credit_, -kMostDebt, std::max(kSendChunk, rate_ / 1000 * kBurstUs / 1000));
  credited_us_ = now_us;
  const int64_t elapsed = now_us - looked_us_;
  if (elapsed < kLookEveryUs) return;
  const io::WriteTimes now = writes_();
  const int64_t ended = now.ended - before_.ended;
  const int64_t took = std::max(now.waiting_us, ended > 0 ? (now.total_us - before_.total_us) / ended : 0);
  const int64_t measured = taken_ * 1000 / elapsed * 1000;
  before_ = now;
  looked_us_ = now_us;
  taken_ = 0;
  writing_ = ended > 0 || now.waiting_us > 0;
  if (!writing_) return;
  if (took > kTooLong * usual_us_) {
    if (now_us - slowed_us_ < kDrainUs) return;
    ceiling_ = std::max(kLeast, Share(std::min(rate_, measured), 85));
    rate_ = std::max(kLeast, Share(std::min(rate_, measured), 60));
    slowed_us_ = now_us;
  } else if (measured >= Share(rate_, 60)) {
    rate_ = std::min(kMost, rate_ < ceiling_ ? std::min(ceiling_, Share(rate_, 110)) : rate_ + rate_ / 500 + 1);
  }
}

int64_t ReadPacer::Take(int64_t wanted) {
  Adapt();
  if (credit_ <= 0 && writing_) return 0;
  const int64_t given = writing_ ? std::min(wanted, std::max(credit_, kSendChunk)) : wanted;
  credit_ -= given;
  taken_ += given;
  return given;
}

void ReadPacer::Wait(FileSender* sender) {
  waiting_.PushBack(sender);
  if (!armed()) reactor_.Arm(this, kRetryUs);
}

void ReadPacer::OnTimer() {
  Adapt();
  // They take theirs later in this tick.
  for (int64_t left = credit_; left > 0 || !writing_; left -= kSendChunk) {
    FileSender* next = waiting_.PopFront();
    if (next == nullptr) return;
    next->OnPaced();
  }
  if (!waiting_.empty()) reactor_.Arm(this, kRetryUs);
}

}  // namespace sluice::net
