#include "query/exec/ordered_rows.h"

#include <algorithm>

namespace varve {

OrderedRows::OrderedRows(const LogScan& scan, uint32_t source, Direction direction)
    : scan_(scan),
      direction_(direction),
      columns_(scan.snapshot(), source, scan.query()),
      runner_(scan.pipeline()) {}

Result<std::unique_ptr<OrderedRows>> OrderedRows::Open(const LogScan& scan, const StreamOrder& order,
                                                       const LogScan::SourceSlices& source, TimeRange range,
                                                       Direction direction) {
  auto rows = std::make_unique<OrderedRows>(scan, source.source, direction);
  if (!scan.has_line_filter()) VARVE_RETURN_IF_ERROR(rows->columns_.Ensure(kTimestamps | kLines | kMetadata));
  VARVE_ASSIGN_OR_RETURN(rows->selection_, RowSelection::Select(scan, source.slices, range, rows->columns_));
  const auto& slices = rows->selection_.slices();
  rows->heap_.reserve(slices.size());
  for (uint32_t i = 0; i < slices.size(); ++i) {
    Cursor cursor;
    cursor.slice = i;
    cursor.left = slices[i].size();
    cursor.position.stream_rank = order.Rank(slices[i].slice->stream);
    cursor.position.source = source.source;
    rows->Place(&cursor);
    rows->heap_.push_back(cursor);
  }
  std::make_heap(rows->heap_.begin(), rows->heap_.end(),
                 [&](const Cursor& a, const Cursor& b) { return rows->Later(a, b); });
  return rows;
}

void OrderedRows::Place(Cursor* cursor) const {
  const RowSelection::SliceRows& slice = selection_.slices()[cursor->slice];
  const uint32_t i = direction_ == Direction::kForward ? slice.size() - cursor->left : cursor->left - 1;
  cursor->position.row = selection_.Row(slice, i);
  cursor->position.ts_ns = columns_.timestamps()[cursor->position.row];
}

void OrderedRows::Push(const Cursor& cursor) {
  heap_.push_back(cursor);
  std::push_heap(heap_.begin(), heap_.end(),
                 [this](const Cursor& a, const Cursor& b) { return Later(a, b); });
}

void OrderedRows::Next() {
  std::pop_heap(heap_.begin(), heap_.end(), [this](const Cursor& a, const Cursor& b) { return Later(a, b); });
  Cursor cursor = heap_.back();
  heap_.pop_back();
  if (--cursor.left == 0) return;
  Place(&cursor);
  Push(cursor);
}

void OrderedRows::SkipTo(int64_t ts_ns) {
  const auto before = [&](const RowPosition& position) {
    return direction_ == Direction::kForward ? position.ts_ns < ts_ns : position.ts_ns > ts_ns;
  };
  while (!AtEnd() && before(position())) {
    std::pop_heap(heap_.begin(), heap_.end(),
                  [this](const Cursor& a, const Cursor& b) { return Later(a, b); });
    Cursor cursor = heap_.back();
    heap_.pop_back();
    while (cursor.left != 0 && before(cursor.position)) {
      if (--cursor.left != 0) Place(&cursor);
    }
    if (cursor.left != 0) Push(cursor);
  }
}

Result<bool> OrderedRows::Process() {
  VARVE_RETURN_IF_ERROR(columns_.Ensure(kLines | kMetadata));
  const RowPosition& at = position();
  if (stream() != runner_stream_) {
    runner_stream_ = stream();
    runner_.SetStream(scan_.StreamLabels(runner_stream_));
  }
  const bool passed = runner_.Process(at.ts_ns, columns_.Line(at.row), columns_.Metadata(at.row));
  passed_ += passed ? 1 : 0;
  return passed;
}

QueryStats OrderedRows::stats() const {
  QueryStats stats = selection_.stats();
  stats.sources_loaded += columns_.stats().sources_loaded;
  stats.bytes_on_disk_read += columns_.stats().bytes_on_disk_read;
  stats.lines_after_filters += passed_;
  return stats;
}

}  // namespace varve
