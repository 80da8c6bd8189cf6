// Cuts a Go text/template into text and the tokens of its actions.
//
// Trim markers are applied here and comments dropped, as Go's own lexer does.
// Threads: thread-compatible. Ownership: tokens are views into the template's text, which must outlive them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace varve::logql {

enum class TemplateTokenKind : uint8_t {
  kText,
  kLeft,         // {{
  kRight,        // }}
  kSpace,
  kField,        // .name, without the dot in `text`
  kDot,          // .
  kVariable,     // $name
  kIdentifier,   // a function or key word
  kString,       // "…", quotes included
  kRawString,    // `…`, quotes included
  kNumber,
  kCharacter,    // '…'
  kPipe,
  kDeclare,      // :=
  kAssign,       // =
  kComma,
  kOpenParen,
  kCloseParen,
  kEnd,
  kError,        // `text` is Go's wording
};

struct TemplateToken {
  TemplateTokenKind kind = TemplateTokenKind::kEnd;
  std::string text;
  int line = 1;
  int column = 0;  // in bytes, from 0 on the first line and 1 on later ones, as Go counts
};

class TemplateLexer {
 public:
  explicit TemplateLexer(std::string_view text) : rest_(text), line_begin_(text.data()) {}

  // After kEnd and kError it stays there.
  TemplateToken Next();

 private:
  TemplateToken NextText();
  TemplateToken NextInAction();
  TemplateToken FieldOrVariable(TemplateTokenKind kind);
  TemplateToken Identifier();
  TemplateToken Number();
  TemplateToken Quoted(char quote, TemplateTokenKind kind);
  TemplateToken Make(TemplateTokenKind kind, size_t size);
  TemplateToken Error(std::string message);
  bool AtRightDelimiter(bool* trim) const;
  bool AtTerminator() const;
  // Length of the alphanumeric run at `offset` (letters and digits of any script, underscores).
  size_t AlphanumericLength(size_t offset) const;

  std::string_view rest_;
  const char* line_begin_;  // what columns are counted from
  int line_ = 1;
  bool in_action_ = false;
  bool left_pending_ = false;  // the text before an action was returned, the action's {{ not yet
  bool trim_next_ = false;     // the action ended with -}}
  int paren_depth_ = 0;
  bool failed_ = false;
};

}  // namespace varve::logql
