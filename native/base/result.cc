#include "base/result.h"

#include <cerrno>
#include <cstring>

namespace sluice {

Status Status::FromErrno(int sys_errno, std::string what) {
  Code code = Code::kIo;
  switch (sys_errno) {
    case ENOSPC:
    case EDQUOT: code = Code::kNoSpace; break;
    case EMFILE:
    case ENFILE: code = Code::kNoFiles; break;
    case EAGAIN: code = Code::kWouldBlock; break;
    case ENOENT: code = Code::kNotFound; break;
    case EEXIST: code = Code::kExists; break;
    default: break;
  }
  return Error(code, std::move(what), sys_errno);
}

std::string Status::ToString() const {
  if (ok()) return "ok";
  std::string text = what_.empty() ? std::string(CodeName(code_)) : what_;
  if (errno_ != 0) {
    text += ": ";
    text += std::strerror(errno_);
    text += " (";
    const char* name = strerrorname_np(errno_);
    text += name != nullptr ? name : std::to_string(errno_);
    text += ")";
  }
  return text;
}

const char* CodeName(Code code) {
  switch (code) {
    case Code::kOk: return "ok";
    case Code::kIo: return "io";
    case Code::kNoSpace: return "no_space";
    case Code::kNoFiles: return "no_files";
    case Code::kWouldBlock: return "would_block";
    case Code::kCorrupt: return "corrupt";
    case Code::kInvalid: return "invalid";
    case Code::kNotFound: return "not_found";
    case Code::kExists: return "exists";
    case Code::kLocked: return "locked";
    case Code::kForeign: return "foreign";
    case Code::kClosed: return "closed";
    case Code::kOffline: return "offline";
    case Code::kOffsetOutOfRange: return "offset_out_of_range";
    case Code::kTooLarge: return "too_large";
    case Code::kUnsupportedFormat: return "unsupported_format";
    case Code::kInvalidTimestamp: return "invalid_timestamp";
    case Code::kInvalidRecord: return "invalid_record";
    case Code::kOutOfOrderSequence: return "out_of_order_sequence";
    case Code::kInvalidProducerEpoch: return "invalid_producer_epoch";
    case Code::kFencedLeaderEpoch: return "fenced_leader_epoch";
    case Code::kUnknownLeaderEpoch: return "unknown_leader_epoch";
    case Code::kBudget: return "budget";
    case Code::kTimeout: return "timeout";
  }
  return "unknown";
}

}  // namespace sluice
