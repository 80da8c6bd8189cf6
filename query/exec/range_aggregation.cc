#include "query/exec/range_aggregation.h"

#include <algorithm>
#include <map>

#include "query/exec/log_scan.h"
#include "query/exec/query_plan.h"
#include "query/exec/range_scan.h"
#include "query/exec/grouped_series.h"
#include "query/exec/window_accumulators.h"

namespace varve {
namespace {

using logql::Grouping;
using logql::LabelNeeds;
using logql::RangeAggregation;
using logql::RangeOp;
using logql::VectorAggregation;
using logql::VectorOp;

// How rows become series.
struct SeriesRule {
  std::optional<Grouping> grouping;  // none: every label identifies
  LabelNeeds needs;
  bool errors_allowed = false;
};

bool Contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Only a sum hands its grouping down to the parsers in Loki, and so may skip them with their errors; min and
// max must still see every label's error.
SeriesRule RuleOf(const RangeAggregation& aggregation, const VectorAggregation* outer) {
  SeriesRule rule;
  if (aggregation.op == RangeOp::kAbsentOverTime) {
    rule.grouping = Grouping{};
    rule.needs.all = false;
    return rule;
  }
  const bool own = aggregation.grouping.has_value();
  if (own) {
    rule.grouping = aggregation.grouping;
  } else if (outer != nullptr) {
    rule.grouping = outer->grouping.value_or(Grouping{});
  }
  if (!rule.grouping.has_value()) return rule;
  if (!own && outer->op != VectorOp::kSum) return rule;
  rule.errors_allowed = Contains(rule.grouping->labels, "__error__");
  if (!rule.grouping->without) {
    rule.needs.all = false;
    rule.needs.names = rule.grouping->labels;
  }
  return rule;
}

// absent_over_time: 1 wherever there is nothing, under the labels that the selector fixes by equality. A
// label with two equality matchers is not fixed.
SeriesSet Absent(const RangeAggregation& aggregation, const StepGrid& steps, const SeriesSet& present) {
  std::vector<bool> seen(steps.count);
  for (const Series& series : present) {
    for (const StepPoint& point : series.points) seen[point.step] = true;
  }
  std::map<std::string, std::vector<const Matcher*>> matchers;
  for (const Matcher& matcher : aggregation.range.selector.matchers)
    matchers[matcher.name()].push_back(&matcher);
  Series absent;
  for (const auto& [name, of_label] : matchers) {
    if (of_label.size() == 1 && of_label[0]->op() == MatchOp::kEqual && !of_label[0]->value().empty()) {
      absent.labels.emplace_back(name, of_label[0]->value());
    }
  }
  for (uint32_t step = 0; step < steps.count; ++step) {
    if (!seen[step]) absent.points.push_back({step, 1});
  }
  SeriesSet result;
  if (!absent.points.empty()) result.push_back(std::move(absent));
  return result;
}

}  // namespace

bool CanFuse(const VectorAggregation& outer, const RangeAggregation& inner) {
  if (inner.grouping.has_value()) return false;
  switch (outer.op) {
    case VectorOp::kSum:
      return inner.op == RangeOp::kCountOverTime || inner.op == RangeOp::kRate ||
             inner.op == RangeOp::kBytesOverTime || inner.op == RangeOp::kBytesRate ||
             inner.op == RangeOp::kSumOverTime;
    case VectorOp::kMin: return inner.op == RangeOp::kMinOverTime;
    case VectorOp::kMax: return inner.op == RangeOp::kMaxOverTime;
    default: return false;
  }
}

Result<SeriesSet> RunRangeAggregation(QueryContext& query, const StepGrid& steps,
                                      const RangeAggregation& aggregation, const VectorAggregation* outer) {
  SeriesRule rule = RuleOf(aggregation, outer);
  rule.needs.unwrap_as_text = AggregatesTexts(aggregation.op);
  VARVE_ASSIGN_OR_RETURN(const WindowGrid grid,
                         WindowGrid::Create(steps, aggregation.range.range_ns, aggregation.range.offset_ns));
  VARVE_ASSIGN_OR_RETURN(
      const auto scan, LogScan::Open(query, aggregation.range.selector, aggregation.range.unwrap, rule.needs,
                                     grid.scan_range()));
  const bool of_vector = outer != nullptr && !aggregation.grouping.has_value();
  RangeScan range_scan(*scan, grid, aggregation, SeriesKeyBuilder(rule.grouping, of_vector),
                       rule.errors_allowed);
  QueryPlan* const explained = query.request().plan;
  if (explained != nullptr) {
    VARVE_ASSIGN_OR_RETURN(ScanPlan plan, DescribeScan(*scan, aggregation.range.selector,
                                                       std::string(RangeOpName(aggregation.op))));
    if (aggregation.range.unwrap.has_value()) {
      plan.stages.push_back("| unwrap " + aggregation.range.unwrap->label);
    }
    range_scan.Plan(&plan);
    explained->scans.push_back(std::move(plan));
    if (!explained->run) return SeriesSet();
  }
  const QueryStats before = query.stats();
  VARVE_ASSIGN_OR_RETURN(SeriesSet series, range_scan.Run());
  if (explained != nullptr) explained->scans.back().read = StatsSince(before, query.stats());
  if (aggregation.op == RangeOp::kAbsentOverTime) return Absent(aggregation, steps, series);
  return series;
}

}  // namespace varve
