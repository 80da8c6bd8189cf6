#include "query/exec/humanized_text.h"

#include <gtest/gtest.h>

namespace varve {
namespace {

TEST(GoDurationText, WritesWhatGoWrites) {
  EXPECT_EQ(GoDurationText(0), "0s");
  EXPECT_EQ(GoDurationText(1), "1ns");
  EXPECT_EQ(GoDurationText(1500), "1.5µs");
  EXPECT_EQ(GoDurationText(2'030'000), "2.03ms");
  EXPECT_EQ(GoDurationText(90'000'000'000), "1m30s");
  EXPECT_EQ(GoDurationText(1'500'000'000), "1.5s");
  EXPECT_EQ(GoDurationText(960LL * 3600 * 1'000'000'000), "960h0m0s");
  EXPECT_EQ(GoDurationText(-3'600'000'000'001), "-1h0m0.000000001s");
  EXPECT_EQ(GoDurationText(INT64_MIN), "-2562047h47m16.854775808s");
}

TEST(PrometheusDurationText, WritesWeeksAndYearsOnlyWhenExact) {
  EXPECT_EQ(PrometheusDurationText(0), "0s");
  EXPECT_EQ(PrometheusDurationText(721LL * 3600 * 1'000'000'000), "30d1h");
  EXPECT_EQ(PrometheusDurationText(300'000'000'000), "5m");
  EXPECT_EQ(PrometheusDurationText(14LL * 86400 * 1'000'000'000), "2w");
  EXPECT_EQ(PrometheusDurationText(1'250'000'000), "1s250ms");
}

TEST(HumanizedBytes, UsesPowersOfAThousand) {
  EXPECT_EQ(HumanizedBytes(9), "9 B");
  EXPECT_EQ(HumanizedBytes(82), "82 B");
  EXPECT_EQ(HumanizedBytes(1500), "1.5 kB");
  EXPECT_EQ(HumanizedBytes(150'000'000'000), "150 GB");
}

}  // namespace
}  // namespace varve
