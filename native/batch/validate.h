// What Kafka's broker checks of a batch before it appends it, in Kafka's order and with its error codes.
//
// A compressed batch is only decompressed when a rule needs to see records (DecompressionNeeded); that can be handed to another thread:
// ValidateForAppend never decompresses, ValidateCompressedRecords does. A batch is accepted when what was asked for has succeeded.
//
// Stricter than Kafka in two points that no client relies on: the offset deltas of an uncompressed batch must be 0, 1, 2, ... (Kafka stores
// others and then its consumers stumble), and a compressed section must begin as its codec says (Kafka notices while decompressing).
//
// Thread: any. Owns: nothing. After error: the detail holds what is known of single records.
#pragma once

#include <string>
#include <vector>

#include "batch/batch_view.h"

namespace sluice::batch {

enum class Origin : uint8_t {
  kClient,       // an ordinary Produce
  kCoordinator,  // written by the broker itself: may hold control records and start at any offset
};

struct AppendRules {
  Origin origin = Origin::kClient;
  int64_t max_message_bytes = kDefaultMaxMessageBytes;  // max.message.bytes
  bool compacted = false;                               // cleanup.policy contains compact: every record needs a key
  bool log_append_time = false;                         // message.timestamp.type
  int64_t timestamp_before_max_ms = INT64_MAX;          // message.timestamp.before.max.ms
  int64_t timestamp_after_max_ms = 3600000;             // message.timestamp.after.max.ms
  TimestampMs now{0};
  bool zstd_allowed = true;    // false for Produce versions below 7
  bool always_look_inside = false;  // decompress even when no other rule needs it
  int32_t max_record_bytes = kNoRecordLimit;  // max.decompressed.message.bytes: of one record of a compressed batch, without its length
  int64_t max_decompressed_bytes = kDefaultMaxDecompressedBytes;  // of all its records; Kafka has no such bound
};

struct RecordError {
  int32_t index;  // of the record in its batch
  std::string message;
};

struct ValidationDetail {
  std::vector<RecordError> errors;  // at most kMaxRecordErrors
  int32_t error_count = 0;          // all of them
  // For StampTimestamps: what the header must say of this batch (the records' own maximum, or `now` with LogAppendTime).
  TimestampMs max_timestamp{-1};
  bool decompression_needed = false;  // ValidateCompressedRecords has yet to be asked

  void Clear() { *this = ValidationDetail(); }
};

// The one batch of a Produce request's records field. kInvalidRecord: none, more than one, or an older format; kCorrupt.
// Bytes of an incomplete second batch are ignored, as Kafka does.
Result<BatchView> ParseProduced(Bytes records);

// Everything but the records of a compressed batch. Fails with
//   kInvalidRecord      base offset not 0, counts that contradict each other, control batch, idempotence fields, bad records, missing keys
//   kTooLarge           beyond max.message.bytes
//   kCorrupt            CRC; a compressed section that is not what it says
//   kUnsupportedFormat  unknown codec, or zstd where it is not allowed
//   kInvalidTimestamp   records out of the allowed time, or a client that set LogAppendTime
Status ValidateForAppend(const BatchView& batch, const AppendRules& rules, ValidationDetail* detail);

// The records of a compressed batch that ValidateForAppend passed. Memory: what the codec's window takes, not the size of the data.
Status ValidateCompressedRecords(const BatchView& batch, const AppendRules& rules, Decompressor* decompressor, ValidationDetail* detail);

}  // namespace sluice::batch
