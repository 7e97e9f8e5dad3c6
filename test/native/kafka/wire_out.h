// Requests as a client would write them, from Kafka's message definitions; shares no code with the broker.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
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

}  // namespace sluice::kafka::test
