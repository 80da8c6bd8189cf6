#include "query/exec/row_selection.h"

#include <algorithm>

#include "query/exec/duplicates.h"

namespace varve {

Result<RowSelection> RowSelection::Select(const LogScan& scan, const std::vector<uint32_t>& slices,
                                          TimeRange range, SourceColumns& columns) {
  RowSelection selection;
  VARVE_RETURN_IF_ERROR(columns.Ensure(scan.pipeline().needs_lines() ? kTimestamps | kLines : kTimestamps));
  selection.NarrowByTime(scan, slices, range, columns);
  if (scan.has_line_filter() && columns.loaded(kLines)) selection.FilterLines(scan, columns);
  VARVE_RETURN_IF_ERROR(selection.DropHiddenAndDuplicates(scan, columns));
  return selection;
}

void RowSelection::NarrowByTime(const LogScan& scan, const std::vector<uint32_t>& slices, TimeRange range,
                                const SourceColumns& columns) {
  const int64_t* timestamps = columns.timestamps();
  const bool head = scan.snapshot().SourceBytesOnDisk(columns.source()) == 0;
  for (const uint32_t index : slices) {
    const LogSlice& slice = scan.slice(index);
    uint32_t begin = slice.row_begin;
    uint32_t end = std::min(slice.row_end, columns.row_count());
    if (begin >= end) continue;
    if (timestamps[begin] < range.begin_ns) {
      begin = static_cast<uint32_t>(std::lower_bound(timestamps + begin, timestamps + end, range.begin_ns) -
                                    timestamps);
    }
    if (begin < end && timestamps[end - 1] >= range.end_ns) {
      end = static_cast<uint32_t>(std::lower_bound(timestamps + begin, timestamps + end, range.end_ns) -
                                  timestamps);
    }
    if (begin >= end) continue;
    slices_.push_back({&slice, false, begin, end});
    stats_.lines_processed += end - begin;
    const uint64_t bytes = columns.loaded(kLengths) ? columns.LineBytes(begin, end) : 0;
    stats_.bytes_processed += bytes;
    if (head) {
      stats_.head_lines += end - begin;
      stats_.head_bytes += bytes;
    }
  }
}

void RowSelection::FilterLines(const LogScan& scan, const SourceColumns& columns) {
  std::vector<SliceRows> filtered;
  for (size_t first = 0; first < slices_.size();) {
    size_t last = first;  // of the run of slices whose rows stand back to back
    while (last + 1 < slices_.size() && slices_[last].end == slices_[last + 1].begin) ++last;
    auto from = static_cast<uint32_t>(rows_.size());
    scan.pipeline().SelectLines(columns.lines(), slices_[first].begin, slices_[last].end, &rows_);
    for (; first <= last; ++first) {
      uint32_t to = from;
      while (to < rows_.size() && rows_[to] < slices_[first].end) ++to;
      if (to != from) filtered.push_back({slices_[first].slice, true, from, to});
      from = to;
    }
  }
  slices_ = std::move(filtered);
}

Status RowSelection::DropHiddenAndDuplicates(const LogScan& scan, SourceColumns& columns) {
  DuplicateFinder finder(scan);
  bool touched = false;
  std::vector<uint32_t> rows;
  for (SliceRows& slice : slices_) {
    if (slice.slice->older_overlapping.empty() && !slice.slice->may_hide()) continue;
    rows.clear();
    for (uint32_t i = 0; i < slice.size(); ++i) rows.push_back(Row(slice, i));
    VARVE_RETURN_IF_ERROR(scan.snapshot().DropHidden(*slice.slice, scan.query().budget(), &rows));
    VARVE_RETURN_IF_ERROR(finder.Remove(*slice.slice, columns, &rows));
    touched = true;
    if (rows.size() == slice.size()) continue;
    slice.listed = true;
    slice.begin = static_cast<uint32_t>(rows_.size());
    rows_.insert(rows_.end(), rows.begin(), rows.end());
    slice.end = static_cast<uint32_t>(rows_.size());
  }
  if (!touched) return Status::Ok();
  std::erase_if(slices_, [](const SliceRows& slice) { return slice.size() == 0; });
  const QueryStats found = finder.stats();
  stats_.duplicates += found.duplicates;
  stats_.sources_loaded += found.sources_loaded;
  stats_.bytes_on_disk_read += found.bytes_on_disk_read;
  return Status::Ok();
}

}  // namespace varve
