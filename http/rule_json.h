// Groups of rules and their alerts as JSON, in Prometheus's words and in those of Loki's ruler.
//
// Threads: pure functions.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/rules/ruler.h"

namespace varve {

enum class RuleJsonForm : uint8_t { kPrometheus, kLoki };

// Which rules an answer shows.
struct RuleFilter {
  bool alerting = true;
  bool recording = true;
  std::set<std::string, std::less<>> names, groups, files;  // empty: any
  std::vector<std::vector<Matcher>> matchers;               // on a rule's labels; any of the sets, empty: all
  bool exclude_alerts = false;

  bool TakesGroup(const RuleGroup& group) const;
  bool TakesRule(const Rule& rule) const;
};

// The group's object with the rules that `filter` takes; nothing is appended, and the answer is false, when it takes none.
bool AppendGroupJson(std::string* out, const GroupStatus& group, const RuleFilter& filter, RuleJsonForm form);
// The active alerts of all rules, comma-separated.
void AppendAlertsJson(std::string* out, const std::vector<GroupStatus>& groups, RuleJsonForm form);

}  // namespace varve
