// Records on their way between JavaScript and batches: copied flat on the JavaScript thread, built and unpacked on others.
#pragma once

#include <napi.h>

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/types.h"
#include "batch/builder.h"

namespace sluice::addon {

// Where a byte string lies in the flat copy; length -1 is null.
struct Piece {
  size_t at = 0;
  int64_t length = -1;
};

struct RecordCopy {
  struct Header { Piece key, value; };
  struct Record {
    Piece key, value;
    std::optional<TimestampMs> timestamp;   // absent: now
    size_t first_header = 0, headers = 0;
  };
  std::vector<uint8_t> bytes;
  std::vector<Header> headers;
  std::vector<Record> records;
  TimestampMs now{0};
};

// JavaScript thread; false with an exception pending when a record is not of the shape in binding.ts.
bool CopyRecords(Napi::Value value, RecordCopy* out);
bool ToBatchOptions(Napi::Value value, batch::BatchOptions* out);

// Any thread. kInvalid for no records, kTooLarge beyond options.max_bytes.
Result<std::vector<uint8_t>> BuildBatch(const RecordCopy& records, const batch::BatchOptions& options);

// Records read back, again flat.
struct UnpackedRecords {
  struct Record {
    Offset offset;
    TimestampMs timestamp;
    Piece key, value;
    size_t first_header = 0, headers = 0;
  };
  std::vector<uint8_t> bytes;
  std::vector<RecordCopy::Header> headers;
  std::vector<Record> records;
  Offset next{0};
};

// Any thread. Whole batches in `batches`; records below `from` and control batches are left out. kCorrupt names the batch's offset.
Status Unpack(Bytes batches, Offset from, UnpackedRecords* out);
Napi::Value RecordsToJs(Napi::Env env, const UnpackedRecords& records);

}  // namespace sluice::addon
