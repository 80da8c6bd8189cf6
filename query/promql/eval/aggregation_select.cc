// topk, bottomk, limitk, limit_ratio: some of the elements of each group at each step, as they are.
#include <algorithm>
#include <cmath>

#include "query/promql/eval/aggregation.h"
#include "query/promql/eval/label_hash.h"
#include "query/promql/values/number_text.h"

namespace varve::promql {
namespace {

constexpr double kInt64Min = -9223372036854775808.0;
constexpr double kInt64Max = 9223372036854775807.0;

struct Candidate {
  double value = 0;
  uint32_t series = 0;
};

// A binary heap with the worst of the kept ones on top. Which of equal elements stays is seen in results: pushes and
// replacements go the way Go's container/heap takes.
class BestHeap {
 public:
  explicit BestHeap(bool top) : top_(top) {}

  void Offer(Candidate candidate, size_t k) {
    if (items_.size() < k) {
      items_.push_back(candidate);
      Up(items_.size() - 1);
      return;
    }
    const double worst = items_[0].value;
    const bool better = top_ ? worst < candidate.value : worst > candidate.value;
    if (!better && !(std::isnan(worst) && !std::isnan(candidate.value))) return;
    items_[0] = candidate;
    Down();
  }
  // Best first, NaN last.
  const std::vector<Candidate>& Sorted() {
    std::stable_sort(items_.begin(), items_.end(),
                     [this](const Candidate& a, const Candidate& b) { return IsWorse(b, a); });
    return items_;
  }
  void Clear() { items_.clear(); }

 private:
  bool IsWorse(const Candidate& a, const Candidate& b) const {
    if (std::isnan(a.value)) return !std::isnan(b.value);
    return top_ ? a.value < b.value : a.value > b.value;
  }
  // What the heap's order is by; unlike IsWorse it holds between two NaN.
  bool IsLess(size_t a, size_t b) const {
    if (std::isnan(items_[a].value)) return true;
    return top_ ? items_[a].value < items_[b].value : items_[a].value > items_[b].value;
  }
  void Up(size_t at) {
    while (at > 0) {
      const size_t parent = (at - 1) / 2;
      if (!IsLess(at, parent)) return;
      std::swap(items_[at], items_[parent]);
      at = parent;
    }
  }
  void Down() {
    size_t at = 0;
    for (size_t child = 1; child < items_.size(); child = 2 * at + 1) {
      if (child + 1 < items_.size() && IsLess(child + 1, child)) ++child;
      if (!IsLess(child, at)) return;
      std::swap(items_[at], items_[child]);
      at = child;
    }
  }

  bool top_;
  std::vector<Candidate> items_;
};

class Selection {
 public:
  Selection(Evaluator* eval, const Aggregate& aggregate, const EvalScope& scope, StepMatrix* in)
      : eval_(eval), aggregate_(aggregate), scope_(scope), in_(in), table_(aggregate.grouping, aggregate.without) {
    for (const StepSeries& series : *in_) group_of_.push_back(table_.GroupOf(series.labels));
    keep_.resize(in_->size());
  }

  Result<ProducerPtr> Run(const AggregateParam& param) {
    const size_t steps = scope_.grid.steps();
    if (aggregate_.op == AggregateOp::kLimitRatio) {
      for (const StepSeries& series : *in_) offsets_.push_back(LabelHashFraction(series.labels));
    }
    for (size_t step = 0; step < steps; ++step) {
      VARVE_RETURN_IF_ERROR(eval_->CheckAlive());
      std::fill(keep_.begin(), keep_.end(), false);
      order_.clear();
      switch (aggregate_.op) {
        case AggregateOp::kTopk: SelectBest(step, param.values[step], /*top=*/true); break;
        case AggregateOp::kBottomk: SelectBest(step, param.values[step], /*top=*/false); break;
        case AggregateOp::kLimitk: SelectFirst(step, param.values[step]); break;
        default: SelectRatio(step, param.values[step]); break;
      }
      for (size_t i = 0; i < in_->size(); ++i) {
        if (!keep_[i]) (*in_)[i].column.Erase(step);
      }
    }
    StepMatrix out;
    if (scope_.is_instant()) {
      for (const uint32_t series : order_) out.push_back(std::move((*in_)[series]));
    } else {
      out = std::move(*in_);
    }
    return eval_->FromMatrix(std::move(out), scope_, SameLabels::kRefuseSeries);
  }

 private:
  void Keep(uint32_t series) {
    keep_[series] = true;
    order_.push_back(series);
  }

  void SelectBest(size_t step, double param, bool top) {
    const auto k = static_cast<size_t>(std::clamp(param, 0.0, static_cast<double>(in_->size())));
    if (k < 1) return;
    if (heaps_.empty()) heaps_.assign(table_.size(), BestHeap(top));
    for (BestHeap& heap : heaps_) heap.Clear();
    for (uint32_t series = 0; series < in_->size(); ++series) {
      const StepColumn& column = (*in_)[series].column;
      if (column.kinds[step] == PointKind::kNone) continue;
      if (column.kinds[step] == PointKind::kHistogram) {
        eval_->notes()->AddInfo(aggregate_.pos, "ignored histogram in " +
                                                    std::string(AggregateName(aggregate_.op)) + " aggregation");
        continue;
      }
      heaps_[group_of_[series]].Offer({column.values[step], series}, k);
    }
    for (BestHeap& heap : heaps_) {
      for (const Candidate& candidate : heap.Sorted()) Keep(candidate.series);
    }
  }

  void SelectFirst(size_t step, double param) {
    const auto k = static_cast<size_t>(std::clamp(param, 0.0, static_cast<double>(in_->size())));
    std::vector<std::vector<uint32_t>> kept(table_.size());
    for (uint32_t series = 0; series < in_->size(); ++series) {
      if ((*in_)[series].column.kinds[step] == PointKind::kNone) continue;
      std::vector<uint32_t>& group = kept[group_of_[series]];
      if (group.size() < k) group.push_back(series);
    }
    for (const std::vector<uint32_t>& group : kept) {
      for (const uint32_t series : group) Keep(series);
    }
  }

  void SelectRatio(size_t step, double param) {
    const double ratio = std::clamp(param, -1.0, 1.0);
    for (uint32_t series = 0; series < in_->size(); ++series) {
      if ((*in_)[series].column.kinds[step] == PointKind::kNone) continue;
      const double offset = offsets_[series];
      if ((ratio >= 0 && offset < ratio) || (ratio < 0 && offset >= 1 + ratio)) Keep(series);
    }
  }

  Evaluator* const eval_;
  const Aggregate& aggregate_;
  const EvalScope& scope_;
  StepMatrix* const in_;
  GroupTable table_;
  std::vector<uint32_t> group_of_;
  std::vector<BestHeap> heaps_;  // a group
  std::vector<double> offsets_;  // a series, of limit_ratio
  std::vector<bool> keep_;       // a series, at the present step
  std::vector<uint32_t> order_;  // those kept at the present step
};

// Errors and warnings of the parameter; false: nothing is selected at any step.
Result<bool> CheckParam(Evaluator* eval, const Aggregate& aggregate, const AggregateParam& param) {
  if (aggregate.op == AggregateOp::kLimitRatio) {
    if (param.max == 0 && param.min == 0) return false;
    if (param.has_nan) return ExecutionError("Ratio value is NaN");
    for (const double limit : {1.0, -1.0}) {
      const double value = limit > 0 ? param.max : param.min;
      if (limit > 0 ? value <= limit : value >= limit) continue;
      eval->notes()->AddWarning(aggregate.param->pos, "ratio value should be between -1 and 1, got " +
                                                          GoG(value) + ", capping to " +
                                                          GoG(limit));
    }
    return true;
  }
  if (param.max < 1) return false;
  if (param.has_nan) return ExecutionError("Parameter value is NaN");
  const bool underflows = param.min <= kInt64Min;
  if (!underflows && param.max < kInt64Max) return true;
  return ExecutionError("Scalar value " + GoG(underflows ? param.min : param.max) +
                        (underflows ? " underflows int64" : " overflows int64"));
}

}  // namespace

Result<ProducerPtr> EvalSelecting(Evaluator* eval, const Aggregate& aggregate, const AggregateParam& param,
                                  const EvalScope& scope) {
  VARVE_ASSIGN_OR_RETURN(ChargedMatrix in, eval->Matrix(*aggregate.expr, scope));
  VARVE_ASSIGN_OR_RETURN(const bool selects, CheckParam(eval, aggregate, param));
  if (!selects) return eval->FromMatrix({}, scope, SameLabels::kRefuseSeries);
  in.charge.Clear();
  return Selection(eval, aggregate, scope, &in.series).Run(param);
}

}  // namespace varve::promql
