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

}  // namespace

Result<Regex> CompileRegex(std::string_view pattern, const RegexOptions& options) {
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
    const std::string& fragment = regex->error_arg();
    message += ": `";
    message += fragment.empty() ? std::string(pattern) : fragment;
    message += '`';
  } else {
    message += ": ``";
  }
  return InvalidArgument(std::move(message));
}

}  // namespace varve
