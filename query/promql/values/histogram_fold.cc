#include "query/promql/values/histogram_fold.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace varve::promql {
namespace {

// Two of these are far from overflowing when added.
constexpr double kSafe = 1e300;

bool AllSafe(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double v) { return std::abs(v) <= kSafe; });
}

bool AllSafe(const FloatHistogram& h) {
  return std::abs(h.count()) <= kSafe && std::abs(h.sum()) <= kSafe && std::abs(h.zero_count()) <= kSafe &&
         AllSafe(h.positive().counts) && AllSafe(h.negative().counts);
}

void AddEach(const std::vector<double>& lost, std::vector<double>* counts) {
  for (size_t i = 0; i < lost.size(); ++i) (*counts)[i] += lost[i];
}

}  // namespace

bool HistogramFold::Add(const FloatHistogram& h) {
  if (incompatible_) return false;
  reset_seen_ |= h.hint() == CounterResetHint::kReset;
  not_reset_seen_ |= h.hint() == CounterResetHint::kNotReset;
  ++count_;
  if (count_ == 1) {
    value_ = h;
    lost_.positive.resize(h.positive().size());
    lost_.negative.resize(h.negative().size());
    return true;
  }
  incompatible_ = !(kind_ == Kind::kSum ? AddToSum(h) : AddToMean(h));
  return !incompatible_;
}

bool HistogramFold::AddToSum(const FloatHistogram& h) {
  const HistogramOpNotes notes = value_.Combine(h, 1, &lost_);
  bounds_reconciled_ |= notes.bounds_reconciled;
  return !notes.incompatible;
}

bool HistogramFold::AddToMean(const FloatHistogram& h) {
  if (!incremental_) {
    if (AllSafe(value_) && AllSafe(h)) return AddToSum(h);
    FloatHistogram value_before = value_;
    FloatHistogram::Compensation lost_before = lost_;
    if (!AddToSum(h)) return false;
    if (!value_.HasInfinity()) return true;
    // From here on it is the mean.
    value_ = std::move(value_before);
    lost_ = std::move(lost_before);
    incremental_ = true;
    Divide(count_ - 1);
  }
  Scale((count_ - 1) / count_);
  FloatHistogram share = h;
  return AddToSum(share.Div(count_));
}

void HistogramFold::Scale(double factor) {
  value_.Mul(factor);
  lost_.count *= factor;
  lost_.sum *= factor;
  lost_.zero_count *= factor;
  for (double& lost : lost_.positive) lost *= factor;
  for (double& lost : lost_.negative) lost *= factor;
}

void HistogramFold::Divide(double divisor) {
  value_.Div(divisor);
  lost_.count /= divisor;
  lost_.sum /= divisor;
  lost_.zero_count /= divisor;
  for (double& lost : lost_.positive) lost /= divisor;
  for (double& lost : lost_.negative) lost /= divisor;
}

FloatHistogramPtr HistogramFold::Finish(bool compact) {
  if (empty() || incompatible_) return nullptr;
  if (kind_ == Kind::kMean && !incremental_) Divide(count_);
  value_.count_ += lost_.count;
  value_.sum_ += lost_.sum;
  value_.zero_count_ += lost_.zero_count;
  AddEach(lost_.positive, &value_.positive_.counts);
  AddEach(lost_.negative, &value_.negative_.counts);
  if (compact) value_.Compact();
  return std::make_shared<const FloatHistogram>(std::move(value_));
}

int64_t HistogramFold::MemoryBytes() const {
  const size_t lost = (lost_.positive.capacity() + lost_.negative.capacity()) * sizeof(double);
  return value_.MemoryBytes() + static_cast<int64_t>(sizeof(*this) - sizeof(value_) + lost);
}

}  // namespace varve::promql
