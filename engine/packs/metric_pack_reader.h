// Reads a metric pack series by series, ascending, past all caches: for merging and verifying.
//
// Keeps, for each span, the last block of chunks and of timelines that was needed; in ascending order of
// series each block is read once. Memory: those blocks, about half a MiB a span. Threads: thread-compatible.
// Ownership: store and directory must outlive it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "engine/base/status.h"
#include "engine/codec/metric_block.h"
#include "engine/metric_scan.h"
#include "engine/packs/metric_pack_directory.h"
#include "engine/packs/pack_store.h"

namespace varve {

class MetricPackReader {
 public:
  MetricPackReader(const PackStore* store, const PackId& id, const MetricPackDirectory* directory)
      : store_(store), id_(id), directory_(directory) {}

  // Appends the series' samples in the range, ascending. Errors name pack and block.
  Status Read(uint32_t series, MetricRange range, SeriesSamples* append);
  // Parses a block, which must be what the directory says.
  Result<std::shared_ptr<const ParsedMetricBlock>> ReadChunks(uint32_t block);
  Result<std::shared_ptr<const ParsedTimelines>> ReadTimelines(uint32_t block);
  // The source of timelines of a span, valid until the next call of anything here.
  const TimelineSource& TimelinesOf(const MetricSpan& span);
  // Forgets blocks of spans that end before this time.
  void ForgetBefore(int64_t ts_ms);
  uint64_t bytes_read() const { return bytes_read_; }

 private:
  struct SpanKey {
    int64_t begin_ms;
    uint32_t length_ms;
    auto operator<=>(const SpanKey&) const = default;
  };
  template <typename T>
  struct Kept {
    uint32_t block = 0;
    std::shared_ptr<const T> parsed;
  };
  class Timelines : public TimelineSource {
   public:
    Result<std::shared_ptr<const ParsedTimelines>> BlockOf(uint32_t timeline) const override;
    MetricPackReader* reader = nullptr;
    MetricSpan span;
  };
  Result<PackBytes> ReadBlock(uint32_t block);

  const PackStore* const store_;
  const PackId id_;
  const MetricPackDirectory* const directory_;
  std::map<SpanKey, Kept<ParsedMetricBlock>> chunks_;
  std::map<SpanKey, std::vector<Kept<ParsedTimelines>>> timelines_;
  Timelines source_;
  std::vector<uint32_t> found_;  // scratch
  uint64_t bytes_read_ = 0;
};

}  // namespace varve
