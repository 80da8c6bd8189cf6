// | label_format a=b, c="{{.d}}": renames and templates, in order.
//
// All templates of one stage see the labels as they are before the first of them runs: renames that stand
// before it are visible, results of templates are not. Renaming a label that is absent does nothing, and
// renaming one to itself removes it, as in Loki.
#pragma once

#include <string>
#include <vector>

#include "query/logql/stages/stage.h"
#include "query/logql/templates/template.h"

namespace varve::logql {

class LabelFormatStage : public RowStage {
 public:
  struct Assignment {
    std::string name;
    std::string source;  // of a rename
    bool is_rename = false;
    Template value;
  };
  explicit LabelFormatStage(std::vector<Assignment> assignments);
  bool Apply(Row* row) const override;

 private:
  const std::vector<Assignment> assignments_;
  size_t first_template_ = 0;  // index; the size when there is none
};

}  // namespace varve::logql
