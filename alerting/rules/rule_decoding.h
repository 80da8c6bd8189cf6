// The shape of rule files: a YAML tree to groups. What the groups say is for rule_checks.h.
//
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/rules/rule_group.h"
#include "alerting/yaml_document.h"

namespace varve {

// Of a file; those behind them are not told.
inline constexpr size_t kRuleProblemsMax = 200;

// What is wrong, and where.
struct RuleProblem {
  uint32_t line = 0;
  std::string group;       // its name, if it has one
  bool in_group = false;
  uint32_t rule = 0;       // from 1; 0: not in a rule
  std::string rule_name;
  bool expression = false;  // `text` is what the parser of the expression said
  std::string text;
};

// Where the parts of a rule stand, for the checks' errors.
struct RuleLines {
  uint32_t record = 0, alert = 0, expr = 0;  // 0: not there
};

struct DecodedGroup {
  RuleGroup group;
  std::vector<RuleLines> lines;  // one a rule
  bool type_given = false;       // the rules without a type have the group's: Rule::language_given
};

// `groups: […]`; problems are added. A rule without `type` gets `language`, and language_given stays false.
std::vector<DecodedGroup> DecodeRuleFile(const YamlNode& root, RuleLanguage language,
                                         std::vector<RuleProblem>* problems);
DecodedGroup DecodeRuleGroup(const YamlNode& node, RuleLanguage language, std::vector<RuleProblem>* problems);

}  // namespace varve
