#include "tools/units.h"

#include <gtest/gtest.h>

#include <limits>

namespace varve {
namespace {

TEST(Units, ReadDurations) {
  const struct {
    const char* text;
    int64_t ns;
  } cases[] = {
      {"0", 0},
      {"0s", 0},
      {"1ns", 1},
      {"1us", 1000},
      {"1µs", 1000},
      {"250ms", 250'000'000},
      {"1h30m", 5'400'000'000'000},
      {"1.5s", 1'500'000'000},
      {"7d", 604'800'000'000'000},
      {"2w", 1'209'600'000'000'000},
      {"1y", 31'536'000'000'000'000},
      {"-15m", -900'000'000'000},
  };
  for (const auto& c : cases) {
    auto parsed = ParseDuration(c.text);
    ASSERT_TRUE(parsed.ok()) << c.text << ": " << parsed.status().ToString();
    EXPECT_EQ(c.ns, *parsed) << c.text;
  }
}

TEST(Units, RefuseWhatIsNoDuration) {
  for (const char* text :
       {"", "-", "5", "1x", "h", "1h-2m", "1e3s", "inf", "nan", "1h 2m", "999999y", "1hh", "+1h"}) {
    EXPECT_FALSE(ParseDuration(text).ok()) << text;
  }
}

TEST(Units, WriteDurationsThatReadBack) {
  const struct {
    int64_t ns;
    const char* text;
  } cases[] = {
      {0, "0s"},
      {600'000'000'000, "10m"},
      {5'400'000'000'000, "1h30m"},
      {1'500'000'000, "1s500ms"},
      {2'595'600'000'000'000, "30d1h"},
      {-1'000, "-1us"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(c.text, FormatDuration(c.ns));
    EXPECT_EQ(c.ns, *ParseDuration(c.text)) << c.text;
  }
  EXPECT_EQ('-', FormatDuration(std::numeric_limits<int64_t>::min()).front());
}

TEST(Units, ReadSizesInPowersOf1024) {
  const struct {
    const char* text;
    int64_t bytes;
  } cases[] = {
      {"0", 0},         {"1", 1},          {"10B", 10},        {"64KB", 65536},     {"64k", 65536},
      {"64KiB", 65536}, {"1 MB", 1048576}, {"1.5MB", 1572864}, {"4GB", 4294967296}, {"1tb", 1099511627776},
  };
  for (const auto& c : cases) {
    auto parsed = ParseByteSize(c.text);
    ASSERT_TRUE(parsed.ok()) << c.text << ": " << parsed.status().ToString();
    EXPECT_EQ(c.bytes, *parsed) << c.text;
  }
}

TEST(Units, RefuseWhatIsNoSize) {
  for (const char* text : {"", "-1", "MB", "1XB", "1MBs", "1MB2", "inf", "99999999PB", "1e3", "1bib"}) {
    EXPECT_FALSE(ParseByteSize(text).ok()) << text;
  }
}

TEST(Units, WriteSizesThatReadBack) {
  for (const int64_t bytes :
       {int64_t{0}, int64_t{1}, int64_t{1000}, int64_t{65536}, int64_t{104857600}, int64_t{4} << 30}) {
    EXPECT_EQ(bytes, *ParseByteSize(FormatByteSize(bytes))) << FormatByteSize(bytes);
  }
  EXPECT_EQ("100MB", FormatByteSize(100 << 20));
}

TEST(Units, RoundSizesForPeople) {
  EXPECT_EQ("0 B", FormatByteSizeRounded(0));
  EXPECT_EQ("999 B", FormatByteSizeRounded(999));
  EXPECT_EQ("0.98 KB", FormatByteSizeRounded(1000));
  EXPECT_EQ("1.50 MB", FormatByteSizeRounded(1.5 * 1024 * 1024));
  EXPECT_EQ("220 KB", FormatByteSizeRounded(220.0 * 1024));
}

}  // namespace
}  // namespace varve
