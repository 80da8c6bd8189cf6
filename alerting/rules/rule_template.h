// The templates in labels and annotations of alerting rules, exactly as Prometheus expands them: $labels,
// $externalLabels, $externalURL, $value, the same under `.`, and its functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

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

// A text parsed once, to be expanded at each evaluation of its rule. Names are "__alert_" and the alert's
// name, as errors show them. Threads: immutable, share freely; copies are cheap.
class RuleTemplate {
 public:
  // The empty text.
  RuleTemplate() = default;
  // kInvalidArgument, in Go's words: it does not parse.
  static Result<RuleTemplate> Parse(std::string_view name, std::string_view text);
  // For text that may be refused: what Parse says then comes out of every Expand.
  static RuleTemplate ParseAnyway(std::string_view name, std::string_view text);

  // Whether it is the same whatever the data.
  bool constant() const { return !parsed_.has_value(); }
  // What fails becomes `<error expanding template: …>`, as in Prometheus; `*error` (may be null) then says
  // why.
  std::string Expand(const RuleTemplateData& data, const templates::TemplateMeans& means,
                     std::string* error) const;

 private:
  std::string text_;   // of a constant
  std::string error_;  // of ParseAnyway
  std::optional<templates::ParsedTemplate> parsed_;
  std::string name_;
};

// kInvalidArgument: it does not parse.
Status CheckRuleTemplate(std::string_view name, std::string_view text);
// RuleTemplate in one call; the latest texts of a thread are kept parsed. Text without `{{` is returned as it is, at once.
std::string ExpandRuleTemplate(std::string_view name, std::string_view text, const RuleTemplateData& data,
                               const templates::TemplateMeans& means, std::string* error);

}  // namespace varve
