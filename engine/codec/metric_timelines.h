// Timelines: the distinct vectors of timestamps of a span, of which each is stored once.
//
// The series of one target are scraped at one time, so a pack has about as many timelines a span as it has
// targets, and a sample's timestamp costs next to nothing. Bytes on disk: docs/format.md, "Timeline block".
// Threads: ParsedTimelines is immutable after Parse; the builder is thread-compatible.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"

namespace varve {

// A pack's samples are grouped into spans of time: [begin, begin + length), aligned to their length.
inline constexpr uint32_t kMetricSpanMs = 7'200'000;  // 2 h; the longest
inline constexpr unsigned kMetricSpanHalvingsMax = 8;

struct MetricSpan {
  int64_t begin_ms = 0;
  uint32_t length_ms = kMetricSpanMs;
  bool Contains(int64_t ts_ms) const {
    return ts_ms >= begin_ms && static_cast<uint64_t>(ts_ms) - static_cast<uint64_t>(begin_ms) < length_ms;
  }
  int64_t last_ms() const { return begin_ms + (length_ms - 1); }
  bool operator==(const MetricSpan&) const = default;
};
// The span of this many halvings that `ts_ms` lies in. `ts_ms` is at least kMetricTimestampMin.
MetricSpan SpanOf(int64_t ts_ms, unsigned halvings);
// Whether it is one that SpanOf gives.
bool IsMetricSpan(const MetricSpan& span);

// Timestamps beyond cannot be put into packs: their span would begin before time does, or end behind it.
inline constexpr int64_t kMetricTimestampMin = INT64_MIN + kMetricSpanMs;
inline constexpr int64_t kMetricTimestampMax = INT64_MAX - kMetricSpanMs;

// Limits of the format: a block that claims more is corrupt.
inline constexpr uint32_t kTimelineSamplesMax = 1 << 16;
inline constexpr uint32_t kTimelinesMax = 1 << 20;  // in a block
inline constexpr uint32_t kMetricBlockBytesMax = 1 << 28;

class TimelineBlockBuilder {
 public:
  // `first`: the number of the block's first timeline.
  TimelineBlockBuilder(const MetricSpan& span, uint32_t first) : span_(span), first_(first) {}
  // `ts_ms`: 1 to kTimelineSamplesMax, ascending, none twice, all in the span. They get the number next().
  void Add(std::span<const int64_t> ts_ms);
  uint32_t first() const { return first_; }
  uint32_t next() const { return first_ + static_cast<uint32_t>(sizes_.size()); }
  size_t size_bytes() const { return timelines_.size() + 3 * sizes_.size(); }  // about
  // Appends the block. The builder is then empty, and goes on with next().
  void Encode(std::string* out);

 private:
  const MetricSpan span_;
  uint32_t first_;
  std::vector<uint32_t> sizes_;  // bytes of each
  std::string timelines_;
  std::vector<int64_t> offsets_;  // scratch
};

// A timeline block whose checksum has been verified. Timelines are decoded on demand, at about the speed of a
// copy.
class ParsedTimelines {
 public:
  // `bytes` live as long as `owner`. kCorruption: they are not a timeline block.
  static Result<ParsedTimelines> Parse(std::string_view bytes, std::shared_ptr<const void> owner);

  const MetricSpan& span() const { return span_; }
  uint32_t first() const { return first_; }
  uint32_t count() const { return static_cast<uint32_t>(ends_.size()); }
  bool Contains(uint32_t timeline) const { return timeline - first_ < ends_.size(); }
  // Appends its timestamps, ascending. kCorruption also when this block does not have it.
  Status Append(uint32_t timeline, std::vector<int64_t>* out) const;
  int64_t MemoryBytes() const;  // with the block's bytes

 private:
  MetricSpan span_;
  uint32_t first_ = 0;
  std::string_view timelines_;
  std::vector<uint32_t> ends_;  // into timelines_
  std::shared_ptr<const void> owner_;
};

// Where a chunk's decoder finds timelines: the blocks of the chunk's own pack and span.
class TimelineSource {
 public:
  virtual ~TimelineSource() = default;
  // The block that has it (MetricPackDirectory::TimelineBlockOf says which).
  virtual Result<std::shared_ptr<const ParsedTimelines>> BlockOf(uint32_t timeline) const = 0;
};

}  // namespace varve
