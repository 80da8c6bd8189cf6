// Histograms among the series of a vector: native ones, and classic ones put together from their buckets.
//
// Threads: thread-compatible.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "query/promql/functions/series_functions.h"
#include "query/promql/values/histogram_quantile.h"

namespace varve::promql {

// The value of a bucket's label le, as Go's ParseFloat reads it; nothing when it is none.
std::optional<double> ParseBucketBound(std::string_view le);

// Sorts out which series of a vector are buckets of which histogram.
//
//   HistogramSeries all(call, argument);
//   for each step: all.Collect(step), then for each of all.histograms(): what At(i) gives at the step
class HistogramSeries {
 public:
  // `vector` must outlive this; `pos` is the position of the argument, for annotations.
  HistogramSeries(const SeriesCall& call, const StepMatrix& vector, PositionRange pos);

  // A histogram, native or classic. Labels have no le where it is classic.
  struct Source {
    PackedLabels labels;        // as of the input
    bool drop_name = false;     // a series of the input had it
    size_t native_series = 0;   // of the vector
    bool classic = false;
    size_t partner = SIZE_MAX;  // of a native one: the classic one of the same labels
  };
  size_t size() const { return sources_.size(); }
  const Source& source(size_t i) const { return sources_[i]; }
  // For annotations: the metric's name; empty unless names are removed at the end only.
  std::string_view MetricName(size_t i) const;

  // Looks at a step: what the accessors below give is of that step. Makes the annotations about it.
  void Collect(size_t step);
  // Null: there is none, or a classic one of the same labels is there too.
  const FloatHistogram* native(size_t i) const { return natives_[i]; }
  // Empty: there is none. Changes made by the caller last until the next Collect.
  std::vector<ClassicBucket>* classic(size_t i) { return &buckets_[i]; }

 private:
  struct Series {
    std::optional<double> bound;    // of le
    size_t native = SIZE_MAX;       // sources; SIZE_MAX: none
    size_t classic = SIZE_MAX;
  };
  void AddNative(size_t series);
  void CollectSeries(size_t series, size_t step);

  const SeriesCall& call_;
  const StepMatrix& vector_;
  const PositionRange pos_;
  std::vector<Series> series_;
  std::vector<Source> sources_;  // the native ones first
  std::vector<const FloatHistogram*> natives_;          // one a source
  std::vector<std::vector<ClassicBucket>> buckets_;     // one a source
};

}  // namespace varve::promql
