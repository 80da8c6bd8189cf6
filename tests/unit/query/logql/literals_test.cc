#include "query/logql/literals.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/time.h"

namespace varve::logql {
namespace {

constexpr int64_t kMinute = 60 * kNsPerSecond;
constexpr int64_t kDay = 24 * kNsPerHour;

template <typename Value>
std::string Text(void (*append)(std::string*, Value), Value value) {
  std::string out;
  append(&out, value);
  return out;
}

TEST(PrometheusDurationTest, TakesWholeUnitsInDescendingOrder) {
  const std::vector<std::pair<std::string, int64_t>> cases = {
      {"0", 0},
      {"0s", 0},
      {"5ms", 5 * kNsPerMs},
      {"90s", 90 * kNsPerSecond},
      {"1h30m", 90 * kMinute},
      {"1d", kDay},
      {"2w", 14 * kDay},
      {"1y2w3d4h5m6s7ms",
       365 * kDay + 14 * kDay + 3 * kDay + 4 * kNsPerHour + 5 * kMinute + 6 * kNsPerSecond + 7 * kNsPerMs},
      {"292y", 292 * 365 * kDay},
  };
  for (const auto& [text, ns] : cases) {
    const Result<int64_t> parsed = ParsePrometheusDuration(text);
    ASSERT_TRUE(parsed.ok()) << text << ": " << parsed.status().message();
    EXPECT_EQ(*parsed, ns) << text;
  }
}

TEST(PrometheusDurationTest, RefusesTheRestByName) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "empty duration string"},
      {"m", "not a valid duration string: \"m\""},
      {"60", "not a valid duration string: \"60\""},
      {"-5m", "not a valid duration string: \"-5m\""},
      {" 5m", "not a valid duration string: \" 5m\""},
      {"1.5h", "unknown unit \".\" in duration \"1.5h\""},
      {"3x", "unknown unit \"x\" in duration \"3x\""},
      {"1h 5m", "unknown unit \"h \" in duration \"1h 5m\""},
      {"5m:1m", "unknown unit \"m:\" in duration \"5m:1m\""},
      {"1s1m", "not a valid duration string: \"1s1m\""},
      {"1m1m", "not a valid duration string: \"1m1m\""},
      {"293y", "duration out of range"},
      {"292y365d", "duration out of range"},
      {"99999999999999999999s", "not a valid duration string: \"99999999999999999999s\""},
  };
  for (const auto& [text, message] : cases) {
    const Result<int64_t> parsed = ParsePrometheusDuration(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.status().message(), message);
  }
}

TEST(GoDurationTest, TakesFractionsAndAnyOrder) {
  const std::vector<std::pair<std::string, std::optional<int64_t>>> cases = {
      {"0", 0},
      {"1.5s", 1500 * kNsPerMs},
      {".5h", 30 * kMinute},
      {"5.s", 5 * kNsPerSecond},
      {"1m1h", 61 * kMinute},
      {"-2h45m0.5s", -(165 * kMinute + 500 * kNsPerMs)},
      {"+3ns", 3},
      {"0.3ms", 300000},
      {"1.000000001s", kNsPerSecond + 1},
      {"0.3333333333333333333h", 20 * kMinute - 1},
      {"7us", 7000},
      {"7\u00b5s", 7000},
      {"7\u03bcs", 7000},
      {"9223372036854775807ns", std::numeric_limits<int64_t>::max()},
      {"-9223372036854775808ns", std::numeric_limits<int64_t>::min()},
      {"9223372036854775808ns", std::nullopt},
      {"2562048h", std::nullopt},
      {"", std::nullopt},
      {"-", std::nullopt},
      {"5", std::nullopt},
      {"s", std::nullopt},
      {".s", std::nullopt},
      {"1d", std::nullopt},
      {"1e3s", std::nullopt},
      {"1 s", std::nullopt},
  };
  for (const auto& [text, ns] : cases) EXPECT_EQ(ParseGoDuration(text), ns) << text;
}

TEST(DurationTextTest, MatchesWhatGoAndPrometheusPrint) {
  struct Case {
    int64_t ns;
    std::string go;
    std::string prometheus;
  };
  const std::vector<Case> cases = {
      {0, "0s", "0s"},
      {1, "1ns", "0s"},
      {1500, "1.5\u00b5s", "0s"},
      {2'500'000, "2.5ms", "2ms"},
      {kNsPerSecond, "1s", "1s"},
      {90 * kNsPerSecond, "1m30s", "1m30s"},
      {kNsPerHour, "1h0m0s", "1h"},
      {kDay + kMinute, "24h1m0s", "1d1m"},
      {7 * kDay, "168h0m0s", "1w"},
      {90 * kDay, "2160h0m0s", "90d"},
      {365 * kDay, "8760h0m0s", "1y"},
      {kNsPerSecond + 5'000'000, "1.005s", "1s5ms"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Text(AppendGoDuration, c.ns), c.go);
    EXPECT_EQ(Text(AppendPrometheusDuration, c.ns), c.prometheus);
  }
  EXPECT_EQ(Text(AppendGoDuration, -300 * kNsPerSecond), "-5m0s");
  EXPECT_EQ(Text(AppendGoDuration, std::numeric_limits<int64_t>::min()), "-2562047h47m16.854775808s");
}

TEST(ByteSizeTest, KnowsDecimalAndBinaryUnits) {
  const std::vector<std::pair<std::string, std::optional<uint64_t>>> cases = {
      {"0B", 0},
      {"12B", 12},
      {"5", 5},
      {"5KB", 5000},
      {"5kb", 5000},
      {"5K", 5000},
      {"5KiB", 5120},
      {"5Ki", 5120},
      {"1.5MiB", 1572864},
      {"0.5kB", 500},
      {"3GB", 3'000'000'000},
      {"2TiB", 2ULL << 40},
      {"4PB", 4'000'000'000'000'000},
      {"4PiB", 4ULL << 50},
      {"9007199254740993B", 9007199254740993},
      {"18446744073709551615B", std::numeric_limits<uint64_t>::max()},
      {"18446744073709551616B", std::nullopt},
      {"18446745PB", std::nullopt},
      {"19000.5PB", std::nullopt},
      {"5EB", std::nullopt},
      {"5MBB", std::nullopt},
      {"KB", std::nullopt},
      {"1.2.3KB", std::nullopt},
      {".B", std::nullopt},
      {"", std::nullopt},
  };
  for (const auto& [text, bytes] : cases) EXPECT_EQ(ParseByteSize(text), bytes) << text;
}

TEST(ByteSizeTest, RoundedTextHasTwoDigits) {
  const std::vector<std::pair<uint64_t, std::string>> cases = {
      {0, "0B"},
      {9, "9B"},
      {117, "117B"},
      {1000, "1.0kB"},
      {1024, "1.0kB"},
      {1'572'864, "1.6MB"},
      {82'854'982, "83MB"},
      {5'000'000'000, "5.0GB"},
      {std::numeric_limits<uint64_t>::max(), "18447PB"},
  };
  for (const auto& [bytes, text] : cases) EXPECT_EQ(Text(AppendRoundedBytes, bytes), text);
}

TEST(NumberTest, ReadsDecimalsAndHexadecimalsWithAnExponent) {
  const std::vector<std::pair<std::string, double>> cases = {
      {"1", 1},    {"1e3", 1000},   {".5", 0.5},   {"5.", 5},    {"1_000", 1000},
      {"010", 10}, {"1E-3", 0.001}, {"1e-999", 0}, {"0x1p3", 8}, {"0X1.8P3", 12},
  };
  for (const auto& [text, value] : cases) {
    const Result<double> parsed = ParseNumber(text);
    ASSERT_TRUE(parsed.ok()) << text;
    EXPECT_EQ(*parsed, value) << text;
  }
  EXPECT_EQ(ParseNumber("0x10").status().message(), "strconv.ParseFloat: parsing \"0x10\": invalid syntax");
  EXPECT_EQ(ParseNumber("1e999").status().message(),
            "strconv.ParseFloat: parsing \"1e999\": value out of range");
}

TEST(NumberTest, PrintsAsGoDoes) {
  struct Case {
    double value;
    std::string plain;
    std::string go;
    std::string fixed;
  };
  const std::vector<Case> cases = {
      {0, "0", "0", "0.000000"},
      {1, "1", "1", "1.000000"},
      {-1.5, "-1.5", "-1.5", "-1.500000"},
      {0.1, "0.1", "0.1", "0.100000"},
      {123456, "123456", "123456", "123456.000000"},
      {1e6, "1000000", "1e+06", "1000000.000000"},
      {1234567.5, "1234567.5", "1.2345675e+06", "1234567.500000"},
      {0.0001, "0.0001", "0.0001", "0.000100"},
      {0.00001, "0.00001", "1e-05", "0.000010"},
      {1e21, "1000000000000000000000", "1e+21", "1000000000000000000000.000000"},
      {std::numeric_limits<double>::infinity(), "+Inf", "+Inf", "+Inf"},
      {std::numeric_limits<double>::quiet_NaN(), "NaN", "NaN", "NaN"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Text(AppendPlainNumber, c.value), c.plain);
    EXPECT_EQ(Text(AppendGoNumber, c.value), c.go);
    EXPECT_EQ(Text(AppendFixedNumber, c.value), c.fixed);
  }
}

}  // namespace
}  // namespace varve::logql
