// Addition, subtraction and scaling of histograms, with what reconciles their layouts.

#include <algorithm>
#include <utility>

#include "engine/base/check.h"
#include "query/promql/values/float_histogram.h"
#include "query/promql/values/neumaier.h"

namespace varve::promql {
namespace {

// With `lost`: compensated.
void Accumulate(double x, double* sum, double* lost) {
  if (lost == nullptr) {
    *sum += x;
  } else {
    NeumaierAdd(x, sum, lost);
  }
}

// One side's buckets to add; `lost` has what summing them up lost, and may be null.
struct Addend {
  std::span<const int32_t> indexes;
  std::span<const double> counts;
  const double* lost = nullptr;
  double sign = 1;

  double count(size_t at) const { return sign * counts[at]; }
  double lost_at(size_t at) const { return lost == nullptr ? 0 : sign * lost[at]; }
};

void AddBucket(const Addend& addend, size_t at, double* count, double* lost) {
  Accumulate(addend.count(at), count, lost);
  if (lost != nullptr && addend.lost_at(at) != 0) NeumaierAdd(addend.lost_at(at), count, lost);
}

// Adds bucket by bucket, with buckets that `side` does not have put in; `lost` belongs to `side` and may be null.
void AddSide(const Addend& addend, BucketSide* side, std::vector<double>* lost) {
  if (std::ranges::equal(addend.indexes, side->indexes)) {
    for (size_t i = 0; i < side->size(); ++i) {
      AddBucket(addend, i, &side->counts[i], lost == nullptr ? nullptr : &(*lost)[i]);
    }
    return;
  }
  BucketSide merged;
  std::vector<double> merged_lost;
  merged.indexes.reserve(side->size() + addend.indexes.size());
  merged.counts.reserve(side->size() + addend.indexes.size());
  size_t mine = 0;
  size_t theirs = 0;
  while (mine < side->size() || theirs < addend.indexes.size()) {
    const bool has_mine = mine < side->size() && (theirs == addend.indexes.size() ||
                                                  side->indexes[mine] <= addend.indexes[theirs]);
    const bool has_theirs = theirs < addend.indexes.size() &&
                            (!has_mine || side->indexes[mine] == addend.indexes[theirs]);
    merged.indexes.push_back(has_mine ? side->indexes[mine] : addend.indexes[theirs]);
    merged.counts.push_back(has_mine ? side->counts[mine] : addend.count(theirs));
    if (lost != nullptr) merged_lost.push_back(has_mine ? (*lost)[mine] : addend.lost_at(theirs));
    if (has_mine && has_theirs) {
      AddBucket(addend, theirs, &merged.counts.back(), lost == nullptr ? nullptr : &merged_lost.back());
    }
    mine += has_mine ? 1 : 0;
    theirs += has_theirs ? 1 : 0;
  }
  *side = std::move(merged);
  if (lost != nullptr) *lost = std::move(merged_lost);
}

// Merges the buckets that are one in a schema `drop` steps coarser.
void ReduceSide(int drop, BucketSide* side, std::vector<double>* lost) {
  size_t kept = 0;
  for (size_t i = 0; i < side->size(); ++i) {
    const int32_t target = ((side->indexes[i] - 1) >> drop) + 1;
    if (kept > 0 && side->indexes[kept - 1] == target) {
      Accumulate(side->counts[i], &side->counts[kept - 1], lost == nullptr ? nullptr : &(*lost)[kept - 1]);
      if (lost != nullptr) NeumaierAdd((*lost)[i], &side->counts[kept - 1], &(*lost)[kept - 1]);
      continue;
    }
    side->indexes[kept] = target;
    side->counts[kept] = side->counts[i];
    if (lost != nullptr) (*lost)[kept] = (*lost)[i];
    ++kept;
  }
  side->indexes.resize(kept);
  side->counts.resize(kept);
  if (lost != nullptr) lost->resize(kept);
}

// The first `count` buckets go, and all that are empty.
void DropFirst(size_t count, BucketSide* side, std::vector<double>* lost) {
  size_t kept = 0;
  for (size_t i = count; i < side->size(); ++i) {
    if (side->counts[i] == 0 && (lost == nullptr || (*lost)[i] == 0)) continue;
    side->indexes[kept] = side->indexes[i];
    side->counts[kept] = side->counts[i];
    if (lost != nullptr) (*lost)[kept] = (*lost)[i];
    ++kept;
  }
  side->indexes.resize(kept);
  side->counts.resize(kept);
  if (lost != nullptr) lost->resize(kept);
}

std::vector<double> SharedBounds(std::span<const double> a, std::span<const double> b) {
  std::vector<double> shared;
  std::ranges::set_intersection(a, b, std::back_inserter(shared));
  return shared;
}

// Counts by the buckets that end at `to`, with one more above them; `from` are the bounds of the addend's.
struct MappedCounts {
  std::vector<double> counts;
  std::vector<double> lost;

  explicit MappedCounts(size_t bounds) : counts(bounds + 1), lost(bounds + 1) {}
  void Add(const Addend& addend, std::span<const double> from, std::span<const double> to) {
    size_t target = 0;
    for (size_t i = 0; i < addend.indexes.size(); ++i) {
      const auto index = static_cast<size_t>(std::max(addend.indexes[i], 0));
      if (index >= from.size()) {
        target = to.size();
      } else {
        while (target < to.size() && to[target] < from[index]) ++target;
      }
      AddBucket(addend, i, &counts[target], &lost[target]);
    }
  }
};

Addend AddendOf(const BucketSide& side, double sign) { return {side.indexes, side.counts, nullptr, sign}; }

}  // namespace

HistogramOpNotes FloatHistogram::Add(const FloatHistogram& other) { return Combine(other, 1, nullptr); }
HistogramOpNotes FloatHistogram::Sub(const FloatHistogram& other) { return Combine(other, -1, nullptr); }

FloatHistogram& FloatHistogram::Mul(double factor) {
  zero_count_ *= factor;
  count_ *= factor;
  sum_ *= factor;
  for (double& count : positive_.counts) count *= factor;
  for (double& count : negative_.counts) count *= factor;
  if (factor < 0) hint_ = CounterResetHint::kGauge;
  return *this;
}

FloatHistogram& FloatHistogram::Div(double divisor) {
  zero_count_ /= divisor;
  count_ /= divisor;
  sum_ /= divisor;
  if (divisor == 0) {
    positive_.Clear();
    negative_.Clear();
    return *this;
  }
  for (double& count : positive_.counts) count /= divisor;
  for (double& count : negative_.counts) count /= divisor;
  if (divisor < 0) hint_ = CounterResetHint::kGauge;
  return *this;
}

FloatHistogram FloatHistogram::CopyToSchema(int32_t target) const {
  FloatHistogram copy = *this;
  if (target == schema_) return copy;
  copy.hint_ = CounterResetHint::kUnknown;
  copy.ReduceTo(target, nullptr);
  return copy;
}

void FloatHistogram::ReduceTo(int32_t target, Compensation* lost) {
  VARVE_CHECK(!is_custom() && target >= kHistogramSchemaMin && target <= schema_);
  const int drop = schema_ - target;
  if (drop == 0) return;
  ReduceSide(drop, &positive_, lost == nullptr ? nullptr : &lost->positive);
  ReduceSide(drop, &negative_, lost == nullptr ? nullptr : &lost->negative);
  schema_ = target;
}

// True: a reset met no reset, which nothing can be made of.
bool FloatHistogram::MergeHint(const FloatHistogram& other) {
  using enum CounterResetHint;
  if (hint_ == other.hint_) return false;
  if (hint_ == kGauge || other.hint_ == kGauge) {
    hint_ = kGauge;
    return false;
  }
  const bool conflict = hint_ != kUnknown && other.hint_ != kUnknown;
  hint_ = kUnknown;
  return conflict;
}

HistogramOpNotes FloatHistogram::Combine(const FloatHistogram& other, double sign, Compensation* lost) {
  HistogramOpNotes notes;
  if (is_custom() != other.is_custom()) {
    notes.incompatible = true;
    return notes;
  }
  notes.reset_conflict = MergeHint(other);
  if (is_custom()) {
    notes.bounds_reconciled = CombineCustom(other, sign, lost);
  } else {
    CombineExponential(other, sign, lost);
  }
  Accumulate(sign * other.count_, &count_, lost == nullptr ? nullptr : &lost->count);
  Accumulate(sign * other.sum_, &sum_, lost == nullptr ? nullptr : &lost->sum);
  return notes;
}

void FloatHistogram::CombineExponential(const FloatHistogram& other, double sign, Compensation* lost) {
  const ZeroBucket zero = ReconcileZero(other, lost);
  Accumulate(sign * zero.count, &zero_count_, lost == nullptr ? nullptr : &lost->zero_count);
  if (lost != nullptr) NeumaierAdd(sign * zero.lost, &zero_count_, &lost->zero_count);

  if (other.schema_ < schema_) ReduceTo(other.schema_, lost);
  const int drop = other.schema_ - schema_;
  const auto add = [&](const BucketSide& theirs, BucketSide* mine, std::vector<double>* mine_lost) {
    // Those inside the zero bucket are in its count already.
    size_t inside = 0;
    while (inside < theirs.size() && ExponentialBound(theirs.indexes[inside], other.schema_) <= zero_threshold_) {
      ++inside;
    }
    Addend addend = AddendOf(theirs, sign);
    addend.indexes = addend.indexes.subspan(inside);
    addend.counts = addend.counts.subspan(inside);
    if (drop == 0) {
      AddSide(addend, mine, mine_lost);
      return;
    }
    BucketSide reduced{{addend.indexes.begin(), addend.indexes.end()}, {addend.counts.begin(), addend.counts.end()}};
    std::vector<double> reduced_lost(reduced.size());
    ReduceSide(drop, &reduced, lost == nullptr ? nullptr : &reduced_lost);
    addend = AddendOf(reduced, sign);
    if (lost != nullptr) addend.lost = reduced_lost.data();
    AddSide(addend, mine, mine_lost);
  };
  add(other.positive_, &positive_, lost == nullptr ? nullptr : &lost->positive);
  add(other.negative_, &negative_, lost == nullptr ? nullptr : &lost->negative);
}

bool FloatHistogram::CombineCustom(const FloatHistogram& other, double sign, Compensation* lost) {
  if (bounds_ == other.bounds_ || std::ranges::equal(bounds(), other.bounds())) {
    AddSide(AddendOf(other.positive_, sign), &positive_, lost == nullptr ? nullptr : &lost->positive);
    return false;
  }
  auto shared = std::make_shared<const std::vector<double>>(SharedBounds(bounds(), other.bounds()));
  MappedCounts mapped(shared->size());
  Addend mine = AddendOf(positive_, 1);
  if (lost != nullptr) mine.lost = lost->positive.data();
  mapped.Add(mine, bounds(), *shared);
  mapped.Add(AddendOf(other.positive_, sign), other.bounds(), *shared);
  positive_.Clear();
  if (lost != nullptr) lost->positive.clear();
  for (size_t i = 0; i < mapped.counts.size(); ++i) {
    if (mapped.counts[i] == 0 && mapped.lost[i] == 0) continue;
    positive_.indexes.push_back(static_cast<int32_t>(i));
    positive_.counts.push_back(mapped.counts[i]);
    if (lost != nullptr) lost->positive.push_back(mapped.lost[i]);
  }
  bounds_ = std::move(shared);
  return true;
}

// What the zero bucket would be with a threshold of at least `threshold`: buckets below it go into it. A populated
// bucket that the threshold would cut goes in as a whole, and the threshold up to its end.
FloatHistogram::ZeroBucket FloatHistogram::WidenedZero(double threshold, const Compensation* lost) const {
  const double lost_before = lost == nullptr ? 0 : lost->zero_count;
  if (threshold == zero_threshold_) return {zero_count_, lost_before, threshold};
  VARVE_CHECK(threshold > zero_threshold_);
  for (;;) {
    ZeroBucket zero{zero_count_, lost_before, threshold};
    const double tried = threshold;
    for (const bool positive : {true, false}) {
      const BucketSide& side = positive ? positive_ : negative_;
      for (size_t i = 0; i < side.size() && BoundOf(int64_t{side.indexes[i]} - 1) < threshold; ++i) {
        NeumaierAdd(side.counts[i], &zero.count, &zero.lost);
        if (lost != nullptr) NeumaierAdd((positive ? lost->positive : lost->negative)[i], &zero.count, &zero.lost);
        const double upper = BoundOf(side.indexes[i]);
        if (upper > threshold && side.counts[i] != 0) threshold = upper;
        if (upper >= threshold) break;
      }
    }
    // Grown by a negative bucket, it may reach into positive ones: once more.
    zero.threshold = threshold;
    if (threshold == tried) return zero;
  }
}

void FloatHistogram::AdoptZero(const ZeroBucket& zero, Compensation* lost) {
  zero_count_ = zero.count;
  zero_threshold_ = zero.threshold;
  if (lost != nullptr) lost->zero_count = zero.lost;
  for (const bool positive : {true, false}) {
    BucketSide& side = positive ? positive_ : negative_;
    size_t inside = 0;
    while (inside < side.size() && BoundOf(int64_t{side.indexes[inside]} - 1) < zero_threshold_) ++inside;
    DropFirst(inside, &side, lost == nullptr ? nullptr : positive ? &lost->positive : &lost->negative);
  }
}

// Widens this zero bucket, and in thought that of `other`, until both have the same threshold. Returns the other's.
FloatHistogram::ZeroBucket FloatHistogram::ReconcileZero(const FloatHistogram& other, Compensation* lost) {
  ZeroBucket theirs{other.zero_count_, 0, other.zero_threshold_};
  while (theirs.threshold != zero_threshold_) {
    if (zero_threshold_ > theirs.threshold) theirs = other.WidenedZero(zero_threshold_, nullptr);
    if (theirs.threshold > zero_threshold_) AdoptZero(WidenedZero(theirs.threshold, lost), lost);
  }
  return theirs;
}

bool FloatHistogram::DetectReset(const FloatHistogram& previous) const {
  if (hint_ == CounterResetHint::kReset) return true;
  if (hint_ == CounterResetHint::kNotReset) return false;
  if (count_ < previous.count_) return true;
  if (is_custom()) {
    if (!previous.is_custom()) return true;
    if (bounds_ != previous.bounds_ && !std::ranges::equal(bounds(), previous.bounds())) {
      return ResetInSharedBounds(previous);
    }
  }
  // A finer layout comes with a new process only.
  if (schema_ > previous.schema_ || zero_threshold_ < previous.zero_threshold_) return true;
  const ZeroBucket zero = previous.WidenedZero(zero_threshold_, nullptr);
  if (zero.threshold != zero_threshold_ || zero_count_ < zero.count) return true;
  return ResetInSide(true, previous) || ResetInSide(false, previous);
}

// Whether a bucket beyond the zero bucket has less than it had, or is gone and was not empty.
bool FloatHistogram::ResetInSide(bool positive, const FloatHistogram& previous) const {
  const BucketSide& now = positive ? positive_ : negative_;
  const BucketSide& before = positive ? previous.positive_ : previous.negative_;
  const int drop = is_custom() ? 0 : previous.schema_ - schema_;
  size_t at = 0;
  for (size_t i = 0; i < before.size();) {
    const int32_t index = ((before.indexes[i] - 1) >> drop) + 1;
    double count = 0;
    for (; i < before.size() && ((before.indexes[i] - 1) >> drop) + 1 == index; ++i) count += before.counts[i];
    if (!is_custom() && zero_threshold_ != 0 && ExponentialBound(index, schema_) <= zero_threshold_) continue;
    while (at < now.size() && now.indexes[at] < index) ++at;
    const bool there = at < now.size() && now.indexes[at] == index;
    if (there ? now.counts[at] < count : count != 0) return true;
  }
  return false;
}

bool FloatHistogram::ResetInSharedBounds(const FloatHistogram& previous) const {
  const std::vector<double> shared = SharedBounds(bounds(), previous.bounds());
  MappedCounts now(shared.size());
  MappedCounts before(shared.size());
  now.Add(AddendOf(positive_, 1), bounds(), shared);
  before.Add(AddendOf(previous.positive_, 1), previous.bounds(), shared);
  for (size_t i = 0; i < now.counts.size(); ++i) {
    if (now.counts[i] < before.counts[i]) return true;
  }
  return false;
}

FloatHistogramPtr HistogramStatsReader::Next(const FloatHistogramPtr& sample) {
  FloatHistogram stats = sample->StatsOnly();
  if (stats.hint() == CounterResetHint::kUnknown && last_ != nullptr) {
    stats.set_hint(sample->DetectReset(*last_) ? CounterResetHint::kReset : CounterResetHint::kNotReset);
  }
  last_ = sample;
  return std::make_shared<const FloatHistogram>(std::move(stats));
}

}  // namespace varve::promql
