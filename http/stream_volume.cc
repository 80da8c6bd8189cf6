#include "http/stream_volume.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <ranges>
#include <vector>

namespace varve {
namespace {

int64_t FloorDiv(int64_t value, int64_t divisor) {
  const int64_t quotient = value / divisor;
  return quotient - (value % divisor < 0 ? 1 : 0);
}

// Adds `rows` of one slice, run by run of equal bucket; rows are sorted by time.
template <typename Rows>
void SumRows(const LogColumns& columns, const LogSlice& slice, const Rows& rows, TimeRange range,
             int64_t bucket_ns, const std::function<void(const VolumeCell&)>& add) {
  VolumeCell cell;
  cell.stream = slice.stream;
  for (const uint32_t row : rows) {
    const int64_t ts_ns = columns.timestamps_ns[row];
    if (!range.Contains(ts_ns)) continue;
    const int64_t bucket = bucket_ns == 0 ? 0 : FloorDiv(ts_ns, bucket_ns);
    if (bucket != cell.bucket && cell.entries != 0) {
      add(cell);
      cell.entries = cell.line_bytes = 0;
    }
    cell.bucket = bucket;
    ++cell.entries;
    cell.line_bytes += columns.LineLength(row);
  }
  if (cell.entries != 0) add(cell);
}

}  // namespace

Status SumVolumes(const LogSnapshot& snapshot, TimeRange range, int64_t bucket_ns, MemoryBudget* budget,
                  const CancelToken& cancel, const std::function<void(const VolumeCell&)>& add,
                  VolumeWork* work) {
  const auto counted_add = [&](const VolumeCell& cell) {
    work->entries += cell.entries;
    work->line_bytes += cell.line_bytes;
    add(cell);
  };
  // By source, so that each is loaded once and let go before the next.
  const std::vector<LogSlice>& slices = snapshot.slices();
  std::vector<uint32_t> order(slices.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return slices[a].source < slices[b].source; });
  std::shared_ptr<const LogColumns> columns;
  uint32_t loaded_source = 0;
  for (const uint32_t index : order) {
    const LogSlice& slice = slices[index];
    if (!range.OverlapsSpan(slice.min_ts_ns, slice.max_ts_ns)) continue;
    ++work->slices;
    const int64_t bucket = bucket_ns == 0 ? 0 : FloorDiv(slice.min_ts_ns, bucket_ns);
    const bool one_bucket = bucket_ns == 0 || bucket == FloorDiv(slice.max_ts_ns, bucket_ns);
    if (slice.counts_exact && one_bucket && range.CoversSpan(slice.min_ts_ns, slice.max_ts_ns)) {
      counted_add({slice.stream, bucket, slice.row_end - slice.row_begin, slice.line_bytes});
      continue;
    }
    if (columns == nullptr || loaded_source != slice.source) {
      VARVE_RETURN_IF_ERROR(cancel.Check());
      columns.reset();
      VARVE_ASSIGN_OR_RETURN(columns, snapshot.Load(slice.source, kTimestamps | kLengths, budget));
      loaded_source = slice.source;
      ++work->sources_loaded;
    }
    const uint32_t end = std::max(slice.row_begin, std::min(slice.row_end, columns->row_count));
    const auto all = std::views::iota(slice.row_begin, end);
    if (!slice.may_hide()) {
      SumRows(*columns, slice, all, range, bucket_ns, counted_add);
      continue;
    }
    std::vector<uint32_t> rows(all.begin(), all.end());
    VARVE_RETURN_IF_ERROR(snapshot.DropHidden(slice, budget, &rows));
    SumRows(*columns, slice, rows, range, bucket_ns, counted_add);
  }
  return Status::Ok();
}

}  // namespace varve
