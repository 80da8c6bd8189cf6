// What a query reads of one stream selector: a snapshot, its slices by source, and the compiled pipeline.
//
// Threads: immutable after Open; tasks share it.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "engine/scan.h"
#include "query/exec/query_context.h"
#include "query/logql/pipeline.h"

namespace varve {

class LogScan {
 public:
  // The slices of one source, ascending by row.
  struct SourceSlices {
    uint32_t source = 0;
    int64_t min_ts_ns = 0;
    int64_t max_ts_ns = 0;
    std::vector<uint32_t> slices;  // indexes into snapshot().slices()
  };

  // For Open.
  LogScan(QueryContext& query, const logql::LogSelector& selector, TimeRange range);

  // Takes the snapshot and compiles the pipeline. kInvalidArgument when the plan would read more than
  // limits.max_query_bytes_read or more streams than limits.cardinality_limit.
  static Result<std::unique_ptr<LogScan>> Open(QueryContext& query, const logql::LogSelector& selector,
                                               const std::optional<logql::Unwrap>& unwrap,
                                               const logql::LabelNeeds& needs, TimeRange range);

  QueryContext& query() const { return query_; }
  TimeRange range() const { return range_; }
  const LogSnapshot& snapshot() const { return *snapshot_; }
  const logql::Pipeline& pipeline() const { return *pipeline_; }
  const std::vector<SourceSlices>& sources() const { return sources_; }
  // Whether lines may be rejected before anything else of a row is needed. Then timestamps and lines are
  // loaded first and the rest only where something is left; otherwise all at once, in one read.
  bool has_line_filter() const { return has_line_filter_; }

  const LogSlice& slice(uint32_t index) const { return snapshot_->slices()[index]; }
  const Labels& StreamLabels(uint32_t stream) const { return *snapshot_->streams()[stream].labels; }

 private:
  void GroupBySource();
  // limits.cardinality_limit and limits.max_query_bytes_read.
  Status CheckCardinality(const logql::LogSelector& selector) const;
  Status CheckBytes() const;

  QueryContext& query_;
  const TimeRange range_;
  const bool has_line_filter_;
  std::unique_ptr<const LogSnapshot> snapshot_;
  std::unique_ptr<const logql::Pipeline> pipeline_;
  std::vector<SourceSlices> sources_;  // ascending by source
};

}  // namespace varve
