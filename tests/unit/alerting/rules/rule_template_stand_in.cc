#include "alerting/rules/rule_template.h"

namespace varve {

std::string ExpandRuleTemplate(std::string_view, std::string_view text, const RuleTemplateData&,
                               const templates::TemplateMeans&, std::string*) {
  return std::string(text);
}

}  // namespace varve
