#include "query/logql/values/duration.h"

#include <limits>

#include <gtest/gtest.h>

namespace varve::logql {
namespace {

TEST(Duration, ReadsWhatGoReads) {
  const struct {
    const char* text;
    int64_t ns;
  } kCases[] = {{"0", 0},
                {"1s", 1'000'000'000},
                {"1.5s", 1'500'000'000},
                {"-3s", -3'000'000'000},
                {"+2s", 2'000'000'000},
                {".5s", 500'000'000},
                {"250ms", 250'000'000},
                {"100us", 100'000},
                {"5\xC2\xB5s", 5'000},
                {"5\xCE\xBCs", 5'000},
                {"10ns", 10},
                {"2h45m", 9'900'000'000'000},
                {"1s500ms", 1'500'000'000},
                {"1.5h", 5'400'000'000'000},
                {"0.3333333333333333333h", 1'200'000'000'000},
                {"9223372036854775807ns", std::numeric_limits<int64_t>::max()},
                {"-9223372036854775808ns", std::numeric_limits<int64_t>::min()}};
  for (const auto& c : kCases) {
    int64_t ns = -1;
    std::string error;
    EXPECT_TRUE(ParseGoDuration(c.text, &ns, &error)) << c.text << ": " << error;
    EXPECT_EQ(ns, c.ns) << c.text;
  }
}

TEST(Duration, RefusesInGosWords) {
  const struct {
    const char* text;
    const char* error;
  } kCases[] = {{"", "time: invalid duration \"\""},
                {"abc", "time: invalid duration \"abc\""},
                {"-", "time: invalid duration \"-\""},
                {"5", "time: missing unit in duration \"5\""},
                {"1d", "time: unknown unit \"d\" in duration \"1d\""},
                {"1M", "time: unknown unit \"M\" in duration \"1M\""},
                {"1 s", "time: unknown unit \" s\" in duration \"1 s\""},
                {".s", "time: invalid duration \".s\""},
                {"9223372036854775808ns", "time: invalid duration \"9223372036854775808ns\""},
                {"99999999999999999999s", "time: invalid duration \"99999999999999999999s\""},
                {"1\xE6\x97\xA5", "time: unknown unit \"\\xe6\\x97\\xa5\" in duration \"1\\xe6\\x97\\xa5\""},
                {"1\"s", "time: unknown unit \"\\\"s\" in duration \"1\\\"s\""}};
  for (const auto& c : kCases) {
    int64_t ns = 0;
    std::string error;
    EXPECT_FALSE(ParseGoDuration(c.text, &ns, &error)) << c.text;
    EXPECT_EQ(error, c.error);
  }
}

TEST(Duration, SecondsAddTheFractionToWholeSeconds) {
  EXPECT_EQ(DurationSeconds(1'500'000'000), 1.5);
  EXPECT_EQ(DurationSeconds(-1'500'000'000), -1.5);
  EXPECT_EQ(DurationSeconds(90'500'000'000), 90.5);
}

}  // namespace
}  // namespace varve::logql
