#include "query/templates/template_lexer.h"

#include <algorithm>
#include <iterator>

#include "query/templates/template_text.h"

namespace varve::templates {
namespace {

using Kind = TemplateTokenKind;

constexpr std::string_view kKeywords[] = {"if",       "range", "with", "define", "block",
                                          "template", "end",   "else", "break",  "continue"};

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsAlphanumeric(char c) {
  // Bytes of other scripts are taken for letters; label names never have them.
  return c == '_' || IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         static_cast<uint8_t>(c) >= 0x80;
}

}  // namespace

TemplateToken TemplateLexer::Next() {
  if (failed_) return Make(Kind::kEnd, 0);
  return in_action_ ? NextInAction() : NextText();
}

TemplateToken TemplateLexer::Make(Kind kind, size_t size) {
  TemplateToken token{kind, rest_.substr(0, size), static_cast<uint32_t>(text_.size() - rest_.size()), line_};
  line_ += static_cast<int>(std::count(token.text.begin(), token.text.end(), '\n'));
  rest_.remove_prefix(token.text.size());
  return token;
}

TemplateToken TemplateLexer::Error(std::string message) {
  TemplateToken token = Make(Kind::kError, 0);
  failed_ = true;
  error_ = std::move(message);
  return token;
}

std::string TemplateLexer::BadCharacter(std::string_view words) const {
  const auto [rune, size] = FirstRune(rest_);
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string digits;
  for (uint32_t value = rune; value != 0 || digits.size() < 4; value >>= 4)
    digits.insert(0, 1, kHex[value & 15]);
  std::string message(words);
  message += " U+" + digits;
  if (rune >= ' ' && rune != 0x7F && (rune < 0x80 || rune > 0xA0)) {
    message += " '";
    message += rest_.substr(0, size);
    message += "'";
  }
  return message;
}

bool TemplateLexer::AtRightDelimiter(bool* trim) const {
  *trim = rest_.size() >= 4 && IsSpace(rest_[0]) && rest_.substr(1, 3) == "-}}";
  return *trim || rest_.starts_with("}}");
}

bool TemplateLexer::AtLeftTrim(size_t offset) const {
  return rest_.size() > offset + 1 && rest_[offset] == '-' && IsSpace(rest_[offset + 1]);
}

TemplateToken TemplateLexer::NextText() {
  if (trim_next_) {
    size_t spaces = 0;
    while (spaces < rest_.size() && IsSpace(rest_[spaces])) ++spaces;
    Make(Kind::kText, spaces);
    trim_next_ = false;
  }
  const size_t delimiter = rest_.find("{{");
  if (delimiter == std::string_view::npos)
    return Make(rest_.empty() ? Kind::kEnd : Kind::kText, rest_.size());
  if (delimiter > 0) {
    TemplateToken text = Make(Kind::kText, delimiter);
    if (AtLeftTrim(2)) {
      while (!text.text.empty() && IsSpace(text.text.back())) text.text.remove_suffix(1);
    }
    if (!text.text.empty()) return text;
  }
  TemplateToken left = Make(Kind::kLeft, 2);
  if (AtLeftTrim(0)) Make(Kind::kSpace, 2);
  if (rest_.starts_with("/*")) {
    const size_t end = rest_.find("*/", 2);
    if (end == std::string_view::npos) return Error("unclosed comment");
    Make(Kind::kText, end + 2);
    bool trim = false;
    if (!AtRightDelimiter(&trim)) return Error("comment ends before closing delimiter");
    Make(Kind::kRight, trim ? 4 : 2);
    trim_next_ = trim;
    return NextText();
  }
  in_action_ = true;
  paren_depth_ = 0;
  return left;
}

TemplateToken TemplateLexer::NextInAction() {
  bool trim = false;
  if (AtRightDelimiter(&trim)) {
    if (paren_depth_ > 0) return Error("unclosed left paren");
    if (trim) Make(Kind::kSpace, 2);
    in_action_ = false;
    trim_next_ = trim;
    return Make(Kind::kRight, 2);
  }
  if (rest_.empty()) return Error("unclosed action");
  const char c = rest_[0];
  if (IsSpace(c)) return Space();
  switch (c) {
    case '=': return Make(Kind::kAssign, 1);
    case ':':
      if (rest_.size() < 2 || rest_[1] != '=') return Error("expected :=");
      return Make(Kind::kDeclare, 2);
    case '|': return Make(Kind::kPipe, 1);
    case '"': return Quoted('"', Kind::kString);
    case '`': return Quoted('`', Kind::kRawString);
    case '\'': return Quoted('\'', Kind::kCharacter);
    case '$': return FieldOrVariable(Kind::kVariable);
    case '(': ++paren_depth_; return Make(Kind::kOpenParen, 1);
    case ')':
      if (--paren_depth_ < 0) return Error("unexpected right paren");
      return Make(Kind::kCloseParen, 1);
    case '.':
      if (rest_.size() > 1 && IsDigit(rest_[1])) return Number();
      return FieldOrVariable(Kind::kField);
    default: break;
  }
  if (c == '+' || c == '-' || IsDigit(c)) return Number();
  if (IsAlphanumeric(c)) return Identifier();
  if (c > ' ' && c < 0x7F) return Make(Kind::kPunctuation, 1);
  return Error(BadCharacter("unrecognized character in action:"));
}

TemplateToken TemplateLexer::Space() {
  size_t size = 1;
  while (size < rest_.size() && IsSpace(rest_[size])) ++size;
  // " -}}" keeps its space.
  if (size > 1 && rest_.substr(size).starts_with("-}}")) --size;
  return Make(Kind::kSpace, size);
}

size_t TemplateLexer::AlphanumericLength(size_t offset) const {
  size_t size = 0;
  while (offset + size < rest_.size() && IsAlphanumeric(rest_[offset + size])) ++size;
  return size;
}

bool TemplateLexer::AtTerminator() const {
  if (rest_.empty() || IsSpace(rest_[0])) return true;
  return std::string_view(".,|:)(").find(rest_[0]) != std::string_view::npos || rest_.starts_with("}}");
}

TemplateToken TemplateLexer::FieldOrVariable(Kind kind) {
  const size_t size = AlphanumericLength(1);
  TemplateToken token = Make(kind == Kind::kField && size == 0 ? Kind::kDot : kind, size + 1);
  if (!AtTerminator() && (size != 0 || kind == Kind::kField)) return Error(BadCharacter("bad character"));
  if (kind == Kind::kField && size != 0) token.text.remove_prefix(1);
  return token;
}

TemplateToken TemplateLexer::Identifier() {
  TemplateToken token = Make(Kind::kIdentifier, AlphanumericLength(0));
  if (!AtTerminator()) return Error(BadCharacter("bad character"));
  if (token.text == "true" || token.text == "false") {
    token.kind = Kind::kBool;
  } else if (token.text == "nil") {
    token.kind = Kind::kNil;
  } else if (std::find(std::begin(kKeywords), std::end(kKeywords), token.text) != std::end(kKeywords)) {
    token.kind = Kind::kKeyword;
  }
  return token;
}

size_t TemplateLexer::NumberLength() const {
  size_t size = 0;
  const auto accept = [&](std::string_view set) {
    const bool found = size < rest_.size() && set.find(rest_[size]) != std::string_view::npos;
    size += found ? 1 : 0;
    return found;
  };
  std::string_view digits = "0123456789_";
  accept("+-");
  if (accept("0")) {
    if (accept("xX")) {
      digits = "0123456789abcdefABCDEF_";
    } else if (accept("oO")) {
      digits = "01234567_";
    } else if (accept("bB")) {
      digits = "01_";
    }
  }
  while (accept(digits)) {
  }
  if (accept(".")) {
    while (accept(digits)) {
    }
  }
  if ((digits.size() == 11 && accept("eE")) || (digits.size() > 11 && accept("pP"))) {
    accept("+-");
    while (accept("0123456789_")) {
    }
  }
  return AlphanumericLength(size) == 0 ? size : 0;
}

TemplateToken TemplateLexer::Number() {
  const size_t size = NumberLength();
  const bool sum = size < rest_.size() && (rest_[size] == '+' || rest_[size] == '-');
  if (size == 0 || sum) {
    std::string shown(rest_.substr(0, AlphanumericLength(1) + 1));
    return Error("bad number syntax: \"" + shown + "\"");
  }
  return Make(Kind::kNumber, size);
}

TemplateToken TemplateLexer::Quoted(char quote, Kind kind) {
  for (size_t i = 1; i < rest_.size(); ++i) {
    if (rest_[i] == quote) return Make(kind, i + 1);
    if (quote == '`') continue;
    if (rest_[i] == '\n') break;
    if (rest_[i] == '\\' && ++i < rest_.size() && rest_[i] == '\n') break;
  }
  if (quote == '`') return Error("unterminated raw quoted string");
  return Error(quote == '"' ? "unterminated quoted string" : "unterminated character constant");
}

}  // namespace varve::templates
