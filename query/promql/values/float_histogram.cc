#include "query/promql/values/float_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "engine/base/check.h"
#include "query/promql/values/number_text.h"

namespace varve::promql {
namespace {

// Wider than any bucket of a double: a valid histogram never gets here.
constexpr int64_t kIndexLimit = int64_t{1} << 30;

bool SameBits(double a, double b) { return std::bit_cast<uint64_t>(a) == std::bit_cast<uint64_t>(b); }

bool SameBits(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0);
}

// `count_at(i)` gives the absolute counts in order; there are `count`.
template <typename CountAt>
BucketSide SideOf(const std::vector<BucketSpan>& spans, size_t count, CountAt count_at) {
  BucketSide side;
  side.indexes.reserve(count);
  side.counts.reserve(count);
  int64_t index = 0;
  size_t at = 0;
  for (const BucketSpan& span : spans) {
    index += span.offset;
    for (uint32_t i = 0; i < span.length && at < count; ++i, ++index, ++at) {
      const auto clamped = static_cast<int32_t>(std::clamp(index, -kIndexLimit, kIndexLimit));
      if (!side.empty() && clamped <= side.indexes.back()) {
        side.counts.back() += count_at(at);
        continue;
      }
      side.indexes.push_back(clamped);
      side.counts.push_back(count_at(at));
    }
  }
  return side;
}

BucketSide SideOfDeltas(const std::vector<BucketSpan>& spans, const std::vector<int64_t>& deltas) {
  uint64_t count = 0;  // wraps like Go's numbers do
  return SideOf(spans, deltas.size(), [&](size_t at) {
    count += static_cast<uint64_t>(deltas[at]);
    return static_cast<double>(static_cast<int64_t>(count));
  });
}

void SpansOf(const BucketSide& side, std::vector<BucketSpan>* spans) {
  int64_t next = 0;
  for (const int32_t index : side.indexes) {
    if (spans->empty() || index != next) {
      spans->push_back({static_cast<int32_t>(index - next), 0});
    }
    ++spans->back().length;
    next = int64_t{index} + 1;
  }
}

void DropEmpty(BucketSide* side) {
  size_t kept = 0;
  for (size_t i = 0; i < side->size(); ++i) {
    if (side->counts[i] == 0) continue;
    side->indexes[kept] = side->indexes[i];
    side->counts[kept++] = side->counts[i];
  }
  side->indexes.resize(kept);
  side->counts.resize(kept);
}

bool AnyInfinite(const std::vector<double>& values) {
  return std::any_of(values.begin(), values.end(), [](double v) { return std::isinf(v); });
}

}  // namespace

size_t BucketSide::SpanCount() const {
  size_t spans = 0;
  for (size_t i = 0; i < indexes.size(); ++i) {
    if (i == 0 || indexes[i] != indexes[i - 1] + 1) ++spans;
  }
  return spans;
}

int HistogramBucket::boundary_rule() const {
  if (lower_inclusive) return upper_inclusive ? 3 : 1;
  return upper_inclusive ? 0 : 2;
}

std::string HistogramBucket::ToString() const {
  return (lower_inclusive ? "[" : "(") + GoG(lower) + "," + GoG(upper) + (upper_inclusive ? "]:" : "):") + GoG(count);
}

double HistogramBucket::FractionBelow(double value, bool linear) const {
  if (linear) return (value - lower) / (upper - lower);
  const double log_lower = std::log2(std::abs(lower));
  const double log_upper = std::log2(std::abs(upper));
  const double log_value = std::log2(std::abs(value));
  if (value > 0) return (log_value - log_lower) / (log_upper - log_lower);
  return 1 - ((log_value - log_upper) / (log_lower - log_upper));
}

FloatHistogram FloatHistogram::FromNative(const NativeHistogram& native) {
  Bounds bounds;
  if (native.is_custom()) bounds = std::make_shared<const std::vector<double>>(native.custom_values);
  return Build(native, std::move(bounds));
}

FloatHistogramPtr FloatHistogram::FromNative(const HistogramPtr& native) {
  Bounds bounds;
  if (native->is_custom()) bounds = Bounds(native, &native->custom_values);
  return std::make_shared<const FloatHistogram>(Build(*native, std::move(bounds)));
}

FloatHistogram FloatHistogram::Build(const NativeHistogram& native, Bounds bounds) {
  if (!native.is_custom() && native.schema > kHistogramSchemaMax) {
    NativeHistogram reduced = native;
    ReduceSchema(&reduced);
    reduced.schema = std::min(reduced.schema, kHistogramSchemaMax);
    return Build(reduced, nullptr);
  }
  FloatHistogram h;
  h.hint_ = native.hint;
  h.schema_ = native.is_custom() ? kCustomBucketsSchema : std::max(native.schema, kHistogramSchemaMin);
  h.sum_ = native.sum;
  h.count_ = native.is_float ? native.float_count : static_cast<double>(native.count);
  if (native.is_float) {
    h.positive_ = SideOf(native.positive_spans, native.positive_counts.size(),
                         [&](size_t at) { return native.positive_counts[at]; });
  } else {
    h.positive_ = SideOfDeltas(native.positive_spans, native.positive_deltas);
  }
  if (native.is_custom()) {
    h.bounds_ = std::move(bounds);
    return h;
  }
  // Not a number nor below zero: nothing could be reconciled with that.
  h.zero_threshold_ = native.zero_threshold > 0 ? native.zero_threshold : 0;
  if (native.is_float) {
    h.zero_count_ = native.float_zero_count;
    h.negative_ = SideOf(native.negative_spans, native.negative_counts.size(),
                         [&](size_t at) { return native.negative_counts[at]; });
  } else {
    h.zero_count_ = static_cast<double>(native.zero_count);
    h.negative_ = SideOfDeltas(native.negative_spans, native.negative_deltas);
  }
  return h;
}

NativeHistogram FloatHistogram::ToNative() const {
  NativeHistogram native;
  native.is_float = true;
  native.hint = hint_;
  native.schema = schema_;
  native.zero_threshold = zero_threshold_;
  native.sum = sum_;
  native.float_count = count_;
  native.float_zero_count = zero_count_;
  native.positive_counts = positive_.counts;
  native.negative_counts = negative_.counts;
  SpansOf(positive_, &native.positive_spans);
  SpansOf(negative_, &native.negative_spans);
  if (bounds_ != nullptr) native.custom_values = *bounds_;
  return native;
}

std::span<const double> FloatHistogram::bounds() const {
  if (bounds_ == nullptr) return {};
  return *bounds_;
}

FloatHistogram FloatHistogram::EmptyLike() const {
  FloatHistogram h;
  h.schema_ = schema_;
  h.bounds_ = bounds_;
  return h;
}

FloatHistogram FloatHistogram::StatsOnly() const {
  FloatHistogram h;
  h.hint_ = hint_;
  h.schema_ = schema_;
  h.count_ = count_;
  h.sum_ = sum_;
  return h;
}

double FloatHistogram::BoundOf(int64_t index) const {
  if (!is_custom()) return ExponentialBound(index, schema_);
  const std::span<const double> all = bounds();
  if (index < 0) return -std::numeric_limits<double>::infinity();
  if (index >= static_cast<int64_t>(all.size())) return std::numeric_limits<double>::infinity();
  return all[static_cast<size_t>(index)];
}

HistogramBucket FloatHistogram::SideBucket(bool positive, size_t at) const {
  const BucketSide& side = positive ? positive_ : negative_;
  const int64_t index = side.indexes[at];
  HistogramBucket bucket;
  bucket.count = side.counts[at];
  bucket.lower = positive ? BoundOf(index - 1) : -BoundOf(index);
  bucket.upper = positive ? BoundOf(index) : -BoundOf(index - 1);
  bucket.lower_inclusive = is_custom() ? index == 0 : bucket.lower < 0;
  bucket.upper_inclusive = is_custom() || bucket.upper > 0;
  return bucket;
}

HistogramBucket FloatHistogram::BucketAt(size_t slot) const {
  if (slot < negative_.size()) {
    HistogramBucket bucket = SideBucket(false, negative_.size() - 1 - slot);
    if (bucket.upper < 0 && bucket.upper > -zero_threshold_) bucket.upper = -zero_threshold_;
    return bucket;
  }
  slot -= negative_.size();
  if (has_zero_slot()) {
    if (slot == 0) return {-zero_threshold_, zero_threshold_, true, true, zero_count_};
    --slot;
  }
  VARVE_CHECK(slot < positive_.size());
  HistogramBucket bucket = SideBucket(true, slot);
  if (bucket.lower > 0 && bucket.lower < zero_threshold_) bucket.lower = zero_threshold_;
  return bucket;
}

double FloatHistogram::CountAt(size_t slot) const {
  if (slot < negative_.size()) return negative_.counts[negative_.size() - 1 - slot];
  slot -= negative_.size();
  if (has_zero_slot() && slot-- == 0) return zero_count_;
  VARVE_CHECK(slot < positive_.size());
  return positive_.counts[slot];
}

std::string FloatHistogram::ToString() const {
  std::string text = "{count:" + GoG(count_) + ", sum:" + GoG(sum_);
  for (size_t i = negative_.size(); i-- > 0;) {
    if (negative_.counts[i] != 0) text += ", " + SideBucket(false, i).ToString();
  }
  if (zero_count_ != 0) {
    text += ", " + HistogramBucket{-zero_threshold_, zero_threshold_, true, true, zero_count_}.ToString();
  }
  for (size_t i = 0; i < positive_.size(); ++i) {
    if (positive_.counts[i] != 0) text += ", " + SideBucket(true, i).ToString();
  }
  return text + "}";
}

FloatHistogram& FloatHistogram::Compact() {
  DropEmpty(&positive_);
  DropEmpty(&negative_);
  return *this;
}

bool FloatHistogram::Equals(const FloatHistogram& other) const {
  if (schema_ != other.schema_ || !SameBits(count_, other.count_) || !SameBits(sum_, other.sum_)) return false;
  if (is_custom() && !std::ranges::equal(bounds(), other.bounds())) return false;
  return zero_threshold_ == other.zero_threshold_ && SameBits(zero_count_, other.zero_count_) &&
         negative_.indexes == other.negative_.indexes && SameBits(negative_.counts, other.negative_.counts) &&
         positive_.indexes == other.positive_.indexes && SameBits(positive_.counts, other.positive_.counts);
}

bool FloatHistogram::HasInfinity() const {
  return std::isinf(zero_count_) || std::isinf(count_) || std::isinf(sum_) || AnyInfinite(positive_.counts) ||
         AnyInfinite(negative_.counts) || (bounds_ != nullptr && AnyInfinite(*bounds_));
}

size_t FloatHistogram::SampleSize() const {
  // What Prometheus's struct takes, by the 16 bytes of a float sample.
  constexpr size_t kStructBytes = 168;
  constexpr size_t kTimestampBytes = 8;
  constexpr size_t kSampleBytes = 16;
  const size_t words = positive_.SpanCount() + negative_.SpanCount() + positive_.size() + negative_.size() +
                       bounds().size();
  return (kStructBytes + words * 8 + kTimestampBytes) / kSampleBytes;
}

int64_t FloatHistogram::MemoryBytes() const {
  const size_t per_bucket = sizeof(int32_t) + sizeof(double);
  // The bounds are shared by all that came from one sample.
  return static_cast<int64_t>(sizeof(*this) + (positive_.counts.capacity() + negative_.counts.capacity()) * per_bucket);
}

}  // namespace varve::promql
