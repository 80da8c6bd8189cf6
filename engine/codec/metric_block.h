// A metric block: the chunks of many series of one tenant in one span of time.
//
// Bytes on disk: docs/format.md, "Metric block". The checksum is verified once, by Parse; after that any
// chunk can be decoded alone, found by its series' number (the index in the pack directory's table) in a
// binary search. Threads: ParsedMetricBlock is immutable after Parse; the builder is thread-compatible.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/codec/metric_chunk.h"
#include "engine/codec/metric_timelines.h"
#include "engine/metric_scan.h"

namespace varve {

class MetricBlockBuilder {
 public:
  explicit MetricBlockBuilder(const MetricSpan& span) : span_(span) {}
  // Series must not descend; a second chunk of a series holds later samples. `chunk` as EncodeMetricChunk
  // made it.
  void Add(uint32_t series, std::string_view chunk);
  bool empty() const { return chunk_count_ == 0; }
  uint32_t chunk_count() const { return chunk_count_; }
  uint32_t first_series() const { return first_series_; }
  uint32_t last_series() const { return last_series_; }
  size_t size_bytes() const {
    return kFrameBytes + index_.size() + chunks_.size();
  }  // as Encode will write it
  // Appends the block; the builder is then empty.
  void Encode(std::string* out);

 private:
  static constexpr size_t kFrameBytes = 40;  // header and checksum
  const MetricSpan span_;
  uint32_t chunk_count_ = 0;
  uint32_t first_series_ = 0;
  uint32_t last_series_ = 0;
  std::string index_;
  std::string chunks_;
};

class ParsedMetricBlock {
 public:
  // `bytes` live as long as `owner`. kCorruption: they are not a metric block.
  static Result<ParsedMetricBlock> Parse(std::string_view bytes, std::shared_ptr<const void> owner);

  const MetricSpan& span() const { return span_; }
  uint32_t chunk_count() const { return static_cast<uint32_t>(entries_.size()); }
  // The series of a chunk, ascending by chunk.
  uint32_t SeriesOf(uint32_t chunk) const { return entries_[chunk].series; }

  // Appends the series' samples in `range`, ascending; nothing when the block has none of it.
  Status Read(uint32_t series, MetricRange range, const TimelineSource& timelines,
              SeriesSamples* append) const;
  // The same for one chunk by its number.
  Status ReadChunk(uint32_t chunk, MetricRange range, const TimelineSource& timelines,
                   SeriesSamples* append) const;
  int64_t MemoryBytes() const;  // with the block's bytes

 private:
  struct Entry {
    uint32_t series;
    uint32_t end;  // into chunks_
  };
  MetricSpan span_;
  std::vector<Entry> entries_;
  std::string_view chunks_;
  size_t bytes_ = 0;
  std::shared_ptr<const void> owner_;
};

}  // namespace varve
