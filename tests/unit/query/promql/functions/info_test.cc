#include "query/promql/functions/info.h"

#include <gmock/gmock.h>

#include "tests/support/status_matchers.h"
#include "tests/unit/query/promql/functions/series_fixture.h"

namespace varve::promql {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// info() over a fixed set of info series; their values are the times of their samples.
struct InfoRun {
  explicit InfoRun(size_t steps = 1) : run("info", steps) {
    run.call.select = [this](const std::vector<Matcher>& matchers, std::optional<int64_t> at_ms, int64_t offset_ms,
                             bool own_times) -> Result<StepMatrix> {
      EXPECT_TRUE(own_times);
      asked_at_ms = at_ms;
      asked_offset_ms = offset_ms;
      asked = matchers;
      StepMatrix out;
      for (const StepSeries& series : store) {
        bool all = true;
        for (const Matcher& matcher : matchers) all = all && matcher.Matches(series.labels.Get(matcher.name()));
        if (all) out.push_back(series);
      }
      return out;
    };
  }
  std::vector<std::string> Run(StepMatrix base) {
    Result<StepMatrix> out = run.Run(std::move(base));
    if (!out.ok()) return {out.status().message()};
    return Texts(*out);
  }

  SeriesRun run;
  StepMatrix store;
  std::vector<Matcher> asked;
  std::optional<int64_t> asked_at_ms;
  int64_t asked_offset_ms = 0;
};

StepSeries Base(const std::vector<double>& values) {
  return Series({{"__name__", "m"}, {"instance", "a"}, {"job", "1"}}, values);
}
StepSeries Target(std::vector<LabelView> more, const std::vector<double>& times) {
  more.push_back({"__name__", "target_info"});
  more.push_back({"instance", "a"});
  more.push_back({"job", "1"});
  return Series(std::move(more), times);
}

TEST(Info, AddsTheLabelsOfTheTarget) {
  InfoRun info;
  info.store = {Target({{"data", "x"}, {"env", "p"}}, {9})};
  EXPECT_THAT(info.Run({Base({1})}),
              ElementsAre("m{data=\"x\", env=\"p\", instance=\"a\", job=\"1\"} 1"));
  info.run.second = Selector({Match("env", MatchOp::kRegexMatch, ".+")});
  EXPECT_THAT(info.Run({Base({1})}), ElementsAre("m{env=\"p\", instance=\"a\", job=\"1\"} 1"));
}

TEST(Info, KeepsWhatTheBaseHas) {
  InfoRun info;
  info.store = {Target({{"data", "x"}}, {9})};
  EXPECT_THAT(info.Run({Series({{"instance", "a"}, {"job", "1"}, {"data", "mine"}}, {1})}),
              ElementsAre("{data=\"mine\", instance=\"a\", job=\"1\"} 1"));
}

TEST(Info, LeavesSeriesWithoutInfoUnlessADataMatcherWantsSome) {
  InfoRun info;
  EXPECT_THAT(info.Run({Base({1})}), ElementsAre("m{instance=\"a\", job=\"1\"} 1"));
  info.run.second = Selector({Match("data", MatchOp::kRegexMatch, ".*")});
  EXPECT_THAT(info.Run({Base({1})}), ElementsAre("m{instance=\"a\", job=\"1\"} 1"));
  info.run.second = Selector({Match("data", MatchOp::kRegexMatch, ".+")});
  EXPECT_THAT(info.Run({Base({1})}), IsEmpty());
  EXPECT_THAT(info.Run({Series({{"__name__", "m"}}, {1})}), IsEmpty());
}

TEST(Info, DoesNotAskForSeriesWithoutIdentity) {
  InfoRun info;
  EXPECT_THAT(info.Run({Series({{"__name__", "m"}, {"x", "y"}}, {1})}), ElementsAre("m{x=\"y\"} 1"));
  EXPECT_THAT(info.asked, IsEmpty());
}

TEST(Info, AsksForTheIdentitiesOfItsSeries) {
  InfoRun info;
  info.Run({Series({{"instance", "a.b"}, {"job", "1"}}, {1}), Series({{"instance", "c"}, {"job", "1"}}, {1})});
  std::vector<std::string> texts;
  for (const Matcher& matcher : info.asked) texts.push_back(matcher.ToString());
  EXPECT_THAT(texts, ElementsAre("__name__=\"target_info\"", "instance=~\"a\\\\.b|c\"", "job=\"1\""));
}

TEST(Info, ByANegativeNameOnlyMeansAllInfoMetrics) {
  InfoRun info;
  info.store = {Target({{"data", "x"}}, {9}),
                Series({{"__name__", "build_info"}, {"instance", "a"}, {"job", "1"}, {"build", "b"}}, {9}),
                Series({{"__name__", "other"}, {"instance", "a"}, {"job", "1"}, {"no", "b"}}, {9})};
  info.run.second = Selector({Match("__name__", MatchOp::kNotEqual, "target_info")});
  EXPECT_THAT(info.Run({Base({1})}), ElementsAre("m{build=\"b\", instance=\"a\", job=\"1\"} 1"));
  info.run.second = Selector({Match("__name__", MatchOp::kRegexMatch, ".+_info")});
  EXPECT_THAT(info.Run({Base({1})}), ElementsAre("m{build=\"b\", data=\"x\", instance=\"a\", job=\"1\"} 1"));
}

TEST(Info, PassesInfoSeriesThrough) {
  InfoRun info;
  info.store = {Target({{"data", "x"}}, {9})};
  EXPECT_THAT(info.Run({Target({}, {1})}), ElementsAre("target_info{instance=\"a\", job=\"1\"} 1"));
}

TEST(Info, TakesTheNewestSampleAtEachStep) {
  InfoRun info(3);
  info.store = {Target({{"version", "1"}}, {10, 10, kGap}), Target({{"version", "2"}}, {kGap, 20, 20})};
  EXPECT_THAT(info.Run({Base({1, 2, 3})}), ElementsAre("m{instance=\"a\", job=\"1\", version=\"1\"} 1 _ _",
                                                       "m{instance=\"a\", job=\"1\", version=\"2\"} _ 2 3"));
}

TEST(Info, RefusesTwoSamplesOfOneTime) {
  InfoRun info;
  info.store = {Target({{"version", "1"}}, {10}), Target({{"version", "2"}}, {10})};
  EXPECT_THAT(info.Run({Base({1})}),
              ElementsAre("found duplicate series for info metric: existing {__name__=\"target_info\", "
                          "instance=\"a\", job=\"1\", version=\"1\"} @ 10, new {__name__=\"target_info\", "
                          "instance=\"a\", job=\"1\", version=\"2\"} @ 10"));
}

TEST(Info, RefusesInfoMetricsThatDisagree) {
  InfoRun info;
  info.store = {Target({{"data", "x"}}, {9}),
                Series({{"__name__", "build_info"}, {"instance", "a"}, {"job", "1"}, {"data", "y"}}, {9})};
  info.run.second = Selector({Match("__name__", MatchOp::kRegexMatch, ".+_info")});
  EXPECT_THAT(info.Run({Base({1})}), ElementsAre("conflicting label: data"));
}

TEST(Info, RefusesHistograms) {
  InfoRun info;
  info.store = {Target({}, {9})};
  info.store[0].column.SetHistogram(0, nullptr);
  EXPECT_THAT(info.Run({Base({1})}), ElementsAre("info sample should be float"));
}

TEST(Info, RefusesSeriesThatBecomeTheSame) {
  InfoRun info;
  info.store = {Target({{"data", "x"}}, {9})};
  EXPECT_THAT(info.Run({Base({1}), Series({{"__name__", "m"}, {"instance", "a"}, {"job", "1"}, {"data", "x"}}, {1})}),
              ElementsAre("vector cannot contain metrics with the same labelset"));
}

TEST(InfoTime, IsThatOfTheFirstSelectorAndTheSubqueriesAroundIt) {
  auto selector = std::make_unique<VectorSelector>();
  selector->shift.offset_ms = 1000;
  VectorSelector* inner = selector.get();
  auto subquery = std::make_unique<Subquery>();
  subquery->expr = std::move(selector);
  subquery->shift.offset_ms = 500;
  Call call;
  call.args.push_back(std::make_unique<NumberLiteral>());
  call.args.push_back(std::move(subquery));
  EXPECT_EQ(FindInfoTime(call).offset_ms, 1500);
  EXPECT_FALSE(FindInfoTime(call).at_ms);
  inner->shift.at_ms = 7;
  EXPECT_EQ(FindInfoTime(call).offset_ms, 1000);
  EXPECT_EQ(FindInfoTime(call).at_ms, 7);
}

}  // namespace
}  // namespace varve::promql
