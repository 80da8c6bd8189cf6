#include "alerting/reports/report_queries.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "alerting/reports/report_fields.h"
#include "engine/base/json_writer.h"
#include "engine/base/time.h"
#include "query/logql/parser.h"
#include "query/logql/shifted.h"
#include "query/promql/eval/tenant_samples.h"
#include "query/promql/logql/engine_logql.h"

namespace varve {
namespace {

constexpr int64_t kMsPerSecond = 1000;
constexpr uint32_t kLinesMax = 1000;

// One that owns nothing when the name was never seen: the queries are checked and answered all the same.
TenantId TenantOf(const Engine& engine, std::string_view name) {
  const Result<TenantId> tenant = engine.FindTenant(name);
  return tenant.ok() ? *tenant : TenantId{UINT32_MAX};
}

bool IsWordCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// How often a query with this step is asked: for each whole step of the period, at least once.
int64_t StepCount(const ReportPeriod& period, int64_t step_ms) {
  return std::max<int64_t>((period.end_s - period.begin_s) * kMsPerSecond / step_ms, 1);
}

// LogQL's ranges have their steps at multiples of the step; ours end a nanosecond before a step of the period does. So the
// next multiples are asked for, with windows that lie back by the difference.
void AskForSteps(const ReportPeriod& period, int64_t step_ms, logql::ExprPtr* expr, QueryRequest* request) {
  const int64_t step_ns = step_ms * kNsPerMs;
  const int64_t wanted_ns = period.begin_s * kNsPerSecond + step_ns - 1;
  const int64_t rest_ns = wanted_ns % step_ns;
  const int64_t back_ns = rest_ns == 0 ? 0 : step_ns - rest_ns;
  request->start_ns = wanted_ns + back_ns;
  request->end_ns = request->start_ns + (StepCount(period, step_ms) - 1) * step_ns;
  request->step_ns = step_ns;
  *expr = logql::ShiftedBack(**expr, back_ns);
}

// `late_ms` after when it is meant for.
void TakeSeries(std::vector<ResultSeries> series, int64_t late_ms, QueryValues* values) {
  for (ResultSeries& one : series) {
    values->series.push_back({std::move(one.labels), {}});
    for (const Point& point : one.points) values->series.back().points.push_back({point.t_ms - late_ms, point.value});
  }
}

uint32_t LineLimit(const ReportQuery& query) {
  uint32_t limit = 1;
  for (const ReportField& field : query.fields) {
    if (field.kind == FieldKind::kLogLines) limit = std::max(limit, field.limit == 0 ? kLinesMax : field.limit);
  }
  return limit;
}

Result<QueryValues> AskLogql(const ReportConfig& report, const ReportQuery& query, const ReportPeriod& period,
                             const ReportQueryMeans& means) {
  VARVE_ASSIGN_OR_RETURN(logql::ExprPtr expr, logql::ParseExpr(ReplaceVariables(query.text, period)));
  QueryRequest request;
  request.tenant = TenantOf(*means.engine, report.tenant);
  request.cancel = means.cancel;
  if (expr->is_log_query()) {
    request.start_ns = period.begin_s * kNsPerSecond;
    request.end_ns = period.end_s * kNsPerSecond;
    request.limit = LineLimit(query);
    request.direction = Direction::kForward;
  } else if (query.step_ms > 0) {
    AskForSteps(period, query.step_ms, &expr, &request);
  } else {
    request.start_ns = request.end_ns = period.end_s * kNsPerSecond - 1;
    request.instant = true;
  }
  VARVE_ASSIGN_OR_RETURN(QueryResult result, RunQuery(*means.engine, *expr, request, *means.limits));
  QueryValues values;
  values.step_ms = query.step_ms;
  // Of the first step's last millisecond.
  const int64_t late_ms =
      query.step_ms == 0 ? 0 : request.start_ns / kNsPerMs - (period.begin_s * kMsPerSecond + query.step_ms - 1);
  if (auto* streams = std::get_if<Streams>(&result.data)) {
    std::vector<std::pair<int64_t, std::string>> lines;
    for (ResultStream& stream : streams->streams) {
      for (ResultEntry& entry : stream.entries) lines.emplace_back(entry.ts_ns, std::move(entry.line));
    }
    std::stable_sort(lines.begin(), lines.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (auto& [ts_ns, line] : lines) values.lines.push_back(std::move(line));
  } else if (auto* matrix = std::get_if<MatrixResult>(&result.data)) {
    TakeSeries(std::move(matrix->series), late_ms, &values);
  } else if (auto* vector = std::get_if<VectorResult>(&result.data)) {
    TakeSeries(std::move(vector->series), late_ms, &values);
  } else {
    const auto& scalar = std::get<ScalarResult>(result.data);
    values.series.push_back({{}, {{scalar.t_ms, scalar.value}}});
  }
  return values;
}

Result<QueryValues> AskPromql(const ReportConfig& report, const ReportQuery& query, const ReportPeriod& period,
                              const ReportQueryMeans& means) {
  promql::QueryRequest request;
  request.query = ReplaceVariables(query.text, period);
  request.start_ms = request.end_ms = period.end_s * kMsPerSecond - 1;
  if (query.step_ms > 0) {
    request.start_ms = period.begin_s * kMsPerSecond + query.step_ms - 1;
    request.end_ms = request.start_ms + (StepCount(period, query.step_ms) - 1) * query.step_ms;
    request.step_ms = query.step_ms;
  }
  const TenantId tenant = TenantOf(*means.engine, report.tenant);
  const promql::TenantSamples samples(means.engine->metrics(), tenant);
  const promql::EngineLogqlSource logs(means.engine, tenant, *means.limits, nullptr);
  const int64_t memory_bytes = means.limits->max_query_memory_bytes;  // 0: no limit but that of all queries
  MemoryBudget budget("query", memory_bytes > 0 ? memory_bytes : INT64_MAX, means.engine->query_budget());
  promql::QueryContext context;
  context.source = &samples;
  context.logql = &logs;
  context.pool = means.engine->query_pool();
  context.budget = &budget;
  context.cancel = means.cancel;
  VARVE_ASSIGN_OR_RETURN(const promql::QueryResult result, means.promql->Run(request, context));
  QueryValues values;
  values.step_ms = query.step_ms;
  if (result.type == promql::ValueType::kScalar) {
    values.series.push_back({{}, {{result.scalar.ts_ms, result.scalar.value}}});
  } else if (result.type == promql::ValueType::kString) {
    values.lines.push_back(result.text);
  }
  for (const promql::ResultSeries& one : result.series) {
    values.series.emplace_back();
    for (const LabelView& label : one.labels) values.series.back().labels.emplace_back(label.name, label.value);
    for (const promql::FloatPoint& point : one.floats) {
      values.series.back().points.push_back({point.ts_ms, point.value});
    }
    // Histograms have no one value; what a report shows of them is a quantile or a count, which are floats.
    if (values.series.back().points.empty()) values.series.pop_back();
  }
  return values;
}

}  // namespace

std::string ReplaceVariables(std::string_view text, const ReportPeriod& period) {
  const std::pair<std::string_view, std::string> variables[] = {
      {"date", period.date},
      {"window", std::to_string(period.end_s - period.begin_s) + "s"},
      {"start", std::to_string(period.begin_s)},
      {"end", std::to_string(period.end_s)},
      {"start_ms", std::to_string(period.begin_s * kMsPerSecond)},
      {"end_ms", std::to_string(period.end_s * kMsPerSecond)},
      {"start_ns", std::to_string(period.begin_s * kNsPerSecond)},
      {"end_ns", std::to_string(period.end_s * kNsPerSecond)},
  };
  std::string out;
  for (size_t at = 0; at < text.size();) {
    if (text[at] != '$') {
      out.push_back(text[at++]);
      continue;
    }
    size_t end = at + 1;
    while (end < text.size() && IsWordCharacter(text[end])) ++end;
    const std::string_view word = text.substr(at + 1, end - at - 1);
    const auto* known = std::find_if(std::begin(variables), std::end(variables),
                                     [&](const auto& variable) { return variable.first == word; });
    out.append(known == std::end(variables) ? text.substr(at, end - at) : std::string_view(known->second));
    at = end;
  }
  return out;
}

Result<templates::DatumFields> AskQueries(const ReportConfig& report, const ReportPeriod& period,
                                          const ReportQueryMeans& means) {
  templates::DatumFields fields;
  for (const ReportQuery& query : report.queries) {
    Result<QueryValues> values = query.language == ReportLanguage::kLogql ? AskLogql(report, query, period, means)
                                                                          : AskPromql(report, query, period, means);
    const std::string context = fmt::format("query \"{}\"", query.name);
    if (!values.ok()) return std::move(values).status().WithContext(context);
    for (const ReportField& field : query.fields) {
      Status added = AddField(field, query, *values, report, period, &fields);
      if (!added.ok()) return std::move(added).WithContext(context);
    }
  }
  return fields;
}

Result<std::string> FindStoredEntry(const ReportConfig& report, const ReportPeriod& period,
                                    const ReportQueryMeans& means) {
  const Result<TenantId> tenant = means.engine->FindTenant(report.tenant);
  if (!tenant.ok()) return std::string();
  std::string selector = R"({job="varve-report",report=)";
  AppendJsonString(&selector, report.name);
  VARVE_ASSIGN_OR_RETURN(const logql::ExprPtr expr, logql::ParseExpr(selector + "}"));
  QueryRequest request;
  request.tenant = *tenant;
  request.start_ns = period.end_s * kNsPerSecond;
  request.end_ns = request.start_ns + 1;
  request.limit = 1;
  request.cancel = means.cancel;
  // Our own question: what limits the tenant's queries does not apply.
  QueryLimits limits;
  limits.max_query_length_ns = 0;
  VARVE_ASSIGN_OR_RETURN(QueryResult result, RunQuery(*means.engine, *expr, request, limits));
  auto* streams = std::get_if<Streams>(&result.data);
  if (streams == nullptr || streams->streams.empty() || streams->streams[0].entries.empty()) return std::string();
  return std::move(streams->streams[0].entries[0].line);
}

}  // namespace varve
