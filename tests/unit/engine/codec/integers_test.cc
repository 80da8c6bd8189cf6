#include "engine/codec/integers.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "engine/codec/bit_packing.h"

namespace varve {
namespace {

TEST(BitPacking, ScalarAndDispatchedUnpackAgreeWithWhatWasPackedForEveryWidth) {
  std::mt19937_64 random(1);
  for (unsigned width = 0; width <= 64; ++width) {
    for (const size_t count : {1, 2, 7, 8, 9, 63, 127, 128, 1000}) {
      std::vector<uint64_t> values(count);
      const uint64_t mask = width == 64 ? ~0ULL : (1ULL << width) - 1;
      for (uint64_t& value : values) value = random() & mask;
      values[count / 2] = mask;
      std::string packed;
      PackBits(values.data(), count, width, &packed);
      ASSERT_EQ(packed.size(), PackedBytes(count, width));
      // An exact heap copy, so that the address sanitizer sees a read past the end.
      const std::vector<char> exact(packed.begin(), packed.end());
      const uint64_t base = width % 2 == 0 ? 0 : std::numeric_limits<uint64_t>::max() - 5;
      std::vector<uint64_t> scalar(count);
      std::vector<uint64_t> dispatched(count);
      UnpackBitsScalar(exact.data(), count, width, base, scalar.data());
      UnpackBits(exact.data(), count, width, base, dispatched.data());
      for (size_t i = 0; i < count; ++i) {
        ASSERT_EQ(scalar[i], base + values[i]) << "width " << width << " count " << count << " value " << i;
        ASSERT_EQ(dispatched[i], scalar[i]) << "width " << width << " count " << count << " value " << i;
      }
    }
  }
}

struct Case {
  const char* name;
  std::vector<uint64_t> values;
  size_t bytes_max;
};

std::vector<uint64_t> WithOutliers(size_t count, uint64_t usual, uint64_t outlier, size_t every) {
  std::vector<uint64_t> values(count, usual);
  for (size_t i = every - 1; i < count; i += every) values[i] = outlier;
  return values;
}

std::vector<uint64_t> Random(size_t count, uint64_t mask) {
  std::mt19937_64 random(2);
  std::vector<uint64_t> values(count);
  for (uint64_t& value : values) value = random() & mask;
  return values;
}

class IntegersRoundTrip : public testing::TestWithParam<Case> {};

TEST_P(IntegersRoundTrip, GivesBackTheValuesInAsManyBytesAsExpected) {
  std::string bytes;
  EncodeIntegers(GetParam().values, &bytes);
  EXPECT_LE(bytes.size(), GetParam().bytes_max);
  std::vector<uint64_t> decoded(GetParam().values.size());
  ByteReader reader(bytes);
  ASSERT_TRUE(DecodeIntegers(&reader, decoded));
  EXPECT_TRUE(reader.AtEnd());
  EXPECT_EQ(decoded, GetParam().values);
}

constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();

INSTANTIATE_TEST_SUITE_P(
    All, IntegersRoundTrip,
    testing::Values(Case{"empty", {}, 0}, Case{"one", {7}, 2}, Case{"one_largest", {kMax}, 11},
                    Case{"constant", std::vector<uint64_t>(65536, 3'600'000), 5},
                    Case{"extremes", {0, kMax, 0, kMax, 1}, 64},
                    // One gap in 128 regular values: an exception, not 33 bits for each.
                    Case{"regular_with_gaps", WithOutliers(12800, 1, 1ULL << 33, 100), 12800 / 8},
                    Case{"all_widths_64", Random(1000, kMax), 1000 * 8 + 100},
                    Case{"seven_bits", Random(4096, 127), 4096 * 7 / 8 + 4096 / 128 * 3 + 1},
                    Case{"skewed_bytes", WithOutliers(65536, 0, 5, 7), 65536 / 8}),
    [](const auto& param) { return param.param.name; });

TEST(Integers, RefusesEveryTruncation) {
  for (const auto& values : {Random(300, 1023), WithOutliers(300, 4, 1 << 20, 50),
                             std::vector<uint64_t>(300, 9), WithOutliers(4096, 0, 5, 7)}) {
    std::string bytes;
    EncodeIntegers(values, &bytes);
    std::vector<uint64_t> decoded(values.size());
    for (size_t size = 0; size < bytes.size(); ++size) {
      const std::vector<char> exact(bytes.begin(), bytes.begin() + static_cast<long>(size));
      ByteReader reader({exact.data(), size});
      EXPECT_FALSE(DecodeIntegers(&reader, decoded)) << size;
    }
  }
}

TEST(Integers, RefusesAnUnknownFormAndExceptionsOutOfOrder) {
  std::vector<uint64_t> out(2);
  ByteReader unknown(std::string_view("\x09\x01\x02\x03", 4));
  EXPECT_FALSE(DecodeIntegers(&unknown, out));
  // packed, width 0, two exceptions at index 1 and 0, base 0
  ByteReader disorder(std::string_view("\x00\x00\x02\x00\x01\x00\x05\x05", 8));
  EXPECT_FALSE(DecodeIntegers(&disorder, out));
  ByteReader order(std::string_view("\x00\x00\x02\x00\x00\x01\x05\x06", 8));
  ASSERT_TRUE(DecodeIntegers(&order, out));
  EXPECT_EQ(out, (std::vector<uint64_t>{5, 6}));
  ByteReader beyond(std::string_view("\x00\x00\x01\x00\x02\x05", 6));
  EXPECT_FALSE(DecodeIntegers(&beyond, out));
  ByteReader wide(std::string_view("\x00\x41\x00\x00", 4));
  EXPECT_FALSE(DecodeIntegers(&wide, out));
}

}  // namespace
}  // namespace varve
