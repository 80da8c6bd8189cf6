// A line_format or label_format template, compiled.
//
// Go's text/template without its control structures: text, {{.field}}, {{ __line__ }}, constants, comments,
// trim markers, function calls, pipes and parentheses. What Go (or Loki) accepts beyond that is refused by
// name with kUnimplemented; what Go refuses is refused in its words. The rest of the language slots in behind
// this interface: `{{if}}` and its kin as further nodes, functions as further rows of a table.
// Threads: immutable after Parse, share freely.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "query/logql/stages/stage.h"
#include "query/logql/templates/template_value.h"

namespace varve::logql {

// Parentheses deeper than this are refused; it bounds the recursion of evaluation.
inline constexpr int kTemplateNestingMax = 100;

struct TemplateExpression {
  enum class Kind : uint8_t { kConstant, kField, kLine, kCall };
  Kind kind = Kind::kConstant;
  std::string text;                             // a constant's text, a field's name, a call as written
  uint32_t hash = 0;                            // of a field's name
  TemplateValue constant;                       // of other than text
  bool is_text = false;                         // the constant is `text`
  const TemplateFunction* function = nullptr;   // of a call
  std::vector<TemplateExpression> arguments;    // of a call
  int line = 1;                                 // where a call stands, for errors
  int column = 0;
};

class Template {
 public:
  // `name` is "line" or "label", as errors show it. kInvalidArgument: "template: line:1: unclosed action";
  // kUnimplemented: "template function 'regexReplaceAll' is not supported yet".
  static Result<Template> Parse(std::string_view name, std::string_view text);

  // Appends the result. False: `error` has Go's words, and what was appended is to be thrown away.
  bool Execute(Row* row, std::string* out, std::string* error) const;

  // The labels it reads.
  const std::vector<std::string>& fields() const { return fields_; }
  // Whether it may read labels that `fields` does not name.
  bool reads_all_labels() const { return false; }

 private:
  friend class TemplateParser;
  bool Evaluate(const TemplateExpression& expression, Row* row, TemplateValue* value, std::string* error) const;
  bool Call(const TemplateExpression& call, Row* row, TemplateValue* value, std::string* error) const;

  std::string name_;
  std::vector<TemplateExpression> nodes_;  // text is a constant
  std::vector<std::string> fields_;
};

}  // namespace varve::logql
