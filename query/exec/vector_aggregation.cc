#include "query/exec/vector_aggregation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "query/exec/exact_sum.h"

namespace varve {
namespace {

using logql::Grouping;
using logql::VectorAggregation;
using logql::VectorOp;

// The members of each group, as positions in the operand, by group labels.
using Groups = std::map<LabelPairs, std::vector<uint32_t>>;

Groups GroupSeries(const std::optional<Grouping>& grouping, const SeriesSet& operand) {
  Grouping by = grouping.value_or(Grouping{});
  std::sort(by.labels.begin(), by.labels.end());
  Groups groups;
  for (uint32_t i = 0; i < operand.size(); ++i) {
    LabelPairs labels =
        by.without ? DropLabels(operand[i].labels, by.labels) : KeepLabels(operand[i].labels, by.labels);
    if (by.without) RemoveEmptyLabels(&labels);
    groups[std::move(labels)].push_back(i);
  }
  return groups;
}

// One step of one group.
struct StepState {
  uint64_t count = 0;
  ExactSum sum;
  double extreme = std::numeric_limits<double>::quiet_NaN();
  double mean = 0;       // Welford's, for stddev and stdvar
  double deviation = 0;  // sum of squared differences from the mean

  void Add(VectorOp op, double x) {
    ++count;
    switch (op) {
      case VectorOp::kSum:
      case VectorOp::kAvg: sum.Add(x); break;
      case VectorOp::kMax:
        if (std::isnan(extreme) || x > extreme) extreme = x;
        break;
      case VectorOp::kMin:
        if (std::isnan(extreme) || x < extreme) extreme = x;
        break;
      case VectorOp::kStddev:
      case VectorOp::kStdvar: {
        const double delta = x - mean;
        mean += delta / static_cast<double>(count);
        deviation += delta * (x - mean);
        break;
      }
      default: break;
    }
  }

  double Value(VectorOp op) const {
    const auto n = static_cast<double>(count);
    switch (op) {
      case VectorOp::kSum: return sum.Value();
      case VectorOp::kAvg: return sum.Value() / n;
      case VectorOp::kCount: return n;
      case VectorOp::kStddev: return std::sqrt(deviation / n);
      case VectorOp::kStdvar: return deviation / n;
      default: return extreme;
    }
  }
};

Result<SeriesSet> Fold(QueryContext& query, const VectorAggregation& aggregation, const SeriesSet& operand,
                       uint32_t step_count) {
  SeriesSet result;
  std::vector<StepState> states(step_count);
  for (auto& [labels, members] : GroupSeries(aggregation.grouping, operand)) {
    VARVE_RETURN_IF_ERROR(query.CheckAlive());
    uint32_t first = step_count, last = 0;
    for (const uint32_t member : members) {
      const std::vector<StepPoint>& points = operand[member].points;
      for (const StepPoint& point : points) states[point.step].Add(aggregation.op, point.value);
      first = std::min(first, points.front().step);
      last = std::max(last, points.back().step);
    }
    Series series;
    series.labels = labels;
    for (uint32_t step = first; step <= last; ++step) {
      if (states[step].count != 0) series.points.push_back({step, states[step].Value(aggregation.op)});
      states[step] = StepState();
    }
    result.push_back(std::move(series));
  }
  return result;
}

// Whether `a` ranks before `b`: greater (or less) first, NaN last.
struct RanksBefore {
  bool greatest_first;
  bool operator()(double a, double b) const {
    if (std::isnan(a) || std::isnan(b)) return !std::isnan(a) && std::isnan(b);
    return greatest_first ? a > b : a < b;
  }
};

struct Ranked {
  double value;
  uint32_t member;  // breaks ties: operands come in label order
};

// topk and bottomk: per group and step the k first, under their own labels.
Result<SeriesSet> Select(QueryContext& query, const VectorAggregation& aggregation, const SeriesSet& operand,
                         uint32_t step_count) {
  const RanksBefore before{aggregation.op != VectorOp::kBottomk};
  const auto order = [&](const Ranked& a, const Ranked& b) {
    if (before(a.value, b.value)) return true;
    return !before(b.value, a.value) && a.member < b.member;
  };
  const auto k = static_cast<uint64_t>(std::max<int64_t>(aggregation.parameter, 0));
  std::vector<Series> chosen(operand.size());
  std::vector<uint32_t> output;  // members that were chosen, in order of their first choice
  std::vector<std::vector<Ranked>> heaps(step_count);  // the worst chosen in front
  for (const auto& [labels, members] : GroupSeries(aggregation.grouping, operand)) {
    VARVE_RETURN_IF_ERROR(query.CheckAlive());
    for (const uint32_t member : members) {
      for (const StepPoint& point : operand[member].points) {
        std::vector<Ranked>& heap = heaps[point.step];
        const Ranked ranked{point.value, member};
        if (heap.size() >= k) {
          if (k == 0 || !order(ranked, heap.front())) continue;
          std::pop_heap(heap.begin(), heap.end(), order);
          heap.pop_back();
        }
        heap.push_back(ranked);
        std::push_heap(heap.begin(), heap.end(), order);
      }
    }
    for (uint32_t step = 0; step < step_count; ++step) {
      std::sort_heap(heaps[step].begin(), heaps[step].end(), order);
      for (const Ranked& ranked : heaps[step]) {
        Series& series = chosen[ranked.member];
        if (series.points.empty()) {
          series.labels = operand[ranked.member].labels;
          output.push_back(ranked.member);
        }
        series.points.push_back({step, ranked.value});
      }
      heaps[step].clear();
    }
  }
  if (!query.request().instant) std::sort(output.begin(), output.end());
  SeriesSet result;
  for (const uint32_t member : output) result.push_back(std::move(chosen[member]));
  return result;
}

SeriesSet Sort(const VectorAggregation& aggregation, SeriesSet operand, bool instant) {
  if (!instant) return operand;
  const RanksBefore before{aggregation.op == VectorOp::kSortDesc};
  SortByLabels(&operand);
  std::stable_sort(operand.begin(), operand.end(), [&](const Series& a, const Series& b) {
    return before(a.points.front().value, b.points.front().value);
  });
  return operand;
}

}  // namespace

Result<SeriesSet> AggregateVector(QueryContext& query, const VectorAggregation& aggregation,
                                  SeriesSet operand, uint32_t step_count) {
  switch (aggregation.op) {
    case VectorOp::kTopk:
    case VectorOp::kBottomk:
    case VectorOp::kApproxTopk: return Select(query, aggregation, operand, step_count);
    case VectorOp::kSort:
    case VectorOp::kSortDesc: return Sort(aggregation, std::move(operand), query.request().instant);
    default: return Fold(query, aggregation, operand, step_count);
  }
}

}  // namespace varve
