#include "query/exec/log_scan.h"

#include <algorithm>

#include "query/exec/humanized_text.h"

namespace varve {

LogScan::LogScan(QueryContext& query, const logql::LogSelector& selector, TimeRange range)
    : query_(query),
      range_(range),
      has_line_filter_(std::any_of(
          selector.stages.begin(), selector.stages.end(),
          [](const logql::Stage& stage) { return std::holds_alternative<logql::LineFilter>(stage); })) {}

Result<std::unique_ptr<LogScan>> LogScan::Open(QueryContext& query, const logql::LogSelector& selector,
                                               const std::optional<logql::Unwrap>& unwrap,
                                               const logql::LabelNeeds& needs, TimeRange range) {
  auto scan = std::make_unique<LogScan>(query, selector, range);
  VARVE_ASSIGN_OR_RETURN(scan->pipeline_, logql::Pipeline::Compile(selector.stages, unwrap, needs));
  VARVE_ASSIGN_OR_RETURN(scan->snapshot_,
                         query.engine().SnapshotLogs(query.request().tenant, selector.matchers, range));
  VARVE_RETURN_IF_ERROR(scan->CheckCardinality(selector));
  VARVE_RETURN_IF_ERROR(scan->CheckBytes());
  scan->GroupBySource();
  QueryStats stats;
  stats.streams = scan->snapshot_->streams().size();
  stats.sources = scan->sources_.size();
  query.AddStats(stats);
  return scan;
}

void LogScan::GroupBySource() {
  const std::vector<LogSlice>& slices = snapshot_->slices();
  std::vector<uint32_t> order(slices.size());
  for (uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    if (slices[a].source != slices[b].source) return slices[a].source < slices[b].source;
    if (slices[a].row_begin != slices[b].row_begin) return slices[a].row_begin < slices[b].row_begin;
    return a < b;
  });
  for (const uint32_t i : order) {
    const LogSlice& slice = slices[i];
    if (sources_.empty() || sources_.back().source != slice.source) {
      sources_.push_back({slice.source, slice.min_ts_ns, slice.max_ts_ns, {}});
    }
    SourceSlices& source = sources_.back();
    source.min_ts_ns = std::min(source.min_ts_ns, slice.min_ts_ns);
    source.max_ts_ns = std::max(source.max_ts_ns, slice.max_ts_ns);
    source.slices.push_back(i);
  }
}

Status LogScan::CheckCardinality(const logql::LogSelector& selector) const {
  const uint32_t limit = query_.limits().cardinality_limit;
  const size_t streams = snapshot_->streams().size();
  if (limit == 0 || streams <= limit) return Status::Ok();
  std::string text = "{";
  for (const Matcher& matcher : selector.matchers) text += (text.size() > 1 ? ", " : "") + matcher.ToString();
  return InvalidArgument("cardinality limit exceeded for " + text + "}; " + std::to_string(streams) +
                         " entries, more than limit of " + std::to_string(limit));
}

Status LogScan::CheckBytes() const {
  const int64_t limit = query_.limits().max_query_bytes_read;
  if (limit <= 0) return Status::Ok();
  uint64_t bytes = 0;
  for (const LogSlice& slice : snapshot_->slices()) bytes += slice.line_bytes;
  if (bytes <= static_cast<uint64_t>(limit)) return Status::Ok();
  return InvalidArgument(
      "the query would read too many bytes (query: " + HumanizedBytes(bytes) +
      ", limit: " + HumanizedBytes(static_cast<uint64_t>(limit)) +
      "); consider adding more specific stream selectors or reduce the time range of the query");
}

}  // namespace varve
