#include "alerting/rules/alert_expansion.h"

#include <string>
#include <utility>
#include <vector>

#include "engine/base/time.h"

namespace varve {
namespace {

LabelMap ToLabelMap(const PackedLabels& labels) {
  LabelMap map;
  for (const LabelView& label : labels) map.emplace_hint(map.end(), label.name, label.value);
  return map;
}

RuleTemplates ParseTemplates(const Rule& rule) {
  const std::string template_name = "__alert_" + rule.alert;
  RuleTemplates out;
  for (const auto& [name, text] : rule.labels) {
    out.labels.emplace_back(name, RuleTemplate::ParseAnyway(template_name, text));
  }
  for (const auto& [name, text] : rule.annotations) {
    out.annotations.emplace_back(name, RuleTemplate::ParseAnyway(template_name, text));
  }
  return out;
}

}  // namespace

AlertExpansion::AlertExpansion(RuleState* rule, const RulerOptions& options, const TenantQueries& queries,
                               int64_t ts_ms, const CancelToken* cancel)
    : rule_(rule) {
  if (!rule->templated) return;
  data_.external_labels = options.external_labels;
  data_.external_url = options.external_url;
  means_.external_url = options.external_url;
  means_.now_ns = ts_ms * kNsPerMs;
  means_.query = [&queries, ts_ms, cancel](std::string_view text) -> Result<std::vector<templates::QuerySample>> {
    VARVE_ASSIGN_OR_RETURN(const std::vector<RuleSample> found, RunPromqlText(queries, text, ts_ms, cancel));
    std::vector<templates::QuerySample> out;
    for (const RuleSample& one : found) {
      templates::QuerySample& to = out.emplace_back();
      for (const LabelView& label : one.labels) to.labels.emplace_back(label.name, label.value);
      to.value = one.value;
    }
    return out;
  };
}

SeenAlert AlertExpansion::Expand(const RuleSample& sample) {
  if (!rule_->templates.has_value()) rule_->templates = ParseTemplates(rule_->rule);
  SeenAlert alert = {.labels = ToLabelMap(sample.labels), .annotations = {}, .value = sample.value};
  if (rule_->templated) {
    data_.labels = alert.labels;
    data_.value = sample.value;
  }
  if (const auto name = alert.labels.find(kMetricName); name != alert.labels.end()) alert.labels.erase(name);
  for (const auto& [name, text] : rule_->templates->labels) {
    std::string value = text.Expand(data_, means_, nullptr);
    if (value.empty()) {
      alert.labels.erase(name);
    } else {
      alert.labels.insert_or_assign(name, std::move(value));
    }
  }
  alert.labels.insert_or_assign("alertname", rule_->rule.alert);
  for (const auto& [name, text] : rule_->templates->annotations) {
    alert.annotations.emplace(name, text.Expand(data_, means_, nullptr));
  }
  return alert;
}

}  // namespace varve
