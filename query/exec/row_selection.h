// The rows of one source that a query must look at: those in its time range that pass the leading line
// filters, are not hidden and not duplicates.
//
// Line filters search runs of adjacent slices at once, back to back, whatever streams they belong to.
// Threads: thread-compatible. Ownership: borrows the scan.
#pragma once

#include <span>
#include <vector>

#include "query/exec/log_scan.h"
#include "query/exec/source_columns.h"

namespace varve {

class RowSelection {
 public:
  // Rows of one slice, ascending.
  struct SliceRows {
    const LogSlice* slice = nullptr;
    // Either all rows [begin, end), or those listed in rows()[begin, end).
    bool listed = false;
    uint32_t begin = 0;
    uint32_t end = 0;

    uint32_t size() const { return end - begin; }
  };

  // Selects from `slices` (ascending by row, of the source behind `columns`) within `range`, which must lie
  // in the scan's range. Loads what it needs into `columns`, timestamps always.
  static Result<RowSelection> Select(const LogScan& scan, const std::vector<uint32_t>& slices,
                                     TimeRange range, SourceColumns& columns);

  // Those with at least one row.
  const std::vector<SliceRows>& slices() const { return slices_; }
  uint32_t Row(const SliceRows& slice, uint32_t i) const {
    return slice.listed ? rows_[slice.begin + i] : slice.begin + i;
  }
  // Rows, bytes and duplicates looked at, with what loading older sources took.
  const QueryStats& stats() const { return stats_; }

 private:
  void NarrowByTime(const LogScan& scan, const std::vector<uint32_t>& slices, TimeRange range,
                    const SourceColumns& columns);
  void FilterLines(const LogScan& scan, const SourceColumns& columns);
  Status DropHiddenAndDuplicates(const LogScan& scan, SourceColumns& columns);

  std::vector<SliceRows> slices_;
  std::vector<uint32_t> rows_;
  QueryStats stats_;
};

}  // namespace varve
