#include "engine/model/matcher.h"

#include <algorithm>

namespace varve {
namespace {

// "a|b|c" with nothing but literals; anything RE2 would read differently disqualifies.
std::vector<std::string> LiteralAlternatives(const std::string& pattern) {
  if (pattern.empty() || pattern.find_first_of("\\.+*?()[]{}^$") != std::string::npos) return {};
  std::vector<std::string> literals;
  size_t begin = 0;
  while (true) {
    const size_t bar = pattern.find('|', begin);
    literals.push_back(pattern.substr(begin, bar == std::string::npos ? bar : bar - begin));
    if (bar == std::string::npos) return literals;
    begin = bar + 1;
  }
}

}  // namespace

std::string_view MatchOpText(MatchOp op) {
  switch (op) {
    case MatchOp::kEqual: return "=";
    case MatchOp::kNotEqual: return "!=";
    case MatchOp::kRegexMatch: return "=~";
    case MatchOp::kRegexNotMatch: return "!~";
  }
  return "?";
}

Result<Matcher> Matcher::Create(std::string name, MatchOp op, std::string value, bool dot_matches_newline) {
  Matcher matcher;
  matcher.name_ = std::move(name);
  matcher.op_ = op;
  matcher.value_ = std::move(value);
  if (op == MatchOp::kRegexMatch || op == MatchOp::kRegexNotMatch) {
    VARVE_ASSIGN_OR_RETURN(matcher.regex_, CompileRegex(matcher.value_, {.anchored = true,
                                                                         .dot_matches_newline = dot_matches_newline}));
    matcher.literals_ = LiteralAlternatives(matcher.value_);
  }
  return matcher;
}

bool Matcher::Matches(std::string_view label_value) const {
  switch (op_) {
    case MatchOp::kEqual: return label_value == value_;
    case MatchOp::kNotEqual: return label_value != value_;
    case MatchOp::kRegexMatch:
    case MatchOp::kRegexNotMatch: {
      const bool hit = literals_.empty() ? RegexMatches(*regex_, label_value)
                                         : std::find(literals_.begin(), literals_.end(), label_value) != literals_.end();
      return hit == (op_ == MatchOp::kRegexMatch);
    }
  }
  return false;
}

std::string Matcher::ToString() const {
  std::string out = name_;
  out += MatchOpText(op_);
  AppendGoQuoted(&out, value_);
  return out;
}

bool MatchesAll(const std::vector<Matcher>& matchers, const Labels& labels) {
  return std::all_of(matchers.begin(), matchers.end(),
                     [&](const Matcher& matcher) { return matcher.Matches(labels.Get(matcher.name())); });
}

}  // namespace varve
