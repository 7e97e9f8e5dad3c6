// Rates of the pure functions on the append path: CRC32C, building, validating and (de)compressing record batches.
//   cmake -S . -B build/native -G Ninja && ninja -C build/native batch_bench && ./build/native/batch_bench
// One JSON line a measurement: the best of several rounds of about a tenth of a second each.
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "base/crc32c.h"
#include "batch/builder.h"
#include "batch/record.h"
#include "batch/stamp.h"
#include "batch/validate.h"

namespace sluice::batch {
namespace {

// Seconds that one call of f takes.
template <class F>
double Seconds(F f) {
  using Clock = std::chrono::steady_clock;
  double best = 1e9;
  size_t calls = 1;
  for (int round = 0; round < 7;) {
    const auto start = Clock::now();
    for (size_t i = 0; i < calls; ++i) f();
    const double took = std::chrono::duration<double>(Clock::now() - start).count();
    if (took < 0.05) {
      calls *= 2;
      continue;
    }
    best = std::min(best, took / static_cast<double>(calls));
    ++round;
  }
  return best;
}

volatile uint64_t sink;

void PrintBytes(const char* name, const std::string& what, size_t bytes, double seconds) {
  std::printf("{\"bench\":\"%s\",\"case\":\"%s\",\"gb_per_s\":%.2f}\n", name, what.c_str(), static_cast<double>(bytes) / seconds / 1e9);
}
void PrintRecords(const char* name, const std::string& what, int records, size_t bytes, double seconds) {
  std::printf("{\"bench\":\"%s\",\"case\":\"%s\",\"million_records_per_s\":%.1f,\"gb_per_s\":%.2f,\"us_per_batch\":%.2f}\n", name,
              what.c_str(), records / seconds / 1e6, static_cast<double>(bytes) / seconds / 1e9, seconds * 1e6);
}

void Crc() {
  for (size_t size : {100, 1024, 16384, 1 << 20}) {
    const std::vector<uint8_t> data(size, 0x5a);
    const std::string label = std::to_string(size) + " bytes";
    PrintBytes("crc32c portable", label, size, Seconds([&] { sink = Crc32cExtendPortable(0, data); }));
    if (Crc32cHardwareSupported()) PrintBytes("crc32c hardware", label, size, Seconds([&] { sink = Crc32cExtendHardware(0, data); }));
  }
}

void Batches(size_t value_size, int records) {
  // Half noise, half text: compresses about two to one.
  std::vector<uint8_t> values(value_size * static_cast<size_t>(records));
  uint64_t x = 1;
  for (size_t i = 0; i < values.size(); ++i) {
    x = x * 6364136223846793005u + 1442695040888963407u;
    values[i] = (i / 16) % 2 ? static_cast<uint8_t>(x >> 56) : static_cast<uint8_t>("the quick brown fox"[i % 16]);
  }
  const std::string shape = std::to_string(records) + " records of " + std::to_string(value_size) + " bytes";
  BatchBuilder builder;
  const auto build = [&](Codec codec) {
    builder.Start({.codec = codec});
    for (int i = 0; i < records; ++i) {
      const Bytes value(values.data() + static_cast<size_t>(i) * value_size, value_size);
      if (!builder.Append({NullableBytes(), value, TimestampMs(1700000000000 + i), {}}).ok()) std::abort();
    }
    return *builder.Finish();
  };
  AppendRules rules;
  rules.now = TimestampMs(1700000000000);
  rules.max_message_bytes = 1 << 30;
  ValidationDetail detail;
  Decompressor decompressor;
  for (Codec codec : {Codec::kNone, Codec::kGzip, Codec::kSnappy, Codec::kLz4, Codec::kZstd}) {
    const std::string label = shape + ", " + CodecName(codec);
    const size_t plain = build(Codec::kNone).size();
    PrintRecords("build", label, records, plain, Seconds([&] { sink = build(codec).size(); }));
    const Bytes made = build(codec);
    const BatchView batch(made);
    PrintRecords("validate", label, records, plain, Seconds([&] { sink = ValidateForAppend(batch, rules, &detail).ok(); }));
    if (codec == Codec::kNone) {
      PrintRecords("walk", label, records, plain, Seconds([&] {
                     RecordWalker walker(batch.records(), batch.record_count());
                     RecordView record;
                     uint64_t sum = 0;
                     while (walker.Next(&record) == RecordWalker::Step::kRecord) sum += record.value.size();
                     sink = sum;
                   }));
      std::vector<uint8_t> copy(made.begin(), made.end());
      int64_t now = 0;
      PrintRecords("stamp append time", label, records, plain, Seconds([&] { StampTimestamps(copy, true, TimestampMs(++now)); }));
    } else {
      PrintRecords("validate inside", label, records, plain,
                   Seconds([&] { sink = ValidateCompressedRecords(batch, rules, &decompressor, &detail).ok(); }));
    }
  }
}

}  // namespace
}  // namespace sluice::batch

int main() {
  sluice::batch::Crc();
  sluice::batch::Batches(100, 150);
  sluice::batch::Batches(1024, 16);
  sluice::batch::Batches(100, 8000);
  return 0;
}
