// A native histogram as it is received, stored and handed out: integer or float, exponential or with custom
// bounds. Lossless; arithmetic is the query's business (query/promql/values/float_histogram.h).
//
// Spans and buckets as in Prometheus's remote write (prom_surface 1.3): a span skips `offset` buckets behind the
// one before it (the first: from bucket 0) and covers `length`. Integer buckets are differences from the bucket
// before; float buckets are absolute.
// Threads: a value type; shared ones (HistogramPtr) are immutable.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/base/status.h"

namespace varve {

// Numbers are on the wire and on disk.
enum class CounterResetHint : uint8_t { kUnknown = 0, kReset = 1, kNotReset = 2, kGauge = 3 };

struct BucketSpan {
  int32_t offset = 0;
  uint32_t length = 0;
  bool operator==(const BucketSpan&) const = default;
};

inline constexpr int32_t kCustomBucketsSchema = -53;
inline constexpr int32_t kHistogramSchemaMin = -4;
inline constexpr int32_t kHistogramSchemaMax = 8;

struct NativeHistogram {
  bool is_float = false;
  CounterResetHint hint = CounterResetHint::kUnknown;
  int32_t schema = 0;
  double zero_threshold = 0;
  double sum = 0;  // kStaleNanBits: the histogram is a stale marker
  // Of an integer histogram.
  uint64_t count = 0;
  uint64_t zero_count = 0;
  std::vector<int64_t> positive_deltas;
  std::vector<int64_t> negative_deltas;
  // Of a float histogram.
  double float_count = 0;
  double float_zero_count = 0;
  std::vector<double> positive_counts;
  std::vector<double> negative_counts;

  std::vector<BucketSpan> positive_spans;
  std::vector<BucketSpan> negative_spans;
  std::vector<double> custom_values;  // upper bounds, ascending; only with kCustomBucketsSchema

  bool is_custom() const { return schema == kCustomBucketsSchema; }
  int64_t MemoryBytes() const;
};

using HistogramPtr = std::shared_ptr<const NativeHistogram>;

// Equal to the last bit (also NaN and -0), the hint included.
bool BitEqual(const NativeHistogram& a, const NativeHistogram& b);

// kInvalidArgument, in Prometheus's words, unless the histogram is one that can be stored: known schema, spans and
// buckets that fit each other, counts that are not negative and add up, bounds in order (prom_surface 1.6).
Status ValidateHistogram(const NativeHistogram& histogram);

// Reduces schemas 9 to 52 to 8, as Prometheus does on receipt; others stay as they are.
void ReduceSchema(NativeHistogram* histogram);

}  // namespace varve
