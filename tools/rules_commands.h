// The subcommands of `varve rules`, one file each.
#pragma once

#include "tools/commands.h"

namespace varve {

void AddRulesCheckCommand(CLI::App* rules, ChosenCommand* chosen);
void AddRulesBackfillCommand(CLI::App* rules, ChosenCommand* chosen);
void AddRulesTestCommand(CLI::App* rules, ChosenCommand* chosen);

}  // namespace varve
