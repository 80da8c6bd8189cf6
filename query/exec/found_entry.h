// An entry on its way from a source into the answer of a log query.
//
// Threads: thread-compatible.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "query/exec/log_scan.h"
#include "query/exec/ordered_rows.h"

namespace varve {

struct FoundEntry {
  RowPosition position;
  uint32_t stream = 0;  // in the snapshot
  ResultEntry entry;
  // The labels shown as the stream's, where a stage touched those.
  std::optional<LabelPairs> stream_labels;

  int64_t MemoryBytes() const;
};

// The row at the cursor, which has passed the pipeline.
FoundEntry TakeEntry(const LogScan& scan, const OrderedRows& rows);

// One task's entries, counted against the query's budget.
class FoundEntries {
 public:
  explicit FoundEntries(MemoryBudget* budget) : reservation_(budget) {}

  Status Add(FoundEntry entry);
  size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  int64_t last_ns() const { return entries_.back().position.ts_ns; }
  std::vector<FoundEntry> Take() { return std::move(entries_); }

 private:
  MemoryReservation reservation_;
  int64_t uncounted_bytes_ = 0;
  std::vector<FoundEntry> entries_;
};

// Entries by what is left of their streams' labels, in the order given.
Streams GroupByStream(const LogScan& scan, std::vector<FoundEntry> entries);

}  // namespace varve
