// The selected rows of one source in the order of a log query, run through the pipeline one by one.
//
// A block mixes many streams; its slices are merged by time with a heap, so that a query with a limit runs
// the pipeline only over rows that can be in the answer.
// Order: by time, then stream (stream_order.h), then source, then row; all of it reversed for
// Direction::kBackward. Within a stream that is the order of arrival, or exactly its reverse. Threads:
// thread-compatible; one task uses it. Ownership: keeps the source's columns; borrows the scan.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "query/exec/log_scan.h"
#include "query/exec/row_selection.h"
#include "query/exec/source_columns.h"
#include "query/exec/stream_order.h"
#include "query/logql/pipeline.h"

namespace varve {

// Where a row stands among all rows of a query.
struct RowPosition {
  int64_t ts_ns = 0;
  uint32_t stream_rank = 0;
  uint32_t source = 0;
  uint32_t row = 0;

  auto operator<=>(const RowPosition&) const = default;
};

// Whether `a` comes before `b` in the answer.
inline bool ComesBefore(Direction direction, const RowPosition& a, const RowPosition& b) {
  return direction == Direction::kForward ? a < b : b < a;
}

class OrderedRows {
 public:
  // For Open.
  OrderedRows(const LogScan& scan, uint32_t source, Direction direction);

  // Selects the rows of `source` within `range`.
  static Result<std::unique_ptr<OrderedRows>> Open(const LogScan& scan, const StreamOrder& order,
                                                   const LogScan::SourceSlices& source, TimeRange range,
                                                   Direction direction);

  // Whether there is a row at the cursor.
  bool AtEnd() const { return heap_.empty(); }
  const RowPosition& position() const { return heap_.front().position; }
  uint32_t stream() const { return selection_.slices()[heap_.front().slice].slice->stream; }
  // Runs the pipeline on the row at the cursor. False: filtered out. Otherwise line() and labels() are
  // those of the row until the next call.
  Result<bool> Process();
  std::string_view line() const { return runner_.line(); }
  const logql::RowLabels& labels() const { return runner_.labels(); }
  // Loads what stored_line and stored_metadata need.
  Status EnsureStored() { return columns_.Ensure(kLines | kMetadata); }
  // What the row at the cursor was before the pipeline; valid after EnsureStored.
  std::string_view stored_line() const { return columns_.Line(position().row); }
  std::string_view stored_metadata() const { return columns_.Metadata(position().row); }
  void Next();
  // Moves to the first row not before `ts_ns` (forward) or not behind it (backward).
  void SkipTo(int64_t ts_ns);

  // Of the selection and of loading.
  QueryStats stats() const;

 private:
  struct Cursor {
    RowPosition position;
    uint32_t slice = 0;  // in selection_.slices()
    uint32_t left = 0;   // rows, this one included
  };

  void Place(Cursor* cursor) const;
  void Push(const Cursor& cursor);
  bool Later(const Cursor& a, const Cursor& b) const {
    return ComesBefore(direction_, b.position, a.position);
  }

  const LogScan& scan_;
  const Direction direction_;
  SourceColumns columns_;
  RowSelection selection_;
  logql::PipelineRunner runner_;
  uint32_t runner_stream_ = ~uint32_t{0};
  std::vector<Cursor> heap_;  // the next row's cursor in front
  uint64_t passed_ = 0;
};

}  // namespace varve
