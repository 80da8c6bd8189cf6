#include "query/promql/functions/series_functions.h"

#include <gmock/gmock.h>

#include "tests/support/status_matchers.h"
#include "tests/unit/query/promql/functions/series_fixture.h"

namespace varve::promql {
namespace {

using testing::ElementsAre;

TEST(SeriesFunctions, AreFoundByName) {
  for (const char* name : {"absent", "absent_over_time", "info", "label_join", "label_replace", "sort",
                           "sort_by_label", "sort_by_label_desc", "sort_desc"}) {
    ASSERT_NE(FindSeriesFunction(name), nullptr) << name;
    EXPECT_EQ(FindSeriesFunction(name)->name, name);
  }
  for (const char* name : {"", "abs", "rate", "scalar", "vector", "zzz"}) EXPECT_EQ(FindSeriesFunction(name), nullptr);
}

TEST(MergeSameLabels, JoinsSeriesThatNeverMeet) {
  StepMatrix in;
  in.push_back(Series({{"a", "1"}}, {1, kGap, kGap}));
  in.push_back(Series({{"a", "2"}}, {5, 5, 5}));
  in.push_back(Series({{"a", "1"}}, {kGap, kGap, 3}));
  in[2].column.SetHistogram(1, nullptr);
  Result<StepMatrix> out = MergeSameLabels(std::move(in));
  ASSERT_OK(out);
  EXPECT_THAT(Texts(*out), ElementsAre("{a=\"1\"} 1 H 3", "{a=\"2\"} 5 5 5"));
}

TEST(MergeSameLabels, RefusesSeriesThatMeet) {
  StepMatrix in;
  in.push_back(Series({{"a", "1"}}, {1, 2}));
  in.push_back(Series({{"a", "1"}}, {kGap, 3}));
  Result<StepMatrix> out = MergeSameLabels(std::move(in));
  ASSERT_FALSE(out.ok());
  EXPECT_EQ(out.status().code(), Code::kExecution);
  EXPECT_EQ(out.status().message(), "vector cannot contain metrics with the same labelset");
}

}  // namespace
}  // namespace varve::promql
