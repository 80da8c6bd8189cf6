// The templates in labels and annotations of alerting rules.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/label_map.h"
#include "engine/base/status.h"
#include "query/templates/template_set.h"

namespace varve {

struct RuleTemplateData {
  LabelMap labels;
  LabelMap external_labels;
  std::string external_url;
  double value = 0;
};

// kInvalidArgument: it does not parse.
Status CheckRuleTemplate(std::string_view name, std::string_view text);
// What fails becomes `<error expanding template: …>`, as in Prometheus; `*error` (may be null) then says why. Text without `{{` is
// returned as it is, at once.
std::string ExpandRuleTemplate(std::string_view name, std::string_view text, const RuleTemplateData& data,
                               const templates::TemplateMeans& means, std::string* error);

}  // namespace varve
