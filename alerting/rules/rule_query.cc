#include "alerting/rules/rule_query.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <variant>

#include "engine/base/time.h"
#include "query/logql/parser.h"
#include "query/logql/printer.h"
#include "query/promql/eval/tenant_samples.h"
#include "query/promql/logql/engine_logql.h"
#include "query/promql/syntax/parser.h"

namespace varve {
namespace {

Status NoVector() { return ExecutionError("rule result is not a vector or scalar"); }

// Logs beyond the range of nanoseconds cannot be.
bool FitsNs(int64_t ms) { return ms > INT64_MIN / kNsPerMs && ms < INT64_MAX / kNsPerMs; }

Result<std::vector<RuleSample>> FromPromql(promql::QueryResult result) {
  std::vector<RuleSample> samples;
  if (result.type == promql::ValueType::kScalar) {
    samples.push_back({.labels = {}, .value = result.scalar.value, .histogram = nullptr});
    return samples;
  }
  if (result.type != promql::ValueType::kVector) return NoVector();
  samples.reserve(result.series.size());
  for (promql::ResultSeries& series : result.series) {
    RuleSample sample;
    sample.labels = std::move(series.labels);
    if (!series.floats.empty()) sample.value = series.floats.front().value;
    if (!series.histograms.empty()) sample.histogram = std::move(series.histograms.front().histogram);
    samples.push_back(std::move(sample));
  }
  return samples;
}

PackedLabels Pack(const LabelPairs& pairs) {
  std::vector<LabelView> views;
  views.reserve(pairs.size());
  for (const auto& [name, value] : pairs) views.push_back({name, value});
  return PackedLabels::FromUnsorted(std::move(views));
}

Result<std::vector<RuleSample>> FromLogql(const QueryResult& result) {
  std::vector<RuleSample> samples;
  if (const auto* scalar = std::get_if<ScalarResult>(&result.data)) {
    samples.push_back({.labels = {}, .value = scalar->value, .histogram = nullptr});
    return samples;
  }
  const auto* vector = std::get_if<VectorResult>(&result.data);
  if (vector == nullptr) return NoVector();
  samples.reserve(vector->series.size());
  for (const ResultSeries& series : vector->series) {
    if (series.points.empty()) continue;
    samples.push_back({.labels = Pack(series.labels), .value = series.points.front().value, .histogram = nullptr});
  }
  return samples;
}

int64_t MemoryOf(const QueryLimits& limits) {
  return limits.max_query_memory_bytes > 0 ? limits.max_query_memory_bytes : std::numeric_limits<int64_t>::max();
}

}  // namespace

TenantQueries::TenantQueries(Engine* engine, const promql::PromqlEngine* promql, const PerTenant<QueryLimits>* limits,
                             std::string_view tenant, TenantId id)
    : engine_(engine),
      promql_(promql),
      id_(id),
      limits_(limits->Of(tenant)),
      samples_(std::make_unique<promql::TenantSamples>(engine->metrics(), id)),
      logs_(std::make_unique<promql::EngineLogqlSource>(engine, id, *limits_, nullptr)) {}

TenantQueries::~TenantQueries() = default;

struct RuleQuery::Parts {
  RuleLanguage language = RuleLanguage::kPromql;
  std::string expr;
  std::string text;
  std::vector<std::string> metrics;  // that it selects by name
  bool reads_any = false;            // it may read others too
  logql::ExprPtr logql;              // null of PromQL
};

namespace {

Status ParsePromqlRule(RuleQuery::Parts* parts) {
  VARVE_ASSIGN_OR_RETURN(const promql::ExprPtr tree, promql::ParseExpr(parts->expr));
  parts->text = promql::ToString(*tree);
  // info() reads metrics that it does not name.
  parts->reads_any = parts->text.find("info(") != std::string::npos;
  for (const promql::VectorSelector* selector : promql::Selectors(*tree)) {
    const auto name = std::find_if(selector->matchers.begin(), selector->matchers.end(), [](const Matcher& m) {
      return m.name() == kMetricName && m.op() == MatchOp::kEqual;
    });
    if (name == selector->matchers.end()) {
      parts->reads_any = true;
    } else {
      parts->metrics.push_back(name->value());
    }
  }
  return Status::Ok();
}

Result<std::vector<RuleSample>> RunLogql(const logql::Expr& expr, const TenantQueries& tenant, int64_t ts_ms,
                                         const CancelToken* cancel) {
  if (expr.is_log_query()) return NoVector();
  if (!FitsNs(ts_ms)) return InvalidArgument("the time is out of the range of logs");
  QueryRequest request;
  request.tenant = tenant.id();
  request.instant = true;
  request.start_ns = ts_ms * kNsPerMs;
  request.end_ns = request.start_ns;
  request.cancel = cancel;
  VARVE_ASSIGN_OR_RETURN(const QueryResult result, RunQuery(*tenant.engine(), expr, request, tenant.limits()));
  return FromLogql(result);
}

}  // namespace

RuleQuery::RuleQuery(std::unique_ptr<const Parts> parts) : parts_(std::move(parts)) {}
RuleQuery::~RuleQuery() = default;

Result<std::unique_ptr<const RuleQuery>> RuleQuery::Parse(std::string_view expr, RuleLanguage language) {
  auto parts = std::make_unique<Parts>();
  parts->language = language;
  parts->expr = expr;
  if (language == RuleLanguage::kLogql) {
    VARVE_ASSIGN_OR_RETURN(parts->logql, logql::ParseExpr(expr));
    parts->text = logql::Print(*parts->logql);
  } else {
    VARVE_RETURN_IF_ERROR(ParsePromqlRule(parts.get()));
  }
  return std::make_unique<const RuleQuery>(std::move(parts));
}

Result<std::unique_ptr<const RuleQuery>> RuleQuery::ParseWithBool(std::string_view expr, RuleLanguage language) {
  if (language == RuleLanguage::kLogql) {
    VARVE_ASSIGN_OR_RETURN(const logql::ExprPtr tree, logql::ParseExpr(expr));
    const auto* const operation = std::get_if<logql::BinaryOperation>(&tree->node);
    if (operation == nullptr || !logql::IsComparison(operation->op)) return std::unique_ptr<const RuleQuery>();
    // Trees are not changed once they are parsed: another one of the same parts.
    logql::BinaryOperation with_bool;
    with_bool.op = operation->op;
    with_bool.matching = operation->matching;
    with_bool.return_bool = true;
    VARVE_ASSIGN_OR_RETURN(with_bool.left, logql::ParseExpr(logql::Print(*operation->left)));
    VARVE_ASSIGN_OR_RETURN(with_bool.right, logql::ParseExpr(logql::Print(*operation->right)));
    return Parse(logql::Print(logql::Expr{std::move(with_bool)}), language);
  }
  VARVE_ASSIGN_OR_RETURN(const promql::ExprPtr tree, promql::ParseExpr(expr));
  promql::Expr* top = tree.get();
  while (top->kind == promql::ExprKind::kParen) top = promql::Cast<promql::Paren>(*top).expr.get();
  if (top->kind != promql::ExprKind::kBinary) return std::unique_ptr<const RuleQuery>();
  promql::Binary& binary = promql::Cast<promql::Binary>(*top);
  if (!promql::IsComparison(binary.op)) return std::unique_ptr<const RuleQuery>();
  binary.return_bool = true;
  return Parse(promql::ToString(*tree), language);
}

bool RuleQuery::Reads(std::string_view metric) const {
  return parts_->reads_any ||
         std::find(parts_->metrics.begin(), parts_->metrics.end(), metric) != parts_->metrics.end();
}

const std::string& RuleQuery::text() const { return parts_->text; }
RuleLanguage RuleQuery::language() const { return parts_->language; }

Result<std::vector<RuleSample>> RuleQuery::Run(const TenantQueries& tenant, int64_t ts_ms,
                                               const CancelToken* cancel) const {
  if (parts_->logql != nullptr) return RunLogql(*parts_->logql, tenant, ts_ms, cancel);
  return RunPromqlText(tenant, parts_->expr, ts_ms, cancel);
}

Result<std::vector<RuleSample>> RunPromqlText(const TenantQueries& tenant, std::string_view text, int64_t ts_ms,
                                              const CancelToken* cancel) {
  MemoryBudget budget("rule", MemoryOf(tenant.limits()), tenant.engine()->query_budget());
  promql::QueryContext context;
  context.source = &tenant.samples();
  context.logql = &tenant.logs();
  context.pool = tenant.engine()->query_pool();
  context.budget = &budget;
  context.cancel = cancel;
  promql::QueryRequest request;
  request.query = text;
  request.start_ms = ts_ms;
  request.end_ms = ts_ms;
  VARVE_ASSIGN_OR_RETURN(promql::QueryResult result, tenant.promql().Run(request, context));
  return FromPromql(std::move(result));
}

}  // namespace varve
