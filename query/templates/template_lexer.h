// Cuts a Go text/template into text and the tokens of its actions.
//
// Trim markers are applied here and comments dropped, as Go's own lexer does.
// Threads: thread-compatible. Ownership: tokens are views into the template's text, which must outlive them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace varve::templates {

enum class TemplateTokenKind : uint8_t {
  kText,
  kLeft,   // {{
  kRight,  // }}
  kSpace,
  kField,       // .name, without the dot in `text`
  kDot,         // .
  kVariable,    // $name, with the $
  kIdentifier,  // a function
  kKeyword,     // if, range…
  kBool,
  kNil,
  kString,     // "…", quotes included
  kRawString,  // `…`, quotes included
  kNumber,
  kCharacter,  // '…', quotes included
  kPipe,
  kDeclare,      // :=
  kAssign,       // =
  kPunctuation,  // a comma, or what has no meaning
  kOpenParen,
  kCloseParen,
  kEnd,
  kError,  // `error` of the lexer is Go's wording
};

struct TemplateToken {
  TemplateTokenKind kind = TemplateTokenKind::kEnd;
  std::string_view text;
  uint32_t position = 0;  // in bytes from the template's start
  int line = 1;
};

class TemplateLexer {
 public:
  explicit TemplateLexer(std::string_view text) : text_(text), rest_(text) {}

  // After kEnd and kError it stays there.
  TemplateToken Next();

  // Of the kError token.
  const std::string& error() const { return error_; }

 private:
  TemplateToken NextText();
  TemplateToken NextInAction();
  TemplateToken Space();
  TemplateToken FieldOrVariable(TemplateTokenKind kind);
  TemplateToken Identifier();
  TemplateToken Number();
  TemplateToken Quoted(char quote, TemplateTokenKind kind);
  TemplateToken Make(TemplateTokenKind kind, size_t size);
  TemplateToken Error(std::string message);
  bool AtRightDelimiter(bool* trim) const;
  bool AtLeftTrim(size_t offset) const;
  bool AtTerminator() const;
  std::string BadCharacter(std::string_view words) const;
  // Length of the alphanumeric run at `offset` (letters and digits of any script, underscores).
  size_t AlphanumericLength(size_t offset) const;
  // Length of the number at the start; 0 when there is none or it runs into letters.
  size_t NumberLength() const;

  std::string_view text_;
  std::string_view rest_;
  std::string error_;
  int line_ = 1;
  bool in_action_ = false;
  bool trim_next_ = false;  // the action ended with -}}
  int paren_depth_ = 0;
  bool failed_ = false;
};

}  // namespace varve::templates
