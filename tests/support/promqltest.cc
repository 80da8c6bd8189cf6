#include "tests/support/promqltest.h"

#include <algorithm>
#include <array>
#include <memory>

#include <re2/re2.h>

#include "query/promql/eval/query.h"
#include "query/promql/syntax/function_table.h"
#include "query/promql/syntax/parser.h"
#include "tests/support/memory_metric_store.h"
#include "tests/support/promqltest_compare.h"
#include "tests/support/promqltest_load.h"
#include "tests/support/promqltest_script.h"

namespace varve::promqltest {
namespace {

using promql::Cast;
using promql::Expr;
using promql::ExprKind;
using promql::QueryResult;

constexpr int64_t kMinuteMs = 60 * 1000;

class StoreSource final : public promql::SampleSource {
 public:
  explicit StoreSource(const MetricStore* store) : store_(store) {}
  Result<std::unique_ptr<const MetricSnapshot>> Select(const std::vector<Matcher>& matchers,
                                                       MetricRange range) const override {
    return store_->Snapshot(kScriptTenant, matchers, range);
  }

 private:
  const MetricStore* const store_;
};

// Functions whose result depends on when they are evaluated, whatever their arguments.
bool DependsOnTime(std::string_view function) {
  static constexpr std::array<std::string_view, 15> kNames = {
      "days_in_month", "day_of_month", "day_of_week", "day_of_year", "end",  "hour", "minute",   "month",
      "year",          "predict_linear", "range",     "start",       "step", "time", "timestamp"};
  return std::find(kNames.begin(), kNames.end(), function) != kNames.end();
}

// Pins every selector and subquery that has no time of its own to `ts_ms`; what is inside a pinned subquery moves with
// it. False when the expression gives something else at another time all the same.
bool PinTimes(int64_t ts_ms, Expr* expr) {
  const auto pin = [ts_ms](promql::TimeShift* shift) {
    if (!shift->at_ms) shift->at_ms = ts_ms;
    shift->at_anchor = promql::AtAnchor::kNone;
  };
  switch (expr->kind) {
    case ExprKind::kVectorSelector: pin(&Cast<promql::VectorSelector>(*expr).shift); return true;
    case ExprKind::kMatrixSelector: pin(&Cast<promql::MatrixSelector>(*expr).selector->shift); return true;
    case ExprKind::kSubquery: pin(&Cast<promql::Subquery>(*expr).shift); return true;
    case ExprKind::kAggregate: {
      auto& aggregate = Cast<promql::Aggregate>(*expr);
      return (!aggregate.param || PinTimes(ts_ms, aggregate.param.get())) && PinTimes(ts_ms, aggregate.expr.get());
    }
    case ExprKind::kBinary: {
      auto& binary = Cast<promql::Binary>(*expr);
      return PinTimes(ts_ms, binary.lhs.get()) && PinTimes(ts_ms, binary.rhs.get());
    }
    case ExprKind::kCall: {
      auto& call = Cast<promql::Call>(*expr);
      if (DependsOnTime(call.function->name)) return false;
      return std::all_of(call.args.begin(), call.args.end(),
                         [ts_ms](const promql::ExprPtr& arg) { return PinTimes(ts_ms, arg.get()); });
    }
    case ExprKind::kUnary: return PinTimes(ts_ms, Cast<promql::Unary>(*expr).expr.get());
    case ExprKind::kParen: return PinTimes(ts_ms, Cast<promql::Paren>(*expr).expr.get());
    default: return true;
  }
}

class ScriptRunner {
 public:
  explicit ScriptRunner(std::string name) : engine_(Options()), name_(std::move(name)) { Reset(); }

  Status Run(const Command& command);
  ScriptReport TakeReport() { return std::move(report_); }

 private:
  struct Instant {
    std::string query;
    int64_t ts_ms;
  };

  static promql::PromqlOptions Options() {
    promql::PromqlOptions options;
    options.samples_max = 10'000;
    options.timeout_ms = 100'000;
    options.delayed_name_removal = true;
    options.use_start_timestamps = true;
    return options;
  }
  void Reset() {
    store_ = std::make_unique<MemoryMetricStore>();
    source_ = std::make_unique<StoreSource>(store_.get());
  }
  Result<QueryResult> Query(const std::string& query, int64_t start_ms, int64_t end_ms, int64_t step_ms) const {
    promql::QueryRequest request;
    request.query = query;
    request.start_ms = start_ms;
    request.end_ms = end_ms;
    request.step_ms = step_ms;
    promql::QueryContext context;
    context.source = source_.get();
    return engine_.Run(request, context);
  }
  void RunEval(const Eval& eval);
  Status CheckOnce(const Eval& eval, const std::string& query, Result<QueryResult> result) const;
  Status CheckInstant(const Eval& eval, const Instant& instant) const;
  Status CheckInRange(const Eval& eval, const Instant& instant) const;
  static std::vector<Instant> Pinned(const Eval& eval, int64_t ts_ms);

  const promql::PromqlEngine engine_;
  const std::string name_;
  std::unique_ptr<MemoryMetricStore> store_;
  std::unique_ptr<StoreSource> source_;
  ScriptReport report_;
};

Status ScriptRunner::Run(const Command& command) {
  if (std::holds_alternative<Clear>(command)) {
    Reset();
  } else if (const Load* load = std::get_if<Load>(&command)) {
    return ApplyLoad(*load, store_.get()).WithContext(name_ + ":" + std::to_string(load->line));
  } else {
    RunEval(std::get<Eval>(command));
  }
  return Status::Ok();
}

// One evaluation's error or result, and its annotations, against what the script says.
Status ScriptRunner::CheckOnce(const Eval& eval, const std::string& query, Result<QueryResult> result) const {
  if (!result.ok()) {
    const std::string& error = result.status().message();
    if (!eval.fail) return InvalidArgument("error: " + error);
    if (eval.fail->Matches(error)) return Status::Ok();
    return InvalidArgument("expected the error " + eval.fail->ToString() + ", got: " + error);
  }
  if (eval.fail) return InvalidArgument("expected an error, got none");
  VARVE_RETURN_IF_ERROR(CompareAnnotations(eval, query, *result));
  return CompareResult(eval, *result);
}

Status ScriptRunner::CheckInstant(const Eval& eval, const Instant& instant) const {
  VARVE_RETURN_IF_ERROR(CheckOnce(eval, instant.query, Query(instant.query, instant.ts_ms, instant.ts_ms, 0)));
  if (eval.fail || eval.instant_only) return Status::Ok();
  static const re2::RE2 kContext(R"((start|end|range|step)\(\))");
  if (re2::RE2::PartialMatch(instant.query, kContext)) return Status::Ok();
  return CheckInRange(eval, instant).WithContext("as a range");
}

Status ScriptRunner::CheckInRange(const Eval& eval, const Instant& instant) const {
  const int64_t ts_ms = instant.ts_ms;
  VARVE_ASSIGN_OR_RETURN(const QueryResult range, Query(instant.query, ts_ms - kMinuteMs, ts_ms + kMinuteMs, kMinuteMs));
  if (eval.ordered) return Status::Ok();
  QueryResult middle;
  middle.type = promql::ValueType::kVector;
  for (size_t i = 0; i < range.series.size(); ++i) {
    const promql::ResultSeries& series = range.series[i];
    if (i > 0 && series.labels < range.series[i - 1].labels) return InvalidArgument("the matrix is not sorted by labels");
    promql::ResultSeries element;
    element.labels = series.labels;
    for (const promql::FloatPoint& point : series.floats) {
      if (point.ts_ms == ts_ms) element.floats.push_back(point);
    }
    for (const promql::HistogramValue& point : series.histograms) {
      if (point.ts_ms == ts_ms) element.histograms.push_back(point);
    }
    if (!element.floats.empty() || !element.histograms.empty()) middle.series.push_back(std::move(element));
  }
  if (eval.scalar) {
    if (middle.series.size() != 1 || middle.series[0].floats.size() != 1) {
      return InvalidArgument("a scalar has no value in the middle");
    }
    middle.type = promql::ValueType::kScalar;
    middle.scalar = middle.series[0].floats[0];
  }
  return CompareResult(eval, middle);
}

std::vector<ScriptRunner::Instant> ScriptRunner::Pinned(const Eval& eval, int64_t ts_ms) {
  Result<promql::ExprPtr> expr = promql::ParseExpr(eval.query);
  if (!expr.ok() || !PinTimes(ts_ms, expr->get())) return {};
  const std::string query = promql::ToString(**expr);
  std::vector<Instant> out;
  const std::vector<int64_t> times = ts_ms == 0 ? std::vector<int64_t>{-1000, 0, 1000}
                                                : std::vector<int64_t>{-10 * ts_ms, 0, ts_ms / 5, ts_ms, 10 * ts_ms};
  out.reserve(times.size());
  for (const int64_t time : times) out.push_back({query, time});
  return out;
}

void ScriptRunner::RunEval(const Eval& eval) {
  ++report_.evals;
  const auto failed = [&](const Status& status, const std::string& query) {
    report_.failures.push_back(
        {eval.line, name_ + ":" + std::to_string(eval.line) + ": " + query + ": " + status.message()});
  };
  if (eval.is_range) {
    const Status status = CheckOnce(eval, eval.query, Query(eval.query, eval.start_ms, eval.end_ms, eval.step_ms));
    if (!status.ok()) return failed(status, eval.query);
    ++report_.passed_as_written;
    ++report_.passed;
    return;
  }
  const Status plain = CheckOnce(eval, eval.query, Query(eval.query, eval.end_ms, eval.end_ms, 0));
  if (!plain.ok()) return failed(plain, eval.query);
  ++report_.passed_as_written;
  std::vector<Instant> instants = {{eval.query, eval.end_ms}};
  for (Instant& instant : Pinned(eval, eval.end_ms)) instants.push_back(std::move(instant));
  for (const Instant& instant : instants) {
    const Status status = CheckInstant(eval, instant);
    if (!status.ok()) return failed(status, instant.query + " at " + std::to_string(instant.ts_ms) + " ms");
  }
  ++report_.passed;
}

}  // namespace

Result<ScriptReport> RunScript(const std::string& name, std::string_view text) {
  VARVE_ASSIGN_OR_RETURN(const std::vector<Command> commands, ParseScript(text));
  ScriptRunner runner(name);
  for (const Command& command : commands) VARVE_RETURN_IF_ERROR(runner.Run(command));
  return runner.TakeReport();
}

}  // namespace varve::promqltest
