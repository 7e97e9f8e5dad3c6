// Appends of one turn of the event loop, as src/storage/packed-appends.ts packs them (the grammar stands there): checked, grouped into batches, built.
// Thread: Parse any; Submit the engine's.
// Owns: the bytes, shared by the groups cut from them.
// After error: Parse that fails leaves nothing to submit.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "addon/engine.h"
#include "batch/builder.h"

namespace sluice::addon {

// Neighbouring appends of one kind to one partition: one batch.
struct AppendGroup {
  int32_t partition = 0;
  batch::Codec codec = batch::Codec::kNone;
  int level = batch::kDefaultLevel;
  bool control = false;
  size_t first = 0, count = 0;  // appends
  size_t begin = 0, end = 0;    // in the bytes
  size_t most = 0;              // bytes that the batch's records can take at most

  bool SameKind(const AppendGroup& o) const { return partition == o.partition && codec == o.codec && level == o.level && control == o.control; }
};

class PackedAppends {
 public:
  // kInvalid when the bytes are not `count` appends.
  static Result<std::shared_ptr<PackedAppends>> Parse(std::vector<uint8_t> bytes, size_t count);

  // Appends all of it; `done` is called once for each group, in any order.
  using Done = std::function<void(size_t first, size_t count, const Result<log::AppendResult>& result)>;
  static void Submit(const std::shared_ptr<PackedAppends>& self, Engine& engine, const TopicId& topic, Done done);

 private:
  Result<std::vector<uint8_t>> Build(const AppendGroup& group, int64_t max_bytes, TimestampMs now) const;

  std::vector<uint8_t> bytes_;
  std::vector<AppendGroup> appends_;
};

}  // namespace sluice::addon
