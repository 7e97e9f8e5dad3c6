// Reading and verifying from JavaScript: found, read, checked and unpacked on the pool.
#include "addon/convert.h"
#include "addon/js_engine.h"
#include "addon/unpacked_records.h"
#include "batch/batch_view.h"

namespace sluice::addon {
namespace {

// What a read on the pool brings back. Bytes that nobody has taken go where they came from.
struct ReadBytes {
  explicit ReadBytes(std::shared_ptr<BufferPool> pool) : memory(std::move(pool)) {}
  ~ReadBytes() { memory->Give(std::move(bytes)); }
  const std::shared_ptr<BufferPool> memory;
  Status status;
  Buffer bytes;
  std::string path;      // where they lie
  int64_t position = 0;
  EndsOf ends;
};

Status Damaged(const ReadBytes& read, size_t at, const std::string& what) {
  return Status::Error(Code::kCorrupt, read.path + " at position " + std::to_string(read.position + static_cast<int64_t>(at)) + ": " + what);
}

constexpr int64_t kReadsOn = 256 << 10;  // who takes so much at once is taken to want what follows

// Runs `find` on the pool, copies the slice out of its segment, hands it to `unpack` (still on the pool), then settles.
void ReadOnPool(Engine& engine, log::Log& log, Offset from, int64_t max_bytes, Offset upper, std::function<Status(ReadBytes&)> unpack,
                std::function<void(std::shared_ptr<ReadBytes>)> done) {
  auto read = std::make_shared<ReadBytes>(engine.read_memory());
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
          read->path = slice->segment->log_path();
          read->position = slice->position.v;
          read->bytes = read->memory->Take(static_cast<size_t>(slice->length));
          Result<size_t> n = slice->segment->log_file().ReadAt(read->bytes.mutable_bytes(), slice->position.v);
          if (!n.ok()) {
            read->status = n.status();
            return;
          }
          read->bytes.Resize(*n);
          if (slice->length >= kReadsOn) slice->segment->log_file().ReadAhead(slice->position.v + slice->length, slice->length);
          if (*n < static_cast<size_t>(slice->length)) {
            read->status = Damaged(*read, *n, "the file ends here, and " + std::to_string(slice->length - static_cast<int64_t>(*n)) + " bytes more belong to it");
            return;
          }
        }
        // A slice may end inside a batch: whole batches only go up.
        batch::BatchIterator batches(read->bytes.bytes());
        batch::BatchView batch;
        batch::BatchIterator::Step step;
        while ((step = batches.Next(&batch)) == batch::BatchIterator::Step::kBatch) {
        }
        if (step == batch::BatchIterator::Step::kBad) {
          read->status = Damaged(*read, batches.position(), batches.status().ToString());
          return;
        }
        read->bytes.Resize(batches.position());
        if (unpack) read->status = unpack(*read);
      },
      [read, done = std::move(done)] { done(read); }));
}

// Reads a log from its start to the high watermark in steps of the pool, checking every batch. Each step's job holds it: where the pool drops that, the promise goes too
// and is rejected.
class Verification : public std::enable_shared_from_this<Verification> {
 public:
  Verification(Engine& engine, const TopicIdPartition& id, Promise promise) : engine_(engine), id_(id), promise_(std::move(promise)) {}
  void Step() {
    log::Log* log = engine_.Find(id_);
    if (log == nullptr) {
      promise_.Reject(Status::Error(Code::kNotFound, "the partition was deleted while it was verified"));
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
      return;
    }
    const Offset from = next_;
    ReadOnPool(
        engine_, *log, from, 4 << 20, log->high_watermark(), [self = shared_from_this()](ReadBytes& read) { return self->Check(read); },
        [this, self = shared_from_this(), from](std::shared_ptr<ReadBytes> read) {
          if (read->status.ok() && read->bytes.empty()) next_ = read->ends.high_watermark;   // compaction may have left nothing from there on
          if (read->status.ok() && next_ <= from) read->status = Status::Error(Code::kCorrupt, "no batch at offset " + std::to_string(from.v));
          if (!read->status.ok()) {
            promise_.Reject(read->status);
            return;
          }
          Step();
        });
  }

 private:
  // Pool thread; nothing else touches the members meanwhile.
  Status Check(const ReadBytes& read) {
    batch::BatchIterator batches(read.bytes.bytes());
    batch::BatchView batch;
    while (batches.Next(&batch) == batch::BatchIterator::Step::kBatch) {
      const size_t at = batches.position() - batch.size();
      const std::string where = "batch of offset " + std::to_string(batch.base_offset().v) + ": ";
      if (!batch.crc_ok()) return Damaged(read, at, where + "the CRC does not match");
      if (seen_any_ && batch.base_offset() < next_) return Damaged(read, at, where + "offsets go back");
      if (batch.last_offset() < batch.base_offset()) return Damaged(read, at, where + "the last offset lies before the first");
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
                   out.Set("batches", BytesToJs(env, std::move(read->bytes), read->memory));
                   return out;
                 });
               });
  });
}

Napi::Value JsEngine::ReadPacked(const Napi::CallbackInfo& info) {
  TopicIdPartition id;
  int64_t offset = 0, max_bytes = 0;
  if (!ToPartitionRef(info[0], &id) || !ToInt64(info[1], "offset", &offset) || !ToInt64(info[2], "maxBytes", &max_bytes)) return info.Env().Undefined();
  return AskLog(info.Env(), id, [offset, max_bytes](Engine& engine, log::Log& log, Promise promise) {
    auto unpacked = std::make_shared<UnpackedRecords>(Offset(offset));
    ReadOnPool(engine, log, Offset(offset), max_bytes, log.high_watermark(),
               [unpacked](ReadBytes& read) {
                 // Compaction may have left nothing from there on.
                 if (read.bytes.empty()) unpacked->next = std::max(unpacked->next, read.ends.high_watermark);
                 size_t at = 0;
                 Status status = Unpack(&read.bytes, *read.memory, unpacked.get(), &at);
                 return status.code() == Code::kCorrupt ? Damaged(read, at, status.what()) : status;
               },
               [promise, unpacked](std::shared_ptr<ReadBytes> read) {
                 if (!read->status.ok()) {
                   promise.Reject(read->status);
                   return;
                 }
                 promise.Resolve([read, unpacked](Napi::Env env) {
                   Napi::Object out = Napi::Object::New(env);
                   read->ends.Fill(env, out);
                   UnpackedToJs(std::move(*unpacked), read->memory, out);
                   return out;
                 });
               });
  });
}

Napi::Value JsEngine::Verify(const Napi::CallbackInfo& info) {
  TopicIdPartition id;
  if (!ToPartitionRef(info[0], &id)) return info.Env().Undefined();
  return AskLog(info.Env(), id, [id](Engine& engine, log::Log&, Promise promise) { std::make_shared<Verification>(engine, id, std::move(promise))->Step(); });
}

}  // namespace sluice::addon
