// What each form remembers of a series of n samples:
//   rate, increase   where the counter fell: a window adds up only the resets inside it, in order, as the plain form
//   resets, changes  the same list; a window counts them
//   min, max         the candidates: samples that no later one of the window beats. Each comes and goes once
//   sum, avg         prefix sums as integers, 8 n bytes. Where all values are whole and |v| * n <= 2^53, every partial
//                    sum is exact and nothing is lost, so any order gives the bits of the compensated sum
#include "query/promql/functions/sliding_forms.h"

#include <cmath>
#include <cstdint>
#include <vector>

#include "query/promql/functions/over_time.h"
#include "query/promql/functions/range_notes.h"
#include "query/promql/functions/rate.h"
#include "query/promql/functions/resets_changes.h"
#include "query/promql/functions/start_timestamps.h"

namespace varve::promql {
namespace {

constexpr double kExactMax = 9007199254740992.0;  // 2^53

// The window's place in the series' columns.
struct Place {
  size_t begin = 0;
  size_t end = 0;
};
Place PlaceOf(const RangeWindow& window, const double* column) {
  const auto begin = static_cast<size_t>(window.floats.data() - column);
  return {begin, begin + window.floats.size()};
}

// Ascending positions in a series, each standing for a pair of neighbours: i for (i - 1, i).
class PairList {
 public:
  void Clear() {
    pairs_.clear();
    first_ = 0;
  }
  void Add(size_t i) { pairs_.push_back(static_cast<uint32_t>(i)); }
  // The pairs that lie inside the window; windows may not go back.
  std::span<const uint32_t> Inside(Place place) {
    while (first_ < pairs_.size() && pairs_[first_] <= place.begin) ++first_;
    size_t last = first_;
    while (last < pairs_.size() && pairs_[last] < place.end) ++last;
    return {pairs_.data() + first_, last - first_};
  }

 private:
  std::vector<uint32_t> pairs_;
  size_t first_ = 0;
};

bool IsResetAt(const RangeWindow& series, size_t i) {
  if (series.floats[i] < series.floats[i - 1]) return true;
  return !series.starts_ms.empty() &&
         IsStartReset(series.starts_ms[i - 1], series.ts_ms[i - 1], series.starts_ms[i], series.ts_ms[i]);
}

class SlidingRate final : public SlidingForm {
 public:
  explicit SlidingRate(RateTraits traits) : traits_(traits) {}

  bool Begin(const RangeWindow& series) override {
    column_ = series.floats.data();
    resets_.Clear();
    overlaps_.Clear();
    for (size_t i = 1; i < series.floats.size(); ++i) {
      if (IsResetAt(series, i)) resets_.Add(i);
    }
    for (size_t i = 1; i < series.starts_ms.size(); ++i) {
      if (StartsOverlap(series.starts_ms[i - 1], series.ts_ms[i - 1], series.starts_ms[i])) overlaps_.Add(i);
    }
    return true;
  }

  bool At(const RangeCall& call, const RangeWindow& window, double* out) override {
    if (window.floats.empty()) return false;
    const Place place = PlaceOf(window, column_);
    double increase = window.floats.back() - window.floats.front();
    for (const uint32_t i : resets_.Inside(place)) increase += column_[i - 1];
    if (!overlaps_.Inside(place).empty()) NoteStartOverlap(call);
    return FinishFloatRate(window, traits_, increase, out);
  }

 private:
  const RateTraits traits_;
  const double* column_ = nullptr;
  PairList resets_;
  PairList overlaps_;
};

class SlidingPairCount final : public SlidingForm {
 public:
  using CountsFn = bool (*)(const RangeWindow& series, size_t i);
  explicit SlidingPairCount(CountsFn counts) : counts_(counts) {}

  bool Begin(const RangeWindow& series) override {
    column_ = series.floats.data();
    before_.resize(series.floats.size());
    uint32_t count = 0;
    for (size_t i = 0; i < series.floats.size(); ++i) {
      if (i > 0 && counts_(series, i)) ++count;
      before_[i] = count;
    }
    return true;
  }

  bool At(const RangeCall&, const RangeWindow& window, double* out) override {
    if (window.floats.empty()) return false;
    const Place place = PlaceOf(window, column_);
    *out = static_cast<double>(before_[place.end - 1] - before_[place.begin]);
    return true;
  }

 private:
  const CountsFn counts_;
  const double* column_ = nullptr;
  std::vector<uint32_t> before_;  // how many pairs count up to and with sample i
};

// `Beats(a, b)`: a is a better extreme than b.
template <typename Beats>
class SlidingExtreme final : public SlidingForm {
 public:
  bool Begin(const RangeWindow& series) override {
    column_ = series.floats.data();
    candidates_.clear();
    front_ = 0;
    next_ = 0;
    return true;
  }

  bool At(const RangeCall&, const RangeWindow& window, double* out) override {
    if (window.floats.empty()) return false;
    const Place place = PlaceOf(window, column_);
    if (next_ < place.begin) next_ = place.begin;
    while (front_ < candidates_.size() && candidates_[front_] < place.begin) ++front_;
    for (; next_ < place.end; ++next_) Push(next_);
    // Without candidates all are NaN.
    *out = front_ < candidates_.size() ? column_[candidates_[front_]] : window.floats.back();
    return true;
  }

 private:
  void Push(size_t i) {
    if (std::isnan(column_[i])) return;
    while (candidates_.size() > front_ && Beats()(column_[i], column_[candidates_.back()])) candidates_.pop_back();
    if (front_ == candidates_.size()) {
      candidates_.clear();
      front_ = 0;
    }
    candidates_.push_back(static_cast<uint32_t>(i));
  }

  const double* column_ = nullptr;
  std::vector<uint32_t> candidates_;  // from front_ on; the best first, equals in order of time
  size_t front_ = 0;
  size_t next_ = 0;  // the sample to look at next
};

struct Less {
  bool operator()(double a, double b) const { return a < b; }
};
struct Greater {
  bool operator()(double a, double b) const { return a > b; }
};

class SlidingSum final : public SlidingForm {
 public:
  explicit SlidingSum(bool mean) : mean_(mean) {}

  bool Begin(const RangeWindow& series) override {
    column_ = series.floats.data();
    prefix_.clear();
    prefix_.reserve(series.floats.size() + 1);
    prefix_.push_back(0);
    most_ = 0;
    for (const double value : series.floats) {
      const double size = std::fabs(value);
      if (!(size <= kExactMax)) return false;
      const auto whole = static_cast<int64_t>(value);
      if (static_cast<double>(whole) != value) return false;
      if (size > most_) most_ = size;
      prefix_.push_back(prefix_.back() + static_cast<uint64_t>(whole));
    }
    return true;
  }

  bool At(const RangeCall& call, const RangeWindow& window, double* out) override {
    if (window.floats.empty()) return false;
    const auto n = static_cast<double>(window.floats.size());
    if (most_ * n > kExactMax) return (mean_ ? AvgFloats : SumFloats)(call, window, out);
    const Place place = PlaceOf(window, column_);
    const auto sum = static_cast<double>(static_cast<int64_t>(prefix_[place.end] - prefix_[place.begin]));
    *out = mean_ ? sum / n : sum;
    return true;
  }

 private:
  const bool mean_;
  const double* column_ = nullptr;
  std::vector<uint64_t> prefix_;  // modulo 2^64: a window's own sum fits
  double most_ = 0;
};

}  // namespace

std::unique_ptr<SlidingForm> MakeSlidingRate() {
  return std::make_unique<SlidingRate>(RateTraits{.counter = true, .per_second = true});
}
std::unique_ptr<SlidingForm> MakeSlidingIncrease() {
  return std::make_unique<SlidingRate>(RateTraits{.counter = true, .per_second = false});
}
std::unique_ptr<SlidingForm> MakeSlidingResets() { return std::make_unique<SlidingPairCount>(IsResetAt); }
std::unique_ptr<SlidingForm> MakeSlidingChanges() {
  return std::make_unique<SlidingPairCount>([](const RangeWindow& series, size_t i) {
    return IsChange(series.floats[i - 1], series.floats[i]);
  });
}
std::unique_ptr<SlidingForm> MakeSlidingMin() { return std::make_unique<SlidingExtreme<Less>>(); }
std::unique_ptr<SlidingForm> MakeSlidingMax() { return std::make_unique<SlidingExtreme<Greater>>(); }
std::unique_ptr<SlidingForm> MakeSlidingSum() { return std::make_unique<SlidingSum>(false); }
std::unique_ptr<SlidingForm> MakeSlidingAvg() { return std::make_unique<SlidingSum>(true); }

}  // namespace varve::promql
