// Quantiles and fractions of histograms whose buckets are series of their own.

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/base/check.h"
#include "query/promql/values/histogram_quantile.h"

namespace varve::promql {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Counts this close to each other differ by rounding only, as sums of shards do.
constexpr double kRoundingTolerance = 1e-12;

bool AlmostEqual(double a, double b) {
  if (std::isnan(a) && std::isnan(b)) return true;
  const double magnitude = std::abs(a) + std::abs(b);
  const double difference = std::abs(a - b);
  if (a == 0 || b == 0 || magnitude < std::numeric_limits<double>::min()) {
    return difference < kRoundingTolerance * std::numeric_limits<double>::min();
  }
  return difference / std::min(magnitude, std::numeric_limits<double>::max()) < kRoundingTolerance;
}

// Ascending by bound, those of one bound added up. False: there is no bucket that has everything.
bool Prepare(std::vector<ClassicBucket>* buckets) {
  VARVE_CHECK(!buckets->empty());
  // A bound that is no number comes last: then none has everything.
  std::sort(buckets->begin(), buckets->end(), [](const ClassicBucket& a, const ClassicBucket& b) {
    return a.upper < b.upper || (std::isnan(b.upper) && !std::isnan(a.upper));
  });
  if (buckets->back().upper != kInfinity) return false;
  size_t last = 0;
  for (size_t i = 1; i < buckets->size(); ++i) {
    const ClassicBucket bucket = (*buckets)[i];
    if (bucket.upper == (*buckets)[last].upper) {
      (*buckets)[last].count += bucket.count;
    } else {
      (*buckets)[++last] = bucket;
    }
  }
  buckets->resize(last + 1);
  return true;
}

// A bucket has what those below it have: raises counts that are lower.
void MakeMonotone(std::vector<ClassicBucket>* buckets, MonotonicityFix* fix) {
  *fix = {false, kInfinity, -kInfinity, 0};
  double previous = buckets->front().count;
  for (size_t i = 1; i < buckets->size(); ++i) {
    ClassicBucket& bucket = (*buckets)[i];
    if (bucket.count == previous) continue;
    const bool rounding = AlmostEqual(previous, bucket.count);
    if (!rounding && !(bucket.count < previous)) {
      previous = bucket.count;
      continue;
    }
    if (!rounding) {
      fix->forced = true;
      fix->min_bound = std::min(fix->min_bound, bucket.upper);
      fix->max_bound = std::max(fix->max_bound, bucket.upper);
      fix->max_diff = std::max(fix->max_diff, previous - bucket.count);
    }
    bucket.count = previous;
  }
}

}  // namespace

double ClassicQuantile(double q, std::vector<ClassicBucket>* buckets, MonotonicityFix* fix) {
  *fix = {};
  if (std::isnan(q)) return kNan;
  if (q < 0) return -kInfinity;
  if (q > 1) return kInfinity;
  if (!Prepare(buckets)) return kNan;
  MakeMonotone(buckets, fix);
  const std::vector<ClassicBucket>& all = *buckets;
  if (all.size() < 2 || all.back().count == 0) return kNan;

  double rank = q * all.back().count;
  const auto found = std::partition_point(all.begin(), all.end() - 1,
                                          [rank](const ClassicBucket& b) { return !(b.count >= rank); });
  const auto at = static_cast<size_t>(found - all.begin());
  if (at == all.size() - 1) return all[all.size() - 2].upper;
  if (at == 0 && all[0].upper <= 0) return all[0].upper;
  double start = 0;
  double count = all[at].count;
  if (at > 0) {
    start = all[at - 1].upper;
    count -= all[at - 1].count;
    rank -= all[at - 1].count;
  }
  return start + (all[at].upper - start) * (rank / count);
}

double ClassicFraction(double lower, double upper, std::vector<ClassicBucket>* buckets) {
  if (!Prepare(buckets)) return kNan;
  const double total = buckets->back().count;
  if (total == 0 || std::isnan(lower) || std::isnan(upper)) return kNan;
  if (lower >= upper) return 0;

  const double wanted[2] = {lower, upper};
  double ranks[2] = {total, total};
  bool set[2] = {false, false};
  // With a first bound above 0, observations are taken to be so too.
  double from = buckets->front().upper > 0 ? 0 : -kInfinity;
  double below = 0;
  for (const ClassicBucket& bucket : *buckets) {
    for (int i = 0; i < 2; ++i) {
      if (set[i]) continue;
      if (from >= wanted[i]) {
        ranks[i] = below;
        set[i] = true;
      } else if (bucket.upper > wanted[i]) {
        // From -Inf on there is nothing to interpolate.
        ranks[i] = from == -kInfinity
                       ? bucket.count
                       : below + (bucket.count - below) * (wanted[i] - from) / (bucket.upper - from);
        set[i] = true;
      }
    }
    below = bucket.count;
    from = bucket.upper;
  }
  return (std::min(ranks[1], total) - std::min(ranks[0], total)) / total;
}

}  // namespace varve::promql
