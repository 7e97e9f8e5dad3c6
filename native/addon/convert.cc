#include "addon/convert.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

namespace sluice::addon {
namespace {

constexpr int64_t kYearMs = 366ll * 24 * 3600 * 1000;  // keeps a time in microseconds far from overflow

bool GetInt64(Napi::Object object, const char* name, int64_t* out) { return ToInt64(object.Get(name), name, out); }

template <class T>
bool GetNumber(Napi::Object object, const char* name, T* out) {
  int64_t value = 0;
  if (!GetInt64(object, name, &value)) return false;
  *out = static_cast<T>(value);
  return true;
}

bool GetDouble(Napi::Object object, const char* name, double* out) {
  Napi::Value value = object.Get(name);
  if (!value.IsNumber() || std::isnan(value.As<Napi::Number>().DoubleValue())) return ThrowType(object.Env(), std::string(name) + " must be a number");
  *out = value.As<Napi::Number>().DoubleValue();
  return true;
}

bool GetBool(Napi::Object object, const char* name, bool* out) {
  Napi::Value value = object.Get(name);
  if (!value.IsBoolean()) return ThrowType(object.Env(), std::string(name) + " must be a boolean");
  *out = value.As<Napi::Boolean>().Value();
  return true;
}

bool IsGiven(Napi::Value value) { return !value.IsUndefined() && !value.IsNull(); }

}  // namespace

bool ThrowType(Napi::Env env, const std::string& message) {
  Napi::TypeError::New(env, message).ThrowAsJavaScriptException();
  return false;
}

bool ToInt64(Napi::Value value, const char* what, int64_t* out) {
  if (value.IsNumber()) {
    double number = value.As<Napi::Number>().DoubleValue();
    if (std::isnan(number)) return ThrowType(value.Env(), std::string(what) + " must be a whole number");
    // Settings without a limit come as Number.MAX_SAFE_INTEGER or Infinity.
    if (number >= 9007199254740991.0) {
      *out = INT64_MAX;
    } else if (number <= -9007199254740991.0) {
      *out = INT64_MIN;
    } else {
      *out = static_cast<int64_t>(number);
    }
    return true;
  }
  if (value.IsBigInt()) {
    bool lossless = false;
    *out = value.As<Napi::BigInt>().Int64Value(&lossless);
    if (!lossless) return ThrowType(value.Env(), std::string(what) + " must fit 64 bits");
    return true;
  }
  return ThrowType(value.Env(), std::string(what) + " must be a number");
}

bool ToString(Napi::Value value, const char* what, std::string* out) {
  if (!value.IsString()) return ThrowType(value.Env(), std::string(what) + " must be a string");
  *out = value.As<Napi::String>().Utf8Value();
  return true;
}

bool ToTopicId(Napi::Value value, TopicId* out) {
  std::string text;
  if (!ToString(value, "topicId", &text)) return false;
  if (!TopicId::Parse(text, out)) return ThrowType(value.Env(), "topicId must be 22 characters of URL-safe base64, not '" + text + "'");
  return true;
}

bool ToPartitionRef(Napi::Value value, TopicIdPartition* out) {
  if (!value.IsObject()) return ThrowType(value.Env(), "a partition must be { topicId, partition }");
  Napi::Object object = value.As<Napi::Object>();
  return ToTopicId(object.Get("topicId"), &out->id) && GetNumber(object, "partition", &out->partition);
}

bool ToCodec(const std::string& name, batch::Codec* out) {
  if (name == "none" || name == "uncompressed") *out = batch::Codec::kNone;
  else if (name == "gzip") *out = batch::Codec::kGzip;
  else if (name == "snappy") *out = batch::Codec::kSnappy;
  else if (name == "lz4") *out = batch::Codec::kLz4;
  else if (name == "zstd") *out = batch::Codec::kZstd;
  else return false;
  return true;
}

bool ToLogConfig(Napi::Value value, log::LogConfig* out) {
  if (!value.IsObject()) return ThrowType(value.Env(), "settings must be an object");
  Napi::Object o = value.As<Napi::Object>();
  std::string durability, compression;
  if (!GetNumber(o, "segmentBytes", &out->segment_bytes) || !GetNumber(o, "segmentMs", &out->segment_ms) ||
      !GetNumber(o, "segmentIndexBytes", &out->segment_index_bytes) || !GetNumber(o, "indexIntervalBytes", &out->index_interval_bytes) ||
      !GetNumber(o, "retentionMs", &out->retention_ms) || !GetNumber(o, "retentionBytes", &out->retention_bytes) ||
      !GetNumber(o, "fileDeleteDelayMs", &out->file_delete_delay_ms) || !GetNumber(o, "maxMessageBytes", &out->max_message_bytes) ||
      !GetBool(o, "cleanupDelete", &out->cleanup_delete) || !GetBool(o, "cleanupCompact", &out->cleanup_compact) ||
      !GetDouble(o, "minCleanableRatio", &out->min_cleanable_ratio) || !GetNumber(o, "minCompactionLagMs", &out->min_compaction_lag_ms) ||
      !GetNumber(o, "maxCompactionLagMs", &out->max_compaction_lag_ms) || !GetNumber(o, "deleteRetentionMs", &out->delete_retention_ms) ||
      !GetBool(o, "logAppendTime", &out->log_append_time) || !GetNumber(o, "timestampBeforeMaxMs", &out->timestamp_before_max_ms) ||
      !GetNumber(o, "timestampAfterMaxMs", &out->timestamp_after_max_ms) || !ToString(o.Get("compression"), "compression", &compression) ||
      !GetNumber(o, "producerIdExpirationMs", &out->producer_id_expiration_ms) || !ToString(o.Get("durability"), "durability", &durability)) {
    return false;
  }
  out->compression = -1;
  if (compression != "producer") {
    batch::Codec codec;
    if (!ToCodec(compression, &codec)) return ThrowType(value.Env(), "compression '" + compression + "' is unknown");
    out->compression = static_cast<int8_t>(codec);
  }
  if (IsGiven(o.Get("compressionLevel")) && !GetNumber(o, "compressionLevel", &out->compression_level)) return false;
  if (durability != "fsync" && durability != "os") return ThrowType(value.Env(), "durability must be 'fsync' or 'os', not '" + durability + "'");
  out->durability = durability == "os" ? log::Durability::kOs : log::Durability::kFsync;
  return true;
}

bool ToPartitionSpec(Napi::Value value, const log::LogConfig* before, Napi::Value* settings, log::PartitionSpec* out) {
  TopicIdPartition ref;
  if (!ToPartitionRef(value, &ref)) return false;
  Napi::Object o = value.As<Napi::Object>();
  out->id = ref.id;
  out->name.partition = ref.partition;
  if (!ToString(o.Get("topic"), "topic", &out->name.topic) || !GetNumber(o, "leaderEpoch", &out->epoch.v)) return false;
  // The name becomes a folder's: control planes check topic names, this only keeps it inside the directory.
  if (out->name.topic.empty() || out->name.topic.size() > 249 || out->name.topic.find('/') != std::string::npos || out->name.partition < 0) {
    return ThrowType(value.Env(), "topic '" + out->name.topic + "' cannot be a folder");
  }
  const Napi::Value own = o.Get("settings");
  if (before != nullptr && own.StrictEquals(*settings)) {
    out->config = *before;
    return true;
  }
  *settings = own;
  return ToLogConfig(own, &out->config);
}

bool ToPlaneConfig(Napi::Value value, kafka::PlaneConfig* out) {
  if (!value.IsObject()) return ThrowType(value.Env(), "settings must be an object");
  Napi::Object o = value.As<Napi::Object>();
  if (!GetNumber(o, "nodeId", &out->node_id) || !GetNumber(o, "maxRequestBytes", &out->max_request_bytes) || !GetNumber(o, "idleMs", &out->idle_ms) ||
      !GetNumber(o, "maxConnections", &out->max_connections) || !GetNumber(o, "maxConnectionsPerIp", &out->max_connections_per_ip) ||
      !GetNumber(o, "sendBufferBytes", &out->send_buffer_bytes) || !GetNumber(o, "maxSendBufferBytes", &out->max_send_buffer_bytes) ||
      !GetNumber(o, "receiveBufferBytes", &out->receive_buffer_bytes) || !GetNumber(o, "listenBacklog", &out->listen_backlog) ||
      !GetNumber(o, "requestMemoryBytes", &out->request_memory_bytes) ||
      !GetNumber(o, "connectionMemoryBytes", &out->connection_memory_bytes) || !GetNumber(o, "responseMemoryBytes", &out->response_memory_bytes) ||
      !GetNumber(o, "socketMemoryBytes", &out->socket_memory_bytes) || !GetNumber(o, "maxConnectionRate", &out->max_connection_rate) || !GetNumber(o, "fetchMaxBytes", &out->fetch_max_bytes) ||
      !GetNumber(o, "fetchSessionSlots", &out->fetch_session_slots)) {
    return false;
  }
  Napi::Value overrides = o.Get("perIpOverrides");
  if (!overrides.IsArray()) return ThrowType(value.Env(), "perIpOverrides must be an array");
  Napi::Array limits = overrides.As<Napi::Array>();
  for (uint32_t i = 0; i < limits.Length(); ++i) {
    Napi::Value item = limits.Get(i);
    kafka::HostLimit limit{};
    if (!item.IsObject()) return ThrowType(value.Env(), "perIpOverrides must list { host, connections }");
    if (!ToString(item.As<Napi::Object>().Get("host"), "host", &limit.host)) return false;
    if (!GetNumber(item.As<Napi::Object>(), "connections", &limit.connections)) return false;
    out->per_ip_overrides.push_back(std::move(limit));
  }
  Napi::Value served = o.Get("served");
  if (!served.IsArray()) return ThrowType(value.Env(), "served must be an array");
  Napi::Array list = served.As<Napi::Array>();
  for (uint32_t i = 0; i < list.Length(); ++i) {
    Napi::Value item = list.Get(i);
    kafka::ApiVersionRange range{};
    if (!item.IsObject() || !GetNumber(item.As<Napi::Object>(), "key", &range.key) || !GetNumber(item.As<Napi::Object>(), "min", &range.min) ||
        !GetNumber(item.As<Napi::Object>(), "max", &range.max)) {
      return ThrowType(value.Env(), "served must list { key, min, max }");
    }
    out->served.push_back(range);
  }
  return true;
}

bool ToCleanerOptions(Napi::Value value, log::CleanerOptions* out) {
  if (!value.IsObject()) return ThrowType(value.Env(), "cleaner settings must be an object");
  Napi::Object o = value.As<Napi::Object>();
  return GetBool(o, "enabled", &out->enabled) && GetNumber(o, "threads", &out->threads) && GetNumber(o, "dedupeBufferBytes", &out->map_bytes) &&
         GetDouble(o, "loadFactor", &out->load_factor) && GetNumber(o, "ioBufferBytes", &out->buffer_bytes) &&
         GetDouble(o, "maxBytesPerSecond", &out->max_bytes_per_second) && GetNumber(o, "backoffMs", &out->backoff_ms);
}

bool ToListeners(Napi::Value value, std::vector<kafka::ListenerSpec>* out) {
  if (!value.IsArray()) return ThrowType(value.Env(), "listeners must be an array");
  Napi::Array list = value.As<Napi::Array>();
  for (uint32_t i = 0; i < list.Length(); ++i) {
    Napi::Value item = list.Get(i);
    if (!item.IsObject()) return ThrowType(value.Env(), "a listener must be { name, host, port }");
    Napi::Object o = item.As<Napi::Object>();
    kafka::ListenerSpec spec;
    if (!ToString(o.Get("name"), "name", &spec.name) || !ToString(o.Get("host"), "host", &spec.host) || !GetNumber(o, "port", &spec.port)) return false;
    out->push_back(std::move(spec));
  }
  return true;
}

bool ToEngineOptions(Napi::Value value, EngineOptions* out) {
  if (!value.IsObject()) return ThrowType(value.Env(), "engine options must be an object");
  Napi::Object o = value.As<Napi::Object>();
  if (!ToString(o.Get("dir"), "dir", &out->dir.path)) return false;
  if (out->dir.path.empty()) return ThrowType(value.Env(), "dir must name a directory");
  if (IsGiven(o.Get("clusterId")) && !ToString(o.Get("clusterId"), "clusterId", &out->dir.cluster_id)) return false;
  if (IsGiven(o.Get("nodeId")) && !GetNumber(o, "nodeId", &out->dir.node_id)) return false;
  if (IsGiven(o.Get("journalBytes")) && !GetNumber(o, "journalBytes", &out->dir.journal_bytes)) return false;
  if (IsGiven(o.Get("retentionCheckMs")) && !GetNumber(o, "retentionCheckMs", &out->dir.retention_check_ms)) return false;
  if (IsGiven(o.Get("retentionDelayMs")) && !GetNumber(o, "retentionDelayMs", &out->dir.retention_delay_ms)) return false;
  out->dir.retention_check_ms = std::clamp<int64_t>(out->dir.retention_check_ms, 1, kYearMs);
  out->dir.retention_delay_ms = std::clamp<int64_t>(out->dir.retention_delay_ms, 0, kYearMs);
  if (IsGiven(o.Get("cleaner")) && !ToCleanerOptions(o.Get("cleaner"), &out->dir.cleaner)) return false;
  if (IsGiven(o.Get("scrubBytesPerSecond")) && !GetNumber(o, "scrubBytesPerSecond", &out->dir.scrub.bytes_per_second)) return false;
  if (IsGiven(o.Get("scrubIntervalMs")) && !GetNumber(o, "scrubIntervalMs", &out->dir.scrub.interval_ms)) return false;
  out->dir.scrub.interval_ms = std::clamp<int64_t>(out->dir.scrub.interval_ms, 1, kYearMs);
  if (IsGiven(o.Get("poolThreads")) && !GetNumber(o, "poolThreads", &out->pool_threads)) return false;
  if (out->pool_threads < 1 || out->pool_threads > 64) return ThrowType(value.Env(), "poolThreads must be 1 to 64");
  if (IsGiven(o.Get("ioDriver"))) {
    std::string driver;
    if (!ToString(o.Get("ioDriver"), "ioDriver", &driver)) return false;
    if (driver == "auto") out->driver = io::Driver::kAuto;
    else if (driver == "io_uring") out->driver = io::Driver::kUring;
    else if (driver == "epoll") out->driver = io::Driver::kEpoll;
    else return ThrowType(value.Env(), "ioDriver must be auto, io_uring or epoll, not '" + driver + "'");
  }
  return true;
}

bool ToBytes(Napi::Value value, const char* what, Bytes* out) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    return ThrowType(value.Env(), std::string(what) + " must be a Buffer or Uint8Array");
  }
  Napi::Uint8Array array = value.As<Napi::Uint8Array>();
  *out = Bytes(array.Data(), array.ElementLength());
  return true;
}

Napi::Value OffsetToJs(Napi::Env env, Offset offset) { return Napi::BigInt::New(env, offset.v); }

Napi::Value BytesToJs(Napi::Env env, Buffer bytes, const std::shared_ptr<BufferPool>& pool) {
  if (bytes.size() < kWorthHandingOver) return Napi::Buffer<uint8_t>::Copy(env, bytes.data(), bytes.size());
  struct Lent {
    Buffer bytes;
    std::shared_ptr<BufferPool> pool;
  };
  const auto take_back = [](napi_env, void*, void* hint) {
    std::unique_ptr<Lent> lent(static_cast<Lent*>(hint));
    lent->pool->Give(std::move(lent->bytes));
  };
  auto lent = std::make_unique<Lent>(Lent{std::move(bytes), pool});
  napi_value value = nullptr;
  const napi_status status = napi_create_external_buffer(env, lent->bytes.size(), lent->bytes.data(), take_back, lent.get(), &value);
  // Once Node has tried it gives the memory back itself, whether there is a buffer or not.
  if (status == napi_ok || status == napi_generic_failure) {
    lent.release();
    return Napi::Value(env, value);
  }
  // It has not where that is not allowed, and for a worker that is being terminated, which gets no copy either.
  Napi::Value copy = Napi::Buffer<uint8_t>::Copy(env, lent->bytes.data(), lent->bytes.size());
  take_back(env, nullptr, lent.release());
  return copy;
}

}  // namespace sluice::addon
