// Which language a rule's expression is in, and whether it is right in it.
//
// Threads: pure functions.
#pragma once

#include <string_view>

#include "alerting/rules/rule_group.h"
#include "engine/base/status.h"

namespace varve {

// kInvalidArgument, in the words of the language's parser. LogQL: pipelines are compiled too.
Status CheckRuleExpression(std::string_view expr, RuleLanguage language);
// Whether it is a LogQL query for lines: it parses, and no rule can use it.
bool IsLogLines(std::string_view expr);

struct RuleExpression {
  RuleLanguage language = RuleLanguage::kPromql;
  Status status;
};
// `preferred` if the expression is right in it, else the other one if it is right in that (LogQL: and reads streams). Right in neither: the
// error is that of `preferred`, beside the other's where the text looks like LogQL (a `|` outside of quotes).
RuleExpression ChooseRuleLanguage(std::string_view expr, RuleLanguage preferred);

}  // namespace varve
