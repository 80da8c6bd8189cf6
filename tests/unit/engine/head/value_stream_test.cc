#include "engine/head/value_stream.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "engine/model/sample.h"

namespace varve {
namespace {

std::vector<uint64_t> Bits(const std::vector<double>& values) {
  std::vector<uint64_t> bits;
  for (const double value : values) bits.push_back(std::bit_cast<uint64_t>(value));
  return bits;
}

void ExpectKept(const std::vector<double>& values) {
  ValueStream stream;
  for (const double value : values) {
    stream.Append(value);
    EXPECT_EQ(stream.last_bits(), std::bit_cast<uint64_t>(value));
  }
  ASSERT_EQ(stream.count(), values.size());
  std::vector<double> out;
  stream.Read(0, stream.count(), &out);
  EXPECT_EQ(Bits(out), Bits(values));
  const auto middle = static_cast<uint32_t>(values.size() / 2);
  out.clear();
  stream.Read(middle, stream.count(), &out);
  EXPECT_EQ(Bits(out), Bits({values.begin() + middle, values.end()}));
  out.clear();
  stream.Read(0, middle, &out);
  EXPECT_EQ(Bits(out), Bits({values.begin(), values.begin() + middle}));
}

TEST(ValueStream, KeepsEveryKindOfValueToTheBit) {
  const double inf = std::numeric_limits<double>::infinity();
  ExpectKept({});
  ExpectKept({0});
  ExpectKept({1, 2, 3, 3, 3, 3, 2, 1});
  ExpectKept({-0.0, 0.0, -0.0});
  ExpectKept({1, 2, 2.5, 2.25, 3, 1e15, 0.1, 1e-9});
  ExpectKept({inf, -inf, std::nan("7"), StaleNan(), std::bit_cast<double>(kNormalNanBits), 1, 2, StaleNan(), 3});
  ExpectKept({9007199254740992.0, 9007199254740994.0, -9007199254740992.0, 0, 1e300, 5e-324});
  ExpectKept({M_PI, M_E, M_SQRT2, 1 / 3.0, 2 / 3.0, 1 / 7.0, 1 / 9.0, 1 / 11.0, 1 / 13.0, 1 / 17.0, 1 / 19.0, 5, 5, 6});
  ExpectKept(std::vector<double>(1000, 7));
  ExpectKept(std::vector<double>(255, 0));
  ExpectKept(std::vector<double>(256, 0));
}

TEST(ValueStream, KeepsRandomMixtures) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 300; ++round) {
    std::vector<double> values;
    const size_t count = random() % 400;
    double walk = static_cast<double>(random() % 1000);
    const uint64_t kind = random() % 5;
    for (size_t i = 0; i < count; ++i) {
      const uint64_t what = kind < 4 && random() % 20 != 0 ? kind : random() % 5;
      if (what == 0) walk += static_cast<double>(random() % 100);
      if (what == 1) walk = std::round(walk * 100) / 100 + 0.01;
      if (what == 2) walk = std::bit_cast<double>(random());
      if (what == 4) walk = static_cast<double>(static_cast<int64_t>(random() % 2000) - 1000);
      values.push_back(walk);
    }
    ExpectKept(values);
  }
}

TEST(ValueStream, TakesNoHeapForAConstantAndLittleForACounter) {
  ValueStream constant;
  for (int i = 0; i < 480; ++i) constant.Append(42);
  EXPECT_EQ(constant.heap_bytes(), 0);
  ValueStream counter;
  for (int i = 0; i < 240; ++i) counter.Append(i * 15);
  EXPECT_LE(counter.heap_bytes(), 340);
}

}  // namespace
}  // namespace varve
