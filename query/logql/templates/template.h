// A line_format or label_format template, compiled: Go's text/template with Loki's functions.
//
// Bounds: query/templates/template_limits.h. Threads: immutable after Parse, share freely.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "query/logql/stages/stage.h"

namespace varve::templates {
struct TemplateTree;
}

namespace varve::logql {

class Template {
 public:
  // `name` is "line" or "label", as errors show it. kInvalidArgument: "template: line:1: unclosed action".
  static Result<Template> Parse(std::string_view name, std::string_view text);

  // Appends the result; intermediate values go to the row's arena. False: `error` has Go's words, and what
  // was appended is to be thrown away.
  bool Execute(Row* row, std::string* out, std::string* error) const;

  // The labels it reads.
  const std::vector<std::string>& fields() const;
  // Whether it may read labels that `fields` does not name.
  bool reads_all_labels() const;
  // Whether it reads the line.
  bool reads_line() const;

 private:
  std::shared_ptr<const templates::TemplateTree> tree_;
};

}  // namespace varve::logql
