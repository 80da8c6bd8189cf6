#include "query/logql/templates/template.h"

#include "query/logql/templates/template_evaluator.h"
#include "query/logql/templates/template_tree.h"

namespace varve::logql {

Result<Template> Template::Parse(std::string_view name, std::string_view text) {
  auto tree = std::make_shared<TemplateTree>();
  VARVE_RETURN_IF_ERROR(ParseTemplate(name, text, tree.get()));
  Template result;
  result.tree_ = std::move(tree);
  return result;
}

bool Template::Execute(Row* row, std::string* out, std::string* error) const {
  return TemplateEvaluator(*tree_, row, out, error).Run();
}

const std::vector<std::string>& Template::fields() const { return tree_->fields; }
bool Template::reads_all_labels() const { return tree_->reads_all_labels; }
bool Template::reads_line() const { return tree_->reads_line; }

}  // namespace varve::logql
