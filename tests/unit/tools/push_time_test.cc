#include "tools/push_time.h"

#include <gtest/gtest.h>

#include "engine/base/time.h"
#include "tools/time_text.h"

namespace varve {
namespace {

int64_t At(std::string_view text) {
  const auto t_ns = ParseTime(text, 0);
  EXPECT_TRUE(t_ns.ok()) << text;
  return *t_ns;
}

std::string Show(std::optional<int64_t> t_ns) { return t_ns.has_value() ? FormatUtcTime(*t_ns) : "none"; }

const char kNow[] = "2026-11-20T12:00:00Z";

std::string Read(const std::string& format, std::string_view line, std::string_view previous = "",
                 const std::string& zone = "UTC") {
  auto times = LineTimeFormat::Parse(format, zone);
  EXPECT_TRUE(times.ok()) << times.status().ToString();
  return Show(times->Read(line, previous.empty() ? 0 : At(previous), At(kNow)));
}

TEST(LineTimeFormat, ReadsWhatLinesBeginWith) {
  const struct {
    const char* format;
    const char* line;
    const char* time;
  } cases[] = {
      {"rfc3339", "2026-12-10T06:55:46Z x", "2026-12-10T06:55:46.000000000Z"},
      {"rfc3339", "2026-12-10T06:55:46.250+09:00 x", "2026-12-09T21:55:46.250000000Z"},
      {"rfc3339", "2026-12-10 06:55:46,123456789123 x", "2026-12-10T06:55:46.123456789Z"},
      {"rfc3339", "2026-12-10 06:55 x", "none"},
      {"rfc3339", "x 2026-12-10T06:55:46Z", "none"},
      {"rfc3339", "2026-13-10T06:55:46Z", "none"},
      {"unix", "1793514600 x", "2026-11-01T06:30:00.000000000Z"},
      {"unix", "1793514600.25: x", "2026-11-01T06:30:00.250000000Z"},
      {"unix", "1793514600250 x", "2026-11-01T06:30:00.250000000Z"},
      {"unix", "1793514600250000001", "2026-11-01T06:30:00.250000001Z"},
      {"unix", "now", "none"},
      {"unix", "9223372036854775807", "2262-04-11T23:47:16.854775807Z"},
      {"unix", "9223372036854775808", "none"},
      {"unix", "99999999999999999999999", "none"},
      {"%s %f", "9223372036854775807 9", "none"},
      {"syslog", "Nov 20 06:55:46 LabSZ sshd[24200]: x", "2026-11-20T06:55:46.000000000Z"},
      {"syslog", "Nov  1 06:55:46 LabSZ", "2026-11-01T06:55:46.000000000Z"},
      {"syslog", "<38>Nov  1 06:55:46 LabSZ", "2026-11-01T06:55:46.000000000Z"},
      {"syslog", "<38 Nov  1 06:55:46 LabSZ", "none"},
      {"syslog", "Nov 31 six", "none"},
      {"syslog", "", "none"},
      {"%Y-%m-%d %H:%M:%S,%f", "2026-12-10 06:55:46,5 INFO", "2026-12-10T06:55:46.500000000Z"},
      {"[%d/%b/%Y:%H:%M:%S %z]", "[10/Dec/2026:06:55:46 -0130] GET", "2026-12-10T08:25:46.000000000Z"},
      {"%m/%d/%y %I:%M:%S %p", "12/10/26 12:55:46 AM x", "2026-12-10T00:55:46.000000000Z"},
      {"%A, %d %B %Y %T", "Thursday, 10 December 2026 06:55:46", "2026-12-10T06:55:46.000000000Z"},
      {"%Y%j", "2026032", "2026-02-01T00:00:00.000000000Z"},
      {"ts=%s ", "ts=1793514600 x", "2026-11-01T06:30:00.000000000Z"},
      {"%F %T%n|", "2026-12-10 06:55:46  | x", "2026-12-10T06:55:46.000000000Z"},
      {"100%% %F", "100% 2026-12-10", "2026-12-10T00:00:00.000000000Z"},
  };
  for (const auto& c : cases) EXPECT_EQ(c.time, Read(c.format, c.line)) << c.format << " " << c.line;
}

TEST(LineTimeFormat, InfersTheYear) {
  const struct {
    const char* line;
    const char* previous;
    const char* time;
  } cases[] = {
      {"Dec 10 06:55:46", "", "2025-12-10T06:55:46.000000000Z"},   // not in the future
      {"Nov 21 06:55:46", "", "2026-11-21T06:55:46.000000000Z"},   // unless by less than a day
      {"Nov 22 06:55:46", "", "2025-11-22T06:55:46.000000000Z"},
      {"Jan  1 00:00:01", "2025-12-31T23:59:59Z", "2026-01-01T00:00:01.000000000Z"},
      {"Dec 31 23:59:59", "2026-01-01T00:00:01Z", "2025-12-31T23:59:59.000000000Z"},  // a little out of order
      {"Dec 10 06:55:46", "2023-12-10T06:55:45Z", "2023-12-10T06:55:46.000000000Z"},  // an old file
      {"Aug 20 00:00:00", "2026-01-05T00:00:00Z", "2026-08-20T00:00:00.000000000Z"},  // after a long silence
      {"Feb 29 12:00:00", "", "2024-02-29T12:00:00.000000000Z"},
  };
  for (const auto& c : cases) EXPECT_EQ(c.time, Read("syslog", c.line, c.previous)) << c.line << " after " << c.previous;
}

TEST(LineTimeFormat, KnowsZones) {
  EXPECT_EQ("2026-11-19T21:55:46.000000000Z", Read("syslog", "Nov 20 06:55:46 x", "", "Asia/Seoul"));
  // Summer time, the hour that is left out and the one that comes twice.
  EXPECT_EQ("2026-07-01T10:00:00.000000000Z", Read("rfc3339", "2026-07-01T12:00:00", "", "Europe/Berlin"));
  EXPECT_EQ("2026-03-29T01:30:00.000000000Z", Read("rfc3339", "2026-03-29T03:30:00", "", "Europe/Berlin"));
  EXPECT_EQ("2026-10-25T00:30:00.000000000Z", Read("rfc3339", "2026-10-25T02:30:00", "", "Europe/Berlin"));
  EXPECT_EQ("2026-10-25T02:30:00.000000000Z", Read("rfc3339", "2026-10-25T03:30:00", "", "Europe/Berlin"));
  Read("rfc3339", "2026-10-25T03:30:00", "", "UTC");
}

TEST(LineTimeFormat, NamesMistakes) {
  const struct {
    const char* format;
    const char* zone;
    const char* error;
  } cases[] = {
      {"%Q", "", "--timestamp-format %Q: no directive %Q"},
      {"%Y-%m-%d %", "", "--timestamp-format %Y-%m-%d %: no directive %"},
      {"%H:%M", "", "--timestamp-format %H:%M: neither rfc3339"},
      {"syslog", "Mars/Base", "--time-zone Mars/Base: no such time zone on this system"},
      {"syslog", "/etc/passwd", "--time-zone /etc/passwd: no such time zone on this system"},
      {"syslog", "../../../etc/passwd", "--time-zone ../../../etc/passwd: no such time zone on this system"},
  };
  for (const auto& c : cases) {
    const auto times = LineTimeFormat::Parse(c.format, c.zone);
    ASSERT_FALSE(times.ok()) << c.format << c.zone;
    EXPECT_EQ(0u, times.status().message().find(c.error)) << times.status().message();
  }
}

}  // namespace
}  // namespace varve
