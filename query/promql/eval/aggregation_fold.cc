// sum, avg, min, max, count, group, stddev, stdvar: series by series into one cell a group and step.
#include <cmath>
#include <memory>

#include "query/promql/eval/aggregation.h"
#include "query/promql/values/histogram_fold.h"
#include "query/promql/values/neumaier.h"

namespace varve::promql {
namespace {

// One value of each kind per cell; cell = group * steps + step.
struct Cells {
  enum : uint8_t { kSeen = 1, kFloat = 2, kHistogram = 4, kIncremental = 8, kIncompatible = 16 };
  std::vector<uint8_t> flags;
  std::vector<double> value;
  std::vector<double> lost;   // of sum and avg: what compensated summation keeps apart; of stddev: the mean
  std::vector<double> count;  // of avg, count, stddev
  std::vector<double> mean;   // of an avg whose sum would overflow; as long as the others from then on
  std::vector<std::unique_ptr<HistogramFold>> histograms;  // of sum and avg; empty: none yet
};

class Fold {
 public:
  Fold(Evaluator* eval, const Aggregate& aggregate, const EvalScope& scope)
      : eval_(eval),
        op_(aggregate.op),
        pos_(aggregate.expr->pos),
        scope_(scope),
        steps_(scope.grid.steps()),
        table_(aggregate.grouping, aggregate.without),
        charge_(eval->tracker()) {}

  Result<ProducerPtr> Run(SeriesProducer* producer) {
    std::vector<uint32_t> group_of(producer->size());
    for (size_t i = 0; i < group_of.size(); ++i) group_of[i] = table_.GroupOf(producer->labels(i));
    VARVE_RETURN_IF_ERROR(Allocate());
    VARVE_RETURN_IF_ERROR(eval_->ForEachColumn(producer, scope_, [&](size_t series, StepColumn* column) {
      return Add(group_of[series], producer->labels(series), producer->drop_name(series), *column);
    }));
    return Finish();
  }

 private:
  Status Allocate() {
    const size_t cells = table_.size() * steps_;
    const bool counts = op_ == AggregateOp::kAvg || op_ == AggregateOp::kCount || is_deviation();
    const bool lost = op_ == AggregateOp::kSum || op_ == AggregateOp::kAvg || is_deviation();
    const size_t bytes = 1 + sizeof(double) * (1 + (counts ? 1 : 0) + (lost ? 1 : 0));
    VARVE_RETURN_IF_ERROR(charge_.Add(0, static_cast<int64_t>(cells * bytes)));
    cells_.flags.resize(cells);
    cells_.value.resize(cells);
    if (counts) cells_.count.resize(cells);
    if (lost) cells_.lost.resize(cells);
    drop_name_.resize(table_.size());
    is_listed_.resize(table_.size());
    return Status::Ok();
  }

  bool is_deviation() const { return op_ == AggregateOp::kStddev || op_ == AggregateOp::kStdvar; }

  Status Add(uint32_t group, const PackedLabels& labels, bool drop_name, const StepColumn& column) {
    const size_t base = group * steps_;
    bool has_points = false;
    for (size_t step = 0; step < steps_; ++step) {
      const PointKind kind = column.kinds[step];
      if (kind == PointKind::kNone) continue;
      has_points = true;
      if (kind == PointKind::kFloat) {
        AddFloat(base + step, column.values[step]);
      } else {
        AddHistogram(base + step, *column.histograms[step], labels);
      }
    }
    if (!has_points) return Status::Ok();
    if (drop_name) drop_name_[group] = true;
    if (!is_listed_[group]) {
      is_listed_[group] = true;
      order_.push_back(group);
    }
    return histogram_bytes_ == 0 ? Status::Ok() : charge_.Add(0, std::exchange(histogram_bytes_, 0));
  }

  void AddFloat(size_t cell, double value) {
    uint8_t& flags = cells_.flags[cell];
    const bool is_first = (flags & Cells::kSeen) == 0;
    flags |= Cells::kSeen | Cells::kFloat;
    double& result = cells_.value[cell];
    switch (op_) {
      case AggregateOp::kSum:
        if (is_first) {
          result = value;
        } else {
          NeumaierAdd(value, &result, &cells_.lost[cell]);
        }
        return;
      case AggregateOp::kAvg: return AddToMean(cell, value, is_first);
      case AggregateOp::kMin:
        if (is_first || result > value || std::isnan(result)) result = value;
        return;
      case AggregateOp::kMax:
        if (is_first || result < value || std::isnan(result)) result = value;
        return;
      case AggregateOp::kCount: cells_.count[cell] += 1; return;
      case AggregateOp::kStddev:
      case AggregateOp::kStdvar: return AddToVariance(cell, value, is_first);
      default: return;  // group
    }
  }

  // The plain mean of the sum for as long as the sum does not overflow, an incremental one from there on.
  void AddToMean(size_t cell, double value, bool is_first) {
    double& count = cells_.count[cell];
    count += 1;
    if (is_first) {
      cells_.value[cell] = value;
      return;
    }
    double& lost = cells_.lost[cell];
    if ((cells_.flags[cell] & Cells::kIncremental) == 0) {
      double sum = cells_.value[cell];
      double sum_lost = lost;
      NeumaierAdd(value, &sum, &sum_lost);
      if (!std::isinf(sum)) {
        cells_.value[cell] = sum;
        lost = sum_lost;
        return;
      }
      cells_.flags[cell] |= Cells::kIncremental;
      if (cells_.mean.empty()) cells_.mean.resize(cells_.flags.size());
      cells_.mean[cell] = cells_.value[cell] / (count - 1);
      lost /= count - 1;
    }
    const double share = (count - 1) / count;
    cells_.mean[cell] *= share;
    lost *= share;
    NeumaierAdd(value / count, &cells_.mean[cell], &lost);
  }

  // Welford's method; a first value that is not finite makes it all NaN.
  void AddToVariance(size_t cell, double value, bool is_first) {
    double& count = cells_.count[cell];
    double& mean = cells_.lost[cell];
    count += 1;
    if (is_first) {
      mean = value;
      cells_.value[cell] = std::isfinite(value) ? 0 : NAN;
      return;
    }
    const double delta = value - mean;
    mean += delta / count;
    cells_.value[cell] += delta * (value - mean);
  }

  void AddHistogram(size_t cell, const FloatHistogram& histogram, const PackedLabels& labels) {
    uint8_t& flags = cells_.flags[cell];
    if (op_ == AggregateOp::kCount || op_ == AggregateOp::kGroup) {
      flags |= Cells::kSeen;
      if (op_ == AggregateOp::kCount) cells_.count[cell] += 1;
      return;
    }
    if (op_ != AggregateOp::kSum && op_ != AggregateOp::kAvg) {
      eval_->notes()->AddInfo(pos_, "ignored histogram in " + std::string(AggregateName(op_)) + " aggregation");
      return;
    }
    const bool is_first = (flags & Cells::kSeen) == 0;
    flags |= Cells::kSeen | Cells::kHistogram;
    if (cells_.histograms.empty()) cells_.histograms.resize(cells_.flags.size());
    std::unique_ptr<HistogramFold>& fold = cells_.histograms[cell];
    if (is_first) {
      fold = std::make_unique<HistogramFold>(op_ == AggregateOp::kSum ? HistogramFold::Kind::kSum
                                                                      : HistogramFold::Kind::kMean);
    }
    // Behind a float there is none: the cell is mixed and has no result.
    if (fold == nullptr || (flags & Cells::kIncompatible) != 0) return;
    if (!fold->Add(histogram)) {
      flags |= Cells::kIncompatible;
      std::string text =
          "vector contains a mix of histograms with exponential and custom buckets schemas for metric name ";
      AppendGoQuoted(&text, labels.metric_name());
      eval_->notes()->AddWarning(pos_, std::move(text));
    }
    if (is_first) histogram_bytes_ += fold->MemoryBytes();
  }

  Result<ProducerPtr> Finish() {
    StepMatrix rows;
    for (const uint32_t group : order_) {
      StepSeries row;
      row.labels = table_.labels(group);
      row.drop_name = drop_name_[group];
      row.column.Resize(steps_);
      for (size_t step = 0; step < steps_; ++step) FinishCell(group * steps_ + step, step, &row.column);
      rows.push_back(std::move(row));
    }
    charge_.Clear();
    return eval_->FromMatrix(std::move(rows), scope_, SameLabels::kRefuseSeries);
  }

  void FinishCell(size_t cell, size_t step, StepColumn* out) {
    const uint8_t flags = cells_.flags[cell];
    if ((flags & Cells::kSeen) == 0) return;
    const double value = cells_.value[cell];
    switch (op_) {
      case AggregateOp::kSum:
      case AggregateOp::kAvg:
        if ((flags & Cells::kHistogram) != 0) return FinishHistogram(cell, step, out);
        return out->SetFloat(step, op_ == AggregateOp::kSum ? value + cells_.lost[cell] : MeanOf(cell));
      case AggregateOp::kCount: return out->SetFloat(step, cells_.count[cell]);
      case AggregateOp::kGroup: return out->SetFloat(step, 1);
      case AggregateOp::kStdvar: return out->SetFloat(step, value / cells_.count[cell]);
      case AggregateOp::kStddev: return out->SetFloat(step, std::sqrt(value / cells_.count[cell]));
      default: return out->SetFloat(step, value);
    }
  }

  double MeanOf(size_t cell) const {
    if ((cells_.flags[cell] & Cells::kIncremental) != 0) return cells_.mean[cell] + cells_.lost[cell];
    return cells_.value[cell] / cells_.count[cell] + cells_.lost[cell] / cells_.count[cell];
  }

  void FinishHistogram(size_t cell, size_t step, StepColumn* out) {
    HistogramFold* fold = cells_.histograms[cell].get();
    if (fold != nullptr && fold->bounds_reconciled()) {
      eval_->notes()->AddInfo(pos_, "mismatched custom buckets were reconciled during aggregation");
    }
    if ((cells_.flags[cell] & Cells::kFloat) != 0) {
      return eval_->notes()->AddWarning(pos_, "encountered a mix of histograms and floats for aggregation");
    }
    if ((cells_.flags[cell] & Cells::kIncompatible) != 0) return;
    if (fold->reset_conflict()) {
      eval_->notes()->AddWarning(pos_, "conflicting counter resets during histogram aggregation");
    }
    out->SetHistogram(step, fold->Finish());
  }

  Evaluator* const eval_;
  const AggregateOp op_;
  const PositionRange pos_;
  const EvalScope& scope_;
  const size_t steps_;
  GroupTable table_;
  Charge charge_;
  Cells cells_;
  int64_t histogram_bytes_ = 0;  // not charged yet
  std::vector<bool> drop_name_;  // a group
  std::vector<bool> is_listed_;  // a group: in order_
  std::vector<uint32_t> order_;  // groups as their first element came up
};

}  // namespace

Result<ProducerPtr> EvalFold(Evaluator* eval, const Aggregate& aggregate, const EvalScope& scope) {
  VARVE_ASSIGN_OR_RETURN(ProducerPtr producer, eval->Vector(*aggregate.expr, scope));
  return Fold(eval, aggregate, scope).Run(producer.get());
}

}  // namespace varve::promql
