#include "query/promql/values/chunk_hints.h"

#include <algorithm>

#include "engine/model/sample.h"

namespace varve::promql {
namespace {

// Whether a bucket of `before` is missing in `after`, or smaller there.
bool BucketsFell(const BucketSide& before, const BucketSide& after) {
  size_t j = 0;
  for (size_t i = 0; i < before.size(); ++i) {
    while (j < after.size() && after.indexes[j] < before.indexes[i]) ++j;
    const bool there = j < after.size() && after.indexes[j] == before.indexes[i];
    if ((there ? after.counts[j] : 0) < before.counts[i]) return true;
  }
  return false;
}

// Whether Prometheus's storage puts a counter histogram into the chunk of the one before it.
bool Appends(const FloatHistogram& before, const FloatHistogram& next) {
  if (before.is_gauge() || next.hint() == CounterResetHint::kReset) return false;
  if (IsStaleNan(next.sum())) return true;
  if (IsStaleNan(before.sum()) || next.count() < before.count() || next.zero_count() < before.zero_count()) {
    return false;
  }
  if (next.schema() != before.schema() || next.zero_threshold() != before.zero_threshold()) return false;
  return std::ranges::equal(next.bounds(), before.bounds()) && !BucketsFell(before.positive(), next.positive()) &&
         !BucketsFell(before.negative(), next.negative());
}

}  // namespace

CounterResetHint HintInChunk(const FloatHistogram* before, const FloatHistogram& next) {
  if (next.is_gauge()) return CounterResetHint::kGauge;
  return before != nullptr && Appends(*before, next) ? CounterResetHint::kNotReset : CounterResetHint::kUnknown;
}

}  // namespace varve::promql
