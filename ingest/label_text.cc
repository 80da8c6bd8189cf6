#include "ingest/label_text.h"

#include <string>

#include "ingest/utf8_repair.h"

namespace varve {
namespace {

enum class TokenKind { kEnd, kError, kLeftBrace, kRightBrace, kComma, kOperator, kIdentifier, kString };

struct Token {
  TokenKind kind = TokenKind::kEnd;
  size_t begin = 0;
  std::string_view text;  // as written, quotes included
  std::string value;      // of a string, unquoted
};

bool IsAlpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsAlphaNumeric(char c) { return IsAlpha(c) || (c >= '0' && c <= '9'); }
bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// A rune as Go's %q prints it, in single quotes.
std::string QuotedRune(std::string_view rune) {
  if (rune == "'") return R"('\'')";
  if (rune == "\"") return "'\"'";
  std::string quoted = GoQuoted(rune);
  quoted.front() = quoted.back() = '\'';
  return quoted;
}

// A rune as Go's %#U prints it: U+0064 'd'.
std::string NumberedRune(uint32_t rune, std::string_view text) {
  char number[16];
  std::snprintf(number, sizeof(number), "U+%04X", rune);
  return std::string(number) + " '" + std::string(text) + "'";
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  // The next token; after kError, `error()` says why.
  Token Next() {
    if (!SkipSpaceAndComments()) return Token{TokenKind::kEnd, text_.size(), {}, {}};
    begin_ = pos_;
    const char c = text_[pos_];
    if (IsAlpha(c) || (!in_braces_ && c == ':')) {
      while (pos_ < text_.size() && (IsAlphaNumeric(text_[pos_]) || (!in_braces_ && text_[pos_] == ':')))
        ++pos_;
      return Make(TokenKind::kIdentifier);
    }
    switch (c) {
      case '{':
        if (in_braces_) return Fail("unexpected left brace '{'");
        in_braces_ = true;
        ++pos_;
        return Make(TokenKind::kLeftBrace);
      case '}':
        if (!in_braces_) return Fail("unexpected right brace '}'");
        in_braces_ = false;
        ++pos_;
        return Make(TokenKind::kRightBrace);
      case ',': ++pos_; return Make(TokenKind::kComma);
      case '"':
      case '\'': return QuotedString(c);
      case '`': return RawString();
      case '=': pos_ += text_.substr(pos_ + 1, 1) == "~" ? 2 : 1; return Make(TokenKind::kOperator);
      case '!': {
        const std::string_view next = RuneAt(pos_ + 1);
        if (next != "=" && next != "~") {
          return Fail("unexpected character after '!'" + std::string(in_braces_ ? " inside braces" : "") +
                      ": " + (next.empty() ? "'\\x00'" : QuotedRune(next)));
        }
        pos_ += 2;
        return Make(TokenKind::kOperator);
      }
      default:
        return Fail("unexpected character" + std::string(in_braces_ ? " inside braces" : "") + ": " +
                    QuotedRune(RuneAt(pos_)));
    }
  }

  bool in_braces() const { return in_braces_; }
  const std::string& error() const { return error_; }

 private:
  // False at the end.
  bool SkipSpaceAndComments() {
    while (pos_ < text_.size()) {
      if (IsSpace(text_[pos_])) {
        ++pos_;
      } else if (text_[pos_] == '#') {
        while (pos_ < text_.size() && text_[pos_] != '\n') ++pos_;
      } else {
        return true;
      }
    }
    return false;
  }

  Token Make(TokenKind kind) { return Token{kind, begin_, text_.substr(begin_, pos_ - begin_), {}}; }
  Token Fail(std::string message) {
    error_ = std::move(message);
    return Token{TokenKind::kError, begin_, {}, {}};
  }

  // The bytes of the rune at `i`; one byte where it is not UTF-8, nothing at the end.
  std::string_view RuneAt(size_t i) const {
    if (i >= text_.size()) return {};
    uint32_t rune = 0;
    const size_t length = DecodeUtf8Sequence(text_, i, &rune);
    return text_.substr(i, length == 0 ? 1 : length);
  }

  Token RawString() {
    const size_t close = text_.find('`', pos_ + 1);
    if (close == std::string_view::npos) return Fail("unterminated raw string");
    std::string value(text_.substr(pos_ + 1, close - pos_ - 1));
    if (!IsValidUtf8(value)) return Fail("invalid UTF-8 rune");
    pos_ = close + 1;
    Token token = Make(TokenKind::kString);
    token.value = std::move(value);
    return token;
  }

  Token QuotedString(char quote) {
    std::string value;
    size_t i = pos_ + 1;
    while (true) {
      if (i >= text_.size() || text_[i] == '\n') return Fail("unterminated quoted string");
      if (text_[i] == quote) break;
      if (text_[i] == '\\') {
        if (!Escape(quote, &i, &value)) return Token{TokenKind::kError, begin_, {}, {}};
        continue;
      }
      uint32_t rune = 0;
      const size_t length = DecodeUtf8Sequence(text_, i, &rune);
      if (length == 0) return Fail("invalid UTF-8 rune");
      value.append(text_.substr(i, length));
      i += length;
    }
    pos_ = i + 1;
    Token token = Make(TokenKind::kString);
    token.value = std::move(value);
    return token;
  }

  // Reads the escape sequence at text_[*i].
  bool Escape(char quote, size_t* i, std::string* value) {
    const std::string_view rune = RuneAt(*i + 1);
    if (rune.empty()) return Fail("escape sequence not terminated"), false;
    if (rune[0] == quote) {
      value->push_back(quote);
      *i += 2;
      return true;
    }
    static constexpr std::string_view kLetters = "abfnrtv\\";
    static constexpr std::string_view kMeaning = "\a\b\f\n\r\t\v\\";
    if (const size_t at = kLetters.find(rune[0]); at != std::string_view::npos) {
      value->push_back(kMeaning[at]);
      *i += 2;
      return true;
    }
    switch (rune[0]) {
      case 'x': return Number(i, 2, 2, 16, 0xFF, value);
      case 'u': return Number(i, 2, 4, 16, 0x10FFFF, value);
      case 'U': return Number(i, 2, 8, 16, 0x10FFFF, value);
      case '0':
      case '1':
      case '2':
      case '3':
      case '4':
      case '5':
      case '6':
      case '7': return Number(i, 1, 3, 8, 0xFF, value);
      default: break;
    }
    uint32_t number = 0xFFFD;
    DecodeUtf8Sequence(text_, *i + 1, &number);
    return Fail("unknown escape sequence " + NumberedRune(number, rune)), false;
  }

  // Reads `digits` digits after `skip` bytes of the escape; \x and octal give a byte, \u and \U a rune.
  bool Number(size_t* i, size_t skip, int digits, uint32_t base, uint32_t max, std::string* value) {
    uint32_t number = 0;
    size_t at = *i + skip;
    for (int k = 0; k < digits; ++k, ++at) {
      const std::string_view rune = RuneAt(at);
      if (rune.empty()) return Fail("escape sequence not terminated"), false;
      const char c = rune[0];
      const uint32_t digit = c >= '0' && c <= '9'   ? static_cast<uint32_t>(c - '0')
                             : c >= 'a' && c <= 'f' ? static_cast<uint32_t>(c - 'a' + 10)
                             : c >= 'A' && c <= 'F' ? static_cast<uint32_t>(c - 'A' + 10)
                                                    : 16;
      if (digit >= base) {
        uint32_t decoded = 0xFFFD;
        DecodeUtf8Sequence(text_, at, &decoded);
        return Fail("illegal character " + NumberedRune(decoded, rune) + " in escape sequence"), false;
      }
      number = number * base + digit;
    }
    if (number > max || (number >= 0xD800 && number < 0xE000)) {
      return Fail("escape sequence is an invalid Unicode code point"), false;
    }
    if (max == 0xFF) {
      value->push_back(static_cast<char>(number));
    } else {
      char utf8[4];
      value->append(utf8, EncodeUtf8(number, utf8));
    }
    *i = at;
    return true;
  }

  std::string_view text_;
  size_t pos_ = 0;
  size_t begin_ = 0;  // of the token being read
  bool in_braces_ = false;
  std::string error_;
};

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text), lexer_(text) {}

  Result<std::vector<Label>> Parse() {
    Advance();
    if (token_.kind == TokenKind::kIdentifier) {
      labels_.push_back({"__name__", std::string(token_.text)});
      Advance();
    }
    if (token_.kind == TokenKind::kLeftBrace) {
      Advance();
      if (token_.kind == TokenKind::kRightBrace) {
        Advance();
      } else {
        VARVE_RETURN_IF_ERROR(ParseItems());
      }
    }
    if (token_.kind != TokenKind::kEnd) return Unexpected("", "");
    return std::move(labels_);
  }

 private:
  void Advance() { token_ = lexer_.Next(); }

  // item {"," item} [","] "}"
  Status ParseItems() {
    while (true) {
      if (token_.kind != TokenKind::kIdentifier) return Unexpected("label set", "identifier or \"}\"");
      Label label;
      label.name = token_.text;
      Advance();
      if (token_.text != "=" || token_.kind != TokenKind::kOperator) return Unexpected("label set", "\"=\"");
      Advance();
      if (token_.kind != TokenKind::kString) return Unexpected("label set", "string");
      label.value = std::move(token_.value);
      labels_.push_back(std::move(label));
      Advance();
      if (token_.kind == TokenKind::kComma) {
        Advance();
        if (token_.kind != TokenKind::kRightBrace) continue;
      }
      if (token_.kind != TokenKind::kRightBrace) return Unexpected("label set", "\",\" or \"}\"");
      Advance();
      return Status::Ok();
    }
  }

  std::string Describe() const {
    switch (token_.kind) {
      case TokenKind::kEnd: return "end of input";
      case TokenKind::kOperator: return "<op:" + std::string(token_.text) + ">";
      case TokenKind::kIdentifier: return "identifier " + GoQuoted(token_.text);
      case TokenKind::kString:
        return "string " + (token_.text.size() > 10 ? GoQuoted(token_.text.substr(0, 10)) + "..."
                                                    : GoQuoted(token_.text));
      default: return GoQuoted(token_.text);
    }
  }

  Status Unexpected(std::string_view context, std::string_view expected) {
    if (token_.kind == TokenKind::kError) return ErrorAt(token_.begin, lexer_.error());
    if (token_.kind == TokenKind::kEnd && lexer_.in_braces()) {
      return ErrorAt(token_.begin, "unexpected end of input inside braces");
    }
    std::string message = "unexpected " + Describe();
    if (!context.empty()) message += " in " + std::string(context);
    if (!expected.empty()) message += ", expected " + std::string(expected);
    return ErrorAt(token_.begin, message);
  }

  Status ErrorAt(size_t pos, const std::string& message) const {
    size_t line = 1;
    size_t line_begin = 0;
    for (size_t i = 0; i < pos; ++i) {
      if (text_[i] == '\n') {
        ++line;
        line_begin = i + 1;
      }
    }
    return InvalidArgument(std::to_string(line) + ":" + std::to_string(pos - line_begin + 1) +
                           ": parse error: " + message);
  }

  std::string_view text_;
  Lexer lexer_;
  Token token_;
  std::vector<Label> labels_;
};

}  // namespace

Result<std::vector<Label>> ParseLabelText(std::string_view text) { return Parser(text).Parse(); }

}  // namespace varve
