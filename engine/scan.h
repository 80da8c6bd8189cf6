// Reading log entries: a snapshot of the streams that match, cut into slices, loaded column by column.
//
//   auto snapshot = engine.SnapshotLogs(tenant, matchers, range);
//   for (const LogSlice& slice : snapshot->slices()) {
//     auto columns = snapshot->Load(slice.source, kTimestamps | kLines, budget);
//     LogRows rows = columns->RowsOf(slice) ...
//   }
//
// A *source* is a block of a pack or a piece of a head; a *slice* is one stream's rows in one source.
// Every entry of the snapshot lies in exactly one slice, except for *duplicates*: the same entry
// pushed twice may stand in two slices of its stream. Where that is possible, the younger slice lists
// the older ones that overlap it in time (`older_overlapping`), and the reader drops the rows that an
// older slice has too (query/exec/duplicates.h). Within one slice rows are unique and sorted by time;
// rows of equal time keep their order of arrival. Among slices of one stream, a lower `source` arrived
// earlier.
//
// Some rows may be *hidden*: a delete request covers them, or their stream's retention has passed, and
// they are only still there because no compaction has removed them yet. The slice says that it may hold
// such rows (`may_hide`), and DropHidden takes them out. A hidden row is nobody's original: an entry that
// was deleted and pushed again is seen, so hidden rows of *older* slices do not count either.
//
// Threads: LogSnapshot and LogColumns are immutable and thread-safe. A snapshot keeps what it shows
// readable until it is destroyed, whatever cuts, retention and flushes do meanwhile.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/append_batch.h"
#include "engine/base/memory_budget.h"
#include "engine/base/status.h"
#include "engine/base/time.h"
#include "engine/model/labels.h"

namespace varve {

// Bits of the columns a reader wants.
using ColumnMask = uint32_t;
inline constexpr ColumnMask kTimestamps = 1;
inline constexpr ColumnMask kLengths = 2;
inline constexpr ColumnMask kLines = 4;  // implies kLengths
inline constexpr ColumnMask kMetadata = 8;

// The decoded rows of one source. Columns that were not asked for are empty.
struct LogColumns {
  // What every reader may touch behind the last line, so that wide loads stay in bounds.
  static constexpr size_t kLinePaddingBytes = 64;

  uint32_t row_count = 0;
  std::vector<int64_t> timestamps_ns;
  // row_count + 1 offsets: line i is lines[line_offsets[i], line_offsets[i + 1]).
  std::vector<uint32_t> line_offsets;
  std::vector<char> lines;  // all lines, back to back, then kLinePaddingBytes zeros
  // Metadata of row i is metadata_sets[metadata_codes[i]], encoded as in model/log_entry.h. Empty
  // codes mean that no row has metadata. Few sets serve many rows unless values are high-cardinality.
  std::vector<uint32_t> metadata_codes;
  std::vector<std::string_view> metadata_sets;
  std::vector<char> metadata_bytes;  // what metadata_sets points into

  std::string_view Line(uint32_t row) const {
    return {lines.data() + line_offsets[row], line_offsets[row + 1] - line_offsets[row]};
  }
  uint32_t LineLength(uint32_t row) const { return line_offsets[row + 1] - line_offsets[row]; }
  std::string_view Metadata(uint32_t row) const {
    return metadata_codes.empty() ? std::string_view() : metadata_sets[metadata_codes[row]];
  }
  // Heap bytes, for budgets.
  int64_t MemoryBytes() const {
    return static_cast<int64_t>(sizeof(*this) + timestamps_ns.capacity() * sizeof(int64_t) +
                                line_offsets.capacity() * sizeof(uint32_t) + lines.capacity() +
                                metadata_codes.capacity() * sizeof(uint32_t) +
                                metadata_sets.capacity() * sizeof(std::string_view) + metadata_bytes.capacity());
  }
};

struct LogSlice {
  uint32_t stream = 0;  // index into LogSnapshot::streams()
  uint32_t source = 0;
  // Rows in the source's columns. For a head's source, an upper bound until it is loaded: clamp
  // row_end to LogColumns::row_count.
  uint32_t row_begin = 0;
  uint32_t row_end = 0;
  uint64_t line_bytes = 0;
  int64_t min_ts_ns = 0;
  int64_t max_ts_ns = 0;
  // Whether row_end - row_begin and line_bytes are exact: then counting needs no column.
  bool counts_exact = false;
  // 0, or what may hide rows of this slice: the snapshot's own number for it. Then counts are not exact.
  uint32_t hiding = 0;
  // Indexes of slices of the same stream with lower `source` whose time spans touch this one's.
  std::vector<uint32_t> older_overlapping;

  bool may_hide() const { return hiding != 0; }
};

struct SelectedStream {
  StreamOrdinal ordinal = 0;
  const Labels* labels = nullptr;  // owned by the engine's stream table, which outlives the snapshot
};

class LogSnapshot {
 public:
  virtual ~LogSnapshot() = default;

  // Sorted by labels.
  virtual const std::vector<SelectedStream>& streams() const = 0;
  // Those that touch the range asked for, grouped by stream, in ascending order of source.
  virtual const std::vector<LogSlice>& slices() const = 0;
  virtual uint32_t source_count() const = 0;
  // A name for errors and statistics: "pack 12 block 3" or "head of shard 5".
  virtual std::string SourceName(uint32_t source) const = 0;
  // Bytes the source's columns take on disk; 0 for a head.
  virtual uint64_t SourceBytesOnDisk(uint32_t source) const = 0;

  // Decodes (or finds in the block cache) at least the columns in `want`. The result counts against
  // `budget` for as long as it lives, unless it is the cache's own. kCorruption names the block.
  virtual Result<std::shared_ptr<const LogColumns>> Load(uint32_t source, ColumnMask want,
                                                         MemoryBudget* budget) const = 0;

  // Takes out of `rows`, ascending rows of `slice`, those that readers must not see. Loads what it has to
  // look at; does nothing unless slice.may_hide().
  virtual Status DropHidden(const LogSlice& slice, MemoryBudget* budget, std::vector<uint32_t>* rows) const = 0;
};

}  // namespace varve
