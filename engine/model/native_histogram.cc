#include "engine/model/native_histogram.h"

#include <bit>
#include <cstring>

namespace varve {
namespace {

bool SameBits(double a, double b) { return std::bit_cast<uint64_t>(a) == std::bit_cast<uint64_t>(b); }

bool SameBits(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0);
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

}  // namespace varve
