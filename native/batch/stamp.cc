#include "batch/stamp.h"

#include "batch/batch_view.h"

namespace sluice::batch {

void StampOffset(MutableBytes batch, Offset base, LeaderEpoch epoch) {
  SLUICE_ASSERT_OP(batch.size(), >=, kHeaderBytes);
  StoreI64(batch.data() + kBaseOffsetAt, base.v);
  StoreI32(batch.data() + kLeaderEpochAt, epoch.v);
}

bool StampTimestamps(MutableBytes batch, bool log_append_time, TimestampMs max) {
  const BatchView view(batch);
  if (view.log_append_time() == log_append_time && view.max_timestamp() == max) return false;
  const int attributes = (view.attributes() & ~kLogAppendTimeBit) | (log_append_time ? kLogAppendTimeBit : 0);
  StoreI16(batch.data() + kAttributesAt, static_cast<int16_t>(attributes));
  StoreI64(batch.data() + kMaxTimestampAt, max.v);
  StampCrc(batch);
  return true;
}

void StampProducer(MutableBytes batch, ProducerId id, ProducerEpoch epoch, int32_t base_sequence) {
  SLUICE_ASSERT_OP(batch.size(), >=, kHeaderBytes);
  StoreI64(batch.data() + kProducerIdAt, id.v);
  StoreI16(batch.data() + kProducerEpochAt, epoch.v);
  StoreI32(batch.data() + kBaseSequenceAt, base_sequence);
  StampCrc(batch);
}

void StampCrc(MutableBytes batch) {
  SLUICE_ASSERT_OP(batch.size(), >=, kHeaderBytes);
  StoreU32(batch.data() + kCrcAt, Crc32c(Bytes(batch).subspan(kAttributesAt)));
}

}  // namespace sluice::batch
