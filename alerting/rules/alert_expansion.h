// From an element of a rule's result to an alert: labels and annotations, templates expanded.
//
//   AlertExpansion expansion(&rule, options, queries, ts_ms, cancel);   // for one evaluation of one rule
//   SeenAlert alert = expansion.Expand(sample);
//
// Threads: thread-compatible.
#pragma once

#include <cstdint>

#include "alerting/rules/alert_state.h"
#include "alerting/rules/group_state.h"
#include "alerting/rules/rule_query.h"
#include "alerting/rules/rule_template.h"
#include "alerting/rules/ruler.h"
#include "engine/base/cancel.h"

namespace varve {

class AlertExpansion {
 public:
  // All outlive it. Queries of templates are evaluated at `ts_ms`.
  AlertExpansion(RuleState* rule, const RulerOptions& options, const TenantQueries& queries, int64_t ts_ms,
                 const CancelToken* cancel);

  // The result's labels without the name, the rule's, and alertname; labels that are empty are left out.
  SeenAlert Expand(const RuleSample& sample);

 private:
  RuleState* const rule_;
  RuleTemplateData data_;
  templates::TemplateMeans means_;
};

}  // namespace varve
