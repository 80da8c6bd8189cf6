#include "engine/hidden_rows.h"

#include <algorithm>

namespace varve {

bool LiveDelete::Concerns(const PackSummary& pack) const {
  return pack.origin <= request.through && OverlapsSpan(pack.min_ts_ns, pack.max_ts_ns) &&
         !std::binary_search(pack.deletes_applied.begin(), pack.deletes_applied.end(), request.number);
}

bool RowHiding::HidesNone(int64_t min_ts_ns, int64_t max_ts_ns) const {
  return min_ts_ns >= before_ns && std::none_of(deletes.begin(), deletes.end(), [&](const auto& live) {
           return live->OverlapsSpan(min_ts_ns, max_ts_ns);
         });
}

bool RowHiding::HidesAll(int64_t min_ts_ns, int64_t max_ts_ns) const {
  return max_ts_ns < before_ns || std::any_of(deletes.begin(), deletes.end(), [&](const auto& live) {
           return live->CoversSpan(min_ts_ns, max_ts_ns);
         });
}

ColumnMask RowHiding::columns() const {
  ColumnMask columns = kTimestamps;
  for (const LiveDeletePtr& live : deletes) columns |= live->filter->columns();
  return columns;
}

void RowHiding::Drop(const Labels& stream, const LogColumns& columns, std::vector<uint32_t>* rows) const {
  const auto past = std::partition_point(rows->begin(), rows->end(), [&](uint32_t row) {
    return columns.timestamps_ns[row] < before_ns;
  });
  rows->erase(rows->begin(), past);
  std::vector<uint32_t> taken;
  for (const LiveDeletePtr& live : deletes) {
    const auto begin = std::partition_point(rows->begin(), rows->end(), [&](uint32_t row) {
      return columns.timestamps_ns[row] < live->request.start_ns;
    });
    const auto end = std::partition_point(
        begin, rows->end(), [&](uint32_t row) { return columns.timestamps_ns[row] <= live->request.end_ns; });
    if (begin == end) continue;
    if (live->filter->columns() == 0) {
      rows->erase(begin, end);
      continue;
    }
    taken.assign(begin, end);
    live->filter->TakeRows(stream, columns, &taken);
    if (taken.empty()) continue;
    std::vector<uint32_t> kept;
    kept.reserve(rows->size() - taken.size());
    std::set_difference(rows->begin(), rows->end(), taken.begin(), taken.end(), std::back_inserter(kept));
    *rows = std::move(kept);
  }
}

}  // namespace varve
