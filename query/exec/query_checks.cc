#include "query/exec/query_checks.h"

#include <algorithm>
#include <set>

#include "query/exec/humanized_text.h"
#include "query/logql/validation.h"

namespace varve {
namespace {

using logql::Expr;
using logql::LogSelector;

// Deeper trees than any person writes; each level takes a stack frame here and in the evaluation.
constexpr int kDepthMax = 4000;

std::string Join(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) text += (text.empty() ? "" : ", ") + item;
  return text;
}

Status CheckSelector(const LogSelector& selector, const QueryLimits& limits) {
  const size_t count = selector.matchers.size();
  if (limits.max_streams_matchers_per_query != 0 && count > limits.max_streams_matchers_per_query) {
    return InvalidArgument("max streams matchers per query exceeded, matchers-count > limit (" +
                           std::to_string(count) + " > " +
                           std::to_string(limits.max_streams_matchers_per_query) + ")");
  }
  std::vector<std::string> present;
  for (const Matcher& matcher : selector.matchers) present.push_back(matcher.name());
  std::vector<std::string> missing;
  for (const std::string& required : limits.required_labels) {
    if (std::find(present.begin(), present.end(), required) == present.end()) missing.push_back(required);
  }
  if (!missing.empty()) {
    return InvalidArgument("stream selector is missing required matchers [" + Join(missing) +
                           "], labels present in the query were [" + Join(present) + "]");
  }
  if (std::set<std::string>(present.begin(), present.end()).size() < limits.minimum_labels_number) {
    return InvalidArgument(
        "stream selector has less label matchers than required: (present: [" + Join(present) +
        "], number_present: " + std::to_string(present.size()) +
        ", required_number_label_matchers: " + std::to_string(limits.minimum_labels_number) + ")");
  }
  return Status::Ok();
}

Status CheckTree(const Expr& expr, const QueryRequest& request, const QueryLimits& limits, int depth) {
  if (depth > kDepthMax) return InvalidArgument("the query is nested too deeply");
  if (const auto* selector = std::get_if<LogSelector>(&expr.node)) return CheckSelector(*selector, limits);
  if (const auto* range = std::get_if<logql::RangeAggregation>(&expr.node)) {
    if (limits.max_query_range_ns > 0 && range->range.range_ns > limits.max_query_range_ns) {
      return InvalidArgument("[interval] value exceeds limit: [" +
                             PrometheusDurationText(range->range.range_ns) + "] > [" +
                             PrometheusDurationText(limits.max_query_range_ns) + "]");
    }
    return CheckSelector(range->range.selector, limits);
  }
  if (const auto* vector = std::get_if<logql::VectorAggregation>(&expr.node)) {
    if (vector->op == logql::VectorOp::kApproxTopk && !request.instant) {
      return InvalidArgument("count min sketches are only supported on instant queries");
    }
    return CheckTree(*vector->operand, request, limits, depth + 1);
  }
  if (const auto* replace = std::get_if<logql::LabelReplace>(&expr.node)) {
    return CheckTree(*replace->operand, request, limits, depth + 1);
  }
  if (const auto* binary = std::get_if<logql::BinaryOperation>(&expr.node)) {
    VARVE_RETURN_IF_ERROR(CheckTree(*binary->left, request, limits, depth + 1));
    return CheckTree(*binary->right, request, limits, depth + 1);
  }
  return Status::Ok();
}

}  // namespace

Status CheckLimits(const Expr& expr, const QueryRequest& request, const QueryLimits& limits) {
  VARVE_RETURN_IF_ERROR(CheckTree(expr, request, limits, 0));
  VARVE_RETURN_IF_ERROR(logql::CheckRegexSizes(expr, limits.max_regex_size));
  if (request.end_ns < request.start_ns) {
    return InvalidArgument("end timestamp must not be before or equal to start time");
  }
  int64_t length_ns = 0;
  if (__builtin_sub_overflow(request.end_ns, request.start_ns, &length_ns)) length_ns = INT64_MAX;
  if (limits.max_query_length_ns > 0 && length_ns > limits.max_query_length_ns) {
    return InvalidArgument(
        "the query time range exceeds the limit (query length: " + GoDurationText(length_ns) +
        ", limit: " + PrometheusDurationText(limits.max_query_length_ns) + ")");
  }
  if (!expr.is_log_query()) return Status::Ok();
  if (request.instant) {
    return InvalidArgument(
        "log queries are not supported as an instant query type, please change your query to a range query "
        "type");
  }
  if (limits.max_entries_limit_per_query != 0 && request.limit > limits.max_entries_limit_per_query) {
    return InvalidArgument("max entries limit per query exceeded, limit > max_entries_limit_per_query (" +
                           std::to_string(request.limit) + " > " +
                           std::to_string(limits.max_entries_limit_per_query) + ")");
  }
  return Status::Ok();
}

}  // namespace varve
