#include "alerting/rules/rule_expression.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/model/labels.h"
#include "query/logql/parser.h"
#include "query/logql/pipeline.h"
#include "query/promql/syntax/parser.h"

namespace varve {
namespace {

Status CheckPipeline(const logql::LogSelector& selector, const std::optional<logql::Unwrap>& unwrap) {
  return logql::Pipeline::Compile(selector.stages, unwrap, logql::LabelNeeds{}).status().Clone();
}

// Every pipeline of the tree; `*pipelines` is how many there are. Without recursion: a tree may be kNestingMax deep.
Status CheckPipelines(const logql::Expr& root, size_t* pipelines) {
  std::vector<const logql::Expr*> pending = {&root};
  while (!pending.empty()) {
    const logql::Expr& expr = *pending.back();
    pending.pop_back();
    if (const auto* lines = std::get_if<logql::LogSelector>(&expr.node)) {
      ++*pipelines;
      VARVE_RETURN_IF_ERROR(CheckPipeline(*lines, std::nullopt));
    } else if (const auto* range = std::get_if<logql::RangeAggregation>(&expr.node)) {
      ++*pipelines;
      VARVE_RETURN_IF_ERROR(CheckPipeline(range->range.selector, range->range.unwrap));
    } else if (const auto* vector = std::get_if<logql::VectorAggregation>(&expr.node)) {
      pending.push_back(vector->operand.get());
    } else if (const auto* binary = std::get_if<logql::BinaryOperation>(&expr.node)) {
      pending.push_back(binary->right.get());
      pending.push_back(binary->left.get());
    } else if (const auto* replace = std::get_if<logql::LabelReplace>(&expr.node)) {
      pending.push_back(replace->operand.get());
    }
  }
  return Status::Ok();
}

Status CheckLogql(std::string_view expr, size_t* pipelines) {
  VARVE_ASSIGN_OR_RETURN(const logql::ExprPtr parsed, logql::ParseExpr(expr));
  return CheckPipelines(*parsed, pipelines);
}

Status CheckPromql(std::string_view expr) {
  VARVE_ASSIGN_OR_RETURN(const promql::ExprPtr parsed, promql::ParseExpr(expr));
  for (const promql::LogqlVector* inner : promql::LogqlVectors(*parsed)) {
    size_t pipelines = 0;
    Status status = CheckLogql(inner->query, &pipelines);
    if (status.ok() && IsLogLines(inner->query)) {
      status = InvalidArgument("a metric query is wanted here, this one gives log lines");
    }
    if (!status.ok()) return std::move(status).WithContext("logql(" + GoQuoted(inner->query) + ")");
  }
  return Status::Ok();
}

bool HasPipe(std::string_view expr) {
  char quote = 0;
  for (size_t i = 0; i < expr.size(); ++i) {
    const char c = expr[i];
    if (quote != 0) {
      if (c == '\\' && quote != '`') {
        ++i;
      } else if (c == quote) {
        quote = 0;
      }
    } else if (c == '"' || c == '\'' || c == '`') {
      quote = c;
    } else if (c == '|') {
      return true;
    }
  }
  return false;
}

}  // namespace

Status CheckRuleExpression(std::string_view expr, RuleLanguage language) {
  size_t pipelines = 0;
  return language == RuleLanguage::kPromql ? CheckPromql(expr) : CheckLogql(expr, &pipelines);
}

bool IsLogLines(std::string_view expr) {
  const Result<logql::ExprPtr> parsed = logql::ParseExpr(expr);
  return parsed.ok() && parsed.value()->is_log_query();
}

RuleExpression ChooseRuleLanguage(std::string_view expr, RuleLanguage preferred) {
  RuleExpression chosen;
  chosen.language = preferred;
  chosen.status = CheckRuleExpression(expr, preferred);
  if (chosen.status.ok()) return chosen;
  const RuleLanguage other = preferred == RuleLanguage::kPromql ? RuleLanguage::kLogql : RuleLanguage::kPromql;
  // LogQL without a stream selector, `sum(1)`, is a mistake in PromQL.
  size_t pipelines = 0;
  const Status status = other == RuleLanguage::kPromql ? CheckPromql(expr) : CheckLogql(expr, &pipelines);
  if (status.ok() && (other == RuleLanguage::kPromql || pipelines > 0)) return {other, Status::Ok()};
  if (!status.ok() && preferred == RuleLanguage::kPromql && HasPipe(expr)) {
    chosen.status = InvalidArgument(chosen.status.message() + "; as LogQL: " + status.message());
  }
  return chosen;
}

}  // namespace varve
