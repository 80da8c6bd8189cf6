// Series in the notation of Prometheus's tests: `metric{l="v"} 1+2x3 _ {{count:5}}x2 stale`.
//
// The language: docs/rules.md. A description has at most kSeriesValuesMax values. Errors are kInvalidArgument and quote what is wrong.
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/packed_labels.h"
#include "query/promql/values/float_histogram.h"

namespace varve::promql {

inline constexpr size_t kSeriesValuesMax = 2'000'000;

struct SequenceValue {
  bool omitted = false;
  double value = 0;
  FloatHistogramPtr histogram;  // null: a float
  bool hint_given = false;              // the description says which counter reset hint it has
};

struct SeriesDescription {
  PackedLabels labels;
  std::vector<SequenceValue> values;
};

Result<SeriesDescription> ParseSeriesDescription(std::string_view line);
// `{{schema:1 count:5 buckets:[1 0 4]}}`: a description that gives the histogram back.
std::string HistogramNotation(const FloatHistogram& histogram);
// A number alone: decimal, 0x…, Inf, NaN, with or without a sign.
Result<double> ParseWholeNumber(std::string_view text);

// An `@st` line: whose samples its start timestamps are for, and how far each lies behind its sample's time.
struct StartTimes {
  PackedLabels labels;
  std::vector<std::optional<int64_t>> offsets_ms;
};
bool IsStartTimesLine(std::string_view line);
Result<StartTimes> ParseStartTimes(std::string_view line);

}  // namespace varve::promql
