#include "query/promql/syntax/lexer.h"

#include "engine/base/check.h"
#include "query/promql/syntax/number_text.h"

namespace varve::promql {
namespace {

bool IsSpace(int32_t c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool IsDigit(int32_t c) { return c >= '0' && c <= '9'; }
bool IsAlpha(int32_t c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsAlphaNumeric(int32_t c) { return IsAlpha(c) || IsDigit(c); }
// The first letters of step, range, max_of, min_of.
bool BeginsDurationWord(int32_t c) {
  return c == 's' || c == 'S' || c == 'r' || c == 'R' || c == 'm' || c == 'M';
}
uint32_t DigitValue(int32_t c) {
  if (IsDigit(c)) return static_cast<uint32_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<uint32_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<uint32_t>(c - 'A' + 10);
  return 16;
}

// `U+0071 'q'`, without the character where it is not printable: Go's %#U.
std::string NamedRune(int32_t rune) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string digits;
  for (uint32_t rest = static_cast<uint32_t>(rune); rest != 0 || digits.size() < 4; rest >>= 4) {
    digits.insert(digits.begin(), kHex[rest & 15]);
  }
  std::string out = "U+" + digits;
  std::string text;
  AppendRune(&text, static_cast<uint32_t>(rune));
  const bool printable = rune == '\'' || rune == '\\' || QuotedRune(rune) == "'" + text + "'";
  if (printable) out += " '" + text + "'";
  return out;
}

}  // namespace

int32_t Lexer::Take() {
  const DecodedRune decoded = DecodeRune(text_, at_);
  width_ = static_cast<size_t>(decoded.width);
  at_ += width_;
  return decoded.rune;
}

int32_t Lexer::Peek() const { return DecodeRune(text_, at_).rune; }

bool Lexer::Accept(std::string_view any) {
  if (at_ >= text_.size() || any.find(text_[at_]) == std::string_view::npos) return false;
  ++at_;
  width_ = 1;
  return true;
}

void Lexer::SkipSpace() {
  while (at_ < text_.size() && IsSpace(text_[at_])) ++at_;
  begin_ = at_;
}

Token Lexer::Emit(TokenType type) {
  Token token;
  token.type = type;
  token.begin = static_cast<int32_t>(begin_);
  token.text = text_.substr(begin_, at_ - begin_);
  begin_ = at_;
  return token;
}

Token Lexer::Error(std::string message) {
  failed_ = true;
  failure_.type = TokenType::kError;
  failure_.begin = static_cast<int32_t>(begin_);
  failure_.error = std::move(message);
  return failure_;
}

Token Lexer::Next() {
  if (failed_) return failure_;
  SkipSpace();
  if (mode_ == Mode::kDurationExpr) return DurationExpr();
  while (at_ < text_.size() && text_[at_] == '#') {
    while (at_ < text_.size() && text_[at_] != '\n' && text_[at_] != '\r') ++at_;
    SkipSpace();
  }
  return brace_open_ ? InsideBraces() : Statement();
}

Token Lexer::CloseParen() {
  const Token token = Emit(TokenType::kRightParen);
  if (--paren_depth_ < 0) return Error("unexpected right parenthesis ')'");
  return token;
}

Token Lexer::Statement() {
  const int32_t c = Take();
  if (c < 0) {
    if (paren_depth_ != 0) return Error("unclosed left parenthesis");
    if (bracket_open_) return Error("unclosed left bracket");
    return Emit(TokenType::kEnd);
  }
  if (IsDigit(c) || (c == '.' && IsDigit(Peek()))) {
    Back();
    return NumberOrDuration();
  }
  if (IsAlpha(c) || c == ':') {
    if (bracket_open_) return InsideBracketsWord(c);
    return Word();
  }
  switch (c) {
    case '"':
    case '\'': return String(c);
    case '`': return RawString();
    case '(': ++paren_depth_; return Emit(TokenType::kLeftParen);
    case ')': return CloseParen();
    case '{': brace_open_ = true; return Emit(TokenType::kLeftBrace);
    case '[': {
      if (bracket_open_) return Error("unexpected left bracket '['");
      got_colon_ = false;
      bracket_open_ = true;
      mode_ = Mode::kDurationExpr;
      return Emit(TokenType::kLeftBracket);
    }
    case ']':
      if (!bracket_open_) return Error("unexpected right bracket ']'");
      bracket_open_ = false;
      return Emit(TokenType::kRightBracket);
    default: return Operator(c);
  }
}

Token Lexer::Operator(int32_t c) {
  switch (c) {
    case ',': return Emit(TokenType::kComma);
    case '*': return Emit(TokenType::kMul);
    case '/': return Emit(TokenType::kDiv);
    case '%': return Emit(TokenType::kMod);
    case '+': return Emit(TokenType::kAdd);
    case '-': return Emit(TokenType::kSub);
    case '^': return Emit(TokenType::kPow);
    case '@': return Emit(TokenType::kAt);
    case '=':
      if (Accept("=")) return Emit(TokenType::kEq);
      if (Peek() == '~') return Error("unexpected character after '=': '~'");
      return Emit(TokenType::kAssign);
    case '!': {
      const int32_t next = Take();
      if (next != '=') return Error("unexpected character after '!': " + QuotedRune(next));
      return Emit(TokenType::kNe);
    }
    case '<':
      if (Accept("=")) return Emit(TokenType::kLe);
      return Emit(Accept("/") ? TokenType::kTrimUpper : TokenType::kLt);
    case '>':
      if (Accept("=")) return Emit(TokenType::kGe);
      return Emit(Accept("/") ? TokenType::kTrimLower : TokenType::kGt);
    default: return Error("unexpected character: " + QuotedRune(c));
  }
}

// After a number in brackets: the colon of a subquery, or a word of a duration.
Token Lexer::InsideBracketsWord(int32_t c) {
  if (c == ':') {
    if (got_colon_) return Error("unexpected colon ':'");
    got_colon_ = true;
    return Emit(TokenType::kColon);
  }
  TokenType type;
  if (BeginsDurationWord(c) && ScanDurationWord(&type)) return Emit(type);
  return Error("unexpected character: " + QuotedRune(c) + ", expected ':'");
}

Token Lexer::InsideBraces() {
  const int32_t c = Take();
  if (c < 0) return Error("unexpected end of input inside braces");
  if (IsAlpha(c)) {
    while (at_ < text_.size() && IsAlphaNumeric(text_[at_])) ++at_;
    return Emit(TokenType::kIdentifier);
  }
  switch (c) {
    case ',': return Emit(TokenType::kComma);
    case '"':
    case '\'': return String(c);
    case '`': return RawString();
    case '=': return Emit(Accept("~") ? TokenType::kRegexMatch : TokenType::kAssign);
    case '!': {
      const int32_t next = Take();
      if (next == '~') return Emit(TokenType::kRegexNotMatch);
      if (next == '=') return Emit(TokenType::kNe);
      return Error("unexpected character after '!' inside braces: " + QuotedRune(next));
    }
    case '{': return Error("unexpected left brace '{'");
    case '}': brace_open_ = false; return Emit(TokenType::kRightBrace);
    default: return Error("unexpected character inside braces: " + QuotedRune(c));
  }
}

Token Lexer::DurationExpr() {
  const int32_t c = Take();
  if (c < 0) return Error("unexpected end of input in duration expression");
  if (IsDigit(c) || (c == '.' && IsDigit(Peek()))) {
    Back();
    got_duration_ = true;
    mode_ = Mode::kStatement;
    return NumberOrDuration();
  }
  if (BeginsDurationWord(c)) {
    TokenType type;
    // Prometheus takes a colon behind a word only where a number stood before, which nobody can mean.
    got_duration_ = true;
    if (ScanDurationWord(&type)) return Emit(type);
    return Error("unexpected character in duration expression: " + QuotedRune(c));
  }
  switch (c) {
    case ']':
      bracket_open_ = false;
      got_colon_ = false;
      mode_ = Mode::kStatement;
      return Emit(TokenType::kRightBracket);
    case ':': {
      Token token = Emit(TokenType::kColon);
      if (!got_duration_) return Error("unexpected colon before duration in duration expression");
      if (got_colon_) return Error("unexpected repeated colon in duration expression");
      got_colon_ = true;
      return token;
    }
    case '(': ++paren_depth_; return Emit(TokenType::kLeftParen);
    case ')': return CloseParen();
    case '+': return Emit(TokenType::kAdd);
    case '-': return Emit(TokenType::kSub);
    case '*': return Emit(TokenType::kMul);
    case '/': return Emit(TokenType::kDiv);
    case '%': return Emit(TokenType::kMod);
    case '^': return Emit(TokenType::kPow);
    case ',': return Emit(TokenType::kComma);
    default: return Error("unexpected character in duration expression: " + QuotedRune(c));
  }
}

Token Lexer::Word() {
  while (at_ < text_.size() && (IsAlphaNumeric(text_[at_]) || text_[at_] == ':')) ++at_;
  const std::string_view word = text_.substr(begin_, at_ - begin_);
  TokenType type = WordType(word);
  const bool fill = type == TokenType::kFill || type == TokenType::kFillLeft || type == TokenType::kFillRight;
  // Metrics of that name are older than the modifier.
  if (fill && !FollowedByParen()) type = TokenType::kIdentifier;
  if (type == TokenType::kIdentifier && word.find(':') != std::string_view::npos) type = TokenType::kMetricIdentifier;
  return Emit(type);
}

bool Lexer::FollowedByParen() const {
  size_t at = at_;
  while (at < text_.size() && IsSpace(text_[at])) ++at;
  return at < text_.size() && text_[at] == '(';
}

bool Lexer::ScanDurationWord(TokenType* type) {
  while (at_ < text_.size() && IsAlpha(text_[at_])) ++at_;
  *type = WordType(text_.substr(begin_, at_ - begin_));
  return *type == TokenType::kStep || *type == TokenType::kRange || *type == TokenType::kMaxOf ||
         *type == TokenType::kMinOf;
}

Token Lexer::NumberOrDuration() {
  if (ScanNumber()) return Emit(TokenType::kNumber);
  // Where a number was expected to go on and did not, what was taken is part of the error's text.
  if (ScanDurationRest()) {
    Back();
    return Emit(TokenType::kDuration);
  }
  return Error("bad number or duration syntax: " + GoQuoted(text_.substr(begin_, at_ - begin_)));
}

bool Lexer::ScanDurationRest() {
  if (!Accept("smhdwy")) return false;
  Accept("s");
  while (Accept("0123456789")) {
    while (Accept("0123456789")) {
    }
    if (!Accept("smhdw")) return false;
    Accept("s");
  }
  return !IsAlphaNumeric(Take());
}

// Takes what may be a number; whether it is one, ParseNumber says.
bool Lexer::ScanNumber() {
  const size_t start = at_;
  std::string_view digits = "0123456789";
  if (Accept("0") && Accept("xX")) {
    Accept("_");
    digits = "0123456789abcdefABCDEF";
  }
  const bool hex = digits.size() > 10;
  const auto is = [&](std::string_view any) {
    return at_ < text_.size() && any.find(text_[at_]) != std::string_view::npos;
  };
  Accept(".");
  Accept(digits);
  bool dot = false;
  bool exponent = false;
  while (is(digits) || is("._eE")) {
    if (is(".") && dot) {
      Accept(".");
      return false;
    }
    if (is("eE") && exponent) {
      Accept("eE");
      return false;
    }
    if (Accept(".")) {
      dot = true;
      if (Accept("_.") || hex) return false;
    } else if (Accept("eE")) {
      exponent = true;
      Accept("+-");
      if (Accept("._eE") || at_ >= text_.size()) return false;
    } else if (Accept("_")) {
      if (Accept("._eE") || at_ >= text_.size()) return false;
    } else {
      while (Accept(digits)) {
      }
    }
  }
  return at_ != start && !IsAlphaNumeric(Peek());
}

Token Lexer::String(int32_t quote) {
  while (true) {
    const int32_t c = Take();
    if (c == '\\') {
      Token error;
      if (!Escape(quote, &error)) return error;
    } else if (c == 0xFFFD) {
      return Error("invalid UTF-8 rune");
    } else if (c < 0 || c == '\n') {
      return Error("unterminated quoted string");
    } else if (c == quote) {
      return Emit(TokenType::kString);
    }
  }
}

bool Lexer::Escape(int32_t quote, Token* error) {
  int32_t c = Take();
  if (c == quote) return true;
  int count = 0;
  uint32_t base = 16;
  uint32_t max = 255;
  switch (c) {
    case 'a': case 'b': case 'f': case 'n': case 'r': case 't': case 'v': case '\\': return true;
    case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7':
      count = 3;
      base = 8;
      break;
    case 'x': count = 2; break;
    case 'u': count = 4; max = 0x10FFFF; break;
    case 'U': count = 8; max = 0x10FFFF; break;
    case -1: *error = Error("escape sequence not terminated"); return false;
    default: *error = Error("unknown escape sequence " + NamedRune(c)); return false;
  }
  if (base == 16) c = Take();
  uint32_t value = 0;
  while (count > 0) {
    const uint32_t digit = DigitValue(c);
    if (digit >= base) {
      *error = Error(c < 0 ? "escape sequence not terminated"
                           : "illegal character " + NamedRune(c) + " in escape sequence");
      return false;
    }
    value = value * base + digit;
    if (--count > 0) c = Take();
  }
  if (value > max || (value >= 0xD800 && value < 0xE000)) {
    *error = Error("escape sequence is an invalid Unicode code point");
    return false;
  }
  return true;
}

Token Lexer::RawString() {
  while (true) {
    const int32_t c = Take();
    if (c == 0xFFFD) return Error("invalid UTF-8 rune");
    if (c < 0) return Error("unterminated raw string");
    if (c == '`') return Emit(TokenType::kString);
  }
}

}  // namespace varve::promql
