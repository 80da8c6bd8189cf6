#include "http/prometheus_params.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace varve {
namespace {

HttpRequest UrlRequest(std::string query) {
  HttpRequest request;
  request.method = "GET";
  request.url_query = std::move(query);
  return request;
}

TEST(PrometheusParams, TimesAreSecondsOrRfc3339) {
  const struct {
    const char* text;
    int64_t ms;
  } cases[] = {
      {"1793495700", 1793495700000},
      {"+1793495700", 1793495700000},
      {"1793495700.5", 1793495700500},
      {"1793495700.1239", 1793495700124},
      {"1.7934957e9", 1793495700000},
      {"-1.5", -1500},
      {"-0.0004", 0},
      {"0x1p4", 16000},
      {"1_000", 1000000},
      {"2026-11-01T01:15:00Z", 1793495700000},
      {"2026-11-01T01:15:00.123456789Z", 1793495700123},
      {"2026-11-01T02:15:00+01:00", 1793495700000},
      {"1969-12-31T23:59:59.9995Z", -1},
      {"1e300", kPromTimeMaxMs / 1000 * 1000},
      {"-Inf", kPromTimeMinMs / 1000 * 1000},
      {"NaN", kPromTimeMinMs / 1000 * 1000},
      {"1795158455642", 1795158455642000},
  };
  for (const auto& c : cases) {
    const Result<UnixTime> time = ParsePromTime(c.text);
    ASSERT_TRUE(time.ok()) << c.text;
    EXPECT_EQ(c.ms, ToMillis(*time)) << c.text;
  }
  for (const char* text : {"", "x", "01:15", "1793495700s", "1,5", "now", "0x10", "0x10 ", "_1", "1_", "1__0", "--1",
                           "2026-13-01T00:00:00Z", "2026-11-01T25:00:00Z", "2026-11-01t01:15:00z", "1e400",
                           "nan(1)"}) {
    const Result<UnixTime> time = ParsePromTime(text);
    ASSERT_FALSE(time.ok()) << text;
    EXPECT_EQ("cannot parse \"" + std::string(text) + "\" to a valid timestamp", time.status().message());
  }
}

TEST(PrometheusParams, DurationsAreSecondsOrUnits) {
  constexpr int64_t kSecond = 1'000'000'000;
  const struct {
    const char* text;
    int64_t ns;
  } cases[] = {{"60", 60 * kSecond},        {"0.5", kSecond / 2},      {"-1", -kSecond},
               {"1m", 60 * kSecond},        {"1h30m", 5400 * kSecond}, {"100ms", kSecond / 10},
               {"1m0s", 60 * kSecond},      {"0", 0},                  {"0s", 0},
               {"0.0000000001", 0},         {"9223372036", 9223372036 * kSecond}};
  for (const auto& c : cases) {
    const Result<int64_t> duration = ParsePromDurationNs(c.text);
    ASSERT_TRUE(duration.ok()) << c.text;
    EXPECT_EQ(c.ns, *duration) << c.text;
  }
  for (const char* text : {"", "abc", "1x", "-1m", "1h1h"}) {
    EXPECT_EQ("cannot parse \"" + std::string(text) + "\" to a valid duration",
              ParsePromDurationNs(text).status().message());
  }
  for (const char* text : {"1e300", "Inf", "-Inf", "9223372037"}) {
    EXPECT_EQ("cannot parse \"" + std::string(text) + "\" to a valid duration. It overflows int64",
              ParsePromDurationNs(text).status().message());
  }
  EXPECT_LT(*ParsePromDurationNs("NaN"), 0);
}

TEST(PrometheusParams, LimitsAreNumbersFromZeroOn) {
  EXPECT_EQ(0u, *ParsePromLimit(""));
  EXPECT_EQ(0u, *ParsePromLimit("0"));
  EXPECT_EQ(7u, *ParsePromLimit("+7"));
  EXPECT_EQ("limit must be non-negative", ParsePromLimit("-1").status().message());
  EXPECT_EQ("strconv.Atoi: parsing \"abc\": invalid syntax", ParsePromLimit("abc").status().message());
  EXPECT_EQ("strconv.Atoi: parsing \"1.5\": invalid syntax", ParsePromLimit("1.5").status().message());
  EXPECT_EQ("strconv.Atoi: parsing \"99999999999999999999\": value out of range",
            ParsePromLimit("99999999999999999999").status().message());
}

TEST(PrometheusParams, BoundsAreEverythingUnlessGiven) {
  const PromBounds all = *ParsePromBounds(*FormParams::Parse(UrlRequest("")));
  EXPECT_EQ(kPromTimeMinMs, all.start_ms);
  EXPECT_EQ(kPromTimeMaxMs, all.end_ms);
  const PromBounds some = *ParsePromBounds(*FormParams::Parse(UrlRequest("start=1.5&end=3")));
  EXPECT_EQ(1500, some.start_ms);
  EXPECT_EQ(3000, some.end_ms);
  EXPECT_EQ("invalid parameter \"end\": invalid time value for 'end': cannot parse \"x\" to a valid timestamp",
            ParsePromBounds(*FormParams::Parse(UrlRequest("start=1&end=x"))).status().message());
}

TEST(PrometheusParams, EscapedNamesAreUnescaped) {
  const struct {
    const char* escaped;
    const char* name;
  } cases[] = {{"up", "up"},
               {"U__my_2e_label", "my.label"},
               {"U__spaced_20_label", "spaced label"},
               {"U__a__b", "a_b"},
               {"U___65e5__672c_", "日本"},
               {"U__", ""},
               {"U__a_b", "U__a_b"},                  // no end
               {"U__a_zz_", "U__a_zz_"},              // no number
               {"U__a_d800_", "U__a_d800_"},          // a surrogate
               {"U__a_1234567_", "U__a_1234567_"}};   // too long
  for (const auto& c : cases) EXPECT_EQ(c.name, UnescapeName(c.escaped)) << c.escaped;
}

TEST(PrometheusParams, BrokenPairsAreLeftOutAndTold) {
  HttpRequest request = UrlRequest("time=5&a=1;2&query=late");
  request.method = "POST";
  request.headers = {{"content-type", "application/x-www-form-urlencoded"}};
  request.body = "query=%zz&step=1";
  Status error;
  const FormParams params = FormParams::ParseWhatCan(request, &error);
  EXPECT_EQ("invalid URL escape \"%zz\"", error.message());
  EXPECT_EQ("late", params.Get("query"));
  EXPECT_EQ("1", params.Get("step"));
  EXPECT_EQ("5", params.Get("time"));
  EXPECT_FALSE(params.Has("a"));
}

}  // namespace
}  // namespace varve
