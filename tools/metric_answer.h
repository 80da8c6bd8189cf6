// Reads what /api/v1/query, query_range and status/tsdb answer.
//
// Errors: kCorruption when the answer is not what the API promises; what else is in it is ignored.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "query/exec/query.h"

namespace varve {

struct MetricPoint {
  int64_t t_ms = 0;
  double number = 0;      // of a histogram its count
  std::string text;       // the number as it came; a histogram as `{count:6, sum:5, (0.5,1]:3}`
  std::string histogram;  // as it came, in JSON; "" when it is a number
};

struct MetricSeries {
  LabelPairs labels;
  std::vector<MetricPoint> points;  // ascending by time
};

struct MetricAnswer {
  enum class Type { kScalar, kString, kVector, kMatrix };
  Type type = Type::kVector;
  std::vector<MetricSeries> series;  // of a scalar or a string: one without labels
  std::vector<std::string> warnings;
  std::vector<std::string> infos;
};
Result<MetricAnswer> ParseMetricAnswer(const std::string& json);

struct CountedName {
  std::string name;
  uint64_t count = 0;
};
struct CardinalityAnswer {
  uint64_t series = 0;
  uint64_t label_pairs = 0;
  std::vector<CountedName> by_metric;
  std::vector<CountedName> by_label;   // values
  std::vector<CountedName> by_pair;    // series
  std::vector<CountedName> bytes_by_label;
};
Result<CardinalityAnswer> ParseCardinalityAnswer(const std::string& json);

}  // namespace varve
