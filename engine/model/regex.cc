#include "engine/model/regex.h"

namespace varve {
namespace {

// RE2's codes in the words of Go's regexp/syntax.
std::string_view GoErrorWords(re2::RE2::ErrorCode code) {
  switch (code) {
    case re2::RE2::ErrorBadEscape: return "invalid escape sequence";
    case re2::RE2::ErrorBadCharClass: return "invalid character class";
    case re2::RE2::ErrorBadCharRange: return "invalid character class range";
    case re2::RE2::ErrorMissingBracket: return "missing closing ]";
    case re2::RE2::ErrorMissingParen: return "missing closing )";
    case re2::RE2::ErrorUnexpectedParen: return "unexpected )";
    case re2::RE2::ErrorTrailingBackslash: return "trailing backslash at end of expression";
    case re2::RE2::ErrorRepeatArgument: return "missing argument to repetition operator";
    case re2::RE2::ErrorRepeatSize: return "invalid repeat count";
    case re2::RE2::ErrorRepeatOp: return "invalid nested repetition operator";
    case re2::RE2::ErrorBadPerlOp: return "invalid or unsupported Perl syntax";
    case re2::RE2::ErrorBadUTF8: return "invalid UTF-8";
    case re2::RE2::ErrorBadNamedCapture: return "invalid named capture";
    case re2::RE2::ErrorPatternTooLarge: return "expression too large";
    default: return "regexp/syntax: internal error";
  }
}

// Go writes named groups as (?<name> too; RE2 knows (?P<name> only. Escapes and classes are stepped over.
std::string WithRe2GroupNames(std::string_view pattern) {
  std::string out;
  bool in_class = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    out.push_back(c);
    if (c == '\\' && i + 1 < pattern.size()) {
      out.push_back(pattern[++i]);
    } else if (in_class) {
      in_class = c != ']';
    } else if (c == '[') {
      in_class = true;
      // A "]" that comes first is a member.
      if (i + 1 < pattern.size() && pattern[i + 1] == '^') out.push_back(pattern[++i]);
      if (i + 1 < pattern.size() && pattern[i + 1] == ']') out.push_back(pattern[++i]);
    } else if (c == '(' && pattern.substr(i).starts_with("(?<")) {
      out.append("?P");
      ++i;
    }
  }
  return out;
}

}  // namespace

Result<Regex> CompileRegex(std::string_view text, const RegexOptions& options) {
  std::string renamed;
  std::string_view pattern = text;
  if (text.find("(?<") != std::string_view::npos) {
    renamed = WithRe2GroupNames(text);
    pattern = renamed;
  }
  re2::RE2::Options re2_options;
  re2_options.set_log_errors(false);
  re2_options.set_dot_nl(options.dot_matches_newline);
  re2_options.set_max_mem(options.program_bytes_max);
  // Compile the pattern as written first, so that an error quotes what the user wrote.
  auto regex = std::make_shared<re2::RE2>(re2::StringPiece(pattern.data(), pattern.size()), re2_options);
  if (regex->ok() && options.anchored) {
    // \A and \z rather than ^ and $: they mean the ends of the text whatever flags the pattern sets.
    std::string anchored = "\\A(?:";
    anchored += pattern;
    anchored += ")\\z";
    regex = std::make_shared<re2::RE2>(anchored, re2_options);
  }
  if (regex->ok()) return Regex(std::move(regex));
  std::string message = "error parsing regexp: ";
  message += GoErrorWords(regex->error_code());
  if (regex->error_code() != re2::RE2::ErrorTrailingBackslash) {
    std::string fragment = regex->error_arg();
    // What was renamed above is quoted as it was written.
    if (!renamed.empty() && fragment.starts_with("(?P<")) fragment.erase(2, 1);
    message += ": `";
    message += fragment.empty() ? std::string(pattern) : fragment;
    message += '`';
  } else {
    message += ": ``";
  }
  return InvalidArgument(std::move(message));
}

}  // namespace varve
