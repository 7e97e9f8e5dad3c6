#include "log/batch_head.h"

#include "base/endian.h"
#include "batch/batch_view.h"

namespace sluice::log {

int32_t BatchHead::last_sequence() const {
  return base_sequence < 0 ? base_sequence : batch::SequencePlus(base_sequence, last_delta);
}

Result<BatchHead> ParseBatchHead(Bytes first, int64_t room) {
  const auto bad = [](const char* what) { return Status::Error(Code::kCorrupt, what); };
  if (first.size() < batch::kHeaderBytes) return bad("batch header cut short");
  const uint8_t* p = first.data();
  const int8_t magic = static_cast<int8_t>(p[batch::kMagicAt]);
  const int64_t length = LoadI32(p + batch::kBatchLengthAt);
  if (length < batch::kLegacyMinLength) return bad("batch length too small");
  if (magic < 0 || magic > batch::kMagic) return bad("no such format of a batch");
  if (magic < batch::kMagic) return Status::Error(Code::kUnsupportedFormat, "message format " + std::to_string(magic));
  BatchHead head;
  head.base = Offset(LoadI64(p + batch::kBaseOffsetAt));
  head.size = length + static_cast<int64_t>(batch::kLengthOverhead);
  head.epoch = LeaderEpoch(LoadI32(p + batch::kLeaderEpochAt));
  head.crc = LoadU32(p + batch::kCrcAt);
  head.attributes = LoadI16(p + batch::kAttributesAt);
  head.last_delta = LoadI32(p + batch::kLastOffsetDeltaAt);
  head.max_timestamp = TimestampMs(LoadI64(p + batch::kMaxTimestampAt));
  head.producer = ProducerId(LoadI64(p + batch::kProducerIdAt));
  head.producer_epoch = ProducerEpoch(LoadI16(p + batch::kProducerEpochAt));
  head.base_sequence = LoadI32(p + batch::kBaseSequenceAt);
  if (head.size < static_cast<int64_t>(batch::kHeaderBytes)) return bad("batch shorter than its header");
  if (head.size > room) return bad("batch cut short");
  int64_t end;
  if (head.base.v < 0 || head.last_delta < 0 || __builtin_add_overflow(head.base.v, int64_t{head.last_delta} + 1, &end)) {
    return bad("batch offsets out of range");
  }
  return head;
}

}  // namespace sluice::log
