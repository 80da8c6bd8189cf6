// The sum or the mean of histograms, one after the other: for sum, avg, sum_over_time and avg_over_time.
//
//   HistogramFold fold(HistogramFold::Kind::kSum);
//   for (...) if (!fold.Add(h)) …warn: exponential with custom buckets; the fold has no result
//   FloatHistogramPtr result = fold.Finish();
//
// Every number is summed with Neumaier's compensation. A mean is sum / n until the sum overflows, and from there on
// taken incrementally, as Prometheus does for floats.
// Threads: thread-compatible.
#pragma once

#include <memory>

#include "query/promql/values/float_histogram.h"

namespace varve::promql {

class HistogramFold {
 public:
  enum class Kind { kSum, kMean };
  explicit HistogramFold(Kind kind) : kind_(kind) {}

  // False: `h` does not go with those before it. The fold then has no result and takes nothing more.
  bool Add(const FloatHistogram& h);

  bool empty() const { return count_ == 0; }
  bool incompatible() const { return incompatible_; }
  // Custom bounds differed: info `mismatched custom buckets were reconciled during aggregation`.
  bool bounds_reconciled() const { return bounds_reconciled_; }
  // Both hints were there: warning `conflicting counter resets during histogram aggregation`.
  bool reset_conflict() const { return reset_seen_ && not_reset_seen_; }

  // Null when empty or incompatible. The operators sum and avg compact, the functions over time do not. Once.
  FloatHistogramPtr Finish(bool compact = true);
  int64_t MemoryBytes() const;

 private:
  bool AddToSum(const FloatHistogram& h);
  bool AddToMean(const FloatHistogram& h);
  void Scale(double factor);
  void Divide(double divisor);

  Kind kind_;
  bool incremental_ = false;
  bool incompatible_ = false;
  bool bounds_reconciled_ = false;
  bool reset_seen_ = false;
  bool not_reset_seen_ = false;
  double count_ = 0;
  FloatHistogram value_;  // the sum; the mean once incremental_
  FloatHistogram::Compensation lost_;
};

}  // namespace varve::promql
