// What a metric pack holds: its series and its blocks. One shard, one day of UTC.
//
// Bytes on disk: docs/format.md, "Metric pack directory". Self-contained: series are named by tenant and
// labels. A series' number is its index in the table; series ascend by (tenant's name, MetricSeriesLess), so
// those of one metric stand together, and so do they in the blocks. Memory: 8 bytes a series without labels
// (which most readers do not need), about 80 a block. Threads: a value; share const.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/status.h"
#include "engine/codec/metric_timelines.h"
#include "engine/metric_scan.h"
#include "engine/packs/pack_id.h"
#include "engine/packs/pack_store.h"

namespace varve {

// Limits of the format: a directory that claims more is corrupt.
inline constexpr uint32_t kMetricPackBlocksMax = 1 << 20;
inline constexpr uint32_t kMetricPackSeriesMax = 1 << 24;
inline constexpr uint32_t kMetricPackLabelBytesMax = 1 << 30;  // canonical, of all series
inline constexpr uint32_t kMetricPackTenantsMax = 1 << 20;

// Length of a metric pack's bucket.
inline constexpr int64_t kMetricBucketMs = 24LL * 3600 * 1000;
inline constexpr int64_t kMetricBucketNs = kMetricBucketMs * 1'000'000;
// PackId::bucket of samples of this time: the day, clamped to 32 bits.
int32_t MetricBucketOf(int64_t ts_ms);

// The order of series within a tenant: by metric name, then by canonical label bytes.
bool MetricSeriesLess(std::string_view canonical_a, std::string_view canonical_b);

enum class MetricBlockKind : uint8_t { kTimelines = 0, kChunks = 1 };

struct MetricPackBlock {
  MetricBlockKind kind = MetricBlockKind::kChunks;
  MetricSpan span;
  uint32_t encoded_bytes = 0;
  // Of kTimelines. Timelines are numbered from 0 within a span (and length).
  uint32_t first_timeline = 0;
  uint32_t timeline_count = 0;
  // Of kChunks; all of one tenant's series.
  uint32_t first_series = 0;
  uint32_t last_series = 0;
  uint32_t chunk_count = 0;
  uint64_t floats = 0;
  uint64_t histograms = 0;
  int64_t min_ts_ms = 0;
  int64_t max_ts_ms = 0;
  bool operator==(const MetricPackBlock&) const = default;
};

struct MetricPackDirectory {
  std::vector<std::string> tenants;      // names, ascending
  std::vector<uint32_t> tenant_ends;     // behind each tenant's last series
  std::vector<uint64_t> fingerprints;    // of each series
  std::string label_bytes;               // canonical, one series after another; empty when not asked for
  std::vector<uint32_t> label_ends;      // into label_bytes, likewise
  std::vector<MetricPackBlock> blocks;   // block i of the pack
  std::vector<uint32_t> chunk_order;     // blocks of chunks by (span begin, length, first series)
  std::vector<uint32_t> timeline_order;  // blocks of timelines by (span begin, length, first timeline)
  uint64_t floats = 0;
  uint64_t histograms = 0;
  uint64_t encoded_bytes = 0;  // of the blocks
  int64_t min_ts_ms = 0;
  int64_t max_ts_ms = 0;

  uint32_t series_count() const { return static_cast<uint32_t>(fingerprints.size()); }
  uint32_t TenantOf(uint32_t series) const;  // index into tenants
  std::string_view LabelsOf(uint32_t series) const {
    const uint32_t begin = series == 0 ? 0 : label_ends[series - 1];
    return std::string_view(label_bytes).substr(begin, label_ends[series] - begin);
  }
  // Appends the numbers of the blocks that may have samples of the series in the range, in order of time.
  void FindChunks(uint32_t series, MetricRange range, std::vector<uint32_t>* blocks) const;
  // The number of the block that has a timeline of `span`.
  std::optional<uint32_t> TimelineBlockOf(const MetricSpan& span, uint32_t timeline) const;
  int64_t MemoryBytes() const;
  bool operator==(const MetricPackDirectory&) const = default;
};

// Fills in what follows from the rest: orders and totals. kCorruption: blocks overlap.
Status FinishMetricPackDirectory(MetricPackDirectory* directory);

enum class MetricLabels : uint8_t { kSkip, kRead };

// `chunk_order`, `timeline_order` and the totals follow from the rest and are not looked at.
void EncodeMetricPackDirectory(const MetricPackDirectory& directory, std::string* out);
// Checks magic, version, checksum, and that all numbers fit together.
Result<MetricPackDirectory> DecodeMetricPackDirectory(std::string_view bytes, MetricLabels labels);
// The labels of a pack's series one after another, without holding all of them.
class MetricLabelReader {
 public:
  // `directory`: the bytes of a directory.
  static Result<MetricLabelReader> Open(std::string_view directory);
  // `encoded`: the directory's part of labels, decompressed.
  explicit MetricLabelReader(std::string encoded)
      : encoded_(std::make_unique<std::string>(std::move(encoded))) {}
  // Steps to the next series, the first one to begin with. False when there is none, or the bytes are
  // damaged.
  bool Next();
  std::string_view labels() const { return labels_; }  // canonical; valid until the next step
  bool AtEnd() const { return offset_ == encoded_->size(); }

 private:
  std::unique_ptr<const std::string> encoded_;
  size_t offset_ = 0;
  std::string labels_;
};

// Reads and decodes that of a pack; errors as PackStore::ReadBlock, or kCorruption; all name the pack.
Result<MetricPackDirectory> ReadMetricPackDirectory(const PackStore& store, const PackId& id,
                                                    MetricLabels labels);

}  // namespace varve
