#include "query/exec/window_accumulators.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include <gtest/gtest.h>

#include "query/exec/exact_sum.h"
#include "query/exec/interval_column.h"

namespace varve {
namespace {

using logql::RangeOp;

constexpr double kInf = std::numeric_limits<double>::infinity();

logql::RangeAggregation Aggregation(RangeOp op, bool unwrap, int64_t range_ns) {
  logql::RangeAggregation aggregation;
  aggregation.op = op;
  aggregation.range.range_ns = range_ns;
  if (unwrap) aggregation.range.unwrap = logql::Unwrap{"x", logql::UnwrapConversion::kNone, {}};
  if (op == RangeOp::kQuantileOverTime) aggregation.parameter = 0.5;
  return aggregation;
}

// The values of one window over `values`, one second apart, at the last of them.
double Evaluate(RangeOp op, const std::vector<double>& values) {
  const auto n = static_cast<int64_t>(values.size());
  const StepGrid steps{n * kNsPerSecond, 0, 1};
  const WindowGrid grid = *WindowGrid::Create(steps, n * kNsPerSecond, 0);
  const auto windows = *WindowAccumulator::Create(Aggregation(op, true, n * kNsPerSecond), grid);
  for (uint32_t i = 0; i < values.size(); ++i) {
    const int64_t ts_ns = (static_cast<int64_t>(i) + 1) * kNsPerSecond;
    windows->AddValue(0, grid.Locate(ts_ns).index, {ts_ns, 0, 0, i, values[i]});
  }
  std::vector<StepPoint> points;
  windows->Finish(0, &points);
  return points.size() == 1 ? points[0].value : std::nan("");
}

TEST(WindowAccumulators, ComputeEachAggregationOfValues) {
  const std::vector<double> values = {4, 1, 3, 8};
  struct Case {
    RangeOp op;
    double expected;
  };
  const Case kCases[] = {
      {RangeOp::kSumOverTime, 16},
      {RangeOp::kRate, 4},
      {RangeOp::kAvgOverTime, 4},
      {RangeOp::kMinOverTime, 1},
      {RangeOp::kMaxOverTime, 8},
      {RangeOp::kFirstOverTime, 4},
      {RangeOp::kLastOverTime, 8},
      {RangeOp::kStdvarOverTime, 6.5},
      {RangeOp::kStddevOverTime, std::sqrt(6.5)},
      {RangeOp::kQuantileOverTime, 3.5},
      {RangeOp::kAbsentOverTime, 4},
  };
  for (const Case& c : kCases) EXPECT_DOUBLE_EQ(Evaluate(c.op, values), c.expected) << RangeOpName(c.op);
}

TEST(WindowAccumulators, TreatInfinitiesAndNaNAsPlainArithmeticDoes) {
  const double nan = std::nan("");
  EXPECT_EQ(Evaluate(RangeOp::kSumOverTime, {1, kInf, 2}), kInf);
  EXPECT_EQ(Evaluate(RangeOp::kAvgOverTime, {1, -kInf, 2}), -kInf);
  EXPECT_TRUE(std::isnan(Evaluate(RangeOp::kSumOverTime, {kInf, -kInf})));
  EXPECT_TRUE(std::isnan(Evaluate(RangeOp::kSumOverTime, {1, nan})));
  EXPECT_EQ(Evaluate(RangeOp::kMaxOverTime, {nan, 1, nan}), 1);
  EXPECT_EQ(Evaluate(RangeOp::kMinOverTime, {nan, 1, nan}), 1);
  EXPECT_TRUE(std::isnan(Evaluate(RangeOp::kMinOverTime, {nan, nan})));
  EXPECT_TRUE(std::isnan(Evaluate(RangeOp::kStddevOverTime, {1, kInf})));
}

TEST(WindowAccumulators, KeepTheVarianceOfLargeCloseNumbers) {
  EXPECT_NEAR(Evaluate(RangeOp::kStdvarOverTime, {1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16}), 22.5, 1e-9);
  EXPECT_EQ(Evaluate(RangeOp::kStdvarOverTime, {0.1, 0.1, 0.1}), 0);
}

TEST(WindowAccumulators, RefuseWhatTheLanguageDoesNotHave) {
  const WindowGrid grid = *WindowGrid::Create({0, 0, 1}, 10, 0);
  EXPECT_EQ(
      WindowAccumulator::Create(Aggregation(RangeOp::kCountOverTime, true, 10), grid).status().message(),
      "parse error : invalid aggregation count_over_time with unwrap");
  EXPECT_EQ(WindowAccumulator::Create(Aggregation(RangeOp::kSumOverTime, false, 10), grid).status().message(),
            "parse error : invalid aggregation sum_over_time without unwrap");
}

// Overlapping windows, sparse and dense series, in any order, in several accumulators: the answer is that
// of looking at each window by itself.
TEST(WindowAccumulators, SlideAndMergeAsIfEachWindowWereComputedAlone) {
  const uint32_t seed = 42;
  std::mt19937 random(seed);
  const RangeOp kOps[] = {RangeOp::kSumOverTime,      RangeOp::kMinOverTime,  RangeOp::kMaxOverTime,
                          RangeOp::kFirstOverTime,    RangeOp::kLastOverTime, RangeOp::kStdvarOverTime,
                          RangeOp::kQuantileOverTime, RangeOp::kRateCounter};
  for (int round = 0; round < 400; ++round) {
    const RangeOp op = kOps[static_cast<size_t>(round) % std::size(kOps)];
    const StepGrid steps{1000, static_cast<int64_t>(1 + random() % 30),
                         2 + static_cast<uint32_t>(random() % 20)};
    const auto range = static_cast<int64_t>(1 + random() % 300);
    const WindowGrid grid = *WindowGrid::Create(steps, range, 0);
    const auto aggregation = Aggregation(op, true, range);
    SCOPED_TRACE(::testing::Message() << "seed " << seed << " round " << round << " " << RangeOpName(op));
    std::vector<RowValue> rows;
    const auto span = static_cast<uint64_t>(grid.scan_range().end_ns - grid.scan_range().begin_ns);
    const size_t count = 1 + random() % 60;
    for (uint32_t i = 0; i < count; ++i) {
      const int64_t ts_ns = grid.scan_range().begin_ns + static_cast<int64_t>(random() % span);
      rows.push_back({ts_ns, 0, 0, i, static_cast<double>(random() % 100)});
    }
    auto total = *WindowAccumulator::Create(aggregation, grid);
    const uint32_t kMap[] = {0};
    for (int part = 0; part < 3; ++part) {
      auto windows = *WindowAccumulator::Create(aggregation, grid);
      for (size_t i = static_cast<size_t>(part); i < rows.size(); i += 3) {
        const uint32_t interval = grid.Locate(rows[i].ts_ns).index;
        if (interval != WindowGrid::kGap) windows->AddValue(0, interval, rows[i]);
      }
      total->MergeFrom(*windows, kMap);
    }
    std::vector<StepPoint> points;
    total->Finish(0, &points);
    size_t next = 0;
    for (uint32_t step = 0; step < steps.count; ++step) {
      const WindowGrid one = *WindowGrid::Create({steps.TimeNs(step), 0, 1}, range, 0);
      const auto alone = *WindowAccumulator::Create(aggregation, one);
      for (const RowValue& row : rows) {
        if (row.ts_ns > grid.LowerNs(step) && row.ts_ns <= grid.UpperNs(step)) alone->AddValue(0, 0, row);
      }
      std::vector<StepPoint> expected;
      alone->Finish(0, &expected);
      if (expected.empty()) continue;
      ASSERT_LT(next, points.size());
      ASSERT_EQ(points[next].step, step);
      ASSERT_NEAR(points[next].value, expected[0].value, 1e-9);
      ++next;
    }
    ASSERT_EQ(next, points.size());
  }
}

TEST(TallyAccumulator, CountsRowsAndBytesOverOverlappingWindows) {
  const StepGrid steps{0, 10, 4};  // t = 0, 10, 20, 30
  const WindowGrid grid = *WindowGrid::Create(steps, 25, 0);
  struct Case {
    RangeOp op;
    std::vector<double> expected;
  };
  const Case kCases[] = {{RangeOp::kCountOverTime, {2, 3, 3, 4}}, {RangeOp::kBytesOverTime, {0, 7, 7, 16}}};
  for (const Case& c : kCases) {
    const auto windows = *WindowAccumulator::Create(Aggregation(c.op, false, 25), grid);
    // (-25, 0] (-15, 10] (-5, 20] (5, 30]
    const std::pair<int64_t, uint64_t> kRows[] = {{-3, 0}, {-1, 0}, {10, 7}, {21, 3}, {25, 4}, {30, 2}};
    for (const auto& [ts_ns, bytes] : kRows) windows->AddRows(0, grid.Locate(ts_ns).index, 1, bytes);
    std::vector<StepPoint> points;
    windows->Finish(0, &points);
    ASSERT_EQ(points.size(), 4u);
    for (size_t i = 0; i < 4; ++i) EXPECT_EQ(points[i].value, c.expected[i]) << RangeOpName(c.op) << i;
  }
}

TEST(Quantile, InterpolatesAndLeavesTheRangeAtItsEnds) {
  struct Case {
    double phi;
    std::vector<double> values;
    double expected;
  };
  const Case kCases[] = {{0.5, {3, 1, 2}, 2}, {0.25, {4, 1, 3, 2}, 1.75}, {0, {5, 4}, 4}, {1, {5, 4}, 5},
                         {-0.1, {1}, -kInf},  {1.5, {1}, kInf},           {0.9, {7}, 7}};
  for (Case c : kCases) EXPECT_DOUBLE_EQ(Quantile(c.phi, c.values), c.expected) << c.phi;
}

TEST(CounterRate, FollowsPrometheus) {
  const auto samples = [](std::vector<std::pair<int64_t, double>> points) {
    std::vector<RowValue> rows;
    for (const auto& [second, value] : points) rows.push_back({second * kNsPerSecond, 0, 0, 0, value});
    return rows;
  };
  const auto rate = [&](std::vector<std::pair<int64_t, double>> points) {
    return CounterRate(samples(std::move(points)), 0, 60 * kNsPerSecond);
  };
  EXPECT_EQ(rate({{30, 5}}), 0);  // a single sample
  // 10 a 10 s, samples to both ends: exactly 1 a second.
  EXPECT_DOUBLE_EQ(rate({{10, 110}, {20, 120}, {30, 130}, {40, 140}, {50, 150}, {60, 160}}), 1);
  // A reset from 130 to 5: increase is 20 + 5 + 10.
  EXPECT_DOUBLE_EQ(rate({{10, 110}, {20, 120}, {30, 130}, {40, 5}, {50, 15}, {60, 25}}),
                   (25 - 110 + 130) * (60.0 / 50) / 60);
  // Begins at 40 s with 1: zero is reached before half a spacing.
  EXPECT_DOUBLE_EQ(rate({{40, 1}, {50, 11}, {60, 21}}), 20 * ((20 + 1.0) / 20) / 60);
  // Ends early: half a spacing is added.
  EXPECT_DOUBLE_EQ(rate({{10, 1000}, {20, 1010}, {30, 1020}}), 20 * ((20 + 10 + 5.0) / 20) / 60);
}

TEST(ExactSum, DoesNotDependOnTheOrder) {
  std::mt19937_64 random(7);
  std::vector<double> terms;
  for (int i = 0; i < 2000; ++i) {
    const double scale = std::pow(10.0, static_cast<double>(random() % 12) - 6);
    terms.push_back(static_cast<double>(random() % 1000) * scale);
  }
  ExactSum forward;
  for (const double term : terms) forward.Add(term);
  for (int round = 0; round < 20; ++round) {
    std::shuffle(terms.begin(), terms.end(), random);
    ExactSum halves[2];
    for (size_t i = 0; i < terms.size(); ++i) halves[i % 2].Add(terms[i]);
    halves[0].Merge(halves[1]);
    EXPECT_EQ(halves[0].Value(), forward.Value());
  }
}

struct CountCell {
  int count = 0;
  bool empty() const { return count == 0; }
  void Merge(const CountCell& other) { count += other.count; }
};

TEST(IntervalColumn, MergesRepeatedIntervalsWhetherSparseOrDense) {
  for (const uint32_t intervals : {10u, 20u, 1000u}) {
    IntervalColumn<CountCell> column;
    for (const uint32_t at : {5u, 5u, 2u, 9u, 2u, 0u, 1u, 3u, 4u, 6u, 7u, 8u, 5u})
      ++column.At(at, intervals).count;
    const auto cells = column.TakeSorted();
    ASSERT_EQ(cells.size(), 10u);
    for (uint32_t i = 0; i < 10; ++i) {
      EXPECT_EQ(cells[i].first, i);
      EXPECT_EQ(cells[i].second.count, i == 5 ? 3 : i == 2 ? 2 : 1);
    }
  }
}

}  // namespace
}  // namespace varve
