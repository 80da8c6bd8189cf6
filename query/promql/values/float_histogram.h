// Native histograms as PromQL computes with them: all counts are doubles, buckets are kept by index.
//
//   FloatHistogram h = FloatHistogram::FromNative(*sample);
//   HistogramOpNotes notes = h.Add(other);      // reconciles schemas, zero buckets and custom bounds
//   for (size_t slot = 0; slot < h.slots(); ++slot) use(h.BucketAt(slot));  // ascending bounds
//
// Algorithms: prom_surface 4.7, 4.8. Operations follow Prometheus to the bit where its scripts can see it.
// Sums and means of many: histogram_fold.h. Quantiles and fractions: histogram_quantile.h. Binary operators:
// functions/histogram_binary.h.
// Threads: a value type; results are shared as FloatHistogramPtr, immutable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/model/native_histogram.h"

namespace varve::promql {

class FloatHistogram;
using FloatHistogramPtr = std::shared_ptr<const FloatHistogram>;

// The buckets of one side, by ascending index: away from zero. Bucket i of a custom layout ends at bound i. Buckets
// may be empty (count 0) until the histogram is compacted.
struct BucketSide {
  std::vector<int32_t> indexes;  // strictly ascending
  std::vector<double> counts;    // one an index

  size_t size() const { return indexes.size(); }
  bool empty() const { return indexes.empty(); }
  size_t SpanCount() const;  // runs of neighbouring indexes
  void Clear() {
    indexes.clear();
    counts.clear();
  }
};

struct HistogramBucket {
  double lower = 0;
  double upper = 0;
  bool lower_inclusive = false;
  bool upper_inclusive = false;
  double count = 0;

  // 0: (lower, upper], 1: [lower, upper), 2: both ends open, 3: both closed. As in the API's JSON.
  int boundary_rule() const;
  // `(0.5,1]:3`
  std::string ToString() const;
  // The part of the bucket's width at or below `value`, which lies strictly inside its finite bounds; on a
  // logarithmic scale unless `linear`.
  double FractionBelow(double value, bool linear) const;
};

// The upper bound of bucket `index` of an exponential schema (-4 to 8); the lower one is that of index - 1.
double ExponentialBound(int64_t index, int32_t schema);

// What came up when two histograms were combined.
struct HistogramOpNotes {
  bool incompatible = false;       // exponential with custom buckets: nothing was done
  bool reset_conflict = false;     // one says reset, the other not reset; the result's hint is unknown
  bool bounds_reconciled = false;  // different custom bounds: the result has those they share
};

class FloatHistogram {
 public:
  using Bounds = std::shared_ptr<const std::vector<double>>;

  FloatHistogram() = default;
  // No histogram makes this fail: indexes beyond any bound there is are clamped, buckets beyond the spans ignored.
  static FloatHistogram FromNative(const NativeHistogram& native);
  // Likewise; shares the custom bounds of `native`.
  static FloatHistogramPtr FromNative(const HistogramPtr& native);
  // As a float histogram, spans as few as can be.
  NativeHistogram ToNative() const;

  CounterResetHint hint() const { return hint_; }
  int32_t schema() const { return schema_; }
  bool is_custom() const { return schema_ == kCustomBucketsSchema; }
  double count() const { return count_; }
  double sum() const { return sum_; }
  double zero_threshold() const { return zero_threshold_; }
  double zero_count() const { return zero_count_; }
  const BucketSide& positive() const { return positive_; }
  const BucketSide& negative() const { return negative_; }
  std::span<const double> bounds() const;  // of a custom layout, ascending; empty otherwise
  bool is_gauge() const { return hint_ == CounterResetHint::kGauge; }

  void set_hint(CounterResetHint hint) { hint_ = hint; }
  // An empty histogram of the layout (schema and custom bounds) of this one.
  FloatHistogram EmptyLike() const;
  // Count, sum, hint and schema alone: what histogram_count, _sum and _avg need.
  FloatHistogram StatsOnly() const;

  // Negative buckets, the zero bucket unless it is empty, positive buckets: ascending. Bounds next to the zero bucket
  // do not reach into it. Empty buckets have a slot unless they were compacted away.
  size_t slots() const { return negative_.size() + (has_zero_slot() ? 1 : 0) + positive_.size(); }
  HistogramBucket BucketAt(size_t slot) const;
  double CountAt(size_t slot) const;

  // `{count:6, sum:5, [-1,-0.5):2, [-0.001,0.001]:1, (0.5,1]:3}`
  std::string ToString() const;

  // Removes empty buckets.
  FloatHistogram& Compact();
  // A coarser schema of both exponential; `target` <= schema().
  FloatHistogram CopyToSchema(int32_t target) const;

  HistogramOpNotes Add(const FloatHistogram& other);
  // The hint is that of an addition; the operator `-` makes it a gauge.
  HistogramOpNotes Sub(const FloatHistogram& other);
  // A negative factor or divisor makes it a gauge; division by 0 removes all buckets.
  FloatHistogram& Mul(double factor);
  FloatHistogram& Div(double divisor);
  // Keeps the observations below `value` (`</`), or those above (`>/`); the sum is estimated anew if any went.
  void TrimUpper(double value);
  void TrimLower(double value);

  // Same layout and same bits in every number; hints do not count. Expects compacted histograms.
  bool Equals(const FloatHistogram& other) const;
  // Whether a counter that was `previous` must have been reset to be this. The hint decides if it says so.
  bool DetectReset(const FloatHistogram& previous) const;
  bool HasInfinity() const;

  // How many floats' worth it counts for in limits and statistics, the timestamp included.
  size_t SampleSize() const;
  int64_t MemoryBytes() const;

 private:
  friend class HistogramFold;

  // What Neumaier's summation has lost so far, in the layout of the histogram it belongs to.
  struct Compensation {
    double count = 0;
    double sum = 0;
    double zero_count = 0;
    std::vector<double> positive;
    std::vector<double> negative;
  };
  struct ZeroBucket {
    double count = 0;
    double lost = 0;
    double threshold = 0;
  };
  // What is left of a trimmed histogram.
  struct Trimmed {
    double count = 0;
    double sum = 0;
    bool changed = false;
    bool has_positive = false;
    bool has_negative = false;
  };

  static FloatHistogram Build(const NativeHistogram& native, Bounds bounds);
  bool has_zero_slot() const { return zero_count_ > 0; }
  double BoundOf(int64_t index) const;
  HistogramBucket SideBucket(bool positive, size_t at) const;

  void Trim(double value, bool upper);
  void TrimSide(double value, bool upper, bool positive, Trimmed* trimmed);
  bool MergeHint(const FloatHistogram& other);
  HistogramOpNotes Combine(const FloatHistogram& other, double sign, Compensation* lost);
  void CombineExponential(const FloatHistogram& other, double sign, Compensation* lost);
  bool CombineCustom(const FloatHistogram& other, double sign, Compensation* lost);  // true: bounds reconciled
  void ReduceTo(int32_t target, Compensation* lost);
  ZeroBucket WidenedZero(double threshold, const Compensation* lost) const;
  void AdoptZero(const ZeroBucket& zero, Compensation* lost);
  ZeroBucket ReconcileZero(const FloatHistogram& other, Compensation* lost);
  bool ResetInSide(bool positive, const FloatHistogram& previous) const;
  bool ResetInSharedBounds(const FloatHistogram& previous) const;

  CounterResetHint hint_ = CounterResetHint::kUnknown;
  int32_t schema_ = 0;
  double zero_threshold_ = 0;
  double zero_count_ = 0;
  double count_ = 0;
  double sum_ = 0;
  BucketSide positive_;
  BucketSide negative_;
  Bounds bounds_;  // null unless is_custom()
};

// Finds counter resets while it reduces a series' histograms to StatsOnly(), as those have no buckets to find them
// by later. Give it all samples of a series, ascending.
class HistogramStatsReader {
 public:
  // The hint says reset or not reset where the sample before was seen; kUnknown at the first.
  FloatHistogramPtr Next(const FloatHistogramPtr& sample);

 private:
  FloatHistogramPtr last_;
};

}  // namespace varve::promql
