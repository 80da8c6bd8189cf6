#include "query/logql/templates/template.h"

#include <algorithm>

#include "query/templates/template_evaluator.h"
#include "query/templates/value_methods.h"

namespace varve::logql {
namespace {

using templates::FieldName;
using templates::FunctionTable;
using templates::TemplateCall;
using templates::TemplateFunction;
using templates::TemplateMap;
using templates::TemplateMemory;
using templates::TemplateTree;
using templates::TemplateValue;
using templates::ValueType;

class RowHost : public templates::TemplateHost {
 public:
  explicit RowHost(const Row& row) : row_(row) {}

  const Row& row() const { return row_; }

  std::string_view Label(const FieldName& name) const override {
    if (const RowLabel* label = row_.labels.Find(name.text, name.hash); label != nullptr) return label->value;
    if (name.text == kErrorLabel) return row_.labels.error();
    if (name.text == kErrorDetailsLabel) return row_.labels.error_details();
    return {};
  }

  bool Labels(TemplateMemory* memory, TemplateMap* map) const override {
    const std::vector<RowLabel>& all = row_.labels.labels();
    auto* entries = memory->AllocateArray<TemplateMap::Entry>(all.size() + 2);
    if (entries == nullptr) return false;
    size_t count = 0;
    for (const RowLabel& label : all) entries[count++] = {label.name, TemplateValue::String(label.value)};
    if (row_.labels.has_error()) entries[count++] = {kErrorLabel, TemplateValue::String(row_.labels.error())};
    if (!row_.labels.error_details().empty()) {
      entries[count++] = {kErrorDetailsLabel, TemplateValue::String(row_.labels.error_details())};
    }
    map->entries = {entries, count};
    templates::SortEntries({entries, count});
    return true;
  }

  bool PlainText(const TemplateFunction& function, std::string_view* text) const override;

 private:
  const Row& row_;
};

const Row& RowOf(const TemplateCall& call) { return static_cast<const RowHost*>(call.host)->row(); }
bool Line(TemplateCall* call) { return call->ReturnText(RowOf(*call).line); }
bool Timestamp(TemplateCall* call) { return call->ReturnTime(templates::TimeFromUnixNs(RowOf(*call).ts_ns)); }

constexpr TemplateFunction kRowFunctions[] = {{"__line__", "", Line}, {"__timestamp__", "", Timestamp}};
constexpr const TemplateFunction& kLine = kRowFunctions[0];

bool RowHost::PlainText(const TemplateFunction& function, std::string_view* text) const {
  if (&function != &kLine) return false;
  *text = row_.line;
  return true;
}

const templates::TemplateDialect& Dialect() {
  using namespace templates;  // NOLINT: the eight tables
  static const FunctionTable functions({BuiltinFunctions(), ComparisonFunctions(), TextFunctions(),
                                        EncodingFunctions(), NumberFunctions(), TimeFunctions(),
                                        JsonFunctions(), RegexFunctions(), kRowFunctions});
  static const TemplateDialect dialect = {.functions = &functions, .hash = HashName};
  return dialect;
}

}  // namespace

Result<Template> Template::Parse(std::string_view name, std::string_view text) {
  auto tree = std::make_shared<TemplateTree>();
  VARVE_RETURN_IF_ERROR(ParseTemplate(name, text, Dialect(), {}, tree.get()));
  Template result;
  result.tree_ = std::move(tree);
  return result;
}

bool Template::Execute(Row* row, std::string* out, std::string* error) const {
  const RowHost host(*row);
  templates::TemplateEvaluator evaluator(*tree_, host, &row->labels.arena(), templates::kRowBounds, out,
                                         error);
  return evaluator.Run(TemplateValue::Map(ValueType::kLabels, nullptr));
}

const std::vector<std::string>& Template::fields() const { return tree_->fields; }
bool Template::reads_all_labels() const { return tree_->reads_all_labels; }
bool Template::reads_line() const {
  return std::find(tree_->functions.begin(), tree_->functions.end(), &kLine) != tree_->functions.end();
}

}  // namespace varve::logql
