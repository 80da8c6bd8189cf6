// The operators </ and >/: a histogram without the observations above or below a value.
//
// What a cut bucket keeps is estimated by interpolation, as quantiles are; the sum, by the middles of what is kept.

#include <cmath>
#include <limits>

#include "query/promql/values/float_histogram.h"

namespace varve::promql {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

double ZeroIfInfinite(double value) { return std::isinf(value) ? 0 : value; }

// Where the observations between two bounds are taken to be.
double Middle(double lower, double upper, bool positive, bool linear) {
  if (std::isinf(lower)) {
    if (std::isinf(upper)) return 0;
    return upper > 0 ? upper / 2 : upper;
  }
  if (std::isinf(upper)) return lower;
  if (linear) return (lower + upper) / 2;
  const double geometric = std::sqrt(std::abs(lower * upper));
  return positive ? geometric : -geometric;
}

struct Kept {
  double count = 0;
  double middle = 0;
};

// A bucket from -Inf, cut by `value`. It counts as one from 0 when it ends above 0.
Kept CutFromMinusInfinity(const HistogramBucket& b, double value, bool upper) {
  const bool ends_above_zero = b.upper > 0 && b.upper != kInfinity;
  if (upper) {
    if (value >= b.upper) return {b.count, 0};
    if (value > 0 && ends_above_zero) return {b.count * value / b.upper, value / 2};
    if (b.upper <= 0) return {b.count, value};
    return {0, ZeroIfInfinite(b.upper)};
  }
  if (value <= b.lower) return {b.count, 0};
  if (value >= 0 && b.upper > value && b.upper != kInfinity) {
    return {b.count * (1 - value / b.upper), (value + b.upper) / 2};
  }
  return {0, ZeroIfInfinite(b.upper)};
}

// A bucket that `value` lies in.
Kept CutBucket(const HistogramBucket& b, double value, bool upper, bool positive, bool linear) {
  if (b.lower == -kInfinity) return CutFromMinusInfinity(b, value, upper);
  if (b.upper == kInfinity) {
    // How far its observations reach is not known: below `value` there may be none.
    if (upper || value < b.lower) return {0, ZeroIfInfinite(b.lower)};
    return {b.count, value};
  }
  const double below = value <= b.lower ? 0 : value >= b.upper ? b.count : b.count * b.FractionBelow(value, linear);
  if (upper) return {below, Middle(b.lower, value, positive, linear)};
  return {b.count - below, Middle(value, b.upper, positive, linear)};
}

// The zero bucket; without negative buckets it begins at 0, without positive ones it ends there.
Kept CutZeroBucket(double threshold, double count, double value, bool upper, bool has_negative, bool has_positive) {
  const double low = has_positive && !has_negative ? 0 : -threshold;
  const double high = has_negative && !has_positive ? 0 : threshold;
  const Kept all{count, (low + high) / 2};
  if (upper) {
    if (value <= low) return {0, 0};
    if (value >= high) return all;
    return {count * ((value - low) / (high - low)), (low + value) / 2};
  }
  if (value <= low) return all;
  if (value >= high) return {0, 0};
  return {count * ((high - value) / (high - low)), (value + high) / 2};
}

}  // namespace

void FloatHistogram::TrimSide(double value, bool upper, bool positive, Trimmed* trimmed) {
  BucketSide& side = positive ? positive_ : negative_;
  for (size_t i = 0; i < side.size(); ++i) {
    const HistogramBucket b = SideBucket(positive, i);
    if (b.count == 0) continue;
    (positive ? trimmed->has_positive : trimmed->has_negative) = true;
    const bool keeps_all = upper ? b.upper <= value : b.lower >= value;
    const bool is_cut = upper ? b.lower < value : b.upper > value;
    Kept kept;
    if (keeps_all) {
      kept = {b.count, Middle(b.lower, b.upper, positive, is_custom())};
    } else if (is_cut) {
      kept = CutBucket(b, value, upper, positive, is_custom());
    }
    if (keeps_all || is_cut) {
      trimmed->count += kept.count;
      trimmed->sum += kept.middle * kept.count;
    }
    if (kept.count != b.count) {
      side.counts[i] = kept.count;
      trimmed->changed = true;
    }
  }
}

void FloatHistogram::Trim(double value, bool upper) {
  Trimmed trimmed;
  TrimSide(value, upper, true, &trimmed);
  TrimSide(value, upper, false, &trimmed);
  if (zero_count_ > 0) {
    const Kept kept =
        CutZeroBucket(zero_threshold_, zero_count_, value, upper, trimmed.has_negative, trimmed.has_positive);
    trimmed.changed |= kept.count != zero_count_;
    zero_count_ = kept.count;
    trimmed.count += kept.count;
    trimmed.sum += kept.middle * kept.count;
  }
  // Count and sum stay exact when nothing went.
  if (!trimmed.changed) return;
  count_ = trimmed.count;
  sum_ = trimmed.sum;
  Compact();
}

void FloatHistogram::TrimUpper(double value) { Trim(value, true); }
void FloatHistogram::TrimLower(double value) { Trim(value, false); }

}  // namespace varve::promql
