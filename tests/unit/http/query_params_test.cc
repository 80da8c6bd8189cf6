#include "http/query_params.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace varve {
namespace {

constexpr int64_t kNow = 1'793'500'000 * kNsPerSecond;
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

FormParams Params(std::string query) {
  HttpRequest request;
  request.method = "GET";
  request.url_query = std::move(query);
  return FormParams::Parse(request).value();
}

TEST(ParseTime, TakesEveryFormOfLoki) {
  struct Case {
    const char* text;
    int64_t expected;
  };
  const Case cases[] = {
      {"", kNow},
      {"1793494800", 1793494800 * kNsPerSecond},
      {"4000000000", 4000000000 * kNsPerSecond},  // ten digits: seconds, the year 2096
      {"1793494800000000001", 1793494800000000001},
      {"17934948000", 17934948000},  // eleven: nanoseconds
      {"-1", -kNsPerSecond},
      {"0", 0},
      {"1793494800.25", 1793494800 * kNsPerSecond + 250 * kNsPerMs},
      {"1793494800.0004", 1793494800 * kNsPerSecond},  // rounded to milliseconds
      {"2026-11-01T01:00:00Z", 1793494800 * kNsPerSecond},
      {"2026-11-01T01:00:00.000Z", 1793494800 * kNsPerSecond},
      {"2026-11-01T01:00:00.123456789Z", 1793494800123456789},
      {"2026-10-31T20:01:00-05:00", 1793494860 * kNsPerSecond},
      {"2024-02-29T00:00:00+00:00", 1709164800 * kNsPerSecond},
      {"1970-01-01T00:00:00Z", 0},
      {"9999999999", kMax},  // beyond what 64-bit nanoseconds hold
      {"9999-12-31T23:59:59Z", kMax},
      {"1.5e300", kMax},
  };
  for (const Case& c : cases) {
    const Result<int64_t> parsed = ParseTimeNs(c.text, kNow);
    ASSERT_TRUE(parsed.ok()) << c.text << ": " << parsed.status().message();
    EXPECT_EQ(*parsed, c.expected) << c.text;
  }
}

TEST(ParseTime, RefusesTheRestWithGosText) {
  struct Case {
    const char *text, *message;
  };
  const Case cases[] = {
      {"xx", "strconv.ParseInt: parsing \"xx\": invalid syntax"},
      {"1 2", "strconv.ParseInt: parsing \"1 2\": invalid syntax"},
      {"+-1", "strconv.ParseInt: parsing \"+-1\": invalid syntax"},
      {"99999999999999999999", "strconv.ParseInt: parsing \"99999999999999999999\": value out of range"},
      {"2026-13-01T00:00:00Z", "strconv.ParseInt: parsing \"2026-13-01T00:00:00Z\": invalid syntax"},
      {"2026-02-29T00:00:00Z", "strconv.ParseInt: parsing \"2026-02-29T00:00:00Z\": invalid syntax"},
      {"2026-11-01T01:00:00", "strconv.ParseInt: parsing \"2026-11-01T01:00:00\": invalid syntax"},
      {"2026-11-01", "strconv.ParseInt: parsing \"2026-11-01\": invalid syntax"},
      {"1.2.3", "strconv.ParseInt: parsing \"1.2.3\": invalid syntax"},
  };
  for (const Case& c : cases) {
    const Result<int64_t> parsed = ParseTimeNs(c.text, kNow);
    ASSERT_FALSE(parsed.ok()) << c.text;
    EXPECT_EQ(parsed.status().message(), c.message);
  }
}

TEST(ParseSecondsOrDuration, TakesBoth) {
  EXPECT_EQ(ParseSecondsOrDurationNs("300").value(), 300 * kNsPerSecond);
  EXPECT_EQ(ParseSecondsOrDurationNs("0.25").value(), 250 * kNsPerMs);
  EXPECT_EQ(ParseSecondsOrDurationNs("+1e1").value(), 10 * kNsPerSecond);
  EXPECT_EQ(ParseSecondsOrDurationNs("15000ms").value(), 15 * kNsPerSecond);
  EXPECT_EQ(ParseSecondsOrDurationNs("-5").value(), -5 * kNsPerSecond);
  EXPECT_LT(ParseSecondsOrDurationNs("NaN").value(), 0);
  EXPECT_EQ(ParseSecondsOrDurationNs("xx").status().message(), "cannot parse \"xx\" to a valid duration");
  EXPECT_EQ(ParseSecondsOrDurationNs("1e99").status().message(),
            "cannot parse \"1e99\" to a valid duration. It overflows int64");
}

TEST(ParseLimit, AsksForAPositiveInteger) {
  EXPECT_EQ(ParseLimit("").value(), 100U);
  EXPECT_EQ(ParseLimit("5000").value(), 5000U);
  EXPECT_EQ(ParseLimit("4294967295").value(), std::numeric_limits<uint32_t>::max());
  EXPECT_EQ(ParseLimit("4294967296").status().message(),
            "limit value 4294967296 is out of range [0, 4294967295]");
  EXPECT_EQ(ParseLimit("9999999999", 100, "line_limit").status().message(),
            "line_limit value 9999999999 is out of range [0, 4294967295]");
  EXPECT_EQ(ParseLimit("99999999999999999999").status().message(),
            "strconv.Atoi: parsing \"99999999999999999999\": value out of range");
  EXPECT_EQ(ParseLimit("0").status().message(), "limit must be a positive value");
  EXPECT_EQ(ParseLimit("-1").status().message(), "limit must be a positive value");
  EXPECT_EQ(ParseLimit("abc").status().message(), "strconv.Atoi: parsing \"abc\": invalid syntax");
  EXPECT_EQ(ParseLimit("1.5").status().message(), "strconv.Atoi: parsing \"1.5\": invalid syntax");
}

TEST(ParseDirection, IgnoresCase) {
  EXPECT_EQ(ParseDirection("").value(), Direction::kBackward);
  EXPECT_EQ(ParseDirection("FORWARD").value(), Direction::kForward);
  EXPECT_EQ(ParseDirection("Backward").value(), Direction::kBackward);
  EXPECT_EQ(ParseDirection("sideways").status().message(), "invalid direction 'sideways'");
}

TEST(ParseBounds, DefaultsToTheLastHour) {
  const TimeBounds bounds = ParseBounds(Params(""), kNow).value();
  EXPECT_EQ(bounds.end_ns, kNow);
  EXPECT_EQ(bounds.start_ns, kNow - kNsPerHour);
}

TEST(ParseBounds, CountsSinceFromTheEndOrFromNow) {
  const TimeBounds past = ParseBounds(Params("end=1793490000&since=30m"), kNow).value();
  EXPECT_EQ(past.start_ns, (1793490000LL - 1800) * kNsPerSecond);
  const TimeBounds future = ParseBounds(Params("end=1893490000&since=30m"), kNow).value();
  EXPECT_EQ(future.start_ns, kNow - 1800 * kNsPerSecond);
  const TimeBounds both = ParseBounds(Params("start=5&end=10&since=1h"), kNow).value();
  EXPECT_EQ(both.start_ns, 5 * kNsPerSecond);
}

TEST(ParseRangeParams, AnswersWithLokisTexts) {
  struct Case {
    const char *query, *message;
  };
  const Case cases[] = {
      {"since=abc&start=1&end=2", "could not parse 'since' parameter: not a valid duration string: \"abc\""},
      {"end=abc", "could not parse 'end' parameter: strconv.ParseInt: parsing \"abc\": invalid syntax"},
      {"start=x", "could not parse 'start' parameter: strconv.ParseInt: parsing \"x\": invalid syntax"},
      {"start=2&end=1", "end timestamp must not be before or equal to start time"},
      {"limit=0", "limit must be a positive value"},
      {"direction=up", "invalid direction 'up'"},
      {"step=0", "zero or negative query resolution step widths are not accepted. Try a positive integer"},
      {"step=-5", "zero or negative query resolution step widths are not accepted. Try a positive integer"},
      {"step=x", "cannot parse \"x\" to a valid duration"},
      {"start=0&end=3600&step=300ms",
       "exceeded maximum resolution of 11,000 points per time series. Try increasing the value of the step "
       "parameter"},
      {"interval=-1", "interval must be >= 0"},
      {"interval=abc", "cannot parse \"abc\" to a valid duration"},
  };
  for (const Case& c : cases) {
    const auto parsed = ParseRangeParams(Params(c.query), kNow, 11000);
    ASSERT_FALSE(parsed.ok()) << c.query;
    EXPECT_EQ(parsed.status().message(), c.message);
  }
}

TEST(ParseRangeParams, DefaultsTheStepToA250thOfTheRange) {
  const auto step = [](const char* query) { return ParseRangeParams(Params(query), kNow, 11000)->step_ns; };
  EXPECT_EQ(step("start=0&end=3600"), 14 * kNsPerSecond);
  EXPECT_EQ(step("start=0&end=1200"), 4 * kNsPerSecond);
  EXPECT_EQ(step("start=0&end=10"), kNsPerSecond);
  EXPECT_EQ(step("start=10&end=10"), kNsPerSecond);
  EXPECT_EQ(step("start=0&end=11000&step=1"), kNsPerSecond);  // 11,000 steps are allowed
}

TEST(ParseRangeParams, SurvivesTheEndsOfTime) {
  const auto parsed =
      ParseRangeParams(Params("start=-9223372036854775808&end=9223372036854775807"), kNow, 11000);
  ASSERT_TRUE(parsed.ok());
  EXPECT_GT(parsed->step_ns, 0);
}

TEST(ApplyTimeLimits, RefusesLongRangesWithBothDurations) {
  TimeBounds bounds{0, 1793494800 * kNsPerSecond};
  EXPECT_EQ(ApplyTimeLimits(QueryLimits(), kNow, &bounds).message(),
            "the query time range exceeds the limit (query length: 498193h0m0s, limit: 30d1h)");
}

TEST(ApplyTimeLimits, ClampsToTheLookback) {
  QueryLimits limits;
  limits.max_query_lookback_ns = kNsPerHour;
  TimeBounds bounds{kNow - 2 * kNsPerHour, kNow};
  EXPECT_TRUE(ApplyTimeLimits(limits, kNow, &bounds).ok());
  EXPECT_EQ(bounds.start_ns, kNow - kNsPerHour);
}

}  // namespace
}  // namespace varve
