#include "query/exec/log_page.h"

#include <algorithm>
#include <tuple>

namespace varve {

template <typename Visit>
Status LogPage::ForEachEntry(int64_t ts_ns, uint64_t hash, Visit visit) const {
  // Slices of the streams with that hash: one stream, but for collisions.
  std::vector<std::tuple<uint32_t, uint32_t, uint32_t>> slices;  // rank, source, slice
  const std::vector<LogSlice>& all = scan_->snapshot().slices();
  const auto& streams = scan_->snapshot().streams();
  for (uint32_t begin = 0; begin < all.size();) {
    uint32_t end = begin;
    while (end < all.size() && all[end].stream == all[begin].stream) ++end;
    const uint32_t stream = all[begin].stream;
    if (StreamOrderHash(*streams[stream].labels) == hash) {
      for (uint32_t i = begin; i < end; ++i) {
        if (all[i].min_ts_ns <= ts_ns && all[i].max_ts_ns >= ts_ns) {
          slices.emplace_back(order_->Rank(stream), all[i].source, i);
        }
      }
    }
    begin = end;
  }
  std::sort(slices.begin(), slices.end());
  const TimeRange instant{ts_ns, ts_ns + 1};
  for (const auto& [rank, source, slice] : slices) {
    VARVE_RETURN_IF_ERROR(scan_->query().CheckAlive());
    const LogScan::SourceSlices one{source, all[slice].min_ts_ns, all[slice].max_ts_ns, {slice}};
    VARVE_ASSIGN_OR_RETURN(const auto rows,
                           OrderedRows::Open(*scan_, *order_, one, instant, Direction::kForward));
    for (; !rows->AtEnd(); rows->Next()) {
      VARVE_ASSIGN_OR_RETURN(const bool passed, rows->Process());
      if (passed && !visit(rows->position())) return Status::Ok();
    }
  }
  return Status::Ok();
}

Result<LogPage> LogPage::Open(const LogScan& scan, const StreamOrder& order, Direction direction,
                              const std::optional<EntryPosition>& after) {
  LogPage page(scan, order, direction);
  if (!after.has_value() || !scan.range().Contains(after->ts_ns)) return page;
  page.after_ = after;
  for (const SelectedStream& stream : scan.snapshot().streams()) {
    page.hashes_.push_back(StreamOrderHash(*stream.labels));
  }
  uint64_t index = 0;
  VARVE_RETURN_IF_ERROR(page.ForEachEntry(after->ts_ns, after->stream_hash, [&](const RowPosition& position) {
    page.boundary_ = position;
    page.boundary_is_named_ = index == after->index;
    return index++ < after->index;
  }));
  return page;
}

bool LogPage::Wants(const RowPosition& position, uint32_t stream) const {
  if (!after_.has_value() || position.ts_ns != after_->ts_ns) return true;
  const uint64_t hash = hashes_[stream];
  if (hash != after_->stream_hash) return hash > after_->stream_hash;
  if (!boundary_.has_value()) return true;
  if (direction_ == Direction::kForward) return *boundary_ < position;
  return boundary_is_named_ ? position < *boundary_ : position <= *boundary_;
}

Result<EntryPosition> LogPage::NameOf(const RowPosition& position, uint32_t stream) const {
  EntryPosition name{position.ts_ns, StreamOrderHash(*scan_->snapshot().streams()[stream].labels), 0};
  VARVE_RETURN_IF_ERROR(ForEachEntry(name.ts_ns, name.stream_hash, [&](const RowPosition& other) {
    if (!(other < position)) return false;
    ++name.index;
    return true;
  }));
  return name;
}

TimeRange RangeBehind(const EntryPosition& after, Direction direction, int64_t interval_ns, TimeRange range) {
  int64_t edge_ns = 0;
  if (direction == Direction::kForward) {
    if (__builtin_add_overflow(after.ts_ns, interval_ns, &edge_ns)) edge_ns = INT64_MAX;
    range.begin_ns = std::max(range.begin_ns, edge_ns);
  } else {
    if (__builtin_sub_overflow(after.ts_ns, interval_ns, &edge_ns)) edge_ns = INT64_MIN;
    if (edge_ns < range.end_ns) range.end_ns = edge_ns + 1;
  }
  if (range.end_ns < range.begin_ns) range.end_ns = range.begin_ns;
  return range;
}

}  // namespace varve
