#include "tools/time_text.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

namespace varve {
namespace {

constexpr int64_t kNow = 1'793'514'600'000'000'000;  // 2026-11-01T06:30:00Z

class TimeText : public testing::Test {
 protected:
  void SetUp() override {
    setenv("TZ", "UTC-02:00", 1);  // POSIX: two hours east
    tzset();
  }
};

TEST_F(TimeText, ReadsEveryForm) {
  const struct {
    const char* text;
    int64_t ns;
  } cases[] = {
      {"now", kNow},
      {"-15m", kNow - 900'000'000'000},
      {"2026-11-01T06:30:00Z", kNow},
      {"2026-11-01T08:30:00+02:00", kNow},
      {"2026-11-01T01:30:00-0500", kNow},
      {"2026-11-01T06:30:00.25Z", kNow + 250'000'000},
      {"2026-11-01T06:30:00.123456789Z", kNow + 123'456'789},
      {"2026-11-01 08:30", kNow},
      {"2026-11-01 08:30:00", kNow},
      {"2026-11-01", kNow - 30'600'000'000'000},
      {"1793514600", kNow},
      {"1793514600.5", kNow + 500'000'000},
      {"1793514600000", kNow},
      {"1793514600000000", kNow},
      {"1793514600000000000", kNow},
  };
  for (const auto& c : cases) {
    auto parsed = ParseTime(c.text, kNow);
    ASSERT_TRUE(parsed.ok()) << c.text << ": " << parsed.status().ToString();
    EXPECT_EQ(c.ns, *parsed) << c.text;
  }
}

TEST_F(TimeText, RefusesTheRest) {
  for (const char* text :
       {"", "yesterday", "2026-13-01", "2026-11-01T", "2026-11-01T25:00:00Z", "2026-11-01T06:30:00ZZ",
        "2026-11-01T06:30:00.Z", "9999-01-01", "12x", "-5", "1e9", "99999999999999999999"}) {
    EXPECT_FALSE(ParseTime(text, kNow).ok()) << text;
  }
}

TEST_F(TimeText, PrintsLocalAndUtcTime) {
  EXPECT_EQ("2026-11-01 08:30:00.250", FormatLocalTime(kNow + 250'999'999));
  EXPECT_EQ("2026-11-01T06:30:00.000000007Z", FormatUtcTime(kNow + 7));
  EXPECT_EQ("1969-12-31T23:59:59.999999999Z", FormatUtcTime(-1));
}

}  // namespace
}  // namespace varve
