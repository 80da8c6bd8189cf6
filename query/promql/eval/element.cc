#include "query/promql/eval/element.h"

#include "query/promql/eval/binary.h"
#include "query/promql/functions/histogram_binary.h"

namespace varve::promql {
namespace {

// Changes the columns of another producer in place.
class MapProducer : public SeriesProducer {
 public:
  MapProducer(ProducerPtr inner, bool drops_name, bool delayed_names)
      : inner_(std::move(inner)), delayed_drop_(drops_name && delayed_names) {
    if (!drops_name || delayed_names) return;
    for (size_t i = 0; i < inner_->size(); ++i) labels_.push_back(DropMetricLabels(inner_->labels(i)));
  }
  size_t size() const final { return inner_->size(); }
  const PackedLabels& labels(size_t series) const final {
    return labels_.empty() ? inner_->labels(series) : labels_[series];
  }
  bool drop_name(size_t series) const final { return delayed_drop_ || inner_->drop_name(series); }
  size_t levels() const final { return inner_->levels(); }
  Status Produce(size_t series, ProduceTask* task, StepColumn* out) final {
    VARVE_RETURN_IF_ERROR(inner_->Produce(series, task, out));
    Map(task, out);
    return Status::Ok();
  }

 private:
  virtual void Map(ProduceTask* task, StepColumn* column) const = 0;

  const ProducerPtr inner_;
  const bool delayed_drop_;
  std::vector<PackedLabels> labels_;  // empty: the inner's
};

class ElementProducer final : public MapProducer {
 public:
  ElementProducer(ProducerPtr inner, bool delayed_names, const ElementFunction& function, const StepGrid& grid,
                  PositionRange pos, std::vector<std::vector<double>> scalars)
      : MapProducer(std::move(inner), /*drops_name=*/true, delayed_names),
        function_(function),
        grid_(grid),
        pos_(pos),
        scalars_(std::move(scalars)) {}

 private:
  void Map(ProduceTask* task, StepColumn* column) const override {
    std::vector<double> scalars(scalars_.size());
    ElementCall call;
    call.scalars = scalars;
    call.pos = pos_;
    call.notes = &task->notes;
    for (size_t step = 0; step < column->kinds.size(); ++step) {
      if (column->kinds[step] == PointKind::kNone) continue;
      for (size_t i = 0; i < scalars.size(); ++i) scalars[i] = scalars_[i][step];
      call.eval_ms = grid_.At(step);
      if (function_.float_fn != nullptr && column->kinds[step] == PointKind::kFloat) {
        if (!function_.float_fn(call, column->values[step], &column->values[step])) column->Erase(step);
        continue;
      }
      Point point = function_.fn(call, column->Get(step));
      column->Erase(step);
      column->Set(step, std::move(point));
    }
  }

  const ElementFunction function_;
  const StepGrid grid_;
  const PositionRange pos_;
  const std::vector<std::vector<double>> scalars_;
};

class NegateProducer final : public MapProducer {
 public:
  NegateProducer(ProducerPtr inner, bool delayed_names) : MapProducer(std::move(inner), true, delayed_names) {}

 private:
  void Map(ProduceTask*, StepColumn* column) const override {
    for (double& value : column->values) value = -value;
    for (FloatHistogramPtr& histogram : column->histograms) {
      if (histogram == nullptr) continue;
      FloatHistogram negated = *histogram;
      negated.Mul(-1);
      histogram = std::make_shared<const FloatHistogram>(std::move(negated));
    }
  }
};

class TimesProducer final : public MapProducer {
 public:
  TimesProducer(ProducerPtr inner, bool delayed_names, const StepGrid& grid)
      : MapProducer(std::move(inner), true, delayed_names), grid_(grid) {}

 private:
  void Map(ProduceTask*, StepColumn* column) const override {
    for (size_t step = 0; step < column->kinds.size(); ++step) {
      if (column->kinds[step] != PointKind::kNone) column->SetFloat(step, static_cast<double>(grid_.At(step)) / 1000);
    }
    column->histograms.clear();
  }

  const StepGrid grid_;
};

class VectorScalarProducer final : public MapProducer {
 public:
  VectorScalarProducer(ProducerPtr inner, bool delayed_names, const Binary& binary, std::vector<double> scalars,
                       bool scalar_is_left)
      : MapProducer(std::move(inner), binary.return_bool || DropsName(binary.op), delayed_names),
        binary_(binary),
        scalars_(std::move(scalars)),
        scalar_is_left_(scalar_is_left) {}

 private:
  void Map(ProduceTask* task, StepColumn* column) const override {
    for (size_t step = 0; step < column->kinds.size(); ++step) {
      if (column->kinds[step] == PointKind::kFloat) MapFloat(step, task, column);
      if (column->kinds[step] == PointKind::kHistogram) MapHistogram(step, task, column);
    }
  }

  void MapFloat(size_t step, ProduceTask* task, StepColumn* column) const {
    const double element = column->values[step];
    const double lhs = scalar_is_left_ ? scalars_[step] : element;
    const double rhs = scalar_is_left_ ? element : scalars_[step];
    if (IsTrim(binary_.op)) {
      ApplyHistogramBinary(binary_.op, Point::Float(lhs), Point::Float(rhs), binary_.pos, &task->notes);
      return column->Erase(step);
    }
    if (!IsComparison(binary_.op)) return column->SetFloat(step, FloatArithmetic(binary_.op, lhs, rhs));
    const bool holds = FloatCompare(binary_.op, lhs, rhs);
    if (binary_.return_bool) return column->SetFloat(step, holds ? 1 : 0);
    if (!holds) column->Erase(step);
  }

  void MapHistogram(size_t step, ProduceTask* task, StepColumn* column) const {
    const Point element = column->Get(step);
    const Point scalar = Point::Float(scalars_[step]);
    HistogramBinaryResult result =
        ApplyHistogramBinary(binary_.op, scalar_is_left_ ? scalar : element, scalar_is_left_ ? element : scalar,
                             binary_.pos, &task->notes);
    column->Erase(step);
    if (result.failed) return;
    if (binary_.return_bool) return column->SetFloat(step, result.keep ? 1 : 0);
    if (result.keep) column->Set(step, IsComparison(binary_.op) ? element : std::move(result.point));
  }

  const Binary& binary_;
  const std::vector<double> scalars_;
  const bool scalar_is_left_;
};

std::vector<double> StepTimes(const StepGrid& grid) {
  std::vector<double> times(grid.steps());
  for (size_t step = 0; step < times.size(); ++step) times[step] = static_cast<double>(grid.At(step)) / 1000;
  return times;
}

}  // namespace

ProducerPtr SingleSeries(Evaluator* eval, const std::vector<double>& values) {
  StepMatrix matrix(1);
  matrix[0].column.Resize(values.size());
  for (size_t step = 0; step < values.size(); ++step) matrix[0].column.SetFloat(step, values[step]);
  return std::make_unique<MatrixProducer>(std::move(matrix), Charge(eval->tracker()));
}

Result<ProducerPtr> EvalElementFunction(Evaluator* eval, const Call& call, const ElementFunction& function,
                                        const EvalScope& scope) {
  std::vector<std::vector<double>> scalars;
  ProducerPtr inner;
  for (size_t i = 0; i < call.args.size(); ++i) {
    if (i == function.vector_arg) {
      VARVE_ASSIGN_OR_RETURN(inner, eval->Vector(*call.args[i], scope));
      continue;
    }
    VARVE_ASSIGN_OR_RETURN(std::vector<double> values, eval->Scalar(*call.args[i], scope));
    scalars.push_back(std::move(values));
  }
  if (inner == nullptr) inner = SingleSeries(eval, StepTimes(scope.grid));
  const PositionRange pos = function.vector_arg < call.args.size() ? call.args[function.vector_arg]->pos : call.pos;
  return eval->RequireUnique(std::make_unique<ElementProducer>(std::move(inner), eval->delayed_names(), function,
                                                               scope.grid, pos, std::move(scalars)),
                             scope, SameLabels::kRefuseStep);
}

Result<ProducerPtr> EvalUnary(Evaluator* eval, const Unary& unary, const EvalScope& scope) {
  VARVE_ASSIGN_OR_RETURN(ProducerPtr inner, eval->Vector(*unary.expr, scope));
  if (!unary.negate) return inner;
  return eval->RequireUnique(std::make_unique<NegateProducer>(std::move(inner), eval->delayed_names()), scope,
                             SameLabels::kRefuseStep);
}

Result<ProducerPtr> EvalStepTimes(Evaluator* eval, const Call& call, const EvalScope& scope) {
  VARVE_ASSIGN_OR_RETURN(ProducerPtr inner, eval->Vector(*call.args[0], scope));
  return eval->RequireUnique(std::make_unique<TimesProducer>(std::move(inner), eval->delayed_names(), scope.grid),
                             scope, SameLabels::kRefuseStep);
}

Result<ProducerPtr> EvalVectorScalar(Evaluator* eval, const Binary& binary, const EvalScope& scope) {
  const bool scalar_is_left = TypeOf(*binary.lhs) == ValueType::kScalar;
  VARVE_ASSIGN_OR_RETURN(ProducerPtr inner, eval->Vector(scalar_is_left ? *binary.rhs : *binary.lhs, scope));
  VARVE_ASSIGN_OR_RETURN(std::vector<double> scalars,
                         eval->Scalar(scalar_is_left ? *binary.lhs : *binary.rhs, scope));
  return eval->RequireUnique(std::make_unique<VectorScalarProducer>(std::move(inner), eval->delayed_names(), binary,
                                                                    std::move(scalars), scalar_is_left),
                             scope, SameLabels::kRefuseStep);
}

}  // namespace varve::promql
