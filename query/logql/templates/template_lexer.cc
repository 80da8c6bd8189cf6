#include "query/logql/templates/template_lexer.h"

#include <algorithm>

namespace varve::logql {
namespace {

using Kind = TemplateTokenKind;

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsAlphanumeric(char c) {
  // Bytes of other scripts are taken for letters; label names never have them.
  return c == '_' || IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         static_cast<uint8_t>(c) >= 0x80;
}

std::string BadCharacter(std::string_view words, char c) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string message(words);
  message += " U+00";
  message += kHex[static_cast<uint8_t>(c) >> 4];
  message += kHex[static_cast<uint8_t>(c) & 15];
  if (c >= ' ' && c < 0x7F) {
    message += " '";
    message += c;
    message += "'";
  }
  return message;
}

}  // namespace

TemplateToken TemplateLexer::Next() {
  if (failed_) return {Kind::kEnd, "", line_, 0};
  return in_action_ ? NextInAction() : NextText();
}

TemplateToken TemplateLexer::Make(Kind kind, size_t size) {
  TemplateToken token{kind, std::string(rest_.substr(0, size)), line_, static_cast<int>(rest_.data() - line_begin_)};
  if (const size_t newline = token.text.rfind('\n'); newline != std::string::npos) {
    line_ += static_cast<int>(std::count(token.text.begin(), token.text.end(), '\n'));
    line_begin_ = rest_.data() + newline;
  }
  rest_.remove_prefix(size);
  return token;
}

TemplateToken TemplateLexer::Error(std::string message) {
  failed_ = true;
  return {Kind::kError, std::move(message), line_, 0};
}

bool TemplateLexer::AtRightDelimiter(bool* trim) const {
  *trim = rest_.size() >= 4 && IsSpace(rest_[0]) && rest_.substr(1, 3) == "-}}";
  return *trim || rest_.starts_with("}}");
}

TemplateToken TemplateLexer::NextText() {
  if (!left_pending_) {
    if (trim_next_) {
      while (!rest_.empty() && IsSpace(rest_[0])) Make(Kind::kText, 1);
      trim_next_ = false;
    }
    const size_t delimiter = rest_.find("{{");
    const size_t size = std::min(delimiter, rest_.size());
    TemplateToken text = Make(Kind::kText, size);
    if (delimiter == std::string_view::npos) {
      if (!text.text.empty()) return text;
      return {Kind::kEnd, "", line_, 0};
    }
    if (rest_.size() > 3 && rest_[2] == '-' && IsSpace(rest_[3])) {
      while (!text.text.empty() && IsSpace(text.text.back())) text.text.pop_back();
    }
    left_pending_ = true;
    if (!text.text.empty()) return text;
  }
  left_pending_ = false;
  const bool trimmed = rest_.size() > 3 && rest_[2] == '-' && IsSpace(rest_[3]);
  TemplateToken left = Make(Kind::kLeft, trimmed ? 4 : 2);
  left.text = "{{";
  if (rest_.starts_with("/*")) {
    const size_t end = rest_.find("*/");
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
    TemplateToken right = Make(Kind::kRight, trim ? 4 : 2);
    right.text = "}}";
    in_action_ = false;
    trim_next_ = trim;
    return right;
  }
  if (rest_.empty()) return Error("unclosed action");
  const char c = rest_[0];
  if (IsSpace(c)) {
    size_t size = 1;
    while (size < rest_.size() && IsSpace(rest_[size])) ++size;
    // " -}}" keeps its space.
    if (rest_.substr(size).starts_with("-}}")) --size;
    if (size == 0) size = 1;
    return Make(Kind::kSpace, size);
  }
  switch (c) {
    case '=': return Make(Kind::kAssign, 1);
    case ':':
      if (rest_.size() < 2 || rest_[1] != '=') return Error("expected :=");
      return Make(Kind::kDeclare, 2);
    case '|': return Make(Kind::kPipe, 1);
    case ',': return Make(Kind::kComma, 1);
    case '"': return Quoted('"', Kind::kString);
    case '`': return Quoted('`', Kind::kRawString);
    case '\'': return Quoted('\'', Kind::kCharacter);
    case '$': return FieldOrVariable(Kind::kVariable);
    case '(':
      ++paren_depth_;
      return Make(Kind::kOpenParen, 1);
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
  return Error(BadCharacter("unrecognized character in action:", c));
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
  if (size != 0 && !AtTerminator()) return Error(BadCharacter("bad character", rest_[0]));
  if (kind == Kind::kField && size != 0) token.text.erase(0, 1);
  return token;
}

TemplateToken TemplateLexer::Identifier() {
  TemplateToken token = Make(Kind::kIdentifier, AlphanumericLength(0));
  if (!AtTerminator()) return Error(BadCharacter("bad character", rest_[0]));
  return token;
}

TemplateToken TemplateLexer::Number() {
  size_t size = 1;
  while (size < rest_.size() && (IsAlphanumeric(rest_[size]) || rest_[size] == '.' ||
                                 ((rest_[size] == '+' || rest_[size] == '-') &&
                                  (rest_[size - 1] == 'e' || rest_[size - 1] == 'E')))) {
    ++size;
  }
  const std::string text(rest_.substr(0, size));
  if (std::none_of(text.begin(), text.end(), IsDigit)) return Error("bad number syntax: \"" + text + "\"");
  return Make(Kind::kNumber, size);
}

TemplateToken TemplateLexer::Quoted(char quote, Kind kind) {
  for (size_t i = 1; i < rest_.size(); ++i) {
    if (rest_[i] == quote) return Make(kind, i + 1);
    if (quote == '`') continue;
    if (rest_[i] == '\n') break;
    if (rest_[i] == '\\') ++i;
  }
  if (quote == '`') return Error("unterminated raw quoted string");
  return Error(quote == '"' ? "unterminated quoted string" : "unterminated character constant");
}

}  // namespace varve::logql
