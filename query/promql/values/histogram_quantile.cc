#include "query/promql/values/histogram_quantile.h"

#include <cmath>
#include <limits>

#include "query/promql/values/neumaier.h"

namespace varve::promql {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// In a histogram that has buckets of one sign only, the zero bucket is taken to have no other.
void CutZeroBucketToSign(const FloatHistogram& h, HistogramBucket* bucket) {
  if (h.negative().empty() && !h.positive().empty()) bucket->lower = 0;
  if (h.positive().empty() && !h.negative().empty()) bucket->upper = 0;
}

// The bucket a quantile's rank falls into.
struct RankedBucket {
  HistogramBucket bucket;
  double cumulative = 0;  // with all buckets walked over
  size_t walked = 0;
};

// `forward`: from the lowest bucket up; else from the highest down.
RankedBucket WalkToRank(const FloatHistogram& h, double rank, bool forward) {
  RankedBucket found;
  size_t last = h.slots();
  while (found.walked < h.slots()) {
    const size_t slot = forward ? found.walked : h.slots() - 1 - found.walked;
    ++found.walked;
    last = slot;
    const double count = h.CountAt(slot);
    if (count == 0) continue;
    found.cumulative += count;
    if (found.cumulative >= rank) break;
  }
  if (last < h.slots()) found.bucket = h.BucketAt(last);
  return found;
}

// Where between its bounds the part `fraction` of a bucket ends.
double Interpolate(const HistogramBucket& b, double fraction, bool linear) {
  if (linear) return b.lower + (b.upper - b.lower) * fraction;
  const double log_lower = std::log2(std::abs(b.lower));
  const double log_upper = std::log2(std::abs(b.upper));
  if (b.lower > 0) return std::exp2(log_lower + (log_upper - log_lower) * fraction);
  return -std::exp2(log_upper + (log_lower - log_upper) * (1 - fraction));
}

// Whether the count has observations that no bucket has; `cumulative` is of the first `walked` slots.
bool HasNanObservations(const FloatHistogram& h, double cumulative, size_t walked) {
  for (size_t slot = walked; slot < h.slots(); ++slot) cumulative += h.CountAt(slot);
  return cumulative < h.count();
}

// Ranks of two bounds, found on one walk over buckets in ascending order.
class FractionRanks {
 public:
  FractionRanks(double lower, double upper) : bounds_{lower, upper} {}

  bool done() const { return set_[0] && set_[1]; }
  // `interpolate` gives the rank of a value strictly inside the bucket.
  template <typename Fn>
  void Visit(double bucket_lower, double bucket_upper, double rank_below, Fn interpolate) {
    for (int i = 0; i < 2; ++i) {
      if (!set_[i] && bucket_lower >= bounds_[i]) Set(i, rank_below);
    }
    if (done()) return;
    for (int i = 0; i < 2; ++i) {
      if (!set_[i] && bucket_lower < bounds_[i] && bucket_upper > bounds_[i]) Set(i, interpolate(bounds_[i]));
    }
  }
  // The observations between the bounds; those never reached lie above all `count`.
  double Between(double count) const { return RankOr(1, count) - RankOr(0, count); }

 private:
  void Set(int i, double rank) {
    set_[i] = true;
    ranks_[i] = rank;
  }
  double RankOr(int i, double count) const { return !set_[i] || ranks_[i] > count ? count : ranks_[i]; }

  double bounds_[2];
  double ranks_[2] = {0, 0};
  bool set_[2] = {false, false};
};

}  // namespace

NativeEstimate HistogramQuantile(double q, const FloatHistogram& h) {
  if (q < 0) return {-kInfinity};
  if (q > 1) return {kInfinity};
  if (h.count() == 0 || std::isnan(q)) return {kNan};

  // NaN observations count as the highest: then ranks are counted from below.
  const bool nan_sum = std::isnan(h.sum());
  const bool forward = nan_sum || q < 0.5;
  const double rank = (forward ? q : 1 - q) * h.count();
  const RankedBucket found = WalkToRank(h, rank, forward);
  HistogramBucket bucket = found.bucket;
  if (h.is_custom()) {
    if (bucket.lower == -kInfinity) {
      if (bucket.upper <= 0) return {bucket.upper};
      bucket.lower = 0;
    } else if (bucket.upper == kInfinity) {
      return {bucket.lower};
    }
  } else if (bucket.lower < 0 && bucket.upper > 0) {
    CutZeroBucketToSign(h, &bucket);
  }

  const double cumulative = std::min(found.cumulative, h.count());
  if (cumulative < rank) {
    if (nan_sum) return {kNan, NanNote::kResultIsNan};
    return {bucket.upper};
  }
  NativeEstimate estimate;
  const double inside = forward ? rank - (cumulative - bucket.count) : cumulative - rank;
  if (nan_sum) {
    if (HasNanObservations(h, cumulative, found.walked)) estimate.nan = NanNote::kSkewedHigher;
    // Prometheus's walk over the buckets behind ends at the last one, and that is the one it interpolates in.
    if (found.walked < h.slots()) bucket = h.BucketAt(h.slots() - 1);
  }
  const bool linear = h.is_custom() || (bucket.lower <= 0 && bucket.upper >= 0);
  estimate.value = Interpolate(bucket, inside / bucket.count, linear);
  return estimate;
}

NativeEstimate HistogramFraction(double lower, double upper, const FloatHistogram& h) {
  if (h.count() == 0 || std::isnan(lower) || std::isnan(upper)) return {kNan};
  if (lower >= upper) return {0};

  FractionRanks ranks(lower, upper);
  double below = 0;
  double seen = 0;
  size_t slot = 0;
  while (slot < h.slots() && !ranks.done()) {
    HistogramBucket bucket = h.BucketAt(slot++);
    seen += bucket.count;
    const bool zero = bucket.lower <= 0 && bucket.upper >= 0;
    if (zero) CutZeroBucketToSign(h, &bucket);
    ranks.Visit(bucket.lower, bucket.upper, below, [&](double value) {
      const bool linear = h.is_custom() || zero;
      // From -Inf on there is nothing to interpolate.
      if (linear && bucket.lower == -kInfinity) return bucket.count;
      return below + bucket.count * bucket.FractionBelow(value, linear);
    });
    below += bucket.count;
  }
  NativeEstimate estimate;
  double count = h.count();
  if (std::isnan(h.sum())) {
    for (; slot < h.slots(); ++slot) seen += h.CountAt(slot);
    if (seen < count) estimate.nan = NanNote::kExcluded;
    count = seen;
  }
  estimate.value = ranks.Between(count) / h.count();
  return estimate;
}

double HistogramVariance(const FloatHistogram& h) {
  const double mean = h.sum() / h.count();
  double variance = 0;
  double lost = 0;
  for (size_t slot = 0; slot < h.slots(); ++slot) {
    const HistogramBucket bucket = h.BucketAt(slot);
    if (bucket.count == 0) continue;
    double middle = 0;
    if (h.is_custom()) {
      middle = (bucket.upper + bucket.lower) / 2;
    } else if (bucket.lower > 0 || bucket.upper < 0) {
      middle = std::sqrt(bucket.upper * bucket.lower);
      if (bucket.upper < 0) middle = -middle;
    }
    const double distance = middle - mean;
    NeumaierAdd(bucket.count * distance * distance, &variance, &lost);
  }
  return (variance + lost) / h.count();
}

}  // namespace varve::promql
