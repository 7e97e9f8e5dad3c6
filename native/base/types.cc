#include "base/types.h"

#include "base/limits.h"

namespace sluice {
namespace {

constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::array<int8_t, 256> MakeValues() {
  std::array<int8_t, 256> values{};
  values.fill(-1);
  for (int i = 0; i < 64; ++i) values[static_cast<uint8_t>(kAlphabet[i])] = static_cast<int8_t>(i);
  return values;
}
constexpr std::array<int8_t, 256> kValues = MakeValues();

}  // namespace

std::string TopicId::ToString() const {
  std::string text;
  text.reserve(kUuidTextBytes);
  uint32_t bits = 0;
  int count = 0;
  for (uint8_t byte : bytes) {
    bits = (bits << 8) | byte;
    count += 8;
    while (count >= 6) {
      count -= 6;
      text.push_back(kAlphabet[(bits >> count) & 63]);
    }
  }
  text.push_back(kAlphabet[(bits << (6 - count)) & 63]);  // 128 = 21 * 6 + 2: the last character carries two bits
  return text;
}

bool TopicId::Parse(const std::string& text, TopicId* out) {
  // Kafka takes longer input (padding) too; what it writes has always 22 characters.
  if (text.size() != kUuidTextBytes) return false;
  TopicId id;
  uint32_t bits = 0;
  int count = 0;
  size_t n = 0;
  for (char c : text) {
    const int8_t value = kValues[static_cast<uint8_t>(c)];
    if (value < 0) return false;
    bits = (bits << 6) | static_cast<uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      id.bytes[n++] = static_cast<uint8_t>(bits >> count);
    }
  }
  if ((bits & 15) != 0) return false;  // four bits beyond the 128: only one text stands for an id
  *out = id;
  return true;
}

}  // namespace sluice
