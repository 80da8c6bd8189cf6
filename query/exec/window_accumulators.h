// What a range aggregation keeps of the rows of a series, by elementary interval, and how it makes of that
// a value for every window.
//
// Counts and byte sums are integers, so windows come from running differences. Sums, extremes and moments
// have no inverse in floating point; windows slide over them with a two-stack queue, one merge per
// interval and step however much windows overlap. Quantiles and counter rates need the samples themselves.
// Every kind gives the same result for every order of rows and every split among threads.
// Threads: thread-compatible; one per thread, merged at the end.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "query/exec/series_set.h"
#include "query/exec/step_grid.h"
#include "query/logql/ast.h"

namespace varve {

// A row's unwrapped value, and what orders it among rows of the same time: first_over_time and
// last_over_time break ties by stream, then by arrival.
struct RowValue {
  int64_t ts_ns = 0;
  uint32_t stream = 0;
  uint32_t source = 0;
  uint32_t row = 0;
  double value = 0;
};

class WindowAccumulator {
 public:
  virtual ~WindowAccumulator() = default;

  // `rows` rows of `line_bytes` bytes in all. For operations on rows only.
  virtual void AddRows(uint32_t series, uint32_t interval, uint64_t rows, uint64_t line_bytes) = 0;
  // For operations on unwrapped values only.
  virtual void AddValue(uint32_t series, uint32_t interval, const RowValue& value) = 0;
  // For operations on unwrapped texts only, by their hash.
  virtual void AddText(uint32_t series, uint32_t interval, uint64_t hash);
  // Takes over what `other`, of the same kind, holds; its series i becomes `series_map[i]` here.
  virtual void MergeFrom(WindowAccumulator& other, std::span<const uint32_t> series_map) = 0;
  // The series' points, ascending. Call once per series.
  virtual void Finish(uint32_t series, std::vector<StepPoint>* out) = 0;
  virtual int64_t MemoryBytes() const = 0;

  // `grid` must outlive the accumulator. kUnimplemented names an operation that is not known.
  static Result<std::unique_ptr<WindowAccumulator>> Create(const logql::RangeAggregation& aggregation,
                                                           const WindowGrid& grid);
};

// Whether the operation is about the texts of unwrapped labels.
bool AggregatesTexts(logql::RangeOp op);
// Whether the operation adds up rows (their number or bytes) rather than unwrapped values.
bool AggregatesRows(const logql::RangeAggregation& aggregation);
// Whether it needs the lengths of lines.
bool AggregatesBytes(logql::RangeOp op);

// The φ-quantile with linear interpolation; sorts `values`. NaN sorts first. φ < 0 is -Inf, φ > 1 is +Inf.
double Quantile(double phi, std::span<double> values);

// Prometheus's rate of a counter over (lower_ns, upper_ns]: resets added back, extrapolated to the window's
// edges where samples come close to them. 0 for a single sample. `samples` is in order.
double CounterRate(std::span<const RowValue> samples, int64_t lower_ns, int64_t upper_ns);

}  // namespace varve
