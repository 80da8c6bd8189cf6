#include "tools/push_line.h"

#include <gtest/gtest.h>

namespace varve {
namespace {

using Pairs = std::vector<std::pair<std::string_view, std::string_view>>;

TEST(LineShaper, TakesTheFieldsOfTheFirstExpressionThatMatches) {
  LineOptions options;
  options.fields = {"user (?P<user>\\S+) from (?P<ip>\\S+)(?P<port> \\d+)?", "from (?P<ip>\\S+)"};
  options.levels = {"error=Failed", "info=."};
  const auto shaper = LineShaper::Create(options);
  ASSERT_TRUE(shaper.ok());
  LineShaper::Line line;
  (*shaper)->Shape("Failed user bob from 1.2.3.4", 0, 0, &line);
  EXPECT_EQ((Pairs{{"user", "bob"}, {"ip", "1.2.3.4"}, {"level", "error"}}), line.metadata);
  EXPECT_FALSE(line.ts_ns.has_value());
  (*shaper)->Shape("closed from 1.2.3.4", 0, 0, &line);
  EXPECT_EQ((Pairs{{"ip", "1.2.3.4"}, {"level", "info"}}), line.metadata);
  (*shaper)->Shape("", 0, 0, &line);
  EXPECT_TRUE(line.metadata.empty());
}

TEST(LineShaper, AFieldCalledLevelCounts) {
  LineOptions options;
  options.fields = {"^(?P<level>[A-Z]+)"};
  options.levels = {"error=."};
  const auto shaper = LineShaper::Create(options);
  ASSERT_TRUE(shaper.ok());
  LineShaper::Line line;
  (*shaper)->Shape("WARN x", 0, 0, &line);
  EXPECT_EQ((Pairs{{"level", "WARN"}}), line.metadata);
}

TEST(LineShaper, AGroupCalledTimestampHoldsTheTime) {
  LineOptions options;
  options.timestamp_format = "unix";
  options.fields = {"time=(?P<timestamp>\\S+) user=(?P<user>\\S+)"};
  const auto shaper = LineShaper::Create(options);
  ASSERT_TRUE(shaper.ok());
  EXPECT_TRUE((*shaper)->has_times());
  LineShaper::Line line;
  (*shaper)->Shape("level=x time=1793514600 user=u", 0, 0, &line);
  EXPECT_EQ(1'793'514'600'000'000'000, line.ts_ns.value_or(0));
  EXPECT_EQ((Pairs{{"user", "u"}}), line.metadata);
  (*shaper)->Shape("1793514601 without fields", 0, 0, &line);
  EXPECT_EQ(1'793'514'601'000'000'000, line.ts_ns.value_or(0));
}

TEST(LineShaper, NamesMistakes) {
  const struct {
    LineOptions options;
    const char* error;
  } cases[] = {
      {{"", "UTC", {}, {}}, "--time-zone needs --timestamp-format"},
      {{"", "", {"(?P<timestamp>x)"}, {}}, "the group timestamp needs --timestamp-format"},
      {{"", "", {"(x)"}, {}}, "has no named group"},
      {{"", "", {"[x"}, {}}, "missing closing ]"},
      {{"", "", {}, {"error"}}, "expected LEVEL=REGEX"},
      {{"", "", {}, {"error=["}}, "missing closing ]"},
  };
  for (const auto& c : cases) {
    const auto shaper = LineShaper::Create(c.options);
    ASSERT_FALSE(shaper.ok()) << c.error;
    EXPECT_NE(std::string::npos, shaper.status().message().find(c.error)) << shaper.status().message();
  }
}

}  // namespace
}  // namespace varve
