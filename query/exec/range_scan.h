// Reads a range aggregation's rows into accumulators, one task a source, and merges what the threads found.
//
// Threads: Run is for one caller; it spreads the sources over the query pool itself.
// Ownership: borrows scan, grid and aggregation.
#pragma once

#include <memory>
#include <vector>

#include "query/exec/log_scan.h"
#include "query/exec/row_selection.h"
#include "query/exec/series_set.h"
#include "query/exec/grouped_series.h"
#include "query/exec/step_grid.h"
#include "query/exec/query_plan.h"
#include "query/exec/window_accumulators.h"

namespace varve {

class RangeScan {
 public:
  // `errors_allowed`: rows with __error__ count like others; otherwise one fails the query.
  RangeScan(const LogScan& scan, const WindowGrid& grid, const logql::RangeAggregation& aggregation,
            SeriesKeyBuilder keys, bool errors_allowed);
  ~RangeScan();

  // Fills in what of the plan depends on the aggregation: what is counted and which columns are read.
  void Plan(ScanPlan* plan) const;
  // The series, sorted by labels.
  Result<SeriesSet> Run();

 private:
  struct Worker;

  Status VisitSource(const LogScan::SourceSlices& source);
  std::unique_ptr<Worker> BorrowWorker(Status* status) VARVE_EXCLUDES(mu_);
  void ReturnWorker(std::unique_ptr<Worker> worker) VARVE_EXCLUDES(mu_);
  Result<SeriesSet> Finish() VARVE_EXCLUDES(mu_);

  Status CountOrRead(const LogScan::SourceSlices& source, Worker* worker) const;
  // The interval that all rows of the slice are in, if its counts are enough.
  std::optional<WindowGrid::Interval> CountableInterval(const LogSlice& slice) const;
  ColumnMask ColumnsOf(const std::vector<uint32_t>& slices) const;
  Result<bool> CountFromSlice(const LogSlice& slice, Worker* worker) const;
  bool WantsMetadata(const std::vector<uint32_t>& slices) const;
  Status ReadRows(const LogScan::SourceSlices& source, const std::vector<uint32_t>& slices,
                  Worker* worker) const;
  Status CountRows(const RowSelection& selection, const SourceColumns& columns, Worker* worker) const;
  Status CountSlice(const RowSelection& selection, const RowSelection::SliceRows& slice,
                    const SourceColumns& columns, Worker* worker) const;
  Status CountSliceByMetadata(const RowSelection& selection, const RowSelection::SliceRows& slice,
                              const SourceColumns& columns, Worker* worker) const;
  Status ProcessRows(const RowSelection& selection, const SourceColumns& columns, Worker* worker) const;

  QueryContext& query_;
  const LogScan& scan_;
  const WindowGrid& grid_;
  const logql::RangeAggregation& aggregation_;
  const SeriesKeyBuilder keys_;
  const bool errors_allowed_;
  const bool aggregates_rows_;
  const bool aggregates_texts_;
  const bool needs_bytes_;
  // Whether what becomes of a row that passes the line filters depends on its stream and metadata alone.
  const bool only_labels_matter_;

  Mutex mu_;
  std::vector<std::unique_ptr<Worker>> idle_ VARVE_GUARDED_BY(mu_);
};

}  // namespace varve
