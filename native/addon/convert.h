// Plain, checked structs out of JavaScript values. Below this no napi type exists.
// Thread: JavaScript. After error: a JavaScript exception is pending and false is returned.
#pragma once

#include <napi.h>

#include <memory>
#include <string>
#include <vector>

#include "addon/engine.h"
#include "base/buffer.h"
#include "base/buffer_pool.h"
#include "batch/codec.h"
#include "log/config.h"
#include "log/log_dir.h"

namespace sluice::addon {

// Each reads one property or value; a missing or wrong one throws a TypeError that names it.
bool ToInt64(Napi::Value value, const char* what, int64_t* out);          // number (whole) or bigint
bool ToString(Napi::Value value, const char* what, std::string* out);
bool ToTopicId(Napi::Value value, TopicId* out);
bool ToPartitionRef(Napi::Value value, TopicIdPartition* out);             // { topicId, partition }
bool ToLogConfig(Napi::Value value, log::LogConfig* out);
// `before`: the settings of the partition before and where they were put; most partitions of a list share one object.
bool ToPartitionSpec(Napi::Value value, const log::LogConfig* before, Napi::Value* settings, log::PartitionSpec* out);
bool ToPlaneConfig(Napi::Value value, kafka::PlaneConfig* out);
bool ToCleanerOptions(Napi::Value value, log::CleanerOptions* out);
bool ToListeners(Napi::Value value, std::vector<kafka::ListenerSpec>* out);
bool ToEngineOptions(Napi::Value value, EngineOptions* out);
bool ToBytes(Napi::Value value, const char* what, Bytes* out);             // Uint8Array; a view while the value lives
bool ToCodec(const std::string& name, batch::Codec* out);                  // "none", "gzip", ...

bool ThrowType(Napi::Env env, const std::string& message);                 // always false

Napi::Value OffsetToJs(Napi::Env env, Offset offset);                      // bigint

// As a Buffer. From so many bytes on the memory itself is handed over, and comes to the pool when JavaScript has finished with it.
inline constexpr size_t kWorthHandingOver = 32 << 10;
Napi::Value BytesToJs(Napi::Env env, Buffer bytes, const std::shared_ptr<BufferPool>& pool);

}  // namespace sluice::addon
