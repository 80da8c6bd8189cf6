#include "query/promql/functions/histogram_series.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "query/promql/functions/element_functions.h"
#include "query/promql/functions/histogram_functions.h"
#include "tests/unit/query/promql/functions/series_fixture.h"

namespace varve::promql {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

StepSeries NativeSeries(std::vector<LabelView> labels, double count) {
  NativeHistogram native;
  native.is_float = true;
  native.float_count = count;
  native.sum = count;
  native.positive_spans = {{2, 1}};  // (2, 4]
  native.positive_counts = {count};
  StepSeries out;
  out.labels = PackedLabels::FromUnsorted(std::move(labels));
  out.column.Resize(1);
  out.column.SetHistogram(0, std::make_shared<const FloatHistogram>(FloatHistogram::FromNative(native)));
  return out;
}

SeriesArgument Scalar(double value, size_t steps = 1) {
  static const ExprPtr kExpr = Selector({});
  SeriesArgument out;
  out.type = ValueType::kScalar;
  out.expr = kExpr.get();
  out.scalars.assign(steps, value);
  return out;
}

struct HistogramRun {
  // The function's result on `vector`, which goes where its vector argument is.
  Result<StepMatrix> Run(std::string_view name, StepMatrix vector, std::vector<SeriesArgument> args, size_t at,
                         size_t steps = 1) {
    const SeriesFunction* function = FindSeriesFunction(name);
    EXPECT_NE(function, nullptr);
    input = std::move(vector);
    SeriesArgument argument;
    argument.vector = &input;
    argument.expr = expr.get();
    args.insert(args.begin() + static_cast<std::ptrdiff_t>(at), std::move(argument));
    call.grid = {0, static_cast<int64_t>(steps - 1) * 1000, steps == 1 ? 0 : 1000};
    call.notes = &notes;
    return function->fn(call, &args);
  }
  SeriesCall call;
  Annotations notes;
  StepMatrix input;
  ExprPtr expr = Selector({});
};

StepMatrix ClassicBuckets() {
  StepMatrix out;
  out.push_back(Series({{"__name__", "h_bucket"}, {"le", "10"}, {"a", "x"}}, {4, 0}));
  out.push_back(Series({{"__name__", "h_bucket"}, {"le", "20"}, {"a", "x"}}, {8, kGap}));
  out.push_back(Series({{"__name__", "h_bucket"}, {"le", "+Inf"}, {"a", "x"}}, {8, 0}));
  return out;
}

TEST(HistogramSeriesTest, BoundsAreReadAsGoReadsFloats) {
  EXPECT_EQ(ParseBucketBound("0.5"), 0.5);
  EXPECT_EQ(ParseBucketBound("+Inf"), std::numeric_limits<double>::infinity());
  EXPECT_EQ(ParseBucketBound("-infinity"), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(ParseBucketBound("1e3"), 1000);
  EXPECT_EQ(ParseBucketBound("0x1p-2"), 0.25);
  EXPECT_EQ(ParseBucketBound("+5"), 5);
  EXPECT_TRUE(std::isnan(ParseBucketBound("NaN").value_or(0)));
  for (const char* bad : {"", " 1", "1 ", "abc", "--1", "+-1", "0x", "1e999", "in", "nano"}) {
    EXPECT_EQ(ParseBucketBound(bad), std::nullopt) << bad;
  }
}

TEST(HistogramSeriesTest, BucketsOfTheSameLabelsMakeAHistogram) {
  HistogramRun run;
  const Result<StepMatrix> out = run.Run("histogram_quantile", ClassicBuckets(), {Scalar(0.75, 2)}, 1, 2);
  ASSERT_TRUE(out.ok());
  EXPECT_THAT(Texts(*out), ElementsAre("{a=\"x\"} (drops name) 15 NaN"));
  EXPECT_THAT(run.notes.Warnings("", 0), IsEmpty());
}

TEST(HistogramSeriesTest, NamesStayWhenTheyAreRemovedAtTheEnd) {
  HistogramRun run;
  run.call.delayed_name_removal = true;
  const Result<StepMatrix> out = run.Run("histogram_fraction", ClassicBuckets(), {Scalar(0, 2), Scalar(20, 2)}, 2, 2);
  ASSERT_TRUE(out.ok());
  EXPECT_THAT(Texts(*out), ElementsAre("h_bucket{a=\"x\"} (drops name) 1 NaN"));
}

TEST(HistogramSeriesTest, NativeAndClassicOfTheSameLabelsGiveNeither) {
  StepMatrix vector = ClassicBuckets();
  for (StepSeries& series : vector) {
    series.column.kinds.resize(1);
    series.column.values.resize(1);
  }
  vector.push_back(NativeSeries({{"__name__", "h_bucket"}, {"a", "x"}}, 3));
  vector.push_back(NativeSeries({{"__name__", "h_bucket"}, {"a", "y"}}, 3));
  HistogramRun run;
  const Result<StepMatrix> out = run.Run("histogram_quantile", std::move(vector), {Scalar(1)}, 1);
  ASSERT_TRUE(out.ok());
  EXPECT_THAT(Texts(*out), ElementsAre("{a=\"y\"} (drops name) 4"));
  EXPECT_THAT(run.notes.Warnings("", 0),
              ElementsAre("PromQL warning: vector contains a mix of classic and native histograms (1:1)"));
}

TEST(HistogramSeriesTest, BadBoundsAndQuantilesAreWarnedOf) {
  StepMatrix vector;
  vector.push_back(Series({{"__name__", "h"}, {"le", "Hello"}}, {1}));
  HistogramRun run;
  const Result<StepMatrix> out = run.Run("histogram_quantile", std::move(vector), {Scalar(2)}, 1);
  ASSERT_TRUE(out.ok());
  EXPECT_THAT(Texts(*out), IsEmpty());
  EXPECT_THAT(run.notes.Warnings("", 0),
              ElementsAre("PromQL warning: bucket label \"le\" is missing or has a malformed value of \"Hello\" (1:1)",
                          "PromQL warning: quantile value should be between 0 and 1, got 2 (1:1)"));
}

TEST(HistogramSeriesTest, SeveralQuantilesAreToldApartByALabel) {
  SeriesArgument label;
  label.type = ValueType::kString;
  label.text = "q";
  StepMatrix vector;
  vector.push_back(NativeSeries({{"__name__", "h"}}, 3));
  HistogramRun run;
  Result<StepMatrix> out = run.Run("histogram_quantiles", vector, {label, Scalar(0), Scalar(1)}, 0);
  ASSERT_TRUE(out.ok());
  EXPECT_THAT(Texts(*out), ElementsAre("{q=\"0.0\"} (drops name) 2", "{q=\"1.0\"} (drops name) 4"));
  out = run.Run("histogram_quantiles", vector, {label, Scalar(1), Scalar(1)}, 0);
  EXPECT_EQ(out.status().code(), Code::kExecution);
}

TEST(HistogramSeriesTest, QuantilesThatChangeAtEveryStepAreBoundByTheBudget) {
  SeriesArgument label;
  label.type = ValueType::kString;
  label.text = "q";
  constexpr size_t kSteps = 100;
  SeriesArgument quantile = Scalar(0, kSteps);
  for (size_t i = 0; i < kSteps; ++i) quantile.scalars[i] = static_cast<double>(i) / kSteps;
  StepSeries series = Series({{"__name__", "h"}, {"le", "+Inf"}}, std::vector<double>(kSteps, 1));
  MemoryBudget budget("query", 50'000);
  HistogramRun run;
  run.call.budget = &budget;
  StepMatrix vector;
  vector.push_back(std::move(series));
  EXPECT_EQ(run.Run("histogram_quantiles", std::move(vector), {label, quantile}, 0, kSteps).status().code(),
            Code::kResourceExhausted);
  EXPECT_EQ(budget.used_bytes(), 0);
}

TEST(HistogramFunctionsTest, ElementFunctionsTakeHistogramsOnly) {
  const Point native = NativeSeries({}, 8).column.Get(0);
  const auto value = [&](std::string_view name) { return FindElementFunction(name)->fn({}, native).value; };
  EXPECT_EQ(value("histogram_count"), 8);
  EXPECT_EQ(value("histogram_sum"), 8);
  EXPECT_EQ(value("histogram_avg"), 1);
  EXPECT_NEAR(value("histogram_stddev"), std::sqrt(8.0) - 1, 1e-12);
  EXPECT_NEAR(value("histogram_stdvar"), std::pow(std::sqrt(8.0) - 1, 2), 1e-12);
  for (const ElementFunction& function : HistogramElementFunctions()) {
    EXPECT_EQ(function.fn({}, Point::Float(1)).kind, PointKind::kNone) << function.name;
  }
}

}  // namespace
}  // namespace varve::promql
