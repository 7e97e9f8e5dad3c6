#include "batch/batch_view.h"

namespace sluice::batch {

int32_t SequencePlus(int32_t sequence, int32_t increment) {
  return static_cast<int32_t>((static_cast<uint32_t>(sequence) + static_cast<uint32_t>(increment)) & 0x7fffffffu);
}

int32_t BatchView::last_sequence() const {
  return base_sequence() < 0 ? -1 : SequencePlus(base_sequence(), last_offset_delta());
}

Result<int64_t> PeekBatchSize(Bytes first, const BatchLimits& limits) {
  if (first.size() < kLengthOverhead) return Status::Error(Code::kCorrupt, "record batch is cut short before its length");
  const int32_t length = LoadI32(first.data() + kBatchLengthAt);
  if (length < kLegacyMinLength) {
    return Status::Error(Code::kCorrupt, "record batch declares " + std::to_string(length) + " bytes, less than any batch has");
  }
  const int64_t size = int64_t{length} + static_cast<int64_t>(kLengthOverhead);
  if (size > limits.max_bytes) {
    return Status::Error(Code::kTooLarge, "record batch of " + std::to_string(size) + " bytes is beyond the limit of " +
                                              std::to_string(limits.max_bytes));
  }
  return size;
}

Result<BatchView> ParseBatch(Bytes bytes, const BatchLimits& limits) {
  Result<int64_t> size = PeekBatchSize(bytes, limits);
  if (!size.ok()) return size.status();
  if (bytes.size() < kMagicPeekBytes) return Status::Error(Code::kCorrupt, "record batch is cut short before its magic");
  const int magic = static_cast<int8_t>(bytes[kMagicAt]);
  if (magic == 0 || magic == 1) {
    return Status::Error(Code::kUnsupportedFormat, "message format " + std::to_string(magic) + " is not supported, only 2 is");
  }
  if (magic != kMagic) return Status::Error(Code::kCorrupt, "record batch has magic " + std::to_string(magic));
  if (*size < static_cast<int64_t>(kHeaderBytes)) {
    return Status::Error(Code::kCorrupt, "record batch of " + std::to_string(*size) + " bytes is smaller than its header");
  }
  if (*size > static_cast<int64_t>(bytes.size())) {
    return Status::Error(Code::kCorrupt, "record batch declares " + std::to_string(*size) + " bytes, only " +
                                             std::to_string(bytes.size()) + " are there");
  }
  return BatchView(bytes.first(static_cast<size_t>(*size)));
}

BatchIterator::Step BatchIterator::Next(BatchView* out) {
  if (!status_.ok()) return Step::kBad;
  if (rest_.size() < kLengthOverhead) return Step::kEnd;
  Result<int64_t> size = PeekBatchSize(rest_, limits_);
  if (size.ok() && rest_.size() < kMagicPeekBytes) return Step::kEnd;
  if (size.ok() && *size > static_cast<int64_t>(rest_.size())) {
    const int8_t magic = static_cast<int8_t>(rest_[kMagicAt]);
    if (magic >= 0 && magic <= kMagic) return Step::kEnd;
  }
  Result<BatchView> batch = ParseBatch(rest_, limits_);
  if (!batch.ok()) {
    status_ = batch.status();
    return Step::kBad;
  }
  *out = *batch;
  rest_ = rest_.subspan(batch->size());
  return Step::kBatch;
}

}  // namespace sluice::batch
