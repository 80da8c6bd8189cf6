// Where a page of a log query ends, and where the next one goes on.
//
// Entries are ordered by time, then by a hash of their stream, then by arrival (stream_order.h). A position
// must outlive its snapshot, in which streams and blocks have numbers of their own; so an entry is named by
// its time, its stream's hash and its index, counted from the first to arrive, among the query's entries of
// that nanosecond and stream. Entries that arrive later come behind in that count, so a position stands
// whatever is appended, cut or compacted meanwhile. Only a delete that hides entries of the very nanosecond
// and stream moves it. Threads: thread-safe once constructed; borrows scan and order.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "query/exec/log_scan.h"
#include "query/exec/ordered_rows.h"
#include "query/exec/stream_order.h"

namespace varve {

class LogPage {
 public:
  // The page behind `after` (none: the first).
  static Result<LogPage> Open(const LogScan& scan, const StreamOrder& order, Direction direction,
                              const std::optional<EntryPosition>& after);

  // Whether the row belongs to this page or a later one.
  bool Wants(const RowPosition& position, uint32_t stream) const;
  // The name of an entry that the page ends with.
  Result<EntryPosition> NameOf(const RowPosition& position, uint32_t stream) const;

 private:
  LogPage(const LogScan& scan, const StreamOrder& order, Direction direction)
      : scan_(&scan), order_(&order), direction_(direction) {}

  // Calls visit(position) for the query's entries of this time and hash, the first to arrive first, until it
  // answers false.
  template <typename Visit>
  Status ForEachEntry(int64_t ts_ns, uint64_t hash, Visit visit) const;

  const LogScan* scan_;
  const StreamOrder* order_;
  Direction direction_;
  std::optional<EntryPosition> after_;
  std::vector<uint64_t> hashes_;  // by stream, when there is an `after_`
  // The entry that `after_` names, or the last before it that is still there; none: all of them lie behind it
  // in arrival.
  std::optional<RowPosition> boundary_;
  bool boundary_is_named_ = false;
};

// What of `range` a page behind `after` can hold. With an interval, nothing closer than that.
TimeRange RangeBehind(const EntryPosition& after, Direction direction, int64_t interval_ns, TimeRange range);

}  // namespace varve
