// Matchers as Alertmanager reads them: first by the UTF-8 grammar, then by the older, more lenient one; where both take a
// text but differ, the older one's reading counts.
#include <algorithm>
#include <cctype>
#include <cstdint>
#include <optional>

#include "alerting/notify/notify_config.h"
#include "query/promql/syntax/number_text.h"

namespace varve {
namespace {

constexpr size_t kMatchersMax = 1'000;
constexpr size_t kTextBytesMax = 1 << 20;
constexpr std::string_view kReserved = "{}!=~,\\\"'`";

// A matcher before its regular expression is compiled.
struct RawMatcher {
  std::string name;
  MatchOp op = MatchOp::kEqual;
  std::string value;
};

// White space as Unicode has it.
bool IsSpaceRune(int32_t rune) {
  return (rune >= 9 && rune <= 13) || rune == ' ' || rune == 0x85 || rune == 0xa0 || rune == 0x1680 ||
         (rune >= 0x2000 && rune <= 0x200a) || rune == 0x2028 || rune == 0x2029 || rune == 0x202f || rune == 0x205f ||
         rune == 0x3000;
}

bool IsReservedRune(int32_t rune) {
  return IsSpaceRune(rune) || (rune > 0 && rune < 128 && kReserved.find(static_cast<char>(rune)) != std::string_view::npos);
}

// The UTF-8 grammar: [{] name op value {, name op value} [,] [}], names and values quoted or without reserved characters.
class Utf8Parser {
 public:
  explicit Utf8Parser(std::string_view text) : text_(text) {}

  Result<std::vector<RawMatcher>> Parse() {
    SkipSpace();
    const bool braces = Accept('{');
    SkipSpace();
    while (at_ < text_.size() && text_[at_] != '}') {
      VARVE_RETURN_IF_ERROR(ParseMatcher());
      SkipSpace();
      if (at_ == text_.size() || text_[at_] == '}') break;
      if (!Accept(',')) return Unexpected("expected a comma or close brace");
      SkipSpace();
    }
    if (braces && !Accept('}')) return Unexpected("expected close brace");
    SkipSpace();
    if (at_ < text_.size()) return Unexpected(text_[at_] == '}' ? "expected opening brace" : "expected end of input");
    return std::move(matchers_);
  }

 private:
  Status Unexpected(std::string_view expected) const {
    const std::string found = at_ < text_.size() ? "unexpected " + GoQuoted(text_.substr(at_, 20)) : "end of input";
    return InvalidArgument(std::to_string(at_) + ": " + found + ": " + std::string(expected));
  }
  bool Accept(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void SkipSpace() {
    while (at_ < text_.size()) {
      const promql::DecodedRune rune = promql::DecodeRune(text_, at_);
      if (!IsSpaceRune(rune.rune)) return;
      at_ += static_cast<size_t>(rune.width);
    }
  }

  Result<std::string> Word(std::string_view expected) {
    if (at_ < text_.size() && text_[at_] == '"') return QuotedWord();
    const size_t begin = at_;
    while (at_ < text_.size()) {
      const promql::DecodedRune rune = promql::DecodeRune(text_, at_);
      if (IsReservedRune(rune.rune)) break;
      at_ += static_cast<size_t>(std::max(rune.width, 1));
    }
    if (at_ == begin) return Unexpected(expected);
    return std::string(text_.substr(begin, at_ - begin));
  }

  Result<std::string> QuotedWord() {
    const size_t begin = at_++;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    if (at_ >= text_.size()) return InvalidArgument("missing end of a quoted text");
    ++at_;
    auto word = promql::Unquote(text_.substr(begin, at_ - begin));
    if (!word.ok() || !promql::IsValidUtf8(*word)) return InvalidArgument("invalid quoted text");
    return word;
  }

  Result<MatchOp> Operator() {
    if (Accept('!')) {
      if (Accept('=')) return MatchOp::kNotEqual;
      if (Accept('~')) return MatchOp::kRegexNotMatch;
    } else if (Accept('=')) {
      return Accept('~') ? MatchOp::kRegexMatch : MatchOp::kEqual;
    }
    return Unexpected("expected an operator such as '=', '!=', '=~' or '!~'");
  }

  Status ParseMatcher() {
    RawMatcher matcher;
    VARVE_ASSIGN_OR_RETURN(matcher.name, Word("expected label name"));
    SkipSpace();
    VARVE_ASSIGN_OR_RETURN(matcher.op, Operator());
    SkipSpace();
    VARVE_ASSIGN_OR_RETURN(matcher.value, Word("expected label value"));
    matchers_.push_back(std::move(matcher));
    return matchers_.size() > kMatchersMax ? InvalidArgument("more than 1000 matchers") : Status::Ok();
  }

  std::string_view text_;
  size_t at_ = 0;
  std::vector<RawMatcher> matchers_;
};

bool IsAsciiSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string_view Trimmed(std::string_view text, bool (*blank)(char)) {
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

// The older grammar's values: optional quotes; \" \n \\ are escapes, other backslashes stand for themselves.
Result<std::string> ClassicValue(std::string_view raw) {
  const std::string_view whole = raw;
  const auto unescaped_quote = [&] {
    return InvalidArgument("matcher value contains unescaped double quote: " + std::string(whole));
  };
  bool quote_open = raw.starts_with('"');
  if (quote_open) raw.remove_prefix(1);
  if (!promql::IsValidUtf8(raw)) return InvalidArgument("matcher value not valid UTF-8: " + std::string(whole));
  std::string value;
  for (size_t i = 0; i < raw.size(); ++i) {
    const bool last = i + 1 == raw.size();
    if (raw[i] == '\\' && !last) {
      const char next = raw[++i];
      if (next != 'n' && next != '"' && next != '\\') value += '\\';
      value += next == 'n' ? '\n' : next;
    } else if (raw[i] == '"') {
      if (!quote_open || !last) return unescaped_quote();
      quote_open = false;
    } else {
      value += raw[i];
    }
  }
  if (quote_open) return unescaped_quote();
  return value;
}

Result<RawMatcher> ClassicMatcher(std::string_view text) {
  const auto bad = [&] { return InvalidArgument("bad matcher format: " + std::string(text)); };
  const auto re_space = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r'; };
  std::string_view rest = Trimmed(text, re_space);
  RawMatcher out;
  size_t name_end = 0;
  while (name_end < rest.size() && (std::isalnum(static_cast<unsigned char>(rest[name_end])) != 0 ||
                                    rest[name_end] == '_' || rest[name_end] == ':')) {
    ++name_end;
  }
  if (name_end == 0 || std::isdigit(static_cast<unsigned char>(rest[0])) != 0) return bad();
  out.name = std::string(rest.substr(0, name_end));
  rest = Trimmed(rest.substr(name_end), re_space);
  constexpr std::pair<std::string_view, MatchOp> kOperators[] = {{"=~", MatchOp::kRegexMatch},
                                                                 {"=", MatchOp::kEqual},
                                                                 {"!=", MatchOp::kNotEqual},
                                                                 {"!~", MatchOp::kRegexNotMatch}};
  const auto* op = std::find_if(std::begin(kOperators), std::end(kOperators),
                                [&](const auto& candidate) { return rest.starts_with(candidate.first); });
  if (op == std::end(kOperators)) return bad();
  out.op = op->second;
  VARVE_ASSIGN_OR_RETURN(out.value, ClassicValue(Trimmed(rest.substr(op->first.size()), re_space)));
  return out;
}

// Splits at commas outside of quotes.
Result<std::vector<RawMatcher>> ParseClassic(std::string_view text) {
  if (text.starts_with('{')) text.remove_prefix(1);
  if (text.ends_with('}')) text.remove_suffix(1);
  std::vector<std::string_view> pieces;
  bool quoted = false, escaped = false;
  size_t begin = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == ',' && !quoted) {
      pieces.push_back(text.substr(begin, i - begin));
      begin = i + 1;
    } else if (c == '"') {
      if (!escaped) quoted = !quoted;
      escaped = false;
    } else {
      escaped = c == '\\' && !escaped;
    }
  }
  if (const std::string_view last = Trimmed(text.substr(begin), &IsAsciiSpace); !last.empty()) pieces.push_back(last);
  if (pieces.size() > kMatchersMax) return InvalidArgument("more than 1000 matchers");
  std::vector<RawMatcher> out;
  for (const std::string_view piece : pieces) {
    VARVE_ASSIGN_OR_RETURN(RawMatcher matcher, ClassicMatcher(piece));
    out.push_back(std::move(matcher));
  }
  return out;
}

// Compiled, or why one of them does not compile.
Result<std::vector<Matcher>> Compiled(const Result<std::vector<RawMatcher>>& raws) {
  if (!raws.ok()) return raws.status().Clone();
  std::vector<Matcher> out;
  for (const RawMatcher& raw : *raws) {
    VARVE_ASSIGN_OR_RETURN(Matcher matcher, Matcher::Create(raw.name, raw.op, raw.value, false));
    out.push_back(std::move(matcher));
  }
  return out;
}

}  // namespace

Result<std::vector<Matcher>> ParseAlertMatchers(std::string_view text) {
  if (text.size() > kTextBytesMax) return InvalidArgument("matchers longer than 1 MiB");
  auto classic = Compiled(ParseClassic(text));
  auto utf8 = Compiled(Utf8Parser(text).Parse());
  return utf8.ok() && !classic.ok() ? std::move(utf8) : std::move(classic);
}

}  // namespace varve
