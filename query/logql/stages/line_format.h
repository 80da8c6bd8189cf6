// | line_format "…": the line becomes what the template says. When the template fails, the line stays and
// the row gets __error__="TemplateFormatErr".
#pragma once

#include <utility>

#include "query/logql/stages/stage.h"
#include "query/logql/templates/template.h"

namespace varve::logql {

class LineFormatStage : public RowStage {
 public:
  explicit LineFormatStage(Template text) : template_(std::move(text)) {}
  bool Apply(Row* row) const override {
    row->scratch.clear();
    std::string error;
    if (template_.Execute(row, &row->scratch, &error)) {
      row->line = row->labels.Store(row->scratch);
    } else {
      row->labels.SetError(kTemplateFormatError, error);
    }
    return true;
  }

 private:
  const Template template_;
};

}  // namespace varve::logql
