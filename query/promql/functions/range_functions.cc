#include "query/promql/functions/range_functions.h"

#include <algorithm>
#include <array>

#include "query/promql/functions/over_time.h"
#include "query/promql/functions/range_notes.h"
#include "query/promql/functions/rate.h"
#include "query/promql/functions/regression.h"
#include "query/promql/functions/resets_changes.h"
#include "query/promql/functions/sliding_forms.h"

namespace varve::promql {
namespace {

// Takes the floats of a window and says so where that leaves histograms out.
template <FloatWindowFn kFloats>
Result<Point> OfFloats(const RangeCall& call, const RangeWindow& window) {
  if (window.floats.empty()) return Point::None();
  if (!window.histograms.empty()) NoteIgnoredHistograms(call);
  double value = 0;
  return kFloats(call, window, &value) ? Point::Float(value) : Point::None();
}

// Ascending by name.
constexpr std::array kFunctions = {
    RangeFunction{.name = "avg_over_time", .fn = AvgOverTime, .float_fn = AvgFloats, .make_sliding = MakeSlidingAvg},
    RangeFunction{.name = "changes",
                  .fn = Changes,
                  .float_fn = FloatChanges,
                  .make_sliding = MakeSlidingChanges,
                  .takes_anchored = true},
    RangeFunction{.name = "count_over_time", .fn = CountOverTime, .float_fn = CountFloats},
    RangeFunction{.name = "delta",
                  .fn = Delta,
                  .float_fn = FloatDelta,
                  .takes_anchored = true,
                  .takes_smoothed = true},
    RangeFunction{.name = "deriv", .fn = OfFloats<FloatDeriv>, .float_fn = FloatDeriv},
    RangeFunction{.name = "double_exponential_smoothing", .fn = DoubleExponentialSmoothing},
    RangeFunction{.name = "first_over_time", .fn = FirstOverTime, .keeps_name = true, .float_fn = FirstFloat},
    RangeFunction{.name = "idelta", .fn = Idelta, .float_fn = FloatIdelta},
    RangeFunction{.name = "increase",
                  .fn = Increase,
                  .float_fn = FloatIncrease,
                  .make_sliding = MakeSlidingIncrease,
                  .uses_starts = true,
                  .takes_anchored = true,
                  .takes_smoothed = true,
                  .of_counters = true},
    RangeFunction{.name = "irate", .fn = Irate, .float_fn = FloatIrate, .uses_starts = true},
    RangeFunction{.name = "last_over_time", .fn = LastOverTime, .keeps_name = true, .float_fn = LastFloat},
    RangeFunction{.name = "mad_over_time", .fn = OfFloats<MadFloats>, .float_fn = MadFloats},
    RangeFunction{.name = "max_over_time",
                  .fn = OfFloats<MaxFloats>,
                  .float_fn = MaxFloats,
                  .make_sliding = MakeSlidingMax},
    RangeFunction{.name = "min_over_time",
                  .fn = OfFloats<MinFloats>,
                  .float_fn = MinFloats,
                  .make_sliding = MakeSlidingMin},
    RangeFunction{.name = "predict_linear", .fn = OfFloats<FloatPredictLinear>, .float_fn = FloatPredictLinear},
    RangeFunction{.name = "present_over_time", .fn = PresentOverTime, .float_fn = PresentFloats},
    RangeFunction{.name = "quantile_over_time",
                  .fn = OfFloats<QuantileFloats>,
                  .matrix_arg = 1,
                  .float_fn = QuantileFloats},
    RangeFunction{.name = "rate",
                  .fn = Rate,
                  .float_fn = FloatRate,
                  .make_sliding = MakeSlidingRate,
                  .uses_starts = true,
                  .takes_anchored = true,
                  .takes_smoothed = true,
                  .of_counters = true},
    RangeFunction{.name = "resets",
                  .fn = Resets,
                  .float_fn = FloatResets,
                  .make_sliding = MakeSlidingResets,
                  .uses_starts = true,
                  .takes_anchored = true},
    RangeFunction{.name = "stddev_over_time", .fn = OfFloats<StddevFloats>, .float_fn = StddevFloats},
    RangeFunction{.name = "stdvar_over_time", .fn = OfFloats<StdvarFloats>, .float_fn = StdvarFloats},
    RangeFunction{.name = "sum_over_time", .fn = SumOverTime, .float_fn = SumFloats, .make_sliding = MakeSlidingSum},
    RangeFunction{.name = "ts_of_first_over_time", .fn = TimeOfFirstOverTime, .float_fn = TimeOfFirstFloat},
    RangeFunction{.name = "ts_of_last_over_time", .fn = TimeOfLastOverTime, .float_fn = TimeOfLastFloat},
    RangeFunction{.name = "ts_of_max_over_time", .fn = OfFloats<TimeOfMaxFloat>, .float_fn = TimeOfMaxFloat},
    RangeFunction{.name = "ts_of_min_over_time", .fn = OfFloats<TimeOfMinFloat>, .float_fn = TimeOfMinFloat},
};

}  // namespace

const RangeFunction* FindRangeFunction(std::string_view name) {
  const auto* const found = std::lower_bound(kFunctions.begin(), kFunctions.end(), name,
                                             [](const RangeFunction& f, std::string_view n) { return f.name < n; });
  return found != kFunctions.end() && found->name == name ? found : nullptr;
}

}  // namespace varve::promql
