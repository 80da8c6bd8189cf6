// Regular expressions in RE2 syntax, compiled with Go's error wording.
//
// Threads: a compiled RE2 is immutable and thread-safe.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <re2/re2.h>

#include "engine/base/status.h"

namespace varve {

using Regex = std::shared_ptr<const re2::RE2>;

struct RegexOptions {
  bool anchored = false;         // the whole text must match, as in matchers: ^(?:pattern)$
  bool dot_matches_newline = false;
  int64_t program_bytes_max = 4 << 20;  // RE2's memory for program and DFA
};

// kInvalidArgument with "error parsing regexp: missing closing ]: `[a`".
Result<Regex> CompileRegex(std::string_view pattern, const RegexOptions& options);

inline bool RegexMatches(const re2::RE2& regex, std::string_view text) {
  // Anchoring, where wanted, is part of the program.
  return regex.Match(re2::StringPiece(text.data(), text.size()), 0, text.size(), re2::RE2::UNANCHORED,
                     nullptr, 0);
}

}  // namespace varve
