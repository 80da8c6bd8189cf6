// A metrics request after its wire form was decoded: series with raw labels, and their samples in the vectors that
// the engine takes.
//
// Samples, histograms, exemplars and metadata are numbered through the body, each kind from 0 in the order of the
// vectors here: what was refused is remembered by these numbers (docs/format.md, "Journal record"), so decoding
// must give the same vectors every time.
// Ownership: views point into the request's body, its decoded form or its arena.
// Threads: thread-compatible.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/metric_batch.h"
#include "ingest/decode_memory.h"

namespace varve {

enum class SeriesLabelForm : uint8_t {
  kMessages,   // the Label fields of a remote write 1.0 TimeSeries, tags and lengths included
  kSymbols,    // varints: numbers of symbols, name and value in turn
  kCanonical,  // PackedLabels::canonical(), but not judged yet; may hold duplicates and need not be sorted
};

struct DecodedMetrics {
  struct Series {
    std::string_view labels;  // in the form `label_form`
    uint32_t float_begin = 0;
    uint32_t float_count = 0;
    uint32_t histogram_begin = 0;
    uint32_t histogram_count = 0;
    uint32_t exemplar_begin = 0;
    uint32_t exemplar_count = 0;
    bool empty() const { return float_count == 0 && histogram_count == 0 && exemplar_count == 0; }
  };
  struct RawExemplar {
    std::string_view labels;  // as of a series
    double value = 0;
    int64_t ts_ms = 0;
  };
  struct Metadata {
    std::string_view metric;  // remote write 2.0: empty, the name is that of `series`
    uint32_t series = 0;
    MetricType type = MetricType::kUnknown;
    std::string_view help;
    std::string_view unit;
    uint32_t help_symbol = 0;  // remote write 2.0
    uint32_t unit_symbol = 0;
  };
  // A part of the request that could not be read; the rest counts. Not numbered: decoding gives it again.
  struct Problem {
    std::string text;
    uint64_t samples = 0;
  };

  SeriesLabelForm label_form = SeriesLabelForm::kMessages;
  bool metadata_of_series = false;          // remote write 2.0
  bool empty_series_are_errors = false;     // remote write 2.0
  std::vector<std::string_view> symbols;    // remote write 2.0
  std::vector<Series> series;
  std::vector<Sample> floats;
  std::vector<int64_t> float_starts_ms;     // empty, or as long as `floats`
  std::vector<MetricBatch::Histogram> histograms;
  std::vector<int64_t> histogram_starts_ms;
  std::vector<RawExemplar> exemplars;
  std::vector<Metadata> metadata;
  std::vector<Problem> problems;

  // Starts a series behind those there are; its samples are the ones added until the next one starts.
  Series BeginSeries() const {
    Series next;
    next.float_begin = static_cast<uint32_t>(floats.size());
    next.histogram_begin = static_cast<uint32_t>(histograms.size());
    next.exemplar_begin = static_cast<uint32_t>(exemplars.size());
    return next;
  }
  void EndSeries(Series* of) const {
    of->float_count = static_cast<uint32_t>(floats.size()) - of->float_begin;
    of->histogram_count = static_cast<uint32_t>(histograms.size()) - of->histogram_begin;
    of->exemplar_count = static_cast<uint32_t>(exemplars.size()) - of->exemplar_begin;
  }
};

// Adds the start timestamp of sample number `index`; the list begins with the first sample that has one.
inline Status AddStartMs(std::vector<int64_t>* starts, size_t index, int64_t start_ms, DecodeMemory* memory) {
  if (start_ms == kNoStartMs && starts->empty()) return Status::Ok();
  while (starts->size() < index) VARVE_RETURN_IF_ERROR(PushBack(starts, kNoStartMs, memory));
  return PushBack(starts, start_ms, memory);
}

}  // namespace varve
