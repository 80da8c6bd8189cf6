// varve alarms: the state of rules with an `alarm:` block.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tools/alert_answer.h"
#include "tools/api_client.h"
#include "tools/client_options.h"
#include "tools/commands.h"
#include "tools/table.h"
#include "tools/terminal.h"
#include "tools/time_text.h"

namespace varve {
namespace {

struct AlarmsOptions {
  ServerAddress address;
  std::vector<std::string> states;
  std::vector<std::string> rules;
  bool json = false;
  bool no_colour = false;
};

Status RunAlarms(const AlarmsOptions& options) {
  ApiClient client(options.address);
  ApiClient::Parameters parameters;
  for (const std::string& state : options.states) parameters.emplace_back("state", state);
  for (const std::string& rule : options.rules) parameters.emplace_back("rule", rule);
  VARVE_ASSIGN_OR_RETURN(const std::string json, client.GetText("/api/v1/alarms", parameters));
  if (options.json) {
    fmt::print("{}\n", json);
    return Status::Ok();
  }
  VARVE_ASSIGN_OR_RETURN(const std::vector<AlarmRow> rows, ParseAlarmsAnswer(json));
  Table table({"state", "since", "rule", "labels", "reason"}, SIZE_MAX);
  for (const AlarmRow& row : rows) {
    const Result<int64_t> since = ParseTime(row.since, 0);
    table.Add({row.state, since.ok() ? FormatLocalTime(*since).substr(0, 19) : row.since, Printable(row.rule),
               Printable(row.labels), Printable(row.reason)});
  }
  const Style style{.colour = WantsColour(STDOUT_FILENO) && !options.no_colour};
  fmt::print("{}", table.Print(style));
  return Status::Ok();
}

}  // namespace

void AddAlarmsCommand(CLI::App* app, ChosenCommand* chosen) {
  CLI::App* command = app->add_subcommand("alarms", "Show the state of alarms and the reason for it");
  auto options = std::make_shared<AlarmsOptions>();
  command->add_option("--state", options->states, "only alarms in this state; repeat for more")
      ->type_name("OK|ALARM|INSUFFICIENT_DATA")
      ->allow_extra_args(false)
      ->check(CLI::IsMember({"OK", "ALARM", "INSUFFICIENT_DATA"}).description(""));
  command->add_option("--rule", options->rules, "only those of the rule of this name; repeat for more")
      ->type_name("NAME")
      ->allow_extra_args(false);
  command->add_flag("--json", options->json, "what the server answers");
  command->add_flag("--no-color", options->no_colour, "as does NO_COLOR in the environment");
  AddServerOptions(command, &options->address);
  command->footer(
      "Alarms are alerting rules with an `alarm:` block: docs/rules.md.\n\n"
      "Examples:\n"
      "  varve alarms\n"
      "  varve alarms --state ALARM\n"
      "  varve alarms --rule HighErrors --json");
  command->callback([options, chosen] { *chosen = [options] { return RunAlarms(*options); }; });
}

}  // namespace varve
