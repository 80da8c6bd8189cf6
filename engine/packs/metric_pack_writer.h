// Turns sorted samples, series by series, into the blocks and the directory of one metric pack.
//
//   MetricPackWriter writer(options, pending.get());
//   for each tenant, for each series { writer.AddSeries(...); writer.AddSamples(...)+; }
//   writer.Finish() commits the pending pack.
//
// Every span that the samples touch has a block of chunks and one of timelines open at a time; they are
// encoded and handed to the pending pack as they fill. Memory: the open blocks (bounded by open_bytes_max), a
// table of the timelines (about 50 bytes each, timelines_max in a span), and the directory with its labels.
// Threads: thread-compatible.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/codec/metric_block.h"
#include "engine/codec/metric_chunk.h"
#include "engine/packs/metric_pack_directory.h"
#include "engine/packs/pack_store.h"

namespace varve {

struct MetricPackWriterOptions {
  uint32_t block_bytes = 256 << 10;       // a block is closed when the next chunk would pass it
  uint32_t span_samples_max = 1024;       // a series with more of them in a span has it halved
  uint64_t open_bytes_max = 64ULL << 20;  // of all open blocks; beyond it the largest is closed
  uint32_t timelines_max = 1 << 16;       // that are remembered in a span, to be shared
};

class MetricPackWriter {
 public:
  // `pending` must outlive the writer.
  MetricPackWriter(const MetricPackWriterOptions& options, PendingPack* pending);
  ~MetricPackWriter();
  MetricPackWriter(const MetricPackWriter&) = delete;
  MetricPackWriter& operator=(const MetricPackWriter&) = delete;

  // Starts a series: each once; tenants ascending by name, a tenant's series in the order of MetricSeriesLess
  // (anything else is kInvalidArgument).
  Status AddSeries(uint64_t fingerprint, std::string_view tenant, std::string_view canonical_labels);
  // More samples of the series, in a later span of kMetricSpanMs than those before. Floats and histograms
  // ascend each, no time twice, all within kMetricTimestampMin and -Max. Any error is final.
  Status AddSamples(const SeriesSamplesView& samples);

  // Encodes what is left and commits. A pack without samples is kInvalidArgument and commits nothing.
  Result<MetricPackDirectory> Finish();

  uint64_t bytes_written() const { return directory_.encoded_bytes; }  // of closed blocks

 private:
  struct OpenSpan;
  struct SpanKey {
    int64_t begin_ms;
    uint32_t length_ms;
    auto operator<=>(const SpanKey&) const = default;
  };
  OpenSpan* SpanAt(const MetricSpan& span);
  Status AddSpan(const MetricSpan& span, unsigned halvings, const SeriesSamplesView& samples);
  Status AddParts(const MetricSpan& span, SeriesSamplesView samples);
  Status AddChunk(const MetricSpan& span, const SeriesSamplesView& samples);
  Result<uint32_t> Timeline(OpenSpan* span, std::span<const int64_t> ts_ms);
  Status AddBlock(MetricPackBlock block);  // whose bytes are encoded_
  Status CloseChunks(OpenSpan* span);
  Status CloseTimelines(OpenSpan* span);
  Status CloseAllChunks();
  Status RespectOpenBytes();

  const MetricPackWriterOptions options_;
  PendingPack* const pending_;
  MetricPackDirectory directory_;
  std::map<SpanKey, std::unique_ptr<OpenSpan>> spans_;
  uint64_t open_bytes_ = 0;
  bool series_has_samples_ = true;  // the last one; true when there is none
  int64_t last_ts_ms_ = 0;          // of it
  std::string chunk_;               // scratch
  std::string encoded_;             // likewise
  std::vector<int64_t> ts_ms_;      // likewise
};

}  // namespace varve
