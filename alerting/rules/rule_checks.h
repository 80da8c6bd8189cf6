// What rules must be beyond their shape: names, expressions, templates, which keys go together.
//
// Threads: pure functions.
#pragma once

#include <vector>

#include "alerting/rules/rule_decoding.h"

namespace varve {

struct RuleCheckOptions {
  RuleLanguage language = RuleLanguage::kPromql;  // of rules without a type, where they parse in it
  // Names as Loki has them: [a-zA-Z_:][a-zA-Z0-9_:]*; else any UTF-8, as Prometheus 3.
  bool legacy_names = false;
  bool accept_log_lines = false;  // LogQL queries for lines, which fail when evaluated
};

// Chooses the language of rules without a type, and adds what is wrong to `problems`. An empty group name, and two of
// one name, are for the caller.
void CheckRules(const RuleCheckOptions& options, DecodedGroup* decoded, std::vector<RuleProblem>* problems);

}  // namespace varve
