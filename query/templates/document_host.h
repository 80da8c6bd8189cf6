// What documents' templates find outside their own text: the set's other templates, and what functions reach
// out for.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "query/templates/template_host.h"
#include "query/templates/template_set.h"

namespace varve::templates {

// A set's templates.
struct DocumentDefinitions {
  struct Entry {
    std::shared_ptr<const TemplateTree> tree;
    const TemplateNode* body = nullptr;
  };
  std::map<std::string, Entry, std::less<>> entries;
};

class DocumentHost : public TemplateHost {
 public:
  DocumentHost(const DocumentDefinitions& definitions, const TemplateMeans& means)
      : definitions_(definitions), means_(means) {}

  const TemplateMeans& means() const { return means_; }

  const TemplateNode* Definition(std::string_view name, const TemplateTree** tree) const override {
    const auto found = definitions_.entries.find(name);
    if (found == definitions_.entries.end()) return nullptr;
    *tree = found->second.tree.get();
    return found->second.body;
  }

 private:
  const DocumentDefinitions& definitions_;
  const TemplateMeans& means_;
};

inline const TemplateMeans& MeansOf(const TemplateCall& call) {
  return static_cast<const DocumentHost*>(call.host)->means();
}

// Functions of rules, of notifications, and what reports have beside both.
std::span<const TemplateFunction> RuleFunctions();
std::span<const TemplateFunction> NotificationFunctions();
std::span<const TemplateFunction> ReportFunctions();

// `datum` as a value. Strings are views into it; the rest goes to memory. False: it is too large or too deep.
bool ValueOfDatum(const Datum& datum, TemplateMemory* memory, TemplateValue* value);

// Copies `items` into memory and returns them as a list.
bool ReturnList(TemplateCall* call, std::span<const TemplateValue> items, GoType named);

// Maps with `count` entries for the caller to fill. Null: no memory.
TemplateMap* NewMap(TemplateMemory* memory, size_t count, TemplateMap::Entry** entries);

}  // namespace varve::templates
