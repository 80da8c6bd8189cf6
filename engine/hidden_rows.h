// Which rows of a stream readers must not see, although they are still stored: those of delete requests,
// and those older than their stream's retention.
//
// Readers (snapshot_builder.cc) and compaction, which leaves such rows out of what it writes, decide by
// the same code. Threads: values over immutable requests; thread-safe.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string_view>
#include <vector>

#include "engine/append_batch.h"
#include "engine/delete_request.h"
#include "engine/model/labels.h"
#include "engine/pack_catalog.h"
#include "engine/row_filter.h"
#include "engine/scan.h"

namespace varve {

// A request that hides rows.
struct LiveDelete {
  DeleteRequest request;
  TenantId tenant = 0;
  std::shared_ptr<const RowFilter> filter;

  // Whether it may hide rows of the pack: the pack's rows were stored when it came, share an instant with
  // it, and have not been through a compaction that applied it.
  bool Concerns(const PackSummary& pack) const;
  // Whether it covers every row of that span, of a stream that its filter takes.
  bool CoversSpan(int64_t min_ts_ns, int64_t max_ts_ns) const {
    return filter->columns() == 0 && min_ts_ns >= request.start_ns && max_ts_ns <= request.end_ns;
  }
  bool OverlapsSpan(int64_t min_ts_ns, int64_t max_ts_ns) const {
    return max_ts_ns >= request.start_ns && min_ts_ns <= request.end_ns;
  }
};
using LiveDeletePtr = std::shared_ptr<const LiveDelete>;
using LiveDeletes = std::vector<LiveDeletePtr>;  // ascending by number

// What may hide rows of one stream.
struct RowHiding {
  int64_t before_ns = std::numeric_limits<int64_t>::min();  // rows earlier than this are past retention
  LiveDeletes deletes;                                      // whose filters take the stream

  // Of rows in the closed span: whether none is hidden, or all are, without looking at them.
  bool HidesNone(int64_t min_ts_ns, int64_t max_ts_ns) const;
  bool HidesAll(int64_t min_ts_ns, int64_t max_ts_ns) const;
  // What Drop has to be given; timestamps always.
  ColumnMask columns() const;
  // Removes the hidden ones from `rows`, ascending rows of the stream.
  void Drop(const Labels& stream, const LogColumns& columns, std::vector<uint32_t>* rows) const;
};

}  // namespace varve
