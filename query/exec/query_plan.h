// What a query would read, and what it read: the answer to explain=true and explain=analyze.
//
// The plan is made by the code that runs the query, at the point where it would start to read, from the same
// snapshot and by the same decisions.
// Threads: thread-compatible; scans of one query start one after the other.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "query/exec/query.h"

namespace varve {

class LogScan;

struct PlannedAmount {
  uint64_t blocks = 0;
  uint64_t head_pieces = 0;
  // Of the slices; those at the edges of the time range may lie outside in part.
  uint64_t lines = 0;
  uint64_t line_bytes = 0;
  uint64_t bytes_on_disk = 0;  // of whole blocks
};

// One stream selector of the query.
struct ScanPlan {
  std::string operation;  // "log query" or "count_over_time"
  std::string selector;   // {job="a"}
  std::vector<std::string> line_filters;
  std::vector<std::string> stages;  // the other ones, and unwrap
  TimeRange range;
  uint64_t streams = 0;
  PlannedAmount selected;         // what of the selected streams touches the range
  PlannedAmount skipped_streams;  // what other streams have in the range, in sources of their own
  PlannedAmount skipped_time;     // what the selected streams have at other times
  PlannedAmount counted;          // whose counts in directories are enough
  PlannedAmount to_read;
  std::vector<std::string_view> columns;       // that are read of all of to_read
  std::vector<std::string_view> late_columns;  // read where a line is left
  bool may_stop_early = false;                 // at the limit of a log query

  QueryStats read;  // what was read, when the query ran
};

struct QueryPlan {
  bool run = false;  // set by the caller: explain=analyze
  std::vector<ScanPlan> scans;
};

// The plan of `scan`, in which every source is to be read.
Result<ScanPlan> DescribeScan(const LogScan& scan, const logql::LogSelector& selector, std::string operation);

// Adds what `slices` of one source amount to.
void AddAmount(const LogScan& scan, uint32_t source, const std::vector<uint32_t>& slices,
               PlannedAmount* amount);

std::vector<std::string_view> ColumnNames(ColumnMask columns);

// What was done since `before`.
QueryStats StatsSince(const QueryStats& before, const QueryStats& now);

}  // namespace varve
