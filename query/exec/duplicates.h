// Entries that were pushed twice and stand in two slices of their stream.
//
// Where that is possible the younger slice lists the older ones it overlaps (engine/scan.h). Timestamps are
// compared first, merging two sorted columns; lines and metadata are loaded only where times coincide. A
// hidden row of an older slice is nobody's original.
// Threads: thread-compatible; one task uses it.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "query/exec/log_scan.h"
#include "query/exec/source_columns.h"

namespace varve {

class DuplicateFinder {
 public:
  explicit DuplicateFinder(const LogScan& scan) : scan_(scan) {}

  // Removes from `rows` (ascending rows of `slice`, whose source is `columns` with timestamps loaded) those
  // that an older overlapping slice has too.
  Status Remove(const LogSlice& slice, SourceColumns& columns, std::vector<uint32_t>* rows);

  // What reading the older sources took.
  QueryStats stats() const;

 private:
  SourceColumns& Older(uint32_t source);
  // Marks in `drop` the positions in `rows` that `older` has too.
  Status Mark(const LogSlice& older, SourceColumns& columns, const std::vector<uint32_t>& rows,
              std::vector<bool>* drop);

  // Whether readers may see the row; the answer for the whole slice is worked out at the first question.
  Result<bool> Visible(const LogSlice& older, uint32_t row, uint32_t row_count);

  const LogScan& scan_;
  std::map<const LogSlice*, std::vector<uint32_t>> visible_rows_;  // of slices that may hide some
  std::map<uint32_t, std::unique_ptr<SourceColumns>> older_;  // one source serves many slices
  uint64_t removed_ = 0;
};

}  // namespace varve
