// Settings of one log, already checked and resolved (topic value, else broker value). Kafka's names and units.
#pragma once

#include <cstdint>

namespace sluice::log {

enum class Durability : uint8_t {
  kFsync,  // answered and shown to consumers when a power cut can no longer take it
  kOs,     // answered when the page cache has it, as Kafka does
};

struct LogConfig {
  int64_t segment_bytes = 1073741824;
  int64_t segment_ms = 604800000;
  int64_t segment_index_bytes = 10485760;
  int64_t index_interval_bytes = 4096;
  int64_t retention_ms = 604800000;   // -1: no limit
  int64_t retention_bytes = -1;       // -1: no limit
  int64_t file_delete_delay_ms = 60000;
  int32_t max_message_bytes = 1048588;
  bool cleanup_delete = true;
  bool cleanup_compact = false;
  double min_cleanable_ratio = 0.5;   // min.cleanable.dirty.ratio
  int64_t min_compaction_lag_ms = 0;
  int64_t max_compaction_lag_ms = INT64_MAX;
  int64_t delete_retention_ms = 86400000;
  bool log_append_time = false;       // message.timestamp.type
  int64_t timestamp_before_max_ms = INT64_MAX;
  int64_t timestamp_after_max_ms = 3600000;
  int8_t compression = -1;            // -1 producer, else batch::Codec
  int32_t compression_level = INT32_MIN;  // INT32_MIN: the codec's default
  int64_t producer_id_expiration_ms = 86400000;
  Durability durability = Durability::kFsync;
};

}  // namespace sluice::log
