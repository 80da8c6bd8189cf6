// The subcommands of `varve`, one file each.
//
// Add…Command describes the subcommand to the command line parser; when it is the one that was given,
// parsing sets *chosen to what runs it. An error that it returns is printed in one line, and varve exits
// with status 1.
#pragma once

#include <functional>

#include "engine/base/status.h"

namespace CLI {
class App;
}

namespace varve {

using ChosenCommand = std::function<Status()>;

void AddServeCommand(CLI::App* app, ChosenCommand* chosen);
void AddQueryCommand(CLI::App* app, ChosenCommand* chosen);
void AddTailCommand(CLI::App* app, ChosenCommand* chosen);
void AddPushCommand(CLI::App* app, ChosenCommand* chosen);
void AddLabelsCommand(CLI::App* app, ChosenCommand* chosen);
void AddSeriesCommand(CLI::App* app, ChosenCommand* chosen);
void AddTopCommand(CLI::App* app, ChosenCommand* chosen);
void AddReportCommand(CLI::App* app, ChosenCommand* chosen);
void AddAlarmsCommand(CLI::App* app, ChosenCommand* chosen);
void AddSilenceCommand(CLI::App* app, ChosenCommand* chosen);
void AddRulesCommand(CLI::App* app, ChosenCommand* chosen);
void AddProbeCommand(CLI::App* app, ChosenCommand* chosen);
void AddInspectCommand(CLI::App* app, ChosenCommand* chosen);
void AddVerifyCommand(CLI::App* app, ChosenCommand* chosen);

}  // namespace varve
