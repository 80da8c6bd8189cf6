#include "engine/model/native_histogram.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>

namespace varve {
namespace {

constexpr int32_t kReservedSchemaMin = -9;
constexpr int32_t kReservedSchemaMax = 52;  // those above 8 are known, and reduced to 8

bool SameBits(double a, double b) { return std::bit_cast<uint64_t>(a) == std::bit_cast<uint64_t>(b); }

bool SameBits(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0);
}

constexpr std::string_view kNegativeOffset = "histogram has a span whose offset is negative";
constexpr std::string_view kSpansMismatch = "histogram spans specify different number of buckets than provided";
constexpr std::string_view kNegativeBucket = "histogram has a bucket whose observation count is negative";

Status SpanOffsetError(size_t span, int32_t offset) {
  return InvalidArgument(fmt::format("span number {} with offset {}: {}", span + 1, offset, kNegativeOffset));
}

Status SpanLengthError(uint64_t needed, size_t given) {
  return InvalidArgument(fmt::format("spans need {} buckets, have {} buckets: {}", needed, given, kSpansMismatch));
}

// Spans of an exponential side: they cover the buckets, and stay where an index is a 32-bit number.
Status CheckSpans(const std::vector<BucketSpan>& spans, size_t buckets) {
  uint64_t covered = 0;
  int64_t end = 0;
  for (size_t i = 0; i < spans.size(); ++i) {
    if (i > 0 && spans[i].offset < 0) return SpanOffsetError(i, spans[i].offset);
    covered += spans[i].length;
    end += int64_t{spans[i].offset} + spans[i].length;
  }
  if (covered != buckets) return SpanLengthError(covered, buckets);
  if (end > std::numeric_limits<int32_t>::max()) {
    return InvalidArgument(fmt::format("spans end at bucket {}, which is beyond any bucket there can be", end));
  }
  return Status::Ok();
}

Status CheckCustomBounds(const std::vector<double>& bounds, const std::vector<BucketSpan>& spans, size_t buckets) {
  for (size_t i = 0; i < bounds.size(); ++i) {
    if (std::isnan(bounds[i])) return InvalidArgument("histogram custom bounds must not be NaN");
    if (i > 0 && bounds[i] <= bounds[i - 1]) {
      return InvalidArgument(fmt::format("previous bound is {:f} and current is {:f}: histogram custom bounds must be "
                                         "in strictly increasing order", bounds[i - 1], bounds[i]));
    }
  }
  if (!bounds.empty() && bounds.back() == std::numeric_limits<double>::infinity()) {
    return InvalidArgument("last +Inf bound must not be explicitly defined: histogram custom bounds must be finite");
  }
  uint64_t covered = 0;
  uint64_t end = 0;
  for (size_t i = 0; i < spans.size(); ++i) {
    if (spans[i].offset < 0) return SpanOffsetError(i, spans[i].offset);
    covered += spans[i].length;
    end += uint64_t{spans[i].length} + static_cast<uint32_t>(spans[i].offset);
  }
  if (covered != buckets) return SpanLengthError(covered, buckets);
  if (bounds.size() + 1 < end) {
    return InvalidArgument(fmt::format("only {} custom bounds defined which is insufficient to cover total span length "
                                       "of {}: histogram custom bounds are too few", bounds.size(), end));
  }
  return Status::Ok();
}

// Adds the counts to `sum`; none may be negative.
Status CheckDeltas(const std::vector<int64_t>& deltas, uint64_t* sum) {
  uint64_t count = 0;  // wraps like Go's numbers do
  for (size_t i = 0; i < deltas.size(); ++i) {
    count += static_cast<uint64_t>(deltas[i]);
    if (static_cast<int64_t>(count) < 0) {
      return InvalidArgument(fmt::format("bucket number {} has observation count of {}: {}", i + 1,
                                         static_cast<int64_t>(count), kNegativeBucket));
    }
    *sum += count;
  }
  return Status::Ok();
}

Status CheckCounts(const std::vector<double>& counts) {
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] < 0) {
      return InvalidArgument(
          fmt::format("bucket number {} has observation count of {}: {}", i + 1, counts[i], kNegativeBucket));
    }
  }
  return Status::Ok();
}

Status CheckSide(const NativeHistogram& h, bool positive, uint64_t* sum) {
  if (h.is_float) return CheckCounts(positive ? h.positive_counts : h.negative_counts);
  return CheckDeltas(positive ? h.positive_deltas : h.negative_deltas, sum);
}

size_t Buckets(const NativeHistogram& h, bool positive) {
  if (h.is_float) return (positive ? h.positive_counts : h.negative_counts).size();
  return (positive ? h.positive_deltas : h.negative_deltas).size();
}

Status CheckCustom(const NativeHistogram& h) {
  Status bounds = CheckCustomBounds(h.custom_values, h.positive_spans, Buckets(h, true));
  if (!bounds.ok()) return std::move(bounds).WithContext("custom buckets");
  if (h.is_float ? h.float_zero_count != 0 : h.zero_count != 0) {
    return InvalidArgument("custom buckets: must have zero count of 0");
  }
  if (h.zero_threshold != 0) return InvalidArgument("custom buckets: must have zero threshold of 0");
  if (!h.negative_spans.empty()) return InvalidArgument("custom buckets: must not have negative spans");
  if (Buckets(h, false) != 0) return InvalidArgument("custom buckets: must not have negative buckets");
  return Status::Ok();
}

Status CheckExponential(const NativeHistogram& h, uint64_t* sum) {
  Status spans = CheckSpans(h.positive_spans, Buckets(h, true));
  if (!spans.ok()) return std::move(spans).WithContext("positive side");
  spans = CheckSpans(h.negative_spans, Buckets(h, false));
  if (!spans.ok()) return std::move(spans).WithContext("negative side");
  Status counts = CheckSide(h, false, sum);
  if (!counts.ok()) return std::move(counts).WithContext("negative side");
  if (h.is_float && h.float_zero_count < 0) {
    return InvalidArgument(
        fmt::format("zero bucket has observation count of {}: {}", h.float_zero_count, kNegativeBucket));
  }
  if (!h.custom_values.empty()) {
    return InvalidArgument("histogram with exponential schema must not have custom bounds");
  }
  return Status::Ok();
}

// The buckets' sum of an integer histogram against its count.
Status CheckTotal(const NativeHistogram& h, uint64_t sum) {
  if (std::isnan(h.sum)) {
    if (sum <= h.count) return Status::Ok();  // NaN observations are in no bucket
    return InvalidArgument(fmt::format("{} observations found in buckets, but the Count field is {}: histogram's "
                                       "observation count should be at least the number of observations found in the "
                                       "buckets", sum, h.count));
  }
  if (sum == h.count) return Status::Ok();
  return InvalidArgument(fmt::format("{} observations found in buckets, but the Count field is {}: histogram's "
                                     "observation count should equal the number of observations found in the buckets "
                                     "(in absence of NaN)", sum, h.count));
}

// Merges buckets that share one of `drop` schemas less. `Count` is an absolute count; the spans fit the buckets.
template <typename Count>
void ReduceSide(int drop, std::vector<BucketSpan>* spans, std::vector<Count>* counts) {
  std::vector<BucketSpan> new_spans;
  std::vector<Count> new_counts;
  int64_t index = 0;
  int64_t last = 0;
  size_t at = 0;
  for (const BucketSpan& span : *spans) {
    index += span.offset;
    for (uint32_t i = 0; i < span.length; ++i, ++index, ++at) {
      const int64_t target = ((index - 1) >> drop) + 1;
      if (new_spans.empty()) {
        new_spans.push_back({static_cast<int32_t>(target), 1});
      } else if (target == last) {
        new_counts.back() += (*counts)[at];
        continue;
      } else if (target == last + 1) {
        ++new_spans.back().length;
      } else {
        new_spans.push_back({static_cast<int32_t>(target - last - 1), 1});
      }
      new_counts.push_back((*counts)[at]);
      last = target;
    }
  }
  *spans = std::move(new_spans);
  *counts = std::move(new_counts);
}

// The same with each bucket given as its difference from the one before.
void ReduceDeltas(int drop, std::vector<BucketSpan>* spans, std::vector<int64_t>* deltas) {
  std::vector<uint64_t> counts(deltas->size());  // wrap like Go's numbers do
  uint64_t count = 0;
  for (size_t i = 0; i < counts.size(); ++i) counts[i] = count += static_cast<uint64_t>((*deltas)[i]);
  ReduceSide(drop, spans, &counts);
  deltas->clear();
  uint64_t last = 0;
  for (const uint64_t c : counts) {
    deltas->push_back(static_cast<int64_t>(c - last));
    last = c;
  }
}

}  // namespace

int64_t NativeHistogram::MemoryBytes() const {
  const size_t bytes = sizeof(*this) + (positive_deltas.capacity() + negative_deltas.capacity()) * sizeof(int64_t) +
                       (positive_counts.capacity() + negative_counts.capacity()) * sizeof(double) +
                       (positive_spans.capacity() + negative_spans.capacity()) * sizeof(BucketSpan) +
                       custom_values.capacity() * sizeof(double);
  return static_cast<int64_t>(bytes);
}

bool BitEqual(const NativeHistogram& a, const NativeHistogram& b) {
  return a.is_float == b.is_float && a.hint == b.hint && a.schema == b.schema &&
         SameBits(a.zero_threshold, b.zero_threshold) && SameBits(a.sum, b.sum) && a.count == b.count &&
         a.zero_count == b.zero_count && a.positive_deltas == b.positive_deltas &&
         a.negative_deltas == b.negative_deltas && SameBits(a.float_count, b.float_count) &&
         SameBits(a.float_zero_count, b.float_zero_count) && SameBits(a.positive_counts, b.positive_counts) &&
         SameBits(a.negative_counts, b.negative_counts) && a.positive_spans == b.positive_spans &&
         a.negative_spans == b.negative_spans && SameBits(a.custom_values, b.custom_values);
}

Status ValidateHistogram(const NativeHistogram& h) {
  uint64_t sum = 0;
  if (h.is_custom()) {
    VARVE_RETURN_IF_ERROR(CheckCustom(h));
  } else if (h.schema >= kHistogramSchemaMin && h.schema <= kHistogramSchemaMax) {
    VARVE_RETURN_IF_ERROR(CheckExponential(h, &sum));
  } else {
    const bool known = h.schema >= kReservedSchemaMin && h.schema <= kReservedSchemaMax;
    return InvalidArgument(fmt::format(
        "histogram has an {} schema, which must be between {} and {} for exponential buckets, or {} for custom "
        "buckets, got schema {}", known ? "invalid" : "unknown", known ? kHistogramSchemaMin : kReservedSchemaMin,
        known ? kHistogramSchemaMax : kReservedSchemaMax, kCustomBucketsSchema, h.schema));
  }
  if (h.is_float && h.float_count < 0) {
    return InvalidArgument(fmt::format("observation count is  {}: histogram's observation count is negative",
                                       h.float_count));
  }
  Status counts = CheckSide(h, true, &sum);
  if (!counts.ok()) return std::move(counts).WithContext("positive side");
  // Of float histograms the sum need not be exact.
  return h.is_float ? Status::Ok() : CheckTotal(h, sum + h.zero_count);
}

void ReduceSchema(NativeHistogram* h) {
  if (h->schema <= kHistogramSchemaMax || h->schema > kReservedSchemaMax) return;
  // One whose spans do not fit stays as it is: ValidateHistogram refuses it.
  if (!CheckSpans(h->positive_spans, Buckets(*h, true)).ok() ||
      !CheckSpans(h->negative_spans, Buckets(*h, false)).ok()) {
    return;
  }
  const int drop = h->schema - kHistogramSchemaMax;
  if (h->is_float) {
    ReduceSide(drop, &h->positive_spans, &h->positive_counts);
    ReduceSide(drop, &h->negative_spans, &h->negative_counts);
  } else {
    ReduceDeltas(drop, &h->positive_spans, &h->positive_deltas);
    ReduceDeltas(drop, &h->negative_spans, &h->negative_deltas);
  }
  h->schema = kHistogramSchemaMax;
}

}  // namespace varve
