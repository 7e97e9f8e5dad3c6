// A client's side of the protocol: answers as a client would read them, written from Kafka's message definitions.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kafka/wire_out.h"

namespace sluice::kafka::test {

class In {
 public:
  In(const Blob& b, bool flexible) : b_(b), flexible_(flexible) {}
  int64_t I8() { return Int(1); }
  int64_t I16() { return Int(2); }
  int64_t I32() { return Int(4); }
  int64_t I64() { return Int(8); }
  uint32_t Varint() {
    uint32_t v = 0;
    for (int shift = 0;; shift += 7) {
      uint8_t byte = static_cast<uint8_t>(Int(1));
      v |= static_cast<uint32_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return v;
    }
  }
  std::optional<std::string> Str() {
    int64_t n = flexible_ ? int64_t{Varint()} - 1 : I16();
    if (n < 0) return std::nullopt;
    Blob raw = Raw(static_cast<size_t>(n));
    return std::string(raw.begin(), raw.end());
  }
  int64_t Count() { return flexible_ ? int64_t{Varint()} - 1 : I32(); }
  Blob Raw(size_t n) {
    EXPECT_LE(at_ + n, b_.size());
    if (at_ + n > b_.size()) return Blob(n);
    Blob out(b_.begin() + static_cast<ptrdiff_t>(at_), b_.begin() + static_cast<ptrdiff_t>(at_ + n));
    at_ += n;
    return out;
  }
  // Known tags by number; the test reads them itself.
  std::vector<std::pair<uint32_t, Blob>> Tags() {
    std::vector<std::pair<uint32_t, Blob>> tags;
    if (!flexible_) return tags;
    const uint32_t n = Varint();
    for (uint32_t i = 0; i < n; ++i) {
      const uint32_t tag = Varint();
      tags.emplace_back(tag, Raw(Varint()));
    }
    return tags;
  }
  size_t left() const { return b_.size() - at_; }

 private:
  int64_t Int(size_t n) {
    Blob raw = Raw(n);
    int64_t v = n > 0 && raw[0] >= 0x80 ? -1 : 0;
    for (uint8_t byte : raw) v = static_cast<int64_t>(static_cast<uint64_t>(v) << 8 | byte);
    return v;
  }
  const Blob b_;
  const bool flexible_;
  size_t at_ = 0;
};

struct ProduceResult {
  std::string topic;
  Blob id;
  int32_t partition;
  int16_t error;
  int64_t base;
  int64_t append_time;
  int64_t log_start = -2;
  std::vector<std::pair<int32_t, std::string>> record_errors;
  std::optional<std::string> message;
};

struct ProduceReply {
  int32_t correlation;
  std::vector<ProduceResult> rows;
};

inline ProduceReply ReadProduce(int16_t version, const Blob& frame) {
  const bool flexible = version >= 9;
  In in(frame, flexible);
  ProduceReply reply;
  reply.correlation = static_cast<int32_t>(in.I32());
  in.Tags();
  const int64_t topics = in.Count();
  for (int64_t t = 0; t < topics; ++t) {
    std::string name;
    Blob id;
    if (version >= 13) id = in.Raw(16); else name = *in.Str();
    const int64_t partitions = in.Count();
    for (int64_t p = 0; p < partitions; ++p) {
      ProduceResult row;
      row.topic = name;
      row.id = id;
      row.partition = static_cast<int32_t>(in.I32());
      row.error = static_cast<int16_t>(in.I16());
      row.base = in.I64();
      row.append_time = in.I64();
      if (version >= 5) row.log_start = in.I64();
      if (version >= 8) {
        const int64_t errors = in.Count();
        for (int64_t e = 0; e < errors; ++e) {
          const int32_t index = static_cast<int32_t>(in.I32());
          row.record_errors.emplace_back(index, in.Str().value_or(""));
          in.Tags();
        }
        row.message = in.Str();
      }
      in.Tags();
      reply.rows.push_back(row);
    }
    in.Tags();
  }
  EXPECT_EQ(in.I32(), 0) << "throttle time";
  in.Tags();
  EXPECT_EQ(in.left(), 0u);
  return reply;
}

struct FetchResult {
  std::string topic;
  Blob id;
  int32_t partition;
  int16_t error;
  int64_t high_watermark;
  int64_t last_stable;
  int64_t log_start = -2;
  std::optional<std::vector<std::pair<int64_t, int64_t>>> aborted;
  std::optional<Blob> records;
  std::optional<std::pair<int32_t, int64_t>> diverging;
  std::optional<std::pair<int32_t, int32_t>> leader;
};

struct FetchReply {
  int32_t correlation;
  int16_t error = 0;
  int32_t session_id = 0;
  std::vector<FetchResult> rows;
};

inline FetchReply ReadFetch(int16_t version, const Blob& frame) {
  const bool flexible = version >= 12;
  In in(frame, flexible);
  FetchReply reply;
  reply.correlation = static_cast<int32_t>(in.I32());
  in.Tags();
  EXPECT_EQ(in.I32(), 0) << "throttle time";
  if (version >= 7) {
    reply.error = static_cast<int16_t>(in.I16());
    reply.session_id = static_cast<int32_t>(in.I32());
  }
  const int64_t topics = in.Count();
  for (int64_t t = 0; t < topics; ++t) {
    std::string name;
    Blob id;
    if (version >= 13) id = in.Raw(16); else name = *in.Str();
    const int64_t partitions = in.Count();
    for (int64_t p = 0; p < partitions; ++p) {
      FetchResult row;
      row.topic = name;
      row.id = id;
      row.partition = static_cast<int32_t>(in.I32());
      row.error = static_cast<int16_t>(in.I16());
      row.high_watermark = in.I64();
      row.last_stable = in.I64();
      if (version >= 5) row.log_start = in.I64();
      const int64_t aborted = in.Count();
      if (aborted >= 0) {
        row.aborted.emplace();
        for (int64_t a = 0; a < aborted; ++a) {
          const int64_t producer = in.I64();
          row.aborted->emplace_back(producer, in.I64());
          in.Tags();
        }
      }
      if (version >= 11) {
        EXPECT_EQ(in.I32(), -1) << "preferred read replica";
      }
      const int64_t length = in.Count();
      if (length >= 0) row.records = in.Raw(static_cast<size_t>(length));
      for (auto& [tag, bytes] : in.Tags()) {
        In field(bytes, true);
        if (tag == 0) {
          const int32_t epoch = static_cast<int32_t>(field.I32());
          row.diverging = {epoch, field.I64()};
        }
        if (tag == 1) {
          const int32_t id_of = static_cast<int32_t>(field.I32());
          row.leader = {id_of, static_cast<int32_t>(field.I32())};
        }
      }
      reply.rows.push_back(row);
    }
    in.Tags();
  }
  in.Tags();
  EXPECT_EQ(in.left(), 0u);
  return reply;
}

}  // namespace sluice::kafka::test
