// Reading samples: a snapshot of the series that match, each decoded on demand.
//
//   auto snapshot = store.Snapshot(tenant, matchers, range);
//   SeriesSamples samples;
//   for (size_t i = 0; i < snapshot->size(); ++i) snapshot->Read(i, range, &samples) ...
//
// Series come in order of their labels. What a read gives is merged from all packs and the head, ascending by
// timestamp, one sample a timestamp (across floats and histograms), deleted and expired samples left out. Stale
// markers are there: a float StaleNan, or a histogram whose sum is one.
// Threads: a snapshot is immutable and thread-safe; it keeps what it shows readable until it is destroyed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/memory_budget.h"
#include "engine/base/status.h"
#include "engine/model/native_histogram.h"
#include "engine/model/packed_labels.h"
#include "engine/model/sample.h"

namespace varve {

// Both ends belong to it; milliseconds.
struct MetricRange {
  int64_t min_ms = INT64_MIN;
  int64_t max_ms = INT64_MAX;
  bool Contains(int64_t ts_ms) const { return min_ms <= ts_ms && ts_ms <= max_ms; }
};

struct HistogramSample {
  int64_t ts_ms = 0;
  HistogramPtr histogram;
};

// The decoded samples of one series. Reuse one object for many reads: its memory stays.
struct SeriesSamples {
  std::vector<int64_t> float_ts_ms;
  std::vector<double> floats;
  // Start timestamps of the floats, kNoStartMs where there is none; empty when none has one.
  std::vector<int64_t> float_starts_ms;
  std::vector<HistogramSample> histograms;
  std::vector<int64_t> histogram_starts_ms;  // likewise

  void Clear() {
    float_ts_ms.clear();
    floats.clear();
    float_starts_ms.clear();
    histograms.clear();
    histogram_starts_ms.clear();
  }
  bool empty() const { return floats.empty() && histograms.empty(); }
  size_t size() const { return floats.size() + histograms.size(); }
};

class MetricSnapshot {
 public:
  virtual ~MetricSnapshot() = default;
  virtual size_t size() const = 0;
  virtual const PackedLabels& labels(size_t series) const = 0;  // ascending
  // Replaces `out` by the series' samples in `range`, which must lie in the snapshot's. kCorruption names the
  // block; kResourceExhausted: `budget` (may be null) has no room for the blocks to decode.
  virtual Status Read(size_t series, MetricRange range, MemoryBudget* budget, SeriesSamples* out) const = 0;
};

}  // namespace varve
