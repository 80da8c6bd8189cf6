#include "query/promql/functions/sample_quantile.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace varve::promql {

double SampleQuantile(double quantile, std::span<double> values) {
  if (values.empty() || std::isnan(quantile)) return std::numeric_limits<double>::quiet_NaN();
  if (quantile < 0) return -std::numeric_limits<double>::infinity();
  if (quantile > 1) return std::numeric_limits<double>::infinity();
  const auto less = [](double a, double b) { return std::isnan(a) ? !std::isnan(b) : a < b; };
  const double rank = quantile * (static_cast<double>(values.size()) - 1);
  const auto lower = static_cast<size_t>(std::floor(rank));
  std::nth_element(values.begin(), values.begin() + lower, values.end(), less);
  const double low = values[lower];
  // What follows is not smaller; the next one up is its least.
  const double high = lower + 1 < values.size() ? *std::min_element(values.begin() + lower + 1, values.end(), less) : low;
  const double weight = rank - std::floor(rank);
  return low * (1 - weight) + high * weight;
}

}  // namespace varve::promql
