// One series' samples in one span of time: the smallest thing of a metric pack that can be decoded.
//
// Bytes on disk: docs/format.md, "Metric chunk". Timestamps are not in it: it names *timelines*, distinct
// vectors of timestamps that all series of the span share (engine/codec/metric_timelines.h). Floats and
// native histograms come back bit by bit. Hostile bytes give kCorruption; what is allocated is bounded by the
// limits below. Threads: free functions, thread-safe; each thread keeps scratch buffers.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engine/base/status.h"
#include "engine/codec/metric_timelines.h"
#include "engine/metric_scan.h"

namespace varve {

// Limits of the format: a chunk that claims more is corrupt.
inline constexpr uint32_t kChunkSamplesMax = 1 << 16;            // of a kind, floats or histograms
inline constexpr uint32_t kHistogramBucketsMax = 1 << 20;        // of one side; also spans, custom values
inline constexpr uint64_t kChunkHistogramCellsMax = 1ULL << 22;  // of all; one histogram alone may have more

// Samples that lie elsewhere; ascending by time, as in SeriesSamples.
struct SeriesSamplesView {
  std::span<const int64_t> float_ts_ms;
  std::span<const double> floats;
  std::span<const int64_t> float_starts_ms;  // as long as floats, or empty
  std::span<const HistogramSample> histograms;
  std::span<const int64_t> histogram_starts_ms;  // likewise

  SeriesSamplesView() = default;
  SeriesSamplesView(const SeriesSamples& samples)  // NOLINT: a view of it, as std::span
      : float_ts_ms(samples.float_ts_ms),
        floats(samples.floats),
        float_starts_ms(samples.float_starts_ms),
        histograms(samples.histograms),
        histogram_starts_ms(samples.histogram_starts_ms) {}
  bool empty() const { return floats.empty() && histograms.empty(); }
};

// Appends the chunk of `samples` (not empty, within the limits above) to `out`. Their timestamps are the
// timelines `float_timeline` and `histogram_timeline`, of which that without samples is ignored.
// kInvalidArgument: a histogram has more buckets than the format allows.
Status EncodeMetricChunk(const SeriesSamplesView& samples, uint32_t float_timeline,
                         uint32_t histogram_timeline, std::string* out);

// Appends the samples in `range` to `out`. On an error what was appended is of no use.
Status DecodeMetricChunk(std::string_view chunk, MetricRange range, const TimelineSource& timelines,
                         SeriesSamples* out);

}  // namespace varve
