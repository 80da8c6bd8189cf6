#include "query/promql/eval/subquery.h"

#include "query/promql/eval/selector.h"

namespace varve::promql {
namespace {

// A hint that tells of a reset between two stored samples says nothing of two points of a subquery, which may lie
// further apart, or be the same sample twice.
FloatHistogramPtr WithoutResetHint(const FloatHistogramPtr& histogram) {
  if (histogram->hint() != CounterResetHint::kReset && histogram->hint() != CounterResetHint::kNotReset) {
    return histogram;
  }
  FloatHistogram copy = *histogram;
  copy.set_hint(CounterResetHint::kUnknown);
  return std::make_shared<const FloatHistogram>(std::move(copy));
}

// The inside is produced one series at a time, and only its points are kept.
class SubquerySource final : public RangeSource {
 public:
  SubquerySource(ProducerPtr inner, StepGrid grid, Charge charge)
      : inner_(std::move(inner)), grid_(grid), charge_(std::move(charge)) {}
  size_t size() const override { return inner_->size(); }
  const PackedLabels& labels(size_t series) const override { return inner_->labels(series); }
  bool drop_name(size_t series) const override { return inner_->drop_name(series); }
  size_t levels() const override { return inner_->levels(); }

  Status Load(size_t series, ProduceTask* task, ProduceTask::Buffers* buffers) override {
    // What the inside reads is counted where the windows over it are.
    SampleStats outer = std::move(task->stats);
    task->stats = {};
    const Status status = inner_->Produce(series, task, &buffers->column);
    task->stats = std::move(outer);
    VARVE_RETURN_IF_ERROR(status.Clone());
    buffers->samples.Clear();
    buffers->histograms.clear();
    const StepColumn& column = buffers->column;
    FloatHistogramPtr last;
    FloatHistogramPtr last_without_hint;
    for (size_t step = 0; step < column.kinds.size(); ++step) {
      if (column.kinds[step] == PointKind::kFloat) {
        buffers->samples.float_ts_ms.push_back(grid_.At(step));
        buffers->samples.floats.push_back(column.values[step]);
      } else if (column.kinds[step] == PointKind::kHistogram) {
        if (column.histograms[step] != last) {
          last = column.histograms[step];
          last_without_hint = WithoutResetHint(last);
        }
        buffers->histograms.push_back({grid_.At(step), last_without_hint});
      }
    }
    return Status::Ok();
  }

 private:
  const ProducerPtr inner_;
  const StepGrid grid_;
  const Charge charge_;
};

}  // namespace

StepGrid SubqueryGrid(const Subquery& subquery, const StepGrid& grid, int64_t default_step_ms) {
  const int64_t step_ms = subquery.step_ms == 0 ? default_step_ms : subquery.step_ms;
  const int64_t last_ms = grid.At(grid.steps() - 1);
  const int64_t before_ms = ReferenceMs(subquery.shift, grid.start_ms) - subquery.range_ms;
  // The first multiple of the step behind it. Division goes towards 0, so what is negative is there already, unless
  // it is a multiple itself.
  int64_t start_ms = step_ms * (before_ms / step_ms);
  if (start_ms <= before_ms) start_ms += step_ms;
  return {start_ms, ReferenceMs(subquery.shift, last_ms), step_ms};
}

Result<RangeInput> OpenSubquery(Evaluator* eval, const Subquery& subquery, const EvalScope& scope) {
  const StepGrid grid = SubqueryGrid(subquery, scope.grid, eval->options().default_step_ms);
  VARVE_RETURN_IF_ERROR(eval->CheckSteps(grid));
  Charge charge(eval->tracker());
  const EvalScope probe{grid, nullptr};
  if (!probe.is_empty()) {
    // A column of the inside, and its points, for each worker.
    const size_t step_bytes = 2 * sizeof(double) + sizeof(int64_t) + sizeof(PointKind);
    VARVE_RETURN_IF_ERROR(charge.Add(0, static_cast<int64_t>(eval->Workers() * grid.steps() * step_bytes)));
  }
  SampleStats inside;
  VARVE_ASSIGN_OR_RETURN(ProducerPtr inner, eval->Vector(*subquery.expr, {grid, &inside}));
  RangeInput input;
  input.spec = {.grid = scope.grid,
                .at_ms = subquery.shift.at_ms,
                .offset_ms = subquery.shift.offset_ms,
                .range_ms = subquery.range_ms,
                .lookback_ms = eval->lookback_ms()};
  input.source = std::make_unique<SubquerySource>(std::move(inner), grid, std::move(charge));
  return input;
}

}  // namespace varve::promql
