#include "query/promql/eval/window.h"

#include <algorithm>

#include "query/promql/eval/selector.h"
#include "query/promql/eval/subquery.h"
#include "query/promql/syntax/function_table.h"

namespace varve::promql {
namespace {

// In how many windows a sample must be for a sliding form to be faster than looking at each window anew
// (bench/micro/promql_functions_bench.cc).
constexpr int64_t kSlidingOverlapMin = 8;

class SelectorSource final : public RangeSource {
 public:
  SelectorSource(std::shared_ptr<const MetricSnapshot> snapshot, MetricRange range, bool stats_only)
      : snapshot_(std::move(snapshot)), range_(range), stats_only_(stats_only) {}
  size_t size() const override { return snapshot_->size(); }
  const PackedLabels& labels(size_t series) const override { return snapshot_->labels(series); }
  bool drop_name(size_t) const override { return false; }
  size_t levels() const override { return 0; }
  Status Load(size_t series, ProduceTask* task, ProduceTask::Buffers* buffers) override {
    VARVE_RETURN_IF_ERROR(snapshot_->Read(series, range_, task->budget, &buffers->samples));
    DropStale(buffers, stats_only_);
    return Status::Ok();
  }

 private:
  const std::shared_ptr<const MetricSnapshot> snapshot_;
  const MetricRange range_;
  const bool stats_only_;
};

// The indexes of a window's samples, which only go forward.
class WindowCursor {
 public:
  WindowCursor(const ProduceTask::Buffers& buffers, const WindowSpec& spec) : buffers_(buffers), spec_(spec) {
    if (buffers.histograms.empty()) return;
    sizes_.reserve(buffers.histograms.size() + 1);
    sizes_.push_back(0);
    for (const HistogramPoint& point : buffers.histograms) {
      sizes_.push_back(sizes_.back() + point.histogram->SampleSize());
    }
  }

  void Advance(int64_t end_ms) {
    const int64_t from_ms = end_ms - spec_.range_ms - spec_.before_ms();
    const int64_t to_ms = end_ms + spec_.after_ms();
    const std::vector<int64_t>& ts = buffers_.samples.float_ts_ms;
    while (float_end_ < ts.size() && ts[float_end_] <= to_ms) ++float_end_;
    while (float_begin_ < float_end_ && ts[float_begin_] <= from_ms) ++float_begin_;
    const std::vector<HistogramPoint>& hists = buffers_.histograms;
    while (histogram_end_ < hists.size() && hists[histogram_end_].ts_ms <= to_ms) ++histogram_end_;
    while (histogram_begin_ < histogram_end_ && hists[histogram_begin_].ts_ms <= from_ms) ++histogram_begin_;
  }

  size_t floats() const { return float_end_ - float_begin_; }
  size_t histograms() const { return histogram_end_ - histogram_begin_; }
  uint64_t samples() const {
    return floats() + (sizes_.empty() ? 0 : sizes_[histogram_end_] - sizes_[histogram_begin_]);
  }

  RangeWindow Window(int64_t end_ms, int64_t eval_ms, bool with_starts) const {
    RangeWindow window = Part(float_begin_, float_end_, histogram_begin_, histogram_end_, with_starts);
    window.begin_ms = end_ms - spec_.range_ms;
    window.end_ms = end_ms;
    window.range_ms = spec_.range_ms;
    window.eval_ms = eval_ms;
    window.anchored = spec_.anchored;
    window.smoothed = spec_.smoothed;
    return window;
  }
  // All samples of the series.
  RangeWindow All(bool with_starts) const {
    return Part(0, buffers_.samples.floats.size(), 0, buffers_.histograms.size(), with_starts);
  }

 private:
  RangeWindow Part(size_t float_begin, size_t float_end, size_t histogram_begin, size_t histogram_end,
                   bool with_starts) const {
    const SeriesSamples& samples = buffers_.samples;
    const size_t floats = float_end - float_begin;
    const size_t histograms = histogram_end - histogram_begin;
    RangeWindow window;
    window.ts_ms = std::span(samples.float_ts_ms).subspan(float_begin, floats);
    window.floats = std::span(samples.floats).subspan(float_begin, floats);
    window.histograms = std::span<const HistogramPoint>(buffers_.histograms).subspan(histogram_begin, histograms);
    if (with_starts && !samples.float_starts_ms.empty()) {
      window.starts_ms = std::span(samples.float_starts_ms).subspan(float_begin, floats);
    }
    if (with_starts && !samples.histogram_starts_ms.empty()) {
      window.histogram_starts_ms = std::span(samples.histogram_starts_ms).subspan(histogram_begin, histograms);
    }
    return window;
  }

  const ProduceTask::Buffers& buffers_;
  const WindowSpec& spec_;
  size_t float_begin_ = 0;
  size_t float_end_ = 0;
  size_t histogram_begin_ = 0;
  size_t histogram_end_ = 0;
  std::vector<uint64_t> sizes_;  // of the histograms before each, in samples; empty: there is none
};

class RangeFunctionProducer final : public SeriesProducer {
 public:
  struct Setup {
    const Call* call = nullptr;
    RangeFunction function;
    std::vector<std::vector<double>> scalars;  // an argument: one a step
    bool delayed_names = false;
    bool use_starts = false;
    bool type_and_unit_labels = false;
  };
  RangeFunctionProducer(RangeInput input, Setup setup) : input_(std::move(input)), setup_(std::move(setup)) {
    if (setup_.delayed_names || setup_.function.keeps_name) return;
    for (size_t i = 0; i < size(); ++i) labels_.push_back(DropMetricLabels(input_.source->labels(i)));
  }

  size_t size() const override { return input_.source->size(); }
  const PackedLabels& labels(size_t series) const override {
    return labels_.empty() ? input_.source->labels(series) : labels_[series];
  }
  bool drop_name(size_t series) const override {
    return setup_.delayed_names && (!setup_.function.keeps_name || input_.source->drop_name(series));
  }
  size_t levels() const override { return input_.source->levels() + 1; }

  Status Produce(size_t series, ProduceTask* task, StepColumn* out) override {
    ProduceTask::Buffers* buffers = task->BuffersOfLevel(input_.source->levels());
    VARVE_RETURN_IF_ERROR(input_.source->Load(series, task, buffers));
    const StepGrid& grid = input_.spec.grid;
    out->Resize(grid.steps());
    if (buffers->samples.floats.empty() && buffers->histograms.empty()) return Status::Ok();
    RangeCall call = MakeCall(series, task);
    std::vector<double> scalars(setup_.scalars.size());
    call.scalars = scalars;
    WindowCursor cursor(*buffers, input_.spec);
    const bool floats_only = !input_.spec.anchored && !input_.spec.smoothed && buffers->histograms.empty();
    SlidingForm* sliding = floats_only ? BeginSliding(cursor, buffers) : nullptr;
    for (size_t step = 0; step < grid.steps(); ++step) {
      const int64_t eval_ms = grid.At(step);
      const int64_t end_ms = input_.spec.EndMs(eval_ms);
      cursor.Advance(end_ms);
      const uint64_t samples = cursor.samples();
      if (samples == 0) continue;
      for (size_t i = 0; i < scalars.size(); ++i) scalars[i] = setup_.scalars[i][step];
      VARVE_RETURN_IF_ERROR(task->Worked(samples));
      task->stats.Count(step, samples);
      task->window_samples = std::max(task->window_samples, samples);
      const RangeWindow window = cursor.Window(end_ms, eval_ms, setup_.use_starts);
      double value = 0;
      if (sliding != nullptr) {
        if (sliding->At(call, window, &value)) out->SetFloat(step, value);
      } else if (floats_only && setup_.function.float_fn != nullptr) {
        if (setup_.function.float_fn(call, window, &value)) out->SetFloat(step, value);
      } else {
        VARVE_ASSIGN_OR_RETURN(Point point, setup_.function.fn(call, window));
        out->Set(step, std::move(point));
      }
    }
    if (setup_.function.of_counters &&
        std::find(out->kinds.begin(), out->kinds.end(), PointKind::kFloat) != out->kinds.end()) {
      NoteUnlessCounter(call);
    }
    return Status::Ok();
  }

 private:
  RangeCall MakeCall(size_t series, ProduceTask* task) const {
    RangeCall call;
    call.labels = &input_.source->labels(series);
    call.metric_name = call.labels->metric_name();
    const bool subquery_first = setup_.call->args[0]->kind == ExprKind::kSubquery;
    call.pos = subquery_first ? PositionRange{} : setup_.call->args[0]->pos;
    call.call_pos = setup_.call->pos;
    call.notes = &task->notes;
    call.type_and_unit_labels = setup_.type_and_unit_labels;
    return call;
  }

  // The worker's own form, kept from series to series; null when the plain one is to be called.
  SlidingForm* BeginSliding(const WindowCursor& cursor, ProduceTask::Buffers* buffers) const {
    const StepGrid& grid = input_.spec.grid;
    const bool pays = grid.step_ms > 0 && input_.spec.range_ms / grid.step_ms >= kSlidingOverlapMin;
    if (setup_.function.make_sliding == nullptr || !pays) return nullptr;
    if (buffers->sliding_of != setup_.function.make_sliding) {
      buffers->sliding = setup_.function.make_sliding();
      buffers->sliding_of = setup_.function.make_sliding;
    }
    return buffers->sliding->Begin(cursor.All(setup_.use_starts)) ? buffers->sliding.get() : nullptr;
  }

  RangeInput input_;
  const Setup setup_;
  std::vector<PackedLabels> labels_;  // empty: the source's
};

Status CheckModifier(const Expr& range, std::string_view name, bool takes_anchored, bool takes_smoothed) {
  if (range.kind != ExprKind::kMatrixSelector) return Status::Ok();
  const VectorSelector& selector = *Cast<MatrixSelector>(range).selector;
  if (selector.anchored && !takes_anchored) {
    return ExecutionError(
        "anchored modifier can only be used with: changes, delta, increase, rate, resets - not with " +
        std::string(name));
  }
  if (selector.smoothed && !takes_smoothed) {
    return ExecutionError("smoothed modifier can only be used with: delta, increase, rate - not with " +
                          std::string(name));
  }
  return Status::Ok();
}

}  // namespace

Result<RangeInput> OpenRange(Evaluator* eval, const Expr& expr, const EvalScope& scope) {
  if (expr.kind == ExprKind::kSubquery) return OpenSubquery(eval, Cast<Subquery>(expr), scope);
  const MatrixSelector& matrix = Cast<MatrixSelector>(expr);
  const VectorSelector& selector = *matrix.selector;
  RangeInput input;
  WindowSpec& spec = input.spec;
  spec = {.grid = scope.grid,
          .at_ms = selector.shift.at_ms,
          .offset_ms = selector.shift.offset_ms,
          .range_ms = matrix.range_ms,
          .anchored = selector.anchored,
          .smoothed = selector.smoothed,
          .lookback_ms = eval->lookback_ms()};
  const int64_t last_ms = scope.grid.At(scope.grid.steps() - 1);
  const MetricRange range{spec.EndMs(scope.grid.start_ms) - spec.range_ms - spec.before_ms() + 1,
                          spec.EndMs(last_ms) + spec.after_ms()};
  VARVE_ASSIGN_OR_RETURN(auto snapshot, eval->Select(selector.matchers, range));
  input.source = std::make_unique<SelectorSource>(std::move(snapshot), range, eval->stats_only(selector));
  return input;
}

Result<ProducerPtr> EvalRangeFunction(Evaluator* eval, const Call& call, const RangeFunction& function,
                                      const EvalScope& scope) {
  const Expr& range = *call.args[function.matrix_arg];
  VARVE_RETURN_IF_ERROR(
      CheckModifier(range, call.function->name, function.takes_anchored, function.takes_smoothed));
  RangeFunctionProducer::Setup setup;
  setup.call = &call;
  setup.function = function;
  setup.delayed_names = eval->delayed_names();
  setup.use_starts = eval->options().use_start_timestamps && function.uses_starts;
  setup.type_and_unit_labels = eval->options().type_and_unit_labels;
  VARVE_ASSIGN_OR_RETURN(RangeInput input, OpenRange(eval, range, scope));
  for (size_t i = 0; i < call.args.size(); ++i) {
    if (i == function.matrix_arg) continue;
    VARVE_ASSIGN_OR_RETURN(std::vector<double> values, eval->Scalar(*call.args[i], scope));
    setup.scalars.push_back(std::move(values));
  }
  const bool keeps_name = function.keeps_name;
  auto producer = std::make_unique<RangeFunctionProducer>(std::move(input), std::move(setup));
  if (keeps_name) return ProducerPtr(std::move(producer));
  return eval->RequireUnique(std::move(producer), scope, SameLabels::kRefuseSeries);
}

Result<ChargedMatrix> EvalPresence(Evaluator* eval, const Call& call, const EvalScope& scope) {
  const Expr& range = *call.args[0];
  VARVE_RETURN_IF_ERROR(CheckModifier(range, call.function->name, false, false));
  RangeFunctionProducer::Setup setup;
  setup.call = &call;
  setup.function = {.name = call.function->name,
                    .fn = [](const RangeCall&, const RangeWindow&) -> Result<Point> { return Point::Float(1); },
                    .keeps_name = true};
  VARVE_ASSIGN_OR_RETURN(RangeInput input, OpenRange(eval, range, scope));
  RangeFunctionProducer producer(std::move(input), std::move(setup));
  StepSeries any;
  any.column.Resize(scope.grid.steps());
  VARVE_RETURN_IF_ERROR(eval->ForEachColumn(&producer, scope, [&](size_t, StepColumn* column) {
    for (size_t step = 0; step < column->kinds.size(); ++step) {
      if (column->kinds[step] != PointKind::kNone) any.column.SetFloat(step, 1);
    }
    return Status::Ok();
  }));
  ChargedMatrix out{{}, Charge(eval->tracker())};
  if (IsEmptyColumn(any.column)) return out;
  VARVE_RETURN_IF_ERROR(out.charge.Add(SamplesIn(any.column), MemoryBytes(any.column)));
  out.series.push_back(std::move(any));
  return out;
}

}  // namespace varve::promql
