#include "query/exec/blocked_queries.h"

#include <algorithm>

namespace varve {
namespace {

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n\v\f";
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

// Loki's names: a metric query, a log query that filters, one that does not.
std::string_view TypeOf(const logql::Expr& expr) {
  const auto* selector = std::get_if<logql::LogSelector>(&expr.node);
  if (selector == nullptr) return "metric";
  const auto filters = [](const logql::Stage& stage) {
    return std::holds_alternative<logql::LineFilter>(stage) ||
           std::holds_alternative<logql::LabelFilterStage>(stage);
  };
  return std::any_of(selector->stages.begin(), selector->stages.end(), filters) ? "filter" : "limited";
}

bool Names(const BlockedQuery& blocked, std::string_view text) {
  if (blocked.hash != 0) return blocked.hash == QueryHash(text);
  if (blocked.pattern.empty()) return true;
  if (Trimmed(blocked.pattern) == Trimmed(text)) return true;
  return blocked.compiled != nullptr && RegexMatches(*blocked.compiled, text);
}

}  // namespace

uint32_t QueryHash(std::string_view text) {
  uint32_t hash = 2166136261U;
  for (const char c : text) hash = (hash * 16777619U) ^ static_cast<unsigned char>(c);
  return hash;
}

Status CheckBlocked(std::string_view text, const logql::Expr& expr, const QueryLimits& limits) {
  if (limits.blocked_queries.empty()) return Status::Ok();
  const std::string_view type = TypeOf(expr);
  for (const BlockedQuery& blocked : limits.blocked_queries) {
    const bool of_type = blocked.types.empty() ||
                         std::find(blocked.types.begin(), blocked.types.end(), type) != blocked.types.end();
    if (of_type && Names(blocked, text)) return InvalidArgument("query blocked by policy");
  }
  return Status::Ok();
}

}  // namespace varve
