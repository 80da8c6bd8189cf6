// Runs unit tests of rules: a store of their own, the groups evaluated step by step, what comes of it compared.
//
// As promtool: at every evaluation_interval from the start to the last eval_time all groups are evaluated, whatever
// their own intervals are, after the samples and log entries up to then have been stored; alerts are compared with those
// that fire at the evaluation at or before eval_time, expressions at the end. The store is a real Engine.
// Threads: one run at a time in a directory.
#pragma once

#include <string>
#include <vector>

#include "alerting/rules/rule_group.h"
#include "alerting/rules/rule_test_file.h"

namespace varve {

// What failed, in promtool's words (several lines each); none: it passed. `directory` must not exist, and is left
// behind. `groups` are those of file.rule_files.
std::vector<std::string> RunRuleTest(const RuleTest& test, const RuleTestFile& file,
                                     const std::vector<RuleGroup>& groups, const std::string& directory);

}  // namespace varve
