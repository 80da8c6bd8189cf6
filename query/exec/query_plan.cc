#include "query/exec/query_plan.h"

#include <algorithm>
#include <limits>
#include <unordered_set>

#include "query/exec/log_scan.h"
#include "query/logql/printer.h"

namespace varve {
namespace {

std::string SelectorText(const std::vector<Matcher>& matchers) {
  std::string text = "{";
  for (const Matcher& matcher : matchers)
    text.append(text.size() == 1 ? "" : ", ").append(matcher.ToString());
  return text.append("}");
}

PlannedAmount AmountOf(const LogSnapshot& snapshot) {
  PlannedAmount amount;
  for (uint32_t source = 0; source < snapshot.source_count(); ++source) {
    const uint64_t bytes = snapshot.SourceBytesOnDisk(source);
    ++(bytes != 0 ? amount.blocks : amount.head_pieces);
    amount.bytes_on_disk += bytes;
  }
  for (const LogSlice& slice : snapshot.slices()) {
    amount.lines += slice.row_end - slice.row_begin;
    amount.line_bytes += slice.line_bytes;
  }
  return amount;
}

// Heads may have grown between two snapshots.
PlannedAmount Difference(const PlannedAmount& all, const PlannedAmount& part) {
  const auto minus = [](uint64_t a, uint64_t b) { return a - std::min(a, b); };
  return {minus(all.blocks, part.blocks), minus(all.head_pieces, part.head_pieces),
          minus(all.lines, part.lines), minus(all.line_bytes, part.line_bytes),
          minus(all.bytes_on_disk, part.bytes_on_disk)};
}

}  // namespace

void AddAmount(const LogScan& scan, uint32_t source, const std::vector<uint32_t>& slices,
               PlannedAmount* amount) {
  if (slices.empty()) return;
  const uint64_t bytes = scan.snapshot().SourceBytesOnDisk(source);
  ++(bytes != 0 ? amount->blocks : amount->head_pieces);
  amount->bytes_on_disk += bytes;
  for (const uint32_t index : slices) {
    const LogSlice& slice = scan.slice(index);
    amount->lines += slice.row_end - slice.row_begin;
    amount->line_bytes += slice.line_bytes;
  }
}

std::vector<std::string_view> ColumnNames(ColumnMask columns) {
  std::vector<std::string_view> names;
  if ((columns & kTimestamps) != 0) names.push_back("timestamps");
  if ((columns & (kLengths | kLines)) != 0) names.push_back("lengths");
  if ((columns & kLines) != 0) names.push_back("lines");
  if ((columns & kMetadata) != 0) names.push_back("metadata");
  return names;
}

Result<ScanPlan> DescribeScan(const LogScan& scan, const logql::LogSelector& selector,
                              std::string operation) {
  QueryContext& query = scan.query();
  ScanPlan plan;
  plan.operation = std::move(operation);
  plan.selector = SelectorText(selector.matchers);
  for (const logql::Stage& stage : selector.stages) {
    auto& texts = std::holds_alternative<logql::LineFilter>(stage) ? plan.line_filters : plan.stages;
    texts.push_back(logql::Print(stage));
  }
  plan.range = scan.range();
  plan.streams = scan.snapshot().streams().size();
  plan.selected = AmountOf(scan.snapshot());
  for (const LogScan::SourceSlices& source : scan.sources()) {
    AddAmount(scan, source.source, source.slices, &plan.to_read);
  }
  const TenantId tenant = query.request().tenant;
  VARVE_ASSIGN_OR_RETURN(const auto all_streams, query.engine().SnapshotLogs(tenant, {}, scan.range()));
  plan.skipped_streams = Difference(AmountOf(*all_streams), plan.selected);
  VARVE_RETURN_IF_ERROR(query.CheckAlive());
  constexpr TimeRange kAllTimes{std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()};
  VARVE_ASSIGN_OR_RETURN(const auto all_times,
                         query.engine().SnapshotLogs(tenant, selector.matchers, kAllTimes));
  plan.skipped_time = Difference(AmountOf(*all_times), plan.selected);
  return plan;
}

QueryStats StatsSince(const QueryStats& before, const QueryStats& now) {
  QueryStats delta;
  delta.sources_loaded = now.sources_loaded - before.sources_loaded;
  delta.bytes_on_disk_read = now.bytes_on_disk_read - before.bytes_on_disk_read;
  delta.lines_processed = now.lines_processed - before.lines_processed;
  delta.bytes_processed = now.bytes_processed - before.bytes_processed;
  delta.lines_after_filters = now.lines_after_filters - before.lines_after_filters;
  delta.duplicates = now.duplicates - before.duplicates;
  delta.entries_returned = now.entries_returned - before.entries_returned;
  return delta;
}

}  // namespace varve
