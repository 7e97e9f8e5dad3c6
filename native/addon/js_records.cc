// Appending and reading from JavaScript. Bytes are copied once on the JavaScript thread; building, compressing, reading and unpacking happen elsewhere.
#include <algorithm>

#include "addon/convert.h"
#include "addon/js_engine.h"
#include "addon/record_copy.h"
#include "batch/batch_view.h"
#include "batch/builder.h"
#include "batch/validate.h"

namespace sluice::addon {
namespace {

Napi::Value AppendOutcomeToJs(Napi::Env env, const log::AppendResult& result) {
  Napi::Object out = Napi::Object::New(env);
  out.Set("baseOffset", OffsetToJs(env, result.base));
  out.Set("lastOffset", OffsetToJs(env, result.last));
  out.Set("logAppendTimeMs", Napi::Number::New(env, static_cast<double>(result.log_append_time.v)));
  return out;
}

void Settle(const Promise& promise, Result<log::AppendResult> result) {
  if (!result.ok()) {
    promise.Reject(result.status());
    return;
  }
  promise.Resolve([result = result.take()](Napi::Env env) { return AppendOutcomeToJs(env, result); });
}

struct FoundToJs {
  std::optional<log::TimestampOffset> found;
  Napi::Value operator()(Napi::Env env) const {
    if (!found) return env.Null();
    Napi::Object out = Napi::Object::New(env);
    out.Set("offset", OffsetToJs(env, found->offset));
    out.Set("timestampMs", Napi::BigInt::New(env, found->timestamp.v));
    out.Set("leaderEpoch", Napi::Number::New(env, found->epoch.v));
    return out;
  }
};

void FindOnPool(Engine& engine, const Promise& promise, std::function<Result<std::optional<log::TimestampOffset>>()> find) {
  auto result = std::make_shared<Result<std::optional<log::TimestampOffset>>>(std::optional<log::TimestampOffset>());
  engine.pool().Submit(io::MakeJob([result, find = std::move(find)] { *result = find(); },
                                   [result, promise] {
                                     if (result->ok()) {
                                       promise.Resolve(FoundToJs{result->value()});
                                     } else {
                                       promise.Reject(result->status());
                                     }
                                   }));
}

// What a read on the pool brings back.
struct ReadBytes {
  Status status;
  std::vector<uint8_t> bytes;
  EndsOf ends;
};

// Runs `find` on the pool, copies the slice out of its segment, hands it to `unpack` (still on the pool), then settles.
void ReadOnPool(Engine& engine, log::Log& log, Offset from, int64_t max_bytes, Offset upper, std::function<Status(ReadBytes&)> unpack,
                std::function<void(std::shared_ptr<ReadBytes>)> done) {
  auto read = std::make_shared<ReadBytes>();
  read->ends = EndsOf(log);
  std::function<Result<log::LogSlice>()> find = log.ColdRead(from, max_bytes, true, upper);
  engine.pool().Submit(io::MakeJob(
      [read, find = std::move(find), unpack = std::move(unpack)] {
        Result<log::LogSlice> slice = find();
        if (!slice.ok()) {
          read->status = slice.status();
          return;
        }
        if (slice->length > 0) {
          read->bytes.resize(static_cast<size_t>(slice->length));
          Result<size_t> n = slice->segment->log_file().ReadAt(read->bytes, slice->position.v);
          if (!n.ok()) {
            read->status = n.status();
            return;
          }
          read->bytes.resize(*n);
        }
        // A slice may end inside a batch: whole batches only go up.
        batch::BatchIterator batches(Bytes(read->bytes.data(), read->bytes.size()));
        batch::BatchView batch;
        batch::BatchIterator::Step step;
        while ((step = batches.Next(&batch)) == batch::BatchIterator::Step::kBatch) {
        }
        if (step == batch::BatchIterator::Step::kBad) {
          read->status = Status::Error(Code::kCorrupt, slice->segment->log_path() + " at position " +
                                                           std::to_string(slice->position.v + static_cast<int64_t>(batches.position())) + ": " +
                                                           batches.status().ToString());
          return;
        }
        read->bytes.resize(batches.position());
        if (unpack) read->status = unpack(*read);
      },
      [read, done = std::move(done)] { done(read); }));
}

}  // namespace

Napi::Value JsEngine::AppendRecords(const Napi::CallbackInfo& info) {
  TopicIdPartition id;
  auto records = std::make_shared<RecordCopy>();
  auto options = std::make_shared<batch::BatchOptions>();
  if (!ToPartitionRef(info[0], &id) || !CopyRecords(info[1], records.get()) || !ToBatchOptions(info[2], options.get())) return info.Env().Undefined();
  return Ask(info.Env(), [id, records, options](Engine& engine, Promise promise) {
    log::Log* log = engine.Find(id);
    if (log == nullptr) {
      promise.Reject(Status::Error(Code::kNotFound, "no such partition"));
      return;
    }
    options->max_bytes = log->config().max_message_bytes;
    records->now = TimestampMs(engine.clock().WallMs());
    engine.BuildAndAppend(id, options->codec != batch::Codec::kNone, [records, options] { return BuildBatch(*records, *options); },
                          [promise](Result<log::AppendResult> result) { Settle(promise, std::move(result)); });
  });
}

Napi::Value JsEngine::AppendBatch(const Napi::CallbackInfo& info) {
  TopicIdPartition id;
  Bytes bytes;
  if (!ToPartitionRef(info[0], &id) || !ToBytes(info[1], "batch", &bytes)) return info.Env().Undefined();
  auto copy = std::make_shared<std::vector<uint8_t>>(bytes.begin(), bytes.end());
  return AskLog(info.Env(), id, [id, copy](Engine& engine, log::Log& log, Promise promise) {
    Result<batch::BatchView> view = batch::ParseProduced(Bytes(copy->data(), copy->size()));
    if (!view.ok()) {
      promise.Reject(view.status());
      return;
    }
    copy->resize(view->size());
    auto rules = std::make_shared<batch::AppendRules>();
    rules->max_message_bytes = log.config().max_message_bytes;
    rules->compacted = log.config().cleanup_compact;
    rules->log_append_time = log.config().log_append_time;
    rules->timestamp_before_max_ms = log.config().timestamp_before_max_ms;
    rules->timestamp_after_max_ms = log.config().timestamp_after_max_ms;
    rules->now = TimestampMs(engine.clock().WallMs());
    rules->always_look_inside = true;
    engine.BuildAndAppend(
        id, view->compressed(),
        [copy, rules]() -> Result<std::vector<uint8_t>> {
          batch::BatchView whole(Bytes(copy->data(), copy->size()));
          batch::ValidationDetail detail;
          Status valid = batch::ValidateForAppend(whole, *rules, &detail);
          if (valid.ok() && detail.decompression_needed) {
            batch::Decompressor decompressor;
            valid = batch::ValidateCompressedRecords(whole, *rules, &decompressor, &detail);
          }
          if (!valid.ok()) return valid;
          return std::move(*copy);
        },
        [promise](Result<log::AppendResult> result) { Settle(promise, std::move(result)); });
  });
}

Napi::Value JsEngine::WhenDurable(const Napi::CallbackInfo& info) {
  TopicIdPartition id;
  int64_t end = 0;
  if (!ToPartitionRef(info[0], &id) || !ToInt64(info[1], "end", &end)) return info.Env().Undefined();
  return AskLog(info.Env(), id, [end](Engine& engine, log::Log& log, Promise promise) {
    engine.dir().WhenDurable(&log, Offset(end), [promise](Status status) {
      if (status.ok()) {
        promise.Resolve([](Napi::Env env) { return env.Undefined(); });
      } else {
        promise.Reject(status);
      }
    });
  });
}

namespace {

// A reader that waits for records: woken by the log, by its timer or by cancelWait. Deletes itself.
class Waiting final : public log::OffsetWaiter {
 public:
  static std::unordered_map<double, Waiting*>& All() {
    thread_local std::unordered_map<double, Waiting*> all;  // of this engine's thread
    return all;
  }
  Waiting(Engine& engine, log::Log& log, Promise promise, double id) : engine_(engine), log_(&log), promise_(std::move(promise)), id_(id) {}
  void Start(Offset offset, int64_t timeout_ms) {
    target = offset + 1;
    All()[id_] = this;
    timer_ = engine_.reactor().After(timeout_ms * 1000, [this] {
      timer_ = 0;
      OnFailed(Status::Error(Code::kTimeout, "no record came in time"));
    });
    log_->Await(this);
  }
  void OnReached() override {
    promise_.Resolve([ends = EndsOf(*log_)](Napi::Env env) {
      Napi::Object out = Napi::Object::New(env);
      ends.Fill(env, out);
      return out;
    });
    End();
  }
  void OnFailed(const Status& why) override {
    promise_.Reject(why);
    End();
  }

 private:
  void End() {
    if (timer_ != 0) engine_.reactor().Cancel(timer_);
    All().erase(id_);
    delete this;  // unlinks itself
  }
  Engine& engine_;
  log::Log* log_;
  Promise promise_;
  double id_;
  net::TimerId timer_ = 0;
};

}  // namespace

Napi::Value JsEngine::WaitForOffset(const Napi::CallbackInfo& info) {
  TopicIdPartition id;
  int64_t offset = 0, timeout_ms = 0, wait_id = 0;
  if (!ToPartitionRef(info[0], &id) || !ToInt64(info[1], "offset", &offset) || !ToInt64(info[2], "timeoutMs", &timeout_ms) ||
      !ToInt64(info[3], "waitId", &wait_id)) {
    return info.Env().Undefined();
  }
  return AskLog(info.Env(), id, [offset, timeout_ms, wait_id](Engine& engine, log::Log& log, Promise promise) {
    (new Waiting(engine, log, std::move(promise), static_cast<double>(wait_id)))->Start(Offset(offset), std::clamp<int64_t>(timeout_ms, 0, INT32_MAX));
  });
}

Napi::Value JsEngine::CancelWait(const Napi::CallbackInfo& info) {
  int64_t wait_id = 0;
  if (!ToInt64(info[0], "waitId", &wait_id)) return info.Env().Undefined();
  engine_->Post([wait_id] {
    auto& all = Waiting::All();
    auto it = all.find(static_cast<double>(wait_id));
    if (it != all.end()) it->second->OnFailed(Status::Error(Code::kClosed, "the wait was cancelled"));
  });
  return info.Env().Undefined();
}

Napi::Value JsEngine::Read(const Napi::CallbackInfo& info) {
  TopicIdPartition id;
  int64_t offset = 0, max_bytes = 0;
  std::string isolation;
  if (!ToPartitionRef(info[0], &id) || !ToInt64(info[1], "offset", &offset) || !ToInt64(info[2], "maxBytes", &max_bytes) ||
      !ToString(info[3], "isolation", &isolation)) {
    return info.Env().Undefined();
  }
  const bool committed = isolation == "committed";
  return AskLog(info.Env(), id, [offset, max_bytes, committed](Engine& engine, log::Log& log, Promise promise) {
    ReadOnPool(engine, log, Offset(offset), max_bytes, committed ? log.last_stable() : log.high_watermark(), nullptr,
               [promise](std::shared_ptr<ReadBytes> read) {
                 if (!read->status.ok()) {
                   promise.Reject(read->status);
                   return;
                 }
                 promise.Resolve([read](Napi::Env env) {
                   Napi::Object out = Napi::Object::New(env);
                   read->ends.Fill(env, out);
                   out.Set("batches", Napi::Buffer<uint8_t>::Copy(env, read->bytes.data(), read->bytes.size()));
                   return out;
                 });
               });
  });
}

Napi::Value JsEngine::ReadRecords(const Napi::CallbackInfo& info) {
  TopicIdPartition id;
  int64_t offset = 0, max_bytes = 0;
  if (!ToPartitionRef(info[0], &id) || !ToInt64(info[1], "offset", &offset) || !ToInt64(info[2], "maxBytes", &max_bytes)) return info.Env().Undefined();
  return AskLog(info.Env(), id, [offset, max_bytes](Engine& engine, log::Log& log, Promise promise) {
    auto unpacked = std::make_shared<UnpackedRecords>();
    unpacked->next = Offset(offset);
    const Offset from(offset);
    ReadOnPool(engine, log, from, max_bytes, log.last_stable(),
               [unpacked, from](ReadBytes& read) { return Unpack(Bytes(read.bytes.data(), read.bytes.size()), from, unpacked.get()); },
               [promise, unpacked](std::shared_ptr<ReadBytes> read) {
                 if (!read->status.ok()) {
                   promise.Reject(read->status);
                   return;
                 }
                 promise.Resolve([read, unpacked](Napi::Env env) {
                   Napi::Object out = Napi::Object::New(env);
                   read->ends.Fill(env, out);
                   out.Set("records", RecordsToJs(env, *unpacked));
                   out.Set("nextOffset", OffsetToJs(env, unpacked->next));
                   return out;
                 });
               });
  });
}

Napi::Value JsEngine::Ends(const Napi::CallbackInfo& info) {
  TopicIdPartition id;
  if (!ToPartitionRef(info[0], &id)) return info.Env().Undefined();
  return AskLog(info.Env(), id, [](Engine&, log::Log& log, Promise promise) {
    promise.Resolve([ends = EndsOf(log)](Napi::Env env) {
      Napi::Object out = Napi::Object::New(env);
      ends.Fill(env, out);
      return out;
    });
  });
}

Napi::Value JsEngine::FindTimestamp(const Napi::CallbackInfo& info) {
  TopicIdPartition id;
  int64_t timestamp = 0;
  if (!ToPartitionRef(info[0], &id) || !ToInt64(info[1], "timestampMs", &timestamp)) return info.Env().Undefined();
  return AskLog(info.Env(), id, [timestamp](Engine& engine, log::Log& log, Promise promise) {
    FindOnPool(engine, promise, log.FindTimestamp(TimestampMs(timestamp)));
  });
}

Napi::Value JsEngine::FindMaxTimestamp(const Napi::CallbackInfo& info) {
  TopicIdPartition id;
  if (!ToPartitionRef(info[0], &id)) return info.Env().Undefined();
  return AskLog(info.Env(), id, [](Engine& engine, log::Log& log, Promise promise) { FindOnPool(engine, promise, log.FindMaxTimestamp()); });
}

Napi::Value JsEngine::EpochOf(const Napi::CallbackInfo& info) {
  TopicIdPartition id;
  int64_t offset = 0;
  if (!ToPartitionRef(info[0], &id) || !ToInt64(info[1], "offset", &offset)) return info.Env().Undefined();
  return AskLog(info.Env(), id, [offset](Engine&, log::Log& log, Promise promise) {
    promise.Resolve([epoch = log.EpochOf(Offset(offset))](Napi::Env env) { return Napi::Number::New(env, epoch.v); });
  });
}

Napi::Value JsEngine::EndOffsetForEpoch(const Napi::CallbackInfo& info) {
  TopicIdPartition id;
  int64_t epoch = 0;
  if (!ToPartitionRef(info[0], &id) || !ToInt64(info[1], "leaderEpoch", &epoch)) return info.Env().Undefined();
  return AskLog(info.Env(), id, [epoch](Engine&, log::Log& log, Promise promise) {
    promise.Resolve([end = log.EndOffsetForEpoch(LeaderEpoch(static_cast<int32_t>(epoch)))](Napi::Env env) {
      Napi::Object out = Napi::Object::New(env);
      out.Set("leaderEpoch", Napi::Number::New(env, end.epoch.v));
      out.Set("endOffset", OffsetToJs(env, end.end));
      return out;
    });
  });
}

Napi::Value JsEngine::DeleteRecords(const Napi::CallbackInfo& info) {
  TopicIdPartition id;
  int64_t before = 0;
  if (!ToPartitionRef(info[0], &id) || !ToInt64(info[1], "before", &before)) return info.Env().Undefined();
  return AskLog(info.Env(), id, [before](Engine& engine, log::Log& log, Promise promise) {
    engine.dir().DeleteRecords(&log, Offset(before), [promise](Result<Offset> start) {
      if (!start.ok()) {
        promise.Reject(start.status());
        return;
      }
      promise.Resolve([start = *start](Napi::Env env) { return OffsetToJs(env, start); });
    });
  });
}

Napi::Value JsEngine::Producers(const Napi::CallbackInfo& info) {
  TopicIdPartition id;
  if (!ToPartitionRef(info[0], &id)) return info.Env().Undefined();
  return AskLog(info.Env(), id, [](Engine&, log::Log& log, Promise promise) {
    promise.Resolve([producers = log.Producers()](Napi::Env env) {
      Napi::Array out = Napi::Array::New(env, producers.size());
      for (size_t i = 0; i < producers.size(); ++i) {
        Napi::Object one = Napi::Object::New(env);
        one.Set("producerId", Napi::BigInt::New(env, producers[i].id.v));
        one.Set("producerEpoch", Napi::Number::New(env, producers[i].epoch.v));
        one.Set("lastSequence", Napi::Number::New(env, producers[i].last_sequence));
        one.Set("lastTimestampMs", Napi::Number::New(env, static_cast<double>(producers[i].last_timestamp.v)));
        one.Set("coordinatorEpoch", Napi::Number::New(env, producers[i].coordinator_epoch));
        one.Set("currentTxnStartOffset", OffsetToJs(env, producers[i].current_txn_start));
        out.Set(static_cast<uint32_t>(i), one);
      }
      return out;
    });
  });
}

namespace {

// Reads a log from its start to the high watermark in steps of the pool, checking every batch. Deletes itself.
class Verification {
 public:
  Verification(Engine& engine, const TopicIdPartition& id, Promise promise) : engine_(engine), id_(id), promise_(std::move(promise)) {}
  void Step() {
    log::Log* log = engine_.Find(id_);
    if (log == nullptr) {
      promise_.Reject(Status::Error(Code::kNotFound, "the partition was deleted while it was verified"));
      delete this;
      return;
    }
    if (next_ < log->log_start()) next_ = log->log_start();
    if (next_ >= log->high_watermark()) {
      promise_.Resolve([totals = totals_](Napi::Env env) {
        Napi::Object out = Napi::Object::New(env);
        out.Set("batches", Napi::Number::New(env, static_cast<double>(totals.batches)));
        out.Set("records", Napi::Number::New(env, static_cast<double>(totals.records)));
        out.Set("bytes", Napi::Number::New(env, static_cast<double>(totals.bytes)));
        return out;
      });
      delete this;
      return;
    }
    const Offset from = next_;
    const std::string name = log->name().ToString();
    ReadOnPool(
        engine_, *log, from, 4 << 20, log->high_watermark(), [this, name](ReadBytes& read) { return Check(read, name); },
        [this, from](std::shared_ptr<ReadBytes> read) {
          if (read->status.ok() && next_ <= from) read->status = Status::Error(Code::kCorrupt, "no batch at offset " + std::to_string(from.v));
          if (!read->status.ok()) {
            promise_.Reject(read->status);
            delete this;
            return;
          }
          Step();
        });
  }

 private:
  // Pool thread; nothing else touches the members meanwhile.
  Status Check(ReadBytes& read, const std::string& name) {
    batch::BatchIterator batches(Bytes(read.bytes.data(), read.bytes.size()));
    batch::BatchView batch;
    while (batches.Next(&batch) == batch::BatchIterator::Step::kBatch) {
      const std::string where = name + " offset " + std::to_string(batch.base_offset().v) + ": ";
      if (!batch.crc_ok()) return Status::Error(Code::kCorrupt, where + "the CRC does not match");
      if (seen_any_ && batch.base_offset() < next_) return Status::Error(Code::kCorrupt, where + "offsets go back");
      if (batch.last_offset() < batch.base_offset()) return Status::Error(Code::kCorrupt, where + "the last offset lies before the first");
      seen_any_ = true;
      next_ = batch.next_offset();
      ++totals_.batches;
      totals_.records += batch.record_count();
      totals_.bytes += static_cast<int64_t>(batch.size());
    }
    return Status::Ok();
  }

  struct Totals { int64_t batches = 0, records = 0, bytes = 0; };
  Engine& engine_;
  const TopicIdPartition id_;
  const Promise promise_;
  Offset next_{0};
  bool seen_any_ = false;
  Totals totals_;
};

}  // namespace

Napi::Value JsEngine::Verify(const Napi::CallbackInfo& info) {
  TopicIdPartition id;
  if (!ToPartitionRef(info[0], &id)) return info.Env().Undefined();
  return AskLog(info.Env(), id, [id](Engine& engine, log::Log&, Promise promise) { (new Verification(engine, id, std::move(promise)))->Step(); });
}

}  // namespace sluice::addon
