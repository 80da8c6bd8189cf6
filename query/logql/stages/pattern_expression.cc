#include "query/logql/stages/pattern_expression.h"

#include <set>

namespace varve::logql {
namespace {

bool IsNameStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

// The length of the capture that `text` starts with, or 0.
size_t CaptureLength(std::string_view text) {
  if (text.size() < 3 || text[0] != '<' || !IsNameStart(text[1])) return 0;
  size_t i = 2;
  while (i < text.size() && (IsNameStart(text[i]) || (text[i] >= '0' && text[i] <= '9'))) ++i;
  return i < text.size() && text[i] == '>' ? i + 1 : 0;
}

PatternExpression Split(std::string_view text) {
  PatternExpression expression;
  while (!text.empty()) {
    const size_t capture = CaptureLength(text);
    if (capture != 0) {
      expression.push_back({true, std::string(text.substr(1, capture - 2))});
      text.remove_prefix(capture);
      continue;
    }
    if (expression.empty() || expression.back().is_capture) expression.push_back({false, ""});
    expression.back().text.push_back(text[0]);
    text.remove_prefix(1);
  }
  return expression;
}

Status CheckNoConsecutiveCaptures(const PatternExpression& expression) {
  for (size_t i = 1; i < expression.size(); ++i) {
    if (!expression[i - 1].is_capture || !expression[i].is_capture) continue;
    return InvalidArgument("found consecutive capture '<" + expression[i - 1].text + "><" +
                           expression[i].text + ">': invalid expression");
  }
  return Status::Ok();
}

}  // namespace

Result<PatternExpression> ParseParserPattern(std::string_view text) {
  if (text.empty()) {
    return InvalidArgument(
        "parse error at line 1, col 1: syntax error: unexpected $end, expecting IDENTIFIER or LITERAL");
  }
  PatternExpression expression = Split(text);
  size_t named = 0;
  for (const PatternNode& node : expression) named += node.is_capture && !node.is_unnamed() ? 1 : 0;
  if (named == 0) return InvalidArgument("at least one capture is required");
  VARVE_RETURN_IF_ERROR(CheckNoConsecutiveCaptures(expression));
  std::set<std::string_view> seen;
  for (const PatternNode& node : expression) {
    if (!node.is_capture || node.is_unnamed()) continue;
    if (!seen.insert(node.text).second) {
      return InvalidArgument("duplicate capture name (" + node.text + "): invalid expression");
    }
  }
  return expression;
}

Result<PatternExpression> ParseFilterPattern(std::string_view text) {
  PatternExpression expression = Split(text);
  VARVE_RETURN_IF_ERROR(CheckNoConsecutiveCaptures(expression));
  for (const PatternNode& node : expression) {
    if (node.is_capture && !node.is_unnamed()) {
      return InvalidArgument("named captures are not allowed: found '<" + node.text + ">'");
    }
  }
  return expression;
}

}  // namespace varve::logql
