// Range functions over a series of a day, windows of 5 minutes every minute: the plain form against the sliding one.
//
// Counters reset now and then; gauges are whole or have fractions. Items are windows.
#include <benchmark/benchmark.h>

#include <random>
#include <vector>

#include "query/promql/functions/range_functions.h"

namespace varve::promql {
namespace {

struct BenchSeries {
  std::vector<int64_t> ts_ms;
  std::vector<double> floats;
};

// One sample in 15 s.
BenchSeries MakeSeries(bool whole) {
  std::mt19937_64 random(7);
  BenchSeries out;
  double value = 0;
  for (int64_t ts = 15'000; ts <= 86'400'000; ts += 15'000) {
    value = random() % 2000 == 0 ? 0 : value + static_cast<double>(random() % 1000) / (whole ? 1 : 7);
    out.ts_ms.push_back(ts);
    out.floats.push_back(value);
  }
  return out;
}

struct Cut {
  size_t begin = 0;
  size_t end = 0;
};

RangeWindow WindowOf(const BenchSeries& series, Cut* cut, int64_t range_ms, int64_t end_ms) {
  while (cut->end < series.ts_ms.size() && series.ts_ms[cut->end] <= end_ms) ++cut->end;
  while (cut->begin < cut->end && series.ts_ms[cut->begin] <= end_ms - range_ms) ++cut->begin;
  RangeWindow window;
  window.ts_ms = std::span(series.ts_ms).subspan(cut->begin, cut->end - cut->begin);
  window.floats = std::span(series.floats).subspan(cut->begin, cut->end - cut->begin);
  window.begin_ms = end_ms - range_ms;
  window.end_ms = end_ms;
  window.range_ms = range_ms;
  window.eval_ms = end_ms;
  return window;
}

void BM_Windows(benchmark::State& state, const char* name, bool whole, bool sliding) {
  const BenchSeries series = MakeSeries(whole);
  const RangeFunction& function = *FindRangeFunction(name);
  const int64_t range_ms = state.range(0) * 60'000;
  const std::vector<double> scalars = {0.9};
  RangeCall call;
  call.scalars = scalars;
  RangeWindow all;
  all.ts_ms = series.ts_ms;
  all.floats = series.floats;
  const std::unique_ptr<SlidingForm> form = sliding ? function.make_sliding() : nullptr;
  int64_t windows = 0;
  for (auto _ : state) {
    if (sliding && !form->Begin(all)) state.SkipWithError("no sliding form for this series");
    Cut cut;
    double sum = 0;
    for (int64_t end_ms = 60'000; end_ms <= 86'400'000; end_ms += 60'000) {
      const RangeWindow window = WindowOf(series, &cut, range_ms, end_ms);
      double value = 0;
      if (sliding ? form->At(call, window, &value) : function.float_fn(call, window, &value)) sum += value;
      ++windows;
    }
    benchmark::DoNotOptimize(sum);
  }
  state.SetItemsProcessed(windows);
}

#define VARVE_WINDOW_BENCH(name, whole)                                                           \
  BENCHMARK_CAPTURE(BM_Windows, name##_plain, #name, whole, false)->Arg(1)->Arg(5)->Arg(60);      \
  BENCHMARK_CAPTURE(BM_Windows, name##_sliding, #name, whole, true)->Arg(1)->Arg(5)->Arg(60)

VARVE_WINDOW_BENCH(rate, false);
VARVE_WINDOW_BENCH(sum_over_time, true);
VARVE_WINDOW_BENCH(avg_over_time, true);
VARVE_WINDOW_BENCH(max_over_time, false);
VARVE_WINDOW_BENCH(changes, false);
BENCHMARK_CAPTURE(BM_Windows, sum_of_fractions_plain, "sum_over_time", false, false)->Arg(5)->Arg(60);
BENCHMARK_CAPTURE(BM_Windows, quantile_plain, "quantile_over_time", false, false)->Arg(5)->Arg(60);
BENCHMARK_CAPTURE(BM_Windows, stddev_plain, "stddev_over_time", false, false)->Arg(5)->Arg(60);
BENCHMARK_CAPTURE(BM_Windows, deriv_plain, "deriv", false, false)->Arg(5)->Arg(60);

}  // namespace
}  // namespace varve::promql

BENCHMARK_MAIN();
