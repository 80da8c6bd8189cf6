// A line_format or label_format template, compiled.
//
// Go's text/template as far as it goes today: text, {{.field}}, {{ __line__ }}, string constants, comments,
// trim markers. What Go accepts beyond that is refused by name with kUnimplemented; what Go refuses is
// refused in its words. The interpreter for the rest of the language slots in behind this interface: Parse
// keeps reporting the fields it reads, Execute gains errors.
// Threads: immutable after Parse, share freely.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "query/logql/stages/stage.h"

namespace varve::logql {

class Template {
 public:
  // `name` is "line" or "label", as errors show it. kInvalidArgument: "template: line:1: unclosed action";
  // kUnimplemented: "template function 'regexReplaceAll' is not supported yet".
  static Result<Template> Parse(std::string_view name, std::string_view text);

  // Appends the result. False: `error` has Go's words, and what was appended is to be thrown away.
  bool Execute(const Row& row, std::string* out, std::string* error) const;

  // The labels it reads.
  const std::vector<std::string>& fields() const { return fields_; }
  // Whether it may read labels that `fields` does not name.
  bool reads_all_labels() const { return false; }

 private:
  friend class TemplateParser;
  enum class Kind : uint8_t { kText, kField, kLine };
  struct Node {
    Kind kind = Kind::kText;
    std::string text;   // the text, or the field's name
    uint32_t hash = 0;  // of a field's name
  };

  std::vector<Node> nodes_;
  std::vector<std::string> fields_;
};

}  // namespace varve::logql
