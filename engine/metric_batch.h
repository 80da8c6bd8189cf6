// One decoded write of samples on its way into the metric store.
//
// Ownership: plain data; histograms are shared. Threads: thread-compatible.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/model/exemplar.h"
#include "engine/model/native_histogram.h"
#include "engine/model/sample.h"

namespace varve {

// A series' dense number in this process, from MetricStore::InternSeries. Never reused, never stored.
using SeriesOrdinal = uint32_t;

struct MetricBatch {
  struct Part {
    SeriesOrdinal series = 0;
    uint32_t float_begin = 0;  // into `floats`
    uint32_t float_count = 0;
    uint32_t histogram_begin = 0;  // into `histograms`
    uint32_t histogram_count = 0;
  };
  struct Histogram {
    int64_t ts_ms = 0;
    HistogramPtr histogram;
  };
  struct SeriesExemplar {
    SeriesOrdinal series = 0;
    Exemplar exemplar;
  };

  // A series may stand in several parts. Samples in any order of time; of two at one time the first counts.
  std::vector<Part> parts;
  std::vector<Sample> floats;
  std::vector<int64_t> float_starts_ms;  // as long as floats, or empty: none has one
  std::vector<Histogram> histograms;
  std::vector<int64_t> histogram_starts_ms;
  std::vector<SeriesExemplar> exemplars;
  std::vector<MetricMetadata> metadata;

  void Clear() {
    parts.clear();
    floats.clear();
    float_starts_ms.clear();
    histograms.clear();
    histogram_starts_ms.clear();
    exemplars.clear();
    metadata.clear();
  }
};

// What became of a sample (or an exemplar).
enum class SampleVerdict : uint8_t {
  kStored,
  kAlreadyThere,  // the same value at the same time: nothing to do, not an error
  kConflict,      // another value (or kind) is stored at that time: refused
  kTooOld,        // before what the retention period keeps, or outside of the years 1677 to 2262: refused
};

}  // namespace varve
