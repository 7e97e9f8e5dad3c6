#include "base/types.h"

#include <gtest/gtest.h>

#include <random>

namespace sluice {
namespace {

// The constants of org.apache.kafka.common.Uuid: METADATA_TOPIC_ID is (0, 1).
TEST(TopicId, KafkaText) {
  TopicId zero;
  EXPECT_EQ(zero.ToString(), "AAAAAAAAAAAAAAAAAAAAAA");
  TopicId metadata;
  metadata.bytes[15] = 1;
  EXPECT_EQ(metadata.ToString(), "AAAAAAAAAAAAAAAAAAAAAQ");
  TopicId all;
  all.bytes.fill(0xff);
  EXPECT_EQ(all.ToString(), "_____________________w");
  TopicId dashes;
  dashes.bytes = {0xfb, 0xef, 0xbe, 0xfb, 0xef, 0xbe, 0xfb, 0xef, 0xbe, 0xfb, 0xef, 0xbe, 0xfb, 0xef, 0xbe, 0xfb};
  EXPECT_EQ(dashes.ToString(), "---------------------w");
}

TEST(TopicId, RoundTrip) {
  std::mt19937 random(3);
  for (int i = 0; i < 2000; ++i) {
    TopicId id;
    for (uint8_t& b : id.bytes) b = static_cast<uint8_t>(random());
    const std::string text = id.ToString();
    ASSERT_EQ(text.size(), 22u);
    TopicId back;
    ASSERT_TRUE(TopicId::Parse(text, &back));
    ASSERT_EQ(back, id);
  }
}

TEST(TopicId, RefusesWhatIsNoId) {
  TopicId out;
  out.bytes[0] = 9;
  for (const char* bad : {"", "AAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAA+A", "AAAAAAAAAAAAAAAAAAAAAB",
                          "AAAAAAAAAAAAAAAAAAAAA=", "AAAAAAAAAAAA\xc3\xa4""AAAAAAAA"}) {
    EXPECT_FALSE(TopicId::Parse(bad, &out)) << bad;
  }
  EXPECT_EQ(out.bytes[0], 9) << "a failed parse leaves its target alone";
}

}  // namespace
}  // namespace sluice
