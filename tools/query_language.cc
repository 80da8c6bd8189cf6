#include "tools/query_language.h"

#include "query/logql/parser.h"
#include "query/promql/syntax/parser.h"

namespace varve {
namespace {

constexpr std::string_view kNameLabel = "__name__";

std::string_view WithoutLeadingSpace(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  return begin == std::string_view::npos ? std::string_view() : text.substr(begin);
}

// Whether there is a `|` outside of quotes.
bool HasPipe(std::string_view text) {
  char quote = '\0';
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != '\0') {
      if (c == '\\' && quote != '`') ++i;
      if (c == quote) quote = '\0';
    } else if (c == '"' || c == '\'' || c == '`') {
      quote = c;
    } else if (c == '|') {
      return true;
    }
  }
  return false;
}

}  // namespace

QueryLanguage GuessLanguage(std::string_view query) {
  const bool is_promql = promql::ParseExpr(query).ok();
  if (logql::ParseExpr(query).ok()) {
    const bool says_name = query.find(kNameLabel) != std::string_view::npos;
    return is_promql && says_name ? QueryLanguage::kPromql : QueryLanguage::kLogql;
  }
  if (is_promql) return QueryLanguage::kPromql;
  const bool like_logql = WithoutLeadingSpace(query).starts_with('{') || HasPipe(query);
  return like_logql ? QueryLanguage::kLogql : QueryLanguage::kPromql;
}

QueryLanguage GuessSelectorLanguage(std::string_view selector) {
  const bool bare = WithoutLeadingSpace(selector).starts_with('{');
  if (!bare || selector.find(kNameLabel) != std::string_view::npos) return QueryLanguage::kPromql;
  // {"metric"} is a metric's name in braces.
  return logql::ParseMatchers(selector).ok() || !promql::ParseSelector(selector).ok() ? QueryLanguage::kLogql
                                                                                      : QueryLanguage::kPromql;
}

}  // namespace varve
