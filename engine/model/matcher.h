// One condition on a label: name, operator, value. A label that is absent has the value "".
//
// Threads: immutable, share freely (copies share the compiled regex).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/model/labels.h"
#include "engine/model/regex.h"

namespace varve {

enum class MatchOp { kEqual, kNotEqual, kRegexMatch, kRegexNotMatch };

// "=", "!=", "=~", "!~"
std::string_view MatchOpText(MatchOp op);

class Matcher {
 public:
  // kInvalidArgument for a regex that does not compile. Regexes are anchored; in stream selectors
  // `.` also matches a newline.
  static Result<Matcher> Create(std::string name, MatchOp op, std::string value,
                                bool dot_matches_newline = true);

  bool Matches(std::string_view label_value) const;
  // Whether an absent label would match.
  bool MatchesEmpty() const { return Matches(""); }

  const std::string& name() const { return name_; }
  MatchOp op() const { return op_; }
  const std::string& value() const { return value_; }
  // Whether this is a regex that only alternates literals (a|b|c); then `literals` holds them.
  const std::vector<std::string>& literals() const { return literals_; }
  // The compiled program of a regex operator; null for the others.
  const Regex& regex() const { return regex_; }
  // name="value", with the value Go-quoted.
  std::string ToString() const;

 private:
  Matcher() = default;
  std::string name_;
  MatchOp op_ = MatchOp::kEqual;
  std::string value_;
  Regex regex_;
  std::vector<std::string> literals_;
};

// Whether every matcher accepts `labels`.
bool MatchesAll(const std::vector<Matcher>& matchers, const Labels& labels);

}  // namespace varve
