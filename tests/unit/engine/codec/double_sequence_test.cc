#include "engine/codec/double_sequence.h"

#include <gtest/gtest.h>

#include "engine/codec/integer_sequence.h"
#include "tests/unit/engine/codec/metric_samples.h"

namespace varve {
namespace {

std::string Encoded(const std::vector<double>& values) {
  std::string bytes;
  EncodeDoubleSequence(values, &bytes);
  return bytes;
}

void ExpectRoundTrip(const std::vector<double>& values, const std::string& what) {
  const std::string bytes = Encoded(values);
  ByteReader reader(bytes);
  std::vector<double> decoded(values.size());
  ASSERT_TRUE(DecodeDoubleSequence(&reader, decoded)) << what;
  ASSERT_TRUE(reader.AtEnd()) << what;
  for (size_t i = 0; i < values.size(); ++i) {
    ASSERT_EQ(std::bit_cast<uint64_t>(values[i]), std::bit_cast<uint64_t>(decoded[i]))
        << what << " value " << i;
  }
}

TEST(IntegerSequence, KeepsEveryShapeAndEveryExtreme) {
  const uint64_t seed = std::random_device{}();
  Random random(seed);
  const int64_t extremes[] = {INT64_MIN, INT64_MAX, 0, -1, 1, INT64_MIN + 1, int64_t{1} << 53};
  for (int round = 0; round < 3000; ++round) {
    std::vector<int64_t> values(random() % 300);
    const int shape = static_cast<int>(random() % 8);
    int64_t at = static_cast<int64_t>(random() % 100000);
    const auto noise = static_cast<uint64_t>(1 + random() % (1 << 12));
    for (int64_t& value : values) {
      switch (shape) {
        case 0: at = extremes[random() % 7]; break;
        case 1: at = static_cast<int64_t>(random()); break;
        case 2: at += static_cast<int64_t>(random() % noise); break;
        case 3: at += 1024 * static_cast<int64_t>(random() % noise) - 4096; break;
        case 4: at += random() % 50 == 0 ? 1 << 30 : 7; break;
        case 5: break;
        case 6: at += 60; break;
        default: at = static_cast<int64_t>(random() % noise) - 100; break;
      }
      value = at;
    }
    std::string bytes;
    EncodeIntegerSequence(values, &bytes);
    ByteReader reader(bytes);
    std::vector<int64_t> decoded(values.size());
    ASSERT_TRUE(DecodeIntegerSequence(&reader, decoded)) << "seed " << seed << " round " << round;
    ASSERT_TRUE(reader.AtEnd());
    ASSERT_EQ(values, decoded) << "seed " << seed << " round " << round << " shape " << shape;
  }
}

TEST(DoubleSequence, KeepsEveryBitOfEveryShape) {
  const uint64_t seed = std::random_device{}();
  Random random(seed);
  for (int round = 0; round < 3000; ++round) {
    const int shape = round % kValueShapes;
    ExpectRoundTrip(RandomValues(&random, shape, random() % 600),
                    "seed " + std::to_string(seed) + " shape " + std::to_string(shape));
  }
}

struct SizeCase {
  const char* name;
  int shape;
  size_t bytes_max;  // of 480 values
};

class DoubleSequenceSize : public testing::TestWithParam<SizeCase> {};

TEST_P(DoubleSequenceSize, IsNearTheEntropy) {
  Random random(7);
  EXPECT_LE(Encoded(RandomValues(&random, GetParam().shape, 480)).size(), GetParam().bytes_max);
}

INSTANTIATE_TEST_SUITE_P(Shapes, DoubleSequenceSize,
                         testing::Values(SizeCase{"constant", 0, 5}, SizeCase{"line", 4, 6},
                                         SizeCase{"counterOfElevenBits", 1, 675},
                                         SizeCase{"secondsWithTwoDecimals", 2, 675},
                                         SizeCase{"microsecondsTimes1e_6", 7, 1215},
                                         SizeCase{"endsStale", 10, 12}, SizeCase{"anyBits", 9, 3900},
                                         SizeCase{"outliers", 11, 190}),
                         [](const auto& param) { return param.param.name; });

TEST(DoubleSequence, RefusesWhatIsCutShort) {
  Random random(3);
  for (int shape = 0; shape < kValueShapes; ++shape) {
    const std::string bytes = Encoded(RandomValues(&random, shape, 100));
    std::vector<double> decoded(100);
    for (size_t size = 0; size < bytes.size(); ++size) {
      ByteReader reader(std::string_view(bytes).substr(0, size));
      EXPECT_FALSE(DecodeDoubleSequence(&reader, decoded)) << "shape " << shape << " cut to " << size;
    }
  }
}

}  // namespace
}  // namespace varve
