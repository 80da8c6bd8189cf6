// What a regular expression's matches must contain, found from its text.
//
// A line without any of `any_of` cannot match, so that a fast substring search can come first; when
// `exact`, a line matches exactly if it contains one of them and the regex is not needed at all.
// Sound for every pattern RE2 accepts: what the analysis does not understand only makes it say less.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace varve::logql {

struct RegexLiterals {
  std::vector<std::string> any_of;  // empty: nothing is known
  bool ignore_case = false;         // to be searched ignoring the case of ASCII letters
  bool exact = false;
  bool matches_everything = false;  // "", ".*" and the like
};

// `pattern` must have been accepted by RE2.
RegexLiterals FindRegexLiterals(std::string_view pattern);

}  // namespace varve::logql
