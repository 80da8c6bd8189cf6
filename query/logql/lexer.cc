#include "query/logql/lexer.h"

#include <algorithm>

#include "query/logql/literals.h"

namespace varve::logql {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsWordStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80) != 0;
}
bool IsWordPart(char c) { return IsWordStart(c) || IsDigit(c); }

int HexValue(char c) {
  if (IsDigit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return 16;
}

// Bytes of the UTF-8 character at `pos`; 0 when there is no valid one.
size_t CharacterLength(std::string_view text, size_t pos) {
  const auto byte = [&](size_t i) {
    return pos + i < text.size() ? static_cast<uint8_t>(text[pos + i]) : uint8_t{0};
  };
  const auto continues = [&](size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const uint8_t first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return continues(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    if (!continues(1) || !continues(2)) return 0;
    const bool overlong = first == 0xE0 && byte(1) < 0xA0;
    const bool surrogate = first == 0xED && byte(1) >= 0xA0;
    return overlong || surrogate ? 0 : 3;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if (!continues(1) || !continues(2) || !continues(3)) return 0;
    const bool out_of_range = (first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) >= 0x90);
    return out_of_range ? 0 : 4;
  }
  return 0;
}

void AppendUtf8(std::string* out, uint32_t rune) {
  if (rune < 0x80) {
    out->push_back(static_cast<char>(rune));
  } else if (rune < 0x800) {
    out->push_back(static_cast<char>(0xC0 | (rune >> 6)));
    out->push_back(static_cast<char>(0x80 | (rune & 0x3F)));
  } else if (rune < 0x10000) {
    out->push_back(static_cast<char>(0xE0 | (rune >> 12)));
    out->push_back(static_cast<char>(0x80 | ((rune >> 6) & 0x3F)));
    out->push_back(static_cast<char>(0x80 | (rune & 0x3F)));
  } else {
    out->push_back(static_cast<char>(0xF0 | (rune >> 18)));
    out->push_back(static_cast<char>(0x80 | ((rune >> 12) & 0x3F)));
    out->push_back(static_cast<char>(0x80 | ((rune >> 6) & 0x3F)));
    out->push_back(static_cast<char>(0x80 | (rune & 0x3F)));
  }
}

// The value of a one-letter escape, or 0.
char SimpleEscape(char c) {
  switch (c) {
    case 'a': return '\a';
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'v': return '\v';
    case '\\': return '\\';
    case '"': return '"';
    default: return 0;
  }
}

}  // namespace

Status ParseErrorAt(uint32_t line, uint32_t column, std::string_view message) {
  std::string text = "parse error ";
  if (line > 0) text += "at line " + std::to_string(line) + ", col " + std::to_string(column);
  text += ": ";
  text += message;
  return InvalidArgument(std::move(text));
}

void Lexer::Advance() {
  if (text_[pos_] == '\n') {
    ++line_;
    column_ = 1;
  } else if ((text_[pos_] & 0xC0) != 0x80) {
    ++column_;
  }
  ++pos_;
  while (pos_ < text_.size() && (text_[pos_] & 0xC0) == 0x80) ++pos_;
}

void Lexer::AdvanceTo(size_t pos) {
  while (pos_ < pos) Advance();
}

Status Lexer::CheckCharacter() const {
  if (text_[pos_] == '\0') return Fail("invalid character NUL");
  if (CharacterLength(text_, pos_) == 0) return Fail("invalid UTF-8 encoding");
  return Status::Ok();
}

Status Lexer::SkipBlanks() {
  while (!AtEnd()) {
    token_line_ = line_;
    token_column_ = column_;
    if (IsBlank(Peek())) {
      Advance();
    } else if (Peek() == '#' || (Peek() == '/' && Peek(1) == '/')) {
      while (!AtEnd() && Peek() != '\n') {
        VARVE_RETURN_IF_ERROR(CheckCharacter());
        Advance();
      }
    } else if (Peek() == '/' && Peek(1) == '*') {
      const size_t end = text_.find("*/", pos_ + 2);
      if (end == std::string_view::npos) return Fail("comment not terminated");
      while (pos_ < end + 2) {
        VARVE_RETURN_IF_ERROR(CheckCharacter());
        Advance();
      }
    } else {
      break;
    }
  }
  token_line_ = line_;
  token_column_ = column_;
  return Status::Ok();
}

// A function name is one only before `(`, `by (` or `without (`.
bool Lexer::IsFunctionNext() const {
  Lexer ahead = *this;
  if (!ahead.SkipBlanks().ok()) return false;
  if (ahead.Peek() == '(') return true;
  const size_t begin = ahead.pos_;
  while (IsWordPart(ahead.Peek())) ++ahead.pos_;
  const std::string_view word = text_.substr(begin, ahead.pos_ - begin);
  if (!EqualsIgnoringCase(word, "by") && !EqualsIgnoringCase(word, "without")) return false;
  return ahead.SkipBlanks().ok() && ahead.Peek() == '(';
}

Status Lexer::Next(Token* token) {
  *token = Token();
  VARVE_RETURN_IF_ERROR(SkipBlanks());
  token->line = token_line_;
  token->column = token_column_;
  if (AtEnd()) {
    if (text_.empty()) token->line = token->column = 0;
    return Status::Ok();
  }
  VARVE_RETURN_IF_ERROR(CheckCharacter());
  const char c = Peek();
  if (IsWordStart(c)) {
    const size_t begin = pos_;
    while (!AtEnd() && IsWordPart(Peek())) {
      VARVE_RETURN_IF_ERROR(CheckCharacter());
      Advance();
    }
    token->text = text_.substr(begin, pos_ - begin);
    LexWord(token);
    return Status::Ok();
  }
  if (IsDigit(c) || (c == '.' && IsDigit(Peek(1)))) return LexNumber(token);
  if (c == '"') return LexQuoted(token);
  if (c == '`') return LexRaw(token);
  if (c == '\'') return LexCharacter(token);
  if (c == '[') return LexRange(token);
  if (c == '-') {
    if (TakeFlag(token)) return Status::Ok();
    Lexer after_sign = *this;
    after_sign.Advance();
    if (after_sign.TakeDuration("-", token)) {
      *this = after_sign;
      return Status::Ok();
    }
  }
  for (const size_t length : {size_t{2}, size_t{1}}) {
    const std::string_view candidate = text_.substr(pos_, length);
    const std::optional<TokenKind> kind = FindPunctuation(candidate);
    if (!kind || candidate.size() != length) continue;
    token->kind = *kind;
    AdvanceTo(pos_ + length);
    return Status::Ok();
  }
  // Any other character is a word by itself, which no rule takes.
  token->kind = TokenKind::kIdentifier;
  token->text = c;
  Advance();
  return Status::Ok();
}

void Lexer::LexWord(Token* token) {
  if (const std::optional<TokenKind> keyword = FindKeyword(token->text)) {
    token->kind = *keyword;
    return;
  }
  Token function = *token;
  if (FindFunction(token->text, &function) && IsFunctionNext()) {
    *token = std::move(function);
    return;
  }
  token->kind = TokenKind::kIdentifier;
}

namespace {

// Reads a number of Go source: moves `pos` behind it, or says in `problem` what is wrong.
struct NumberScanner {
  std::string_view text;
  size_t pos;
  std::string problem;

  char At(size_t ahead = 0) const { return pos + ahead < text.size() ? text[pos + ahead] : '\0'; }

  // 0x1F, 0x1.8p3, 0o17, 0b1; false when there is none here. 0B alone is no bytes.
  bool Prefixed() {
    if (At() != '0') return false;
    const char letter = static_cast<char>(At(1) | 0x20);
    const int base = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 0;
    if (base == 0 || (base == 2 && !IsDigit(At(2)) && At(2) != '_')) return false;
    const std::string literal = base == 16  ? "hexadecimal literal"
                                : base == 8 ? "octal literal"
                                            : "binary literal";
    pos += 2;
    bool any = Digits(base, literal, /*after_digit=*/true);
    const bool fraction = At() == '.';
    if (fraction) {
      if (base != 16) Complain("invalid radix point in " + literal);
      ++pos;
      any = Digits(base, literal, false) || any;
    }
    if (!any) Complain(literal + " has no digits");
    const char exponent = static_cast<char>(At() | 0x20);
    if (exponent == 'e') Complain("'" + std::string(1, At()) + "' exponent requires decimal mantissa");
    if (exponent == 'e' || (exponent == 'p' && base == 16)) {
      Exponent();
    } else if (fraction && base == 16) {
      Complain("hexadecimal mantissa requires a 'p' exponent");
    }
    return true;
  }

  void Decimal() {
    const size_t begin = pos;
    Digits(10, "decimal literal", false);
    const size_t whole_end = pos;
    if (At() == '.') {
      ++pos;
      Digits(10, "decimal literal", false);
    }
    if (At() == 'e' || At() == 'E') Exponent();
    // As in Go, a whole number with a leading zero is octal; Loki reads its value as decimal all the same.
    if (pos == whole_end && pos - begin > 1 && text[begin] == '0') {
      pos = begin + 1;
      Digits(8, "octal literal", true);
    }
  }

 private:
  void Exponent() {
    ++pos;
    if (At() == '+' || At() == '-') ++pos;
    if (!Digits(10, "decimal literal", false)) Complain("exponent has no digits");
  }
  // Digits with single underscores between them, and behind a prefix, which counts as a digit. False: none.
  bool Digits(int base, const std::string& literal, bool after_digit) {
    bool any = false;
    for (; HexValue(At()) < std::max(base, 10) || At() == '_'; ++pos) {
      if (At() == '_') {
        if (!after_digit) Complain("'_' must separate successive digits");
        after_digit = false;
        continue;
      }
      after_digit = any = true;
      if (HexValue(At()) >= base) Complain("invalid digit '" + std::string(1, At()) + "' in " + literal);
    }
    if (pos > 0 && text[pos - 1] == '_') Complain("'_' must separate successive digits");
    return any;
  }
  void Complain(std::string what) {
    if (problem.empty()) problem = std::move(what);
  }
};

}  // namespace

Status Lexer::LexNumber(Token* token) {
  NumberScanner scanner{text_, pos_, ""};
  if (!scanner.Prefixed()) scanner.Decimal();
  if (!scanner.problem.empty()) return Fail(scanner.problem);
  const std::string_view number = text_.substr(pos_, scanner.pos - pos_);
  AdvanceTo(scanner.pos);
  if (TakeDuration(number, token) || TakeBytes(number, token)) return Status::Ok();
  token->kind = TokenKind::kNumber;
  token->text = number;
  return Status::Ok();
}

// `number` has been read; takes the rest of `1h30m` if all of it is a duration.
bool Lexer::TakeDuration(std::string_view number, Token* token) {
  size_t end = pos_;
  while (end < text_.size()) {
    const std::string_view rest = text_.substr(end);
    if (IsDigit(rest[0]) || std::string_view(".numshdwy").find(rest[0]) != std::string_view::npos) {
      ++end;
    } else if (rest.starts_with("\u00b5") || rest.starts_with("\u03bc")) {
      end += 2;
    } else {
      break;
    }
  }
  // Ends in a unit: -0 is a number, though Go would take it for a duration.
  if (end == pos_ || IsDigit(text_[end - 1])) return false;
  const std::optional<int64_t> ns =
      ParseAnyDuration(std::string(number) + std::string(text_.substr(pos_, end - pos_)));
  if (!ns) return false;
  token->kind = TokenKind::kDuration;
  token->duration_ns = *ns;
  AdvanceTo(end);
  return true;
}

bool Lexer::TakeBytes(std::string_view number, Token* token) {
  size_t end = pos_;
  while (end < text_.size() &&
         (IsDigit(text_[end]) || std::string_view(".BikKMGTP").find(text_[end]) != std::string_view::npos)) {
    ++end;
  }
  if (end == pos_) return false;
  const std::optional<uint64_t> bytes =
      ParseByteSize(std::string(number) + std::string(text_.substr(pos_, end - pos_)));
  if (!bytes) return false;
  token->kind = TokenKind::kBytes;
  token->bytes = *bytes;
  AdvanceTo(end);
  return true;
}

bool Lexer::TakeFlag(Token* token) {
  if (Peek(1) != '-') return false;
  size_t end = pos_ + 2;
  while (end < text_.size() && (IsWordPart(text_[end]) || text_[end] == '-')) ++end;
  const std::string_view flag = text_.substr(pos_, end - pos_);
  if (flag != "--strict" && flag != "--keep-empty") return false;
  token->kind = TokenKind::kFunctionFlag;
  token->text = flag;
  AdvanceTo(end);
  return true;
}

// The escape whose backslash is at text_[*i]; leaves *i behind it.
Status Lexer::LexEscape(std::string* out, size_t* i) const {
  const auto at = [this](size_t index) { return index < text_.size() ? text_[index] : '\0'; };
  const char kind = at(*i + 1);
  if (const char simple = SimpleEscape(kind)) {
    out->push_back(simple);
    *i += 2;
    return Status::Ok();
  }
  int base = 16;
  size_t digits = 0;
  size_t begin = *i + 2;
  switch (kind) {
    case 'x': digits = 2; break;
    case 'u': digits = 4; break;
    case 'U': digits = 8; break;
    default:
      base = 8;
      digits = 3;
      begin = *i + 1;
      break;
  }
  uint32_t value = 0;
  for (size_t k = 0; k < digits; ++k) {
    const int digit = HexValue(at(begin + k));
    if (digit >= base) return Fail("invalid char escape");
    value = value * static_cast<uint32_t>(base) + static_cast<uint32_t>(digit);
  }
  *i = begin + digits;
  if (kind == 'u' || kind == 'U') {
    if (value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return Fail("invalid syntax");
    AppendUtf8(out, value);
  } else {
    if (value > 0xFF) return Fail("invalid syntax");
    out->push_back(static_cast<char>(value));
  }
  return Status::Ok();
}

Status Lexer::LexQuoted(Token* token) {
  token->kind = TokenKind::kString;
  size_t i = pos_ + 1;
  while (true) {
    if (i >= text_.size() || text_[i] == '\n') return Fail("literal not terminated");
    if (text_[i] == '"') break;
    if (text_[i] == '\\') {
      VARVE_RETURN_IF_ERROR(LexEscape(&token->text, &i));
      continue;
    }
    const size_t length = text_[i] == '\0' ? 0 : CharacterLength(text_, i);
    if (length == 0) return Fail(text_[i] == '\0' ? "invalid character NUL" : "invalid UTF-8 encoding");
    token->text.append(text_.substr(i, length));
    i += length;
  }
  AdvanceTo(i + 1);
  return Status::Ok();
}

Status Lexer::LexRaw(Token* token) {
  const size_t end = text_.find('`', pos_ + 1);
  if (end == std::string_view::npos) return Fail("literal not terminated");
  token->kind = TokenKind::kString;
  token->text = text_.substr(pos_ + 1, end - pos_ - 1);
  while (pos_ <= end) {
    VARVE_RETURN_IF_ERROR(CheckCharacter());
    Advance();
  }
  return Status::Ok();
}

// Go's 'x' is read so that a longer one, surely meant as a string, is called by its name.
Status Lexer::LexCharacter(Token* token) {
  size_t i = pos_ + 1;
  size_t characters = 0;
  while (true) {
    if (i >= text_.size() || text_[i] == '\n') return Fail("literal not terminated");
    if (text_[i] == '\'') break;
    const size_t length = CharacterLength(text_, i);
    if (length == 0) return Fail("invalid UTF-8 encoding");
    i += text_[i] == '\\' && i + 1 < text_.size() ? 2 : length;
    ++characters;
  }
  if (characters != 1) return Fail("invalid char literal");
  token->kind = TokenKind::kIdentifier;
  token->text = text_.substr(pos_, i + 1 - pos_);
  AdvanceTo(i + 1);
  return Status::Ok();
}

Status Lexer::LexRange(Token* token) {
  const size_t end = text_.find(']', pos_);
  if (end == std::string_view::npos) return Fail("missing closing ']' in duration");
  Result<int64_t> duration = ParsePrometheusDuration(text_.substr(pos_ + 1, end - pos_ - 1));
  if (!duration.ok()) return Fail(duration.status().message());
  token->kind = TokenKind::kRange;
  token->duration_ns = *duration;
  AdvanceTo(end + 1);
  return Status::Ok();
}

}  // namespace varve::logql
