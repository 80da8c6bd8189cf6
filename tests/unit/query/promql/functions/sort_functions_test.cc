#include "query/promql/functions/sort_functions.h"

#include <gmock/gmock.h>

#include "tests/unit/query/promql/functions/series_fixture.h"

namespace varve::promql {
namespace {

using testing::ElementsAre;

StepMatrix Values(const std::vector<double>& values) {
  StepMatrix out;
  for (size_t i = 0; i < values.size(); ++i) {
    const std::string id(1, static_cast<char>('a' + i));
    out.push_back(Series({{"id", id}}, {values[i]}));
  }
  return out;
}

std::vector<std::string> SortedNames(const char* function, const std::vector<std::string>& values) {
  StepMatrix in;
  for (const std::string& value : values) in.push_back(Series({{"l", value}}, {1}));
  std::vector<std::string> out;
  const Result<StepMatrix> sorted = SeriesRun(function).Run(std::move(in), {"l"});
  for (const StepSeries& series : *sorted) {
    out.emplace_back(series.labels.Get("l"));
  }
  return out;
}

TEST(Sort, PutsNanLastEitherWay) {
  EXPECT_THAT(Texts(*SeriesRun("sort").Run(Values({3, kNan, 1}))),
              ElementsAre("{id=\"c\"} 1", "{id=\"a\"} 3", "{id=\"b\"} NaN"));
  EXPECT_THAT(Texts(*SeriesRun("sort_desc").Run(Values({1, kNan, 3}))),
              ElementsAre("{id=\"c\"} 3", "{id=\"a\"} 1", "{id=\"b\"} NaN"));
}

TEST(Sort, DropsHistograms) {
  StepMatrix in = Values({3, 1});
  in[0].column.SetHistogram(0, nullptr);
  EXPECT_THAT(Texts(*SeriesRun("sort").Run(in)), ElementsAre("{id=\"b\"} 1"));
}

TEST(Sort, OfARangeQueryDoesNothingButWarn) {
  StepMatrix in;
  in.push_back(Series({{"id", "a"}}, {2, 2}));
  in.push_back(Series({{"id", "b"}}, {1, 1}));
  for (const char* name : {"sort", "sort_desc", "sort_by_label", "sort_by_label_desc"}) {
    SeriesRun run(name, 2);
    EXPECT_THAT(Texts(*run.Run(in, {"id"})), ElementsAre("{id=\"a\"} 2 2", "{id=\"b\"} 1 1"));
    EXPECT_THAT(run.notes.Warnings("q", 0),
                ElementsAre("PromQL warning: sort is ineffective for range queries since results are always ordered "
                            "by labels (1:1)"));
  }
}

TEST(SortByLabel, IsNatural) {
  EXPECT_THAT(SortedNames("sort_by_label", {"n10", "n9", "n1", "N2", "n"}), ElementsAre("N2", "n", "n1", "n9", "n10"));
  EXPECT_THAT(SortedNames("sort_by_label_desc", {"n10", "n9", "n1"}), ElementsAre("n10", "n9", "n1"));
  EXPECT_THAT(SortedNames("sort_by_label", {"1.10.2", "1.9.3", "1.9"}), ElementsAre("1.9", "1.9.3", "1.10.2"));
}

TEST(SortByLabel, OfManyIsNatural) {
  std::vector<std::string> in;
  for (int i = 29; i >= 0; --i) in.push_back("n" + std::to_string(i));
  const std::vector<std::string> up = SortedNames("sort_by_label", in);
  ASSERT_EQ(up.size(), 30u);
  EXPECT_EQ(up[2], "n2");
  EXPECT_EQ(up[10], "n10");
  EXPECT_EQ(SortedNames("sort_by_label_desc", up), in);
}

TEST(SortByLabel, BreaksTiesByTheWholeLabelSet) {
  StepMatrix in;
  in.push_back(Series({{"a", "1"}, {"z", "9"}}, {1}));
  in.push_back(Series({{"a", "1"}, {"z", "10"}}, {2}));
  EXPECT_THAT(Texts(*SeriesRun("sort_by_label").Run(in, {"a"})),
              ElementsAre("{a=\"1\", z=\"10\"} 2", "{a=\"1\", z=\"9\"} 1"));
  EXPECT_THAT(Texts(*SeriesRun("sort_by_label").Run(in, {"a", "z"})),
              ElementsAre("{a=\"1\", z=\"9\"} 1", "{a=\"1\", z=\"10\"} 2"));
}

TEST(SortByLabel, OfFewTreatsMissingLabelsAsPrometheusDoes) {
  // A missing label neither precedes nor follows; ascending, the order that was there stays, descending it turns.
  StepMatrix in;
  in.push_back(Series({}, {8}));
  in.push_back(Series({{"a", "1"}}, {2}));
  in.push_back(Series({{"a", "1"}, {"b", "1"}}, {1}));
  in.push_back(Series({{"b", "1"}}, {4}));
  EXPECT_THAT(Texts(*SeriesRun("sort_by_label").Run(in, {"a", "b"})),
              ElementsAre("{} 8", "{a=\"1\"} 2", "{a=\"1\", b=\"1\"} 1", "{b=\"1\"} 4"));
  EXPECT_THAT(Texts(*SeriesRun("sort_by_label_desc").Run(in, {"a", "b"})),
              ElementsAre("{b=\"1\"} 4", "{a=\"1\", b=\"1\"} 1", "{a=\"1\"} 2", "{} 8"));
}

TEST(CompareNaturally, ComparesRunsOfDigitsAsNumbers) {
  EXPECT_TRUE(CompareNaturally("a2", "a10") < 0);
  EXPECT_TRUE(CompareNaturally("a02", "a2") == 0);
  EXPECT_TRUE(CompareNaturally("a", "a0") < 0);
  EXPECT_TRUE(CompareNaturally("", "") == 0);
  EXPECT_TRUE(CompareNaturally("1a", "a") < 0);
  EXPECT_TRUE(CompareNaturally("99999999999999999999999", "100000000000000000000000") < 0);
}

}  // namespace
}  // namespace varve::promql
