#include "query/promql/functions/absent.h"

#include <gmock/gmock.h>

#include "tests/unit/query/promql/functions/series_fixture.h"

namespace varve::promql {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Absent, IsOneWhereNothingIs) {
  StepMatrix in;
  in.push_back(Series({{"a", "1"}}, {1, kGap, kGap}));
  in.push_back(Series({{"a", "2"}}, {kGap, kGap, kNan}));
  EXPECT_THAT(Texts(*SeriesRun("absent", 3).Run(in, {}, Selector({Equal("a", "b")}))), ElementsAre("{a=\"b\"} _ 1 _"));
  EXPECT_THAT(Texts(*SeriesRun("absent", 2).Run({})), ElementsAre("{} 1 1"));
}

TEST(Absent, IsNothingWhenThereIsAlwaysSomething) {
  StepMatrix in;
  in.push_back(Series({}, {1, kGap}));
  in.push_back(Series({{"a", "2"}}, {kGap, 2}));
  EXPECT_THAT(Texts(*SeriesRun("absent", 2).Run(in)), IsEmpty());
  in[0].column.SetHistogram(0, nullptr);
  EXPECT_THAT(Texts(*SeriesRun("absent_over_time", 2).Run(in)), IsEmpty());
}

TEST(AbsentOverTime, MarksItsElementForTheRemovalOfNames) {
  SeriesRun run("absent_over_time");
  run.call.delayed_name_removal = true;
  EXPECT_THAT(Texts(*run.Run({})), ElementsAre("{} (drops name) 1"));
}

TEST(AbsentLabels, AreThoseThatTheSelectorFixes) {
  const auto labels = [](std::vector<Matcher> matchers) {
    return AbsentLabels(*Selector(std::move(matchers))).ToString();
  };
  EXPECT_EQ(labels({Equal("__name__", "m"), Equal("a", "1"), Match("b", MatchOp::kRegexMatch, "x")}), "{a=\"1\"}");
  EXPECT_EQ(labels({Equal("a", "1"), Equal("a", "2"), Equal("c", "3")}), "{c=\"3\"}");
  EXPECT_EQ(labels({Equal("a", "1"), Match("a", MatchOp::kNotEqual, "2")}), "{}");
  EXPECT_EQ(labels({Match("a", MatchOp::kNotEqual, "2"), Equal("a", "1")}), "{a=\"1\"}");
  EXPECT_EQ(labels({Equal("a", "")}), "{}");
}

TEST(AbsentLabels, AreFoundInParenthesesAndRangesAndNowhereElse) {
  Paren paren;
  paren.expr = Selector({Equal("a", "1")});
  EXPECT_EQ(AbsentLabels(paren).ToString(), "{a=\"1\"}");
  MatrixSelector matrix;
  matrix.selector = std::make_unique<VectorSelector>();
  matrix.selector->matchers = {Equal("a", "2")};
  EXPECT_EQ(AbsentLabels(matrix).ToString(), "{a=\"2\"}");
  Unary unary;
  unary.expr = Selector({Equal("a", "1")});
  EXPECT_EQ(AbsentLabels(unary).ToString(), "{}");
}

}  // namespace
}  // namespace varve::promql
