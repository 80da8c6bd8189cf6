// Series and calls made by hand, for functions over whole vectors.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "query/promql/functions/series_functions.h"

namespace varve::promql {

inline constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
inline constexpr double kGap = -987654321;  // no point at this step

inline Matcher Match(std::string name, MatchOp op, std::string value) {
  return std::move(Matcher::Create(std::move(name), op, std::move(value))).value();
}
inline Matcher Equal(std::string name, std::string value) {
  return Match(std::move(name), MatchOp::kEqual, std::move(value));
}
inline ExprPtr Selector(std::vector<Matcher> matchers) {
  auto selector = std::make_unique<VectorSelector>();
  selector->matchers = std::move(matchers);
  return selector;
}

inline StepSeries Series(std::vector<LabelView> labels, const std::vector<double>& values) {
  StepSeries out;
  out.labels = PackedLabels::FromUnsorted(std::move(labels));
  out.column.Resize(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i] != kGap) out.column.SetFloat(i, values[i]);
  }
  return out;
}

// `{a="b"} 1 2 _` for each series.
inline std::vector<std::string> Texts(const StepMatrix& matrix) {
  std::vector<std::string> out;
  for (const StepSeries& series : matrix) {
    std::string text = series.labels.ToString();
    if (series.drop_name) text += " (drops name)";
    for (size_t step = 0; step < series.column.kinds.size(); ++step) {
      const PointKind kind = series.column.kinds[step];
      text += ' ';
      if (kind == PointKind::kNone) text += '_';
      if (kind == PointKind::kHistogram) text += 'H';
      if (kind == PointKind::kFloat && std::isnan(series.column.values[step])) text += "NaN";
      if (kind == PointKind::kFloat && !std::isnan(series.column.values[step])) {
        text += std::to_string(static_cast<int64_t>(series.column.values[step]));
      }
    }
    out.push_back(std::move(text));
  }
  return out;
}

// A call of a series function by name on a vector, with string arguments behind it.
struct SeriesRun {
  explicit SeriesRun(std::string function, size_t steps = 1) : name(std::move(function)) {
    call.grid = {0, static_cast<int64_t>(steps - 1) * 1000, steps == 1 ? 0 : 1000};
    call.notes = &notes;
    series_call.pos = {0, 1};
    call.call = &series_call;
  }
  Result<StepMatrix> Run(StepMatrix vector, std::vector<std::string> strings = {}, ExprPtr selector = nullptr) {
    const SeriesFunction* function = FindSeriesFunction(name);
    EXPECT_NE(function, nullptr) << name;
    input = std::move(vector);
    std::vector<SeriesArgument> args(1);
    if (selector == nullptr) selector = Selector({});
    args[0].vector = &input;
    args[0].expr = selector.get();
    series_call.args.clear();
    series_call.args.push_back(std::move(selector));
    if (second != nullptr) {
      args.emplace_back();
      args.back().expr = second.get();
    }
    for (std::string& text : strings) {
      args.emplace_back();
      args.back().type = ValueType::kString;
      args.back().text = std::move(text);
    }
    return function->fn(call, &args);
  }

  std::string name;
  SeriesCall call;
  Call series_call;
  Annotations notes;
  StepMatrix input;
  ExprPtr second;  // the second argument, when it is a selector
};

}  // namespace varve::promql
