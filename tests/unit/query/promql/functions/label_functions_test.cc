#include "query/promql/functions/label_functions.h"

#include <gmock/gmock.h>

#include "tests/support/status_matchers.h"
#include "tests/unit/query/promql/functions/series_fixture.h"

namespace varve::promql {
namespace {

using testing::ElementsAre;

StepMatrix One(std::vector<LabelView> labels) {
  StepMatrix out;
  out.push_back(Series(std::move(labels), {1}));
  return out;
}

// The value label_replace gives label "dst" of a series whose label "src" is `source`.
std::string Replaced(std::string source, std::string replacement, std::string pattern) {
  Result<StepMatrix> out =
      SeriesRun("label_replace").Run(One({{"src", source}}), {"dst", replacement, "src", pattern});
  EXPECT_OK(out);
  return std::string(out->at(0).labels.Get("dst"));
}

TEST(LabelReplace, ExpandsGroups) {
  struct Case {
    const char* source;
    const char* replacement;
    const char* pattern;
    const char* expected;
  };
  const std::vector<Case> cases = {
      {"a-1", "$1", "(.*)-(.*)", "a"},
      {"a-1", "$2$1", "(.*)-(.*)", "1a"},
      {"a-1", "${1}x", "(.*)-(.*)", "ax"},
      {"a-1", "$1x", "(.*)-(.*)", ""},  // there is no group "1x"
      {"a-1", "$0", "(.*)-(.*)", "a-1"},
      {"a-1", "$3", "(.*)-(.*)", ""},
      {"a-1", "$01", "(.*)-(.*)", ""},
      {"a-1", "$$1", "(.*)-(.*)", "$1"},
      {"a-1", "$", "(.*)-(.*)", "$"},
      {"a-1", "${1", "(.*)-(.*)", "${1"},
      {"a-1", "${}", "(.*)-(.*)", "${}"},
      {"a-1", "a$ b", "(.*)-(.*)", "a$ b"},
      {"a-1", "$name.", "(?P<name>.*)-.*", "a."},
      {"a-1", "${name}s", "(?<name>.*)-.*", "as"},
      {"ab", "$1/$2", "(a)|(b)", ""},  // the whole value must match
      {"b", "$1/$2", "(a)|(b)", "/b"},
      {"a\nb", "$1", "(.*)", "a\nb"},
      {"x", "plain", "x", "plain"},
      {"x", "plain", "y", ""},
      {"x", "$é1", "(x)", ""},
      {"x", "$99999999999", "(x)", ""},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Replaced(c.source, c.replacement, c.pattern), c.expected) << c.replacement << " " << c.pattern;
  }
}

TEST(LabelReplace, TreatsALabelThatIsMissingAsEmpty) {
  SeriesRun run("label_replace");
  EXPECT_THAT(Texts(*run.Run(One({{"a", "1"}}), {"b", "x$1", "none", "(.*)"})), ElementsAre("{a=\"1\", b=\"x\"} 1"));
  EXPECT_THAT(Texts(*run.Run(One({{"a", "1"}}), {"a", "", "a", ".*"})), ElementsAre("{} 1"));
}

TEST(LabelReplace, OfTheNameKeepsItFromBeingDropped) {
  SeriesRun run("label_replace");
  StepMatrix vector = One({{"__name__", "m"}});
  vector[0].drop_name = true;
  EXPECT_THAT(Texts(*run.Run(vector, {"a", "x", "", ""})), ElementsAre("m{a=\"x\"} (drops name) 1"));
  EXPECT_THAT(Texts(*run.Run(vector, {"__name__", "n", "", ""})), ElementsAre("n 1"));
}

TEST(LabelReplace, RefusesBadExpressionsAndNames) {
  SeriesRun run("label_replace");
  const auto error = [&](std::vector<std::string> strings) {
    return run.Run(One({{"a", "1"}}), std::move(strings)).status().message();
  };
  EXPECT_EQ(error({"b", "x", "a", "(?!a)"}), "invalid regular expression in label_replace(): (?!a)");
  EXPECT_EQ(error({"", "x", "a", "1"}), "invalid destination label name in label_replace(): ");
  EXPECT_EQ(error({"\xff", "x", "a", "1"}), "invalid destination label name in label_replace(): \xff");
  EXPECT_OK(run.Run(One({{"a", "1"}}), {"~any thing", "x", "a", "1"}));
}

TEST(LabelReplace, RefusesSeriesThatBecomeTheSame) {
  StepMatrix vector;
  vector.push_back(Series({{"a", "1"}}, {1}));
  vector.push_back(Series({{"a", "2"}}, {1}));
  EXPECT_EQ(SeriesRun("label_replace").Run(std::move(vector), {"a", "x", "", ""}).status().message(),
            "vector cannot contain metrics with the same labelset");
}

TEST(LabelJoin, JoinsAlsoWhatIsEmpty) {
  SeriesRun run("label_join");
  const StepMatrix vector = One({{"a", "1"}, {"b", "2"}});
  EXPECT_THAT(Texts(*run.Run(vector, {"c", "-", "a", "none", "b"})), ElementsAre("{a=\"1\", b=\"2\", c=\"1--2\"} 1"));
  EXPECT_THAT(Texts(*run.Run(vector, {"a", "-", "none"})), ElementsAre("{b=\"2\"} 1"));
  EXPECT_THAT(Texts(*run.Run(vector, {"c", "-"})), ElementsAre("{a=\"1\", b=\"2\"} 1"));
}

TEST(LabelFunctions, RefuseValuesThatGrowTooLong) {
  const std::string half(kLabelValueBytesMax / 2 + 1, 'x');
  EXPECT_EQ(SeriesRun("label_replace").Run(One({{"a", half}}), {"a", "$1$1", "a", "(.*)"}).status().message(),
            "label value too long in label_replace(): the limit is 1048576 bytes");
  EXPECT_EQ(SeriesRun("label_join").Run(One({{"a", half}}), {"b", "", "a", "a"}).status().message(),
            "label value too long in label_join(): the limit is 1048576 bytes");
  MemoryBudget budget("query", 1000);
  SeriesRun run("label_replace");
  run.call.budget = &budget;
  EXPECT_OK(run.Run(One({{"a", "1"}}), {"b", "x", "", ""}));
  EXPECT_EQ(run.Run(One({{"a", std::string(600, 'x')}}), {"b", "$1$1", "a", "(.*)"}).status().code(),
            Code::kResourceExhausted);
  EXPECT_EQ(budget.used_bytes(), 0);
}

TEST(LabelJoin, RefusesBadNames) {
  SeriesRun run("label_join");
  EXPECT_EQ(run.Run(One({}), {"c", "-", ""}).status().message(), "invalid source label name in label_join(): ");
  EXPECT_EQ(run.Run(One({}), {"\xc0\xaf", "-", "a"}).status().message(),
            "invalid destination label name in label_join(): \xc0\xaf");
  EXPECT_OK(run.Run(One({}), {"\xf0\x9f\x98\x80", "-", "a"}));
  for (const char* bad : {"\xed\xa0\x80", "\xe0\x80\x80", "\xf4\x90\x80\x80", "\xf0\x80\x80\x80", "a\xe2\x82", "\x80"}) {
    EXPECT_FALSE(run.Run(One({}), {bad, "-", "a"}).ok());
  }
}

}  // namespace
}  // namespace varve::promql
