// Any bytes, cut in any way: frames and request headers.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/assert.h"
#include "kafka/request_header.h"
#include "net/frame_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const size_t cut = 1 + data[0] * size_t{17};
  sluice::net::Budget budget(int64_t{1} << (12 + data[1] % 16));
  sluice::net::ChunkPool pool(budget);
  data += 2;
  size -= 2;
  {
    sluice::net::FrameReader reader(pool);
    std::vector<sluice::net::Frame> kept;
    size_t sent = 0, out = 0;
    for (;;) {
      sluice::net::Frame frame;
      const auto step = reader.Next(1 << 24, &frame);
      if (step == sluice::net::FrameReader::Step::kBad) break;
      if (step == sluice::net::FrameReader::Step::kFrame) {
        // The frame is what was sent.
        SLUICE_ASSERT(std::memcmp(frame.bytes.data(), data + out + 4, frame.bytes.size()) == 0);
        out += 4 + frame.bytes.size();
        sluice::kafka::WireReader wire(frame.bytes);
        sluice::kafka::RequestHeader header;
        if (sluice::kafka::ParseRequestHeader(wire, &header)) SLUICE_ASSERT(header.client_id.size() + wire.left() <= frame.bytes.size());
        if (kept.size() < 3) kept.push_back(frame);
        continue;
      }
      if (sent == size) break;
      sluice::MutableBytes room = reader.Room();
      if (room.empty()) break;
      const size_t piece = std::min({cut, room.size(), size - sent});
      std::memcpy(room.data(), data + sent, piece);
      reader.Filled(piece);
      sent += piece;
      if (piece < cut && (piece & 1) != 0) {
        sluice::net::Frame none;
        while (reader.Next(1 << 24, &none) == sluice::net::FrameReader::Step::kFrame) out += 4 + none.bytes.size();
        reader.Rest();
      }
    }
  }
  SLUICE_ASSERT_OP(budget.used(), ==, 0);
  return 0;
}
