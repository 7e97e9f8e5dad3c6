#include "fetched.h"

#include <cstring>

#include "base/crc32c.h"
#include "options.h"
#include "wire.h"

namespace sluice::bench {
namespace {
constexpr size_t kBatchHeader = 61;
constexpr size_t kLengthAt = 8, kCrcAt = 17, kAttributesAt = 21, kLastDeltaAt = 23, kCountAt = 57;
}  // namespace

std::vector<int64_t> FindOffsets(Connection& connection, const std::string& topic, const std::vector<Cursor>& cursors, int64_t which) {
  Writer out;
  out.Begin(kListOffsets, kListOffsetsVersion);
  out.I32(-1);
  out.I8(0);
  out.I32(1);
  out.String(topic);
  out.I32(static_cast<int32_t>(cursors.size()));
  for (const Cursor& cursor : cursors) {
    out.I32(cursor.partition);
    out.I64(which);
  }
  std::vector<uint8_t> answer;
  if (!connection.Call(out.End(), &answer)) Die(connection.failed());
  Reader in{Bytes(answer)};
  in.I32();
  in.I32();
  in.String();
  std::vector<int64_t> found(cursors.size(), 0);
  for (int32_t partitions = in.I32(); partitions > 0 && in.ok(); --partitions) {
    const int32_t partition = in.I32();
    const int16_t error = in.I16();
    in.I64();
    const int64_t offset = in.I64();
    if (error != 0) Die("ListOffsets was answered with error " + std::to_string(error));
    for (size_t i = 0; i < cursors.size(); ++i) {
      if (cursors[i].partition == partition) found[i] = offset;
    }
  }
  if (!in.ok()) Die("the answer to ListOffsets does not parse");
  return found;
}

void ForEachPartition(Bytes answer, const std::function<void(int32_t, Bytes)>& take) {
  Reader in(answer);
  in.I32();
  const int16_t error = in.I16();
  if (error != 0) Die("Fetch was answered with error " + std::to_string(error));
  in.I32();
  for (int32_t topics = in.I32(); topics > 0 && in.ok(); --topics) {
    in.String();
    for (int32_t partitions = in.I32(); partitions > 0 && in.ok(); --partitions) {
      const int32_t partition = in.I32();
      const int16_t partition_error = in.I16();
      if (partition_error != 0) Die("a partition answered Fetch with error " + std::to_string(partition_error));
      in.I64();
      in.I64();
      in.I64();
      for (int32_t aborted = in.I32(); aborted > 0 && in.ok(); --aborted) {
        in.I64();
        in.I64();
      }
      in.I32();
      const int32_t size = in.I32();
      take(partition, in.Raw(size < 0 ? 0 : size));
    }
  }
  if (!in.ok()) Die("an answer to Fetch does not parse");
}

ContentCheck::ContentCheck(int batch_records, int record_size, int every) : expected_(BuildBatch(batch_records, record_size, 1)), every_(every) {}

uint64_t ContentCheck::Walk(Bytes records, int64_t* offset) {
  size_t at = 0;
  uint64_t walked = 0;
  while (records.size() - at >= kBatchHeader) {
    const uint8_t* head = records.data() + at;
    const int32_t length = ReadI32(head + kLengthAt);
    if (length < static_cast<int32_t>(kBatchHeader - 12)) Die("a fetched batch is shorter than its head");
    const size_t size = static_cast<size_t>(length) + 12;
    if (records.size() - at < size) break;
    const int64_t base = ReadI64(head);
    const int64_t next = base + ReadI32(head + kLastDeltaAt) + 1;
    // A fetch from inside a batch gets the whole batch.
    if (base > *offset || next <= *offset) Die("offset " + std::to_string(base) + " was fetched where " + std::to_string(*offset) + " comes next");
    if (every_ > 0 && batches_++ % static_cast<uint64_t>(every_) == 0) {
      const bool is_ours = size == expected_.size();
      const bool is_right = is_ours ? std::memcmp(head + kBatchHeader, expected_.data() + kBatchHeader, size - kBatchHeader) == 0
                                    : Crc32c(records.subspan(at + kAttributesAt, size - kAttributesAt)) == static_cast<uint32_t>(ReadI32(head + kCrcAt));
      if (!is_right) Die("the batch at offset " + std::to_string(base) + " is not what was sent");
    }
    walked += static_cast<uint64_t>(ReadI32(head + kCountAt));
    *offset = next;
    at += size;
  }
  return walked;
}

}  // namespace sluice::bench
