#include "log/producer_snapshot.h"

#include <algorithm>
#include <vector>

#include "base/crc32c.h"
#include "base/endian.h"

namespace sluice::log {
namespace {
constexpr int16_t kSnapshotVersion = 1;
constexpr size_t kSnapshotCrcAt = 2;
constexpr size_t kCountAt = 6;
constexpr size_t kEntriesAt = 10;
constexpr size_t kEntryBytes = 46;
}  // namespace

std::string EncodeProducerSnapshot(const ProducerState& state) {
  std::vector<int64_t> ids;
  ids.reserve(state.size());
  for (const auto& item : state.all()) ids.push_back(item.first);
  std::sort(ids.begin(), ids.end());
  std::string out(kEntriesAt + ids.size() * kEntryBytes, '\0');
  uint8_t* bytes = reinterpret_cast<uint8_t*>(out.data());
  StoreI16(bytes, kSnapshotVersion);
  StoreI32(bytes + kCountAt, static_cast<int32_t>(ids.size()));
  uint8_t* p = bytes + kEntriesAt;
  for (int64_t id : ids) {
    const Producer& producer = *state.Find(ProducerId(id));
    const ProducerBatch* last = producer.last_batch();
    StoreI64(p, id);
    StoreI16(p + 8, producer.epoch.v);
    StoreI32(p + 10, last == nullptr ? -1 : last->last_sequence);
    StoreI64(p + 14, last == nullptr ? -1 : last->last.v);
    StoreI32(p + 22, last == nullptr ? 0 : last->offset_delta);
    StoreI64(p + 26, producer.last_timestamp.v);
    StoreI32(p + 34, producer.coordinator_epoch);
    StoreI64(p + 38, producer.txn_first.v);
    p += kEntryBytes;
  }
  StoreU32(bytes + kSnapshotCrcAt, Crc32c({bytes + kCountAt, out.size() - kCountAt}));
  return out;
}

Status DecodeProducerSnapshot(Bytes bytes, ProducerState* state) {
  const auto bad = [](const char* what) { return Status::Error(Code::kCorrupt, std::string("producer snapshot: ") + what); };
  if (bytes.size() < kEntriesAt) return bad("cut short");
  if (LoadI16(bytes.data()) != kSnapshotVersion) return bad("unknown version");
  if (LoadU32(bytes.data() + kSnapshotCrcAt) != Crc32c(bytes.subspan(kCountAt))) return bad("CRC does not match");
  const int64_t count = LoadI32(bytes.data() + kCountAt);
  if (count < 0 || bytes.size() != kEntriesAt + static_cast<size_t>(count) * kEntryBytes) return bad("length does not match its count");
  for (const uint8_t* p = bytes.data() + kEntriesAt; p != bytes.data() + bytes.size(); p += kEntryBytes) {
    Producer producer;
    producer.epoch = ProducerEpoch(LoadI16(p + 8));
    producer.last_timestamp = TimestampMs(LoadI64(p + 26));
    producer.coordinator_epoch = LoadI32(p + 34);
    producer.txn_first = Offset(std::max<int64_t>(LoadI64(p + 38), -1));
    const Offset last(LoadI64(p + 14));
    if (last.v >= 0) producer.AddBatch({LoadI32(p + 10), LoadI32(p + 22), last, producer.last_timestamp});
    state->Restore(ProducerId(LoadI64(p)), producer);
  }
  return Status::Ok();
}

}  // namespace sluice::log
