#include "query/templates/template_set.h"

#include <array>

#include "query/templates/document_host.h"
#include "query/templates/html_escaper.h"
#include "query/templates/template_evaluator.h"
#include "query/templates/template_limits.h"

namespace varve::templates {
namespace {

const TemplateDialect& Dialect(FunctionSet functions) {
  static const FunctionTable rules({BuiltinFunctions(), ComparisonFunctions(), RuleFunctions()});
  static const FunctionTable notifications(
      {BuiltinFunctions(), ComparisonFunctions(), NotificationFunctions()});
  static const FunctionTable reports({BuiltinFunctions(), ComparisonFunctions(), TextFunctions(),
                                      EncodingFunctions(), NumberFunctions(), TimeFunctions(),
                                      JsonFunctions(), RegexFunctions(), RuleFunctions(),
                                      NotificationFunctions(), ReportFunctions()});
  static const std::array<TemplateDialect, 3> dialects = {
      TemplateDialect{&rules}, TemplateDialect{&notifications}, TemplateDialect{&reports}};
  return dialects[static_cast<size_t>(functions)];
}

}  // namespace

struct TemplateSet::Impl {
  const TemplateDialect& dialect;
  DocumentDefinitions definitions;
  size_t bytes = 0;
};

TemplateSet::TemplateSet(FunctionSet functions)
    : impl_(std::make_shared<Impl>(Impl{Dialect(functions), {}, 0})) {}

Status TemplateSet::Parse(std::string_view name, std::string_view text) {
  impl_->bytes += text.size();
  if (impl_->bytes > kTemplateSetBytesMax)
    return InvalidArgument("template: " + std::string(name) + ": " +
                           LimitError("template_set_bytes_max", static_cast<int64_t>(kTemplateSetBytesMax)));
  auto tree = std::make_shared<TemplateTree>();
  VARVE_RETURN_IF_ERROR(ParseTemplate(name, text, impl_->dialect, {}, tree.get()));
  auto& entries = impl_->definitions.entries;
  const auto add = [&](std::string_view defined, const TemplateNode* body) {
    DocumentDefinitions::Entry& entry = entries[std::string(defined)];
    if (entry.body == nullptr || !IsEmptyList(*body)) entry = {tree, body};
  };
  for (const auto& [defined, body] : tree->definitions) add(defined, body);
  if (!name.empty() && !IsEmptyList(*tree->root)) add(name, tree->root);
  if (entries.size() <= kTemplateDefinitionsMax) return Status::Ok();
  return InvalidArgument(
      "template: " + std::string(name) + ": " +
      LimitError("template_definitions_max", static_cast<int64_t>(kTemplateDefinitionsMax)));
}

Status TemplateSet::Check(std::string_view name, std::string_view text) const {
  TemplateTree tree;
  return ParseTemplate(name, text, impl_->dialect, {}, &tree);
}

Result<ParsedTemplate> TemplateSet::Compile(std::string_view name, std::string_view text,
                                            const std::vector<std::string>& variables) const {
  std::vector<std::string> named;
  for (const std::string& variable : variables) named.push_back("$" + variable);
  auto tree = std::make_shared<TemplateTree>();
  VARVE_RETURN_IF_ERROR(ParseTemplate(name, text, impl_->dialect, named, tree.get()));
  ParsedTemplate parsed;
  parsed.tree_ = std::move(tree);
  parsed.set_ = impl_;
  return parsed;
}

Result<std::string> TemplateSet::Execute(std::string_view name, std::string_view text, const Datum& dot,
                                         Escape escape, const TemplateMeans& means,
                                         const DatumFields& variables) const {
  std::vector<std::string> names;
  std::vector<Datum> values;
  for (const auto& [variable, value] : variables) {
    names.push_back(variable);
    values.push_back(value);
  }
  Result<ParsedTemplate> parsed = Compile(name, text, names);
  if (!parsed.ok()) return parsed.status().Clone();
  return parsed->Execute(dot, escape, means, values);
}

Result<std::string> ParsedTemplate::Execute(const Datum& dot, Escape escape, const TemplateMeans& means,
                                            const std::vector<Datum>& values) const {
  if (values.size() != tree_->variables.size())
    return InternalError("template " + tree_->name + " is executed without its variables");
  const auto* set = static_cast<const TemplateSet::Impl*>(set_.get());
  const DocumentHost host(set->definitions, means);
  ByteArena arena;
  std::string out;
  std::string error;
  TemplateEvaluator evaluator(*tree_, host, &arena, kDocumentBounds, &out, &error);
  TemplateValue top;
  std::vector<TemplateValue> given(values.size());
  bool ok = ValueOfDatum(dot, evaluator.memory(), &top);
  for (size_t i = 0; i < values.size(); ++i)
    ok = ok && ValueOfDatum(values[i], evaluator.memory(), &given[i]);
  if (!ok) {
    return ExecutionError(
        "template: " + tree_->name + ": data " +
        LimitError("template_memory_bytes_max", static_cast<int64_t>(kDocumentBounds.memory_bytes_max)) +
        " or " + LimitError("template_data_depth_max", kTemplateDataDepthMax));
  }
  HtmlEscaper escaper;
  if (escape == Escape::kHtml) evaluator.set_escaper(&escaper);
  if (!evaluator.Run(top, given)) return ExecutionError(std::move(error));
  if (escape == Escape::kHtml && !escaper.in_text())
    return ExecutionError("html/template:" + tree_->name + ": ends in a non-text context");
  return out;
}

}  // namespace varve::templates
