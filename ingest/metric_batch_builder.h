// From decoded metrics to the batch for the store, leaving out what is refused, and to the list of what that was.
//
// Numbers are those of the decoded vectors. Call order: refuse and add, BuildParts (which takes the samples out of
// the decoded form), then the rest.
// Threads: thread-compatible. Ownership: the scratch must outlive this.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/metric_store.h"
#include "ingest/decode_memory.h"
#include "ingest/metric_refusals.h"
#include "ingest/metric_scratch.h"

namespace varve {

class MetricBatchBuilder {
 public:
  explicit MetricBatchBuilder(MetricScratch* scratch) : scratch_(*scratch) {}

  void RefuseFloat(uint32_t number) { Mark(&floats_, scratch_.decoded.floats.size(), number); }
  void RefuseHistogram(uint32_t number) { Mark(&histograms_, scratch_.decoded.histograms.size(), number); }
  void RefuseExemplar(uint32_t number) { Mark(&exemplars_, scratch_.decoded.exemplars.size(), number); }
  // All that a series has.
  void RefuseSeries(const DecodedMetrics::Series& series);
  // Refuses what a journal record says was refused.
  void TakeRejects(const RejectList& rejects);

  bool IsExemplarRefused(uint32_t number) const { return Marked(exemplars_, number); }
  bool AnyLeft(const DecodedMetrics::Series& series) const;
  uint64_t SamplesLeft() const;

  // Adds an exemplar of a series that has an ordinal, with the labels in scratch->labels.
  void AddExemplar(uint32_t series, uint32_t number);
  // Adds the metadata that `seen` (may be null) does not have; what is longer than `length_max` is refused and told
  // to `refusals` (may be null).
  Status AddMetadata(const SeriesAliasTable* seen, const SeriesAliasTable& hashes, std::string_view tenant,
                     uint32_t length_max, MetricRefusals* refusals, DecodeMemory* memory);
  // After the metadata is stored.
  void RememberMetadata(SeriesAliasTable* seen) const;

  void BuildParts();
  bool empty() const {
    const MetricBatch& batch = scratch_.batch;
    return batch.parts.empty() && batch.exemplars.empty() && batch.metadata.empty();
  }

  // Fills scratch->rejects: what was refused here, and what the store (null: not asked) does not need to see again.
  void EncodeRejects(const MetricVerdicts* verdicts);

  // Calls fn(series, is_histogram, index in the batch's floats or histograms) for each sample of the batch.
  template <typename Fn>
  void ForEachSample(Fn&& fn) const {
    size_t float_index = 0;
    size_t histogram_index = 0;
    for (size_t s = 0; s < scratch_.decoded.series.size(); ++s) {
      const DecodedMetrics::Series& series = scratch_.decoded.series[s];
      for (uint32_t i = series.float_begin; i < series.float_begin + series.float_count; ++i) {
        if (!Marked(floats_, i)) fn(s, false, float_index++);
      }
      for (uint32_t i = series.histogram_begin; i < series.histogram_begin + series.histogram_count; ++i) {
        if (!Marked(histograms_, i)) fn(s, true, histogram_index++);
      }
    }
  }

 private:
  using Marks = std::vector<bool>;  // empty: none

  static void Mark(Marks* marks, size_t size, uint32_t number) {
    if (marks->empty()) marks->resize(size);
    (*marks)[number] = true;
  }
  static bool Marked(const Marks& marks, uint32_t number) { return !marks.empty() && marks[number]; }
  void BuildPart(SeriesOrdinal ordinal, const DecodedMetrics::Series& series, uint32_t* floats_out,
                 uint32_t* histograms_out);
  bool IsKnownMetadata(const DecodedMetrics::Metadata& raw);
  std::string_view NameOfSeries(uint32_t series);

  MetricScratch& scratch_;
  Marks floats_;
  Marks histograms_;
  Marks exemplars_;
  Marks metadata_;
  std::vector<SeriesAliasTable::Key> metadata_keys_;
  uint32_t float_total_ = 0;  // of the body; after BuildParts
  uint32_t histogram_total_ = 0;
};

}  // namespace varve
