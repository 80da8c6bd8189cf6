// What a template finds outside its own text: in LogQL a row, in documents other templates and what their
// functions reach out for.
//
// Threads: called by the one thread that evaluates.
#pragma once

#include <string_view>

#include "query/templates/template_tree.h"

namespace varve::templates {

class TemplateHost {
 public:
  virtual ~TemplateHost() = default;

  // A label of the row, "" when there is none.
  virtual std::string_view Label(const FieldName&) const { return {}; }
  // The row's labels, in bytes of `memory`. False: they do not fit.
  virtual bool Labels(TemplateMemory*, TemplateMap*) const { return true; }
  // Whether `function` needs no call: then `text` is what it gives.
  virtual bool PlainText(const TemplateFunction&, std::string_view*) const { return false; }
  // A template that the text does not define itself, and the tree it is part of. Null: there is none.
  virtual const TemplateNode* Definition(std::string_view, const TemplateTree**) const { return nullptr; }
};

}  // namespace varve::templates
