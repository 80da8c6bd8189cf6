// Rule files: YAML in, checked groups out, and back.
//
// Takes what Prometheus (groups: name interval query_offset limit labels rules: record alert expr for keep_firing_for
// labels annotations) and Loki's ruler (the same with LogQL; `remote_write` and `source_tenants` are refused by name)
// take, and two keys more: `type: promql|logql` of a group or rule, and `alarm:` of an alerting rule.
//
// Unknown keys, wrong expressions and wrong templates are errors that name file, line, group and rule:
//   rules/ssh.yml:12: group "ssh", rule 2 "BruteForce": could not parse expression: 1:5: parse error: …
// A file is at most kYamlBytesMax (yaml_document.h) long. Of several documents in a file the first counts, as in Prometheus.
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "alerting/rules/rule_group.h"
#include "engine/base/status.h"

namespace varve {

// The whole file: `groups:`. `name` stands in errors and becomes RuleGroup::file. A rule without `type` is in
// `language` if its expression is a valid one in it, else in the other one. kInvalidArgument lists every error, one a
// line; two groups of one name are one.
Result<std::vector<RuleGroup>> ParseRuleFile(std::string_view text, std::string_view name, RuleLanguage language);
Result<std::vector<RuleGroup>> ReadRuleFile(const std::string& path, RuleLanguage language);
// Reads and parses all files that the patterns match (each pattern that has no wildcard must match).
Result<std::vector<RuleGroup>> ReadRuleFiles(const std::vector<std::string>& patterns, RuleLanguage language);

// One group alone, as the rulers' configuration APIs take it. Errors in the words of Loki and Mimir (loki_surface 1.11).
Result<RuleGroup> ParseRuleGroup(std::string_view yaml, std::string_view rule_namespace, RuleLanguage language);
// With the keys that Grafana's decoder knows, optional ones only when set: a group's labels are printed with its rules, `type`
// only where the expression is right in both languages. (A group with an `alarm` is beyond Grafana.) Read back, it says the same.
std::string PrintRuleGroup(const RuleGroup& group);
// `{namespace: [group, …]}`; every group's file is its namespace.
std::string PrintRuleNamespaces(const std::vector<RuleGroup>& groups);

}  // namespace varve
