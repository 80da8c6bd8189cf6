// Prints metric results: for people on a terminal, for programs in a pipe, as JSON lines or CSV.
//
//              table                    spark                   text                     json, one object a line
//   vector     a column a label         as a table              name{labels} value       metric, t, value
//   range      a column a series        a line a series         time name{labels} value  metric, values
//   scalar     the value                the value               the value                t, value
// Without a word a terminal gets a table of a vector and sparks of a range, a pipe gets text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/metric_answer.h"
#include "tools/terminal.h"

namespace varve {

enum class MetricFormat { kText, kTable, kSpark, kJson, kCsv };

struct MetricOutput {
  MetricFormat format = MetricFormat::kText;
  size_t width = 80;  // columns, of sparks
  Style style;
};

std::string FormatMetricAnswer(const MetricAnswer& answer, const MetricOutput& output);

// `up{job="a"}`, `{"a.b", job="a"}`
std::string MetricText(const LabelPairs& labels);
// At most `width` characters of eight heights, from the least to the greatest value; a blank where there is none.
// `points` ascending in time, spread over [begin_ms, end_ms].
std::string Sparkline(const std::vector<MetricPoint>& points, int64_t begin_ms, int64_t end_ms, size_t width);

}  // namespace varve
