#include "query/promql/eval/evaluator.h"

#include <algorithm>
#include <unordered_set>

#include "query/promql/eval/aggregation.h"
#include "query/promql/eval/binary.h"
#include "query/promql/eval/calls.h"
#include "query/promql/eval/element.h"
#include "query/promql/eval/logql_vector.h"
#include "query/promql/eval/selector.h"
#include "query/promql/functions/series_functions.h"

namespace varve::promql {
namespace {

// A chunk of series is computed at once: enough to keep the pool busy, few enough to stay small.
constexpr size_t kChunkPoints = 16384;
constexpr size_t kChunkSeriesMin = 64;
constexpr size_t kChunkSeriesMax = 1024;
constexpr size_t kChunkPointsMax = 4 << 20;

size_t ChunkSeries(size_t steps, size_t workers) {
  const size_t usual = std::clamp(kChunkPoints / steps, kChunkSeriesMin, kChunkSeriesMax);
  return std::max(std::min(usual, kChunkPointsMax / steps), workers);
}

}  // namespace

Status SameLabelsetError() { return ExecutionError("vector cannot contain metrics with the same labelset"); }

Evaluator::Evaluator(const PromqlOptions& options, const QueryRequest& request, const QueryContext& context,
                     const Plan& plan)
    : options_(options),
      request_(request),
      context_(context),
      plan_(plan),
      tracker_(options.samples_max, context.budget != nullptr ? context.budget : &unlimited_),
      deadline_(options.timeout_ms == 0 ? std::chrono::steady_clock::time_point::max()
                                        : std::chrono::steady_clock::now() +
                                              std::chrono::milliseconds(options.timeout_ms)) {}

size_t Evaluator::Workers() const { return context_.pool == nullptr ? 1 : context_.pool->thread_count() + 1; }

Status Evaluator::CheckAlive() const {
  if (context_.cancel != nullptr) {
    const Status status = context_.cancel->Check();
    if (status.code() == Code::kCancelled) return Cancelled("query was canceled in expression evaluation");
    if (!status.ok()) return DeadlineExceeded("query timed out in expression evaluation");
  }
  if (deadline_ != std::chrono::steady_clock::time_point::max() && std::chrono::steady_clock::now() > deadline_) {
    return DeadlineExceeded("query timed out in expression evaluation");
  }
  return Status::Ok();
}

Status Evaluator::CheckSteps(const StepGrid& grid) const {
  const uint64_t samples_max = options_.samples_max == 0 ? UINT32_MAX : options_.samples_max;
  return grid.end_ms >= grid.start_ms && grid.steps() > samples_max ? TooManySamples() : Status::Ok();
}

Result<std::shared_ptr<const MetricSnapshot>> Evaluator::Select(const std::vector<Matcher>& matchers,
                                                                MetricRange range) {
  std::string key = std::to_string(range.min_ms) + "," + std::to_string(range.max_ms);
  for (const Matcher& matcher : matchers) key += "," + matcher.ToString();
  const auto found = snapshots_.find(key);
  if (found != snapshots_.end()) return found->second;
  VARVE_ASSIGN_OR_RETURN(std::unique_ptr<const MetricSnapshot> snapshot, context_.source->Select(matchers, range));
  return snapshots_.emplace(std::move(key), std::move(snapshot)).first->second;
}

Status Evaluator::ProduceChunk(SeriesProducer* producer, const EvalScope& scope, size_t begin, size_t count,
                               std::vector<std::unique_ptr<ProduceTask>>* tasks, std::vector<StepColumn>* columns) {
  const size_t parts = std::min(tasks->size(), count);
  std::vector<Status> statuses(parts);
  const auto produce_part = [&](size_t part) {
    ProduceTask* task = (*tasks)[part].get();
    const size_t part_end = count * (part + 1) / parts;
    for (size_t i = count * part / parts; i < part_end; ++i) {
      statuses[part] = producer->Produce(begin + i, task, &(*columns)[i]);
      if (!statuses[part].ok()) return;
    }
  };
  if (parts == 1 || context_.pool == nullptr) {
    for (size_t part = 0; part < parts; ++part) produce_part(part);
  } else {
    context_.pool->ParallelFor(parts, produce_part);
  }
  uint64_t window_samples = 0;
  for (size_t part = 0; part < parts; ++part) {
    ProduceTask* task = (*tasks)[part].get();
    notes_.Merge(task->notes);
    task->notes = {};
    scope.stats->Merge(task->stats);
    task->stats = SampleStats::Like(*scope.stats);
    window_samples += std::exchange(task->window_samples, 0);
  }
  for (Status& status : statuses) {
    if (!status.ok()) return std::move(status);
  }
  return tracker_.Pass(window_samples);
}

Status Evaluator::ForEachColumn(SeriesProducer* producer, const EvalScope& scope, const ColumnFn& consume) {
  const size_t size = producer->size();
  if (size == 0 || scope.is_empty()) return Status::Ok();
  const size_t steps = scope.grid.steps();
  const size_t chunk = std::min(size, ChunkSeries(steps, Workers()));
  const size_t parts = chunk <= 4 ? 1 : std::min(chunk, Workers() * 2);
  std::vector<std::unique_ptr<ProduceTask>> tasks;
  for (size_t part = 0; part < (Workers() == 1 ? 1 : parts); ++part) {
    tasks.push_back(std::make_unique<ProduceTask>());
    tasks.back()->stats = SampleStats::Like(*scope.stats);
    tasks.back()->budget = tracker_.budget();
    tasks.back()->check_alive = [this] { return CheckAlive(); };
  }
  const size_t columns_of_task = producer->levels() + 1;
  Charge charge(&tracker_);
  VARVE_RETURN_IF_ERROR(charge.Add(0, static_cast<int64_t>((chunk + tasks.size() * columns_of_task) * steps *
                                                           (sizeof(double) + sizeof(PointKind)))));
  std::vector<StepColumn> columns(chunk);
  uint64_t seen = 0;
  for (size_t begin = 0; begin < size; begin += chunk) {
    VARVE_RETURN_IF_ERROR(CheckAlive());
    const size_t count = std::min(chunk, size - begin);
    VARVE_RETURN_IF_ERROR(ProduceChunk(producer, scope, begin, count, &tasks, &columns));
    for (size_t i = 0; i < count; ++i) {
      seen += SamplesIn(columns[i]);
      VARVE_RETURN_IF_ERROR(consume(begin + i, &columns[i]));
    }
    tracker_.NotePeak(seen);
  }
  return Status::Ok();
}

Result<ChargedMatrix> Evaluator::Materialize(ProducerPtr producer, const EvalScope& scope) {
  if (auto* matrix = dynamic_cast<MatrixProducer*>(producer.get())) return matrix->Take();
  ChargedMatrix out{{}, Charge(&tracker_)};
  const auto keep = [&](size_t series, StepColumn* column) {
    if (IsEmptyColumn(*column)) return Status::Ok();
    VARVE_RETURN_IF_ERROR(out.charge.Add(SamplesIn(*column), MemoryBytes(*column)));
    out.series.push_back({producer->labels(series), producer->drop_name(series), std::move(*column)});
    return Status::Ok();
  };
  VARVE_RETURN_IF_ERROR(ForEachColumn(producer.get(), scope, keep));
  return out;
}

Result<ChargedMatrix> Evaluator::Matrix(const Expr& expr, const EvalScope& scope) {
  VARVE_ASSIGN_OR_RETURN(ProducerPtr producer, Vector(expr, scope));
  return Materialize(std::move(producer), scope);
}

namespace {

// Whether two series have the same labels. Compares hashes; a false alarm only costs time.
bool MayShareLabels(const SeriesProducer& producer) {
  std::vector<uint64_t> hashes(producer.size());
  for (size_t i = 0; i < hashes.size(); ++i) hashes[i] = producer.labels(i).Hash();
  std::sort(hashes.begin(), hashes.end());
  return std::adjacent_find(hashes.begin(), hashes.end()) != hashes.end();
}

bool ShareLabels(const StepMatrix& matrix) {
  std::unordered_set<std::string_view> seen;
  return std::any_of(matrix.begin(), matrix.end(), [&](const StepSeries& series) {
    return !seen.insert(series.labels.canonical()).second;
  });
}

}  // namespace

Result<ProducerPtr> Evaluator::RequireUnique(ProducerPtr producer, const EvalScope& scope, SameLabels rule) {
  if (delayed_names() && (scope.is_instant() || rule == SameLabels::kRefuseSeries)) return producer;
  if (!MayShareLabels(*producer)) return producer;
  VARVE_ASSIGN_OR_RETURN(ChargedMatrix matrix, Materialize(std::move(producer), scope));
  if (ShareLabels(matrix.series)) {
    if (rule == SameLabels::kRefuseSeries) return SameLabelsetError();
    VARVE_ASSIGN_OR_RETURN(matrix.series, MergeSameLabels(std::move(matrix.series)));
  }
  return ProducerPtr(std::make_unique<MatrixProducer>(std::move(matrix.series), std::move(matrix.charge)));
}

Result<ProducerPtr> Evaluator::FromMatrix(StepMatrix matrix, const EvalScope& scope, SameLabels rule) {
  std::erase_if(matrix, [](const StepSeries& series) { return IsEmptyColumn(series.column); });
  Charge charge(&tracker_);
  for (const StepSeries& series : matrix) {
    VARVE_RETURN_IF_ERROR(charge.Add(SamplesIn(series.column), MemoryBytes(series.column)));
  }
  return RequireUnique(std::make_unique<MatrixProducer>(std::move(matrix), std::move(charge)), scope, rule);
}

Result<ProducerPtr> Evaluator::Vector(const Expr& expr, const EvalScope& scope) {
  VARVE_RETURN_IF_ERROR(CheckAlive());
  if (scope.is_empty()) return ProducerPtr(std::make_unique<MatrixProducer>(StepMatrix(), Charge(&tracker_)));
  if (plan_.invariant.count(&expr) == 0 || scope.grid.steps() == 1) return VectorOnce(expr, scope);
  SampleStats once = SampleStats::Like({});
  const EvalScope first{{scope.grid.start_ms, scope.grid.start_ms, scope.grid.step_ms}, &once};
  VARVE_ASSIGN_OR_RETURN(ProducerPtr producer, VectorOnce(expr, first));
  for (size_t step = 0; step < scope.grid.steps() && once.total != 0; ++step) scope.stats->Count(step, once.total);
  return ProducerPtr(std::make_unique<RepeatProducer>(std::move(producer), scope.grid.steps()));
}

Result<std::vector<double>> Evaluator::Scalar(const Expr& expr, const EvalScope& scope) {
  VARVE_RETURN_IF_ERROR(CheckAlive());
  if (scope.is_empty()) return std::vector<double>();
  VARVE_RETURN_IF_ERROR(scalars_.Add(0, static_cast<int64_t>(scope.grid.steps() * sizeof(double))));
  if (plan_.invariant.count(&expr) == 0 || scope.grid.steps() == 1) return ScalarOnce(expr, scope);
  SampleStats once = SampleStats::Like({});
  const EvalScope first{{scope.grid.start_ms, scope.grid.start_ms, scope.grid.step_ms}, &once};
  VARVE_ASSIGN_OR_RETURN(const std::vector<double> value, ScalarOnce(expr, first));
  for (size_t step = 0; step < scope.grid.steps() && once.total != 0; ++step) scope.stats->Count(step, once.total);
  return std::vector<double>(scope.grid.steps(), value[0]);
}

Result<ProducerPtr> Evaluator::VectorOnce(const Expr& expr, const EvalScope& scope) {
  switch (expr.kind) {
    case ExprKind::kParen: return Vector(*Cast<Paren>(expr).expr, scope);
    case ExprKind::kVectorSelector: return EvalSelector(this, Cast<VectorSelector>(expr), scope);
    case ExprKind::kUnary: return EvalUnary(this, Cast<Unary>(expr), scope);
    case ExprKind::kBinary: return EvalBinary(this, Cast<Binary>(expr), scope);
    case ExprKind::kAggregate: return EvalAggregate(this, Cast<Aggregate>(expr), scope);
    case ExprKind::kCall: return EvalCall(this, Cast<Call>(expr), scope);
    case ExprKind::kLogql: return EvalLogql(this, Cast<LogqlVector>(expr), scope);
    default: return InternalError("the expression has no vector value");
  }
}

Result<std::vector<double>> Evaluator::ScalarOnce(const Expr& expr, const EvalScope& scope) {
  switch (expr.kind) {
    case ExprKind::kNumber: return std::vector<double>(scope.grid.steps(), Cast<NumberLiteral>(expr).value);
    case ExprKind::kParen: return Scalar(*Cast<Paren>(expr).expr, scope);
    case ExprKind::kUnary: {
      VARVE_ASSIGN_OR_RETURN(std::vector<double> values, Scalar(*Cast<Unary>(expr).expr, scope));
      if (Cast<Unary>(expr).negate) {
        for (double& value : values) value = -value;
      }
      return values;
    }
    case ExprKind::kBinary: return EvalScalarBinary(this, Cast<Binary>(expr), scope);
    case ExprKind::kCall: return EvalScalarCall(this, Cast<Call>(expr), scope);
    default: return InternalError("the expression has no scalar value");
  }
}

}  // namespace varve::promql
