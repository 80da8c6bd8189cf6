// Templates are all rendered when the first one's turn comes, then assigned in order among the renames.

#include "query/logql/stages/label_format.h"

#include <algorithm>

namespace varve::logql {
namespace {

constexpr size_t kInlineResults = 16;

}  // namespace

LabelFormatStage::LabelFormatStage(std::vector<Assignment> assignments)
    : assignments_(std::move(assignments)),
      first_template_(static_cast<size_t>(std::find_if(assignments_.begin(), assignments_.end(),
                                                       [](const Assignment& a) { return !a.is_rename; }) -
                                          assignments_.begin())) {}

bool LabelFormatStage::Apply(Row* row) const {
  RowLabels& labels = row->labels;
  struct Rendered {
    std::string_view text;
    bool ok = false;
  };
  Rendered inline_results[kInlineResults];
  std::vector<Rendered> many;
  Rendered* results = inline_results;
  if (assignments_.size() > kInlineResults) {
    many.resize(assignments_.size());
    results = many.data();
  }
  for (size_t i = 0; i < assignments_.size(); ++i) {
    if (i == first_template_) {
      for (size_t k = i; k < assignments_.size(); ++k) {
        if (assignments_[k].is_rename) continue;
        row->scratch.clear();
        std::string error;
        results[k].ok = assignments_[k].value.Execute(row, &row->scratch, &error);
        if (results[k].ok) {
          results[k].text = labels.Store(row->scratch);
        } else {
          labels.SetError(kTemplateFormatError, error);
        }
      }
    }
    const Assignment& assignment = assignments_[i];
    if (!assignment.is_rename) {
      if (results[i].ok) labels.Set(assignment.name, results[i].text, LabelCategory::kParsed);
      continue;
    }
    const RowLabel* source = labels.Find(assignment.source);
    if (source == nullptr) continue;
    labels.Set(assignment.name, source->value, source->category);
    labels.Remove(assignment.source);
  }
  return true;
}

}  // namespace varve::logql
