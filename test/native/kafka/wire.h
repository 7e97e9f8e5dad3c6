// A client's side of the protocol, written from Kafka's message definitions and sharing no code with the broker's.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

namespace sluice::kafka::test {

using Blob = std::vector<uint8_t>;

class Out {
 public:
  explicit Out(bool flexible = false) : flexible_(flexible) {}
  Out& I8(int64_t v) { return Int(v, 1); }
  Out& I16(int64_t v) { return Int(v, 2); }
  Out& I32(int64_t v) { return Int(v, 4); }
  Out& I64(int64_t v) { return Int(v, 8); }
  Out& Varint(uint32_t v) {
    for (; v >= 0x80; v >>= 7) bytes.push_back(static_cast<uint8_t>(v | 0x80));
    bytes.push_back(static_cast<uint8_t>(v));
    return *this;
  }
  Out& Raw(const Blob& b) {
    bytes.insert(bytes.end(), b.begin(), b.end());
    return *this;
  }
  Out& Str(const std::string& s) {
    if (flexible_) Varint(static_cast<uint32_t>(s.size()) + 1); else I16(static_cast<int64_t>(s.size()));
    bytes.insert(bytes.end(), s.begin(), s.end());
    return *this;
  }
  Out& NullStr() { return flexible_ ? Varint(0) : I16(-1); }
  Out& Count(size_t n) { return flexible_ ? Varint(static_cast<uint32_t>(n) + 1) : I32(static_cast<int64_t>(n)); }
  Out& Bytes(const Blob& b) { return Count(b.size()).Raw(b); }
  Out& NullBytes() { return flexible_ ? Varint(0) : I32(-1); }
  Out& Tags() { return flexible_ ? Varint(0) : *this; }
  Blob bytes;

 private:
  Out& Int(int64_t v, int size) {
    for (int i = size - 1; i >= 0; --i) bytes.push_back(static_cast<uint8_t>(static_cast<uint64_t>(v) >> (8 * i)));
    return *this;
  }
  const bool flexible_;
};

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

inline Blob Framed(const Blob& payload) {
  Out out;
  out.I32(static_cast<int64_t>(payload.size())).Raw(payload);
  return out.bytes;
}

// Header v1, or v2 where `flexible`.
inline Blob Request(int16_t key, int16_t version, int32_t correlation, bool flexible, const Blob& body, const std::string& client = "test") {
  Out out;
  out.I16(key).I16(version).I32(correlation).Str(client);
  if (flexible) out.Varint(0);
  out.Raw(body);
  return Framed(out.bytes);
}

struct ProduceRow {
  std::string topic;
  Blob id = Blob(16);
  int32_t partition = 0;
  std::optional<Blob> records;
};

// Consecutive rows of one topic are put together.
inline Blob ProduceBody(int16_t version, int16_t acks, const std::vector<ProduceRow>& rows, int32_t timeout_ms = 30000,
                        std::optional<std::string> transactional_id = std::nullopt) {
  const bool flexible = version >= 9;
  Out out(flexible);
  if (transactional_id) out.Str(*transactional_id); else out.NullStr();
  out.I16(acks).I32(timeout_ms);
  std::vector<std::pair<size_t, size_t>> topics;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i > 0 && rows[i].topic == rows[i - 1].topic && rows[i].id == rows[i - 1].id) ++topics.back().second; else topics.emplace_back(i, 1);
  }
  out.Count(topics.size());
  for (auto [first, count] : topics) {
    if (version >= 13) out.Raw(rows[first].id); else out.Str(rows[first].topic);
    out.Count(count);
    for (size_t i = first; i < first + count; ++i) {
      out.I32(rows[i].partition);
      if (rows[i].records) out.Bytes(*rows[i].records); else out.NullBytes();
      out.Tags();
    }
    out.Tags();
  }
  out.Tags();
  return out.bytes;
}

inline Blob Produce(int16_t version, int32_t correlation, int16_t acks, const std::vector<ProduceRow>& rows, int32_t timeout_ms = 30000,
                    std::optional<std::string> transactional_id = std::nullopt, const std::string& client = "test") {
  return Request(0, version, correlation, version >= 9, ProduceBody(version, acks, rows, timeout_ms, transactional_id), client);
}

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

struct FetchRow {
  std::string topic;
  Blob id = Blob(16);
  int32_t partition = 0;
  int64_t offset = 0;
  int32_t max_bytes = 1 << 20;
  int32_t leader_epoch = -1;
  int32_t last_epoch = -1;
};

struct FetchSpec {
  std::vector<FetchRow> rows;
  std::vector<FetchRow> forget;
  int32_t max_wait_ms = 0;
  int32_t min_bytes = 1;
  int32_t max_bytes = 50 << 20;
  int8_t isolation = 0;
  int32_t session_id = 0;
  int32_t session_epoch = -1;
  int32_t replica_id = -1;
};

inline Blob Fetch(int16_t version, int32_t correlation, const FetchSpec& spec) {
  const bool flexible = version >= 12;
  Out out(flexible);
  if (version <= 14) out.I32(spec.replica_id);
  out.I32(spec.max_wait_ms).I32(spec.min_bytes).I32(spec.max_bytes).I8(spec.isolation);
  if (version >= 7) out.I32(spec.session_id).I32(spec.session_epoch);
  const auto topic = [&](const FetchRow& row) {
    if (version >= 13) out.Raw(row.id); else out.Str(row.topic);
  };
  std::vector<std::pair<size_t, size_t>> topics;
  for (size_t i = 0; i < spec.rows.size(); ++i) {
    const FetchRow& row = spec.rows[i];
    if (i > 0 && row.topic == spec.rows[i - 1].topic && row.id == spec.rows[i - 1].id) ++topics.back().second; else topics.emplace_back(i, 1);
  }
  out.Count(topics.size());
  for (auto [first, count] : topics) {
    topic(spec.rows[first]);
    out.Count(count);
    for (size_t i = first; i < first + count; ++i) {
      const FetchRow& row = spec.rows[i];
      out.I32(row.partition);
      if (version >= 9) out.I32(row.leader_epoch);
      out.I64(row.offset);
      if (version >= 12) out.I32(row.last_epoch);
      if (version >= 5) out.I64(-1);
      out.I32(row.max_bytes);
      if (version >= 18) {
        out.Varint(1).Varint(1).Varint(8).I64(INT64_MAX);
      } else {
        out.Tags();
      }
    }
    out.Tags();
  }
  if (version >= 7) {
    out.Count(spec.forget.size());
    for (const FetchRow& row : spec.forget) {
      topic(row);
      out.Count(1).I32(row.partition).Tags();
    }
  }
  if (version >= 11) out.Str("");
  if (version >= 15 && spec.replica_id >= 0) {
    out.Varint(1).Varint(1).Varint(13).I32(spec.replica_id).I64(-1).Varint(0);
  } else {
    out.Tags();
  }
  return Request(1, version, correlation, flexible, out.bytes);
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
