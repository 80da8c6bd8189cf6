// varve rules: checks rule files, tests them, evaluates them over the past.
#include <CLI/CLI.hpp>

#include "tools/commands.h"
#include "tools/rules_commands.h"

namespace varve {

void AddRulesCommand(CLI::App* app, ChosenCommand* chosen) {
  CLI::App* rules = app->add_subcommand("rules", "Check, test and backfill recording and alerting rules");
  rules->require_subcommand(1);
  AddRulesCheckCommand(rules, chosen);
  AddRulesTestCommand(rules, chosen);
  AddRulesBackfillCommand(rules, chosen);
  rules->footer("docs/rules.md has the formats of rule files and of their tests.");
}

}  // namespace varve
