#include "alerting/rules/rule_group.h"

#include <tuple>

namespace varve {

bool Rule::SameAs(const Rule& other) const {
  const auto content = [](const Rule& rule) {
    return std::tie(rule.record, rule.alert, rule.expr, rule.language, rule.for_ms, rule.keep_firing_for_ms, rule.labels,
                    rule.annotations, rule.alarm);
  };
  return content(*this) == content(other);
}

std::string_view RuleLanguageName(RuleLanguage language) {
  return language == RuleLanguage::kPromql ? "promql" : "logql";
}

std::string_view TreatMissingName(TreatMissing treat) {
  switch (treat) {
    case TreatMissing::kMissing: return "missing";
    case TreatMissing::kIgnore: return "ignore";
    case TreatMissing::kBreaching: return "breaching";
    case TreatMissing::kNotBreaching: return "not_breaching";
  }
  return "";
}

}  // namespace varve
