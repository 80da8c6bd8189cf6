// The program: picks a subcommand and turns its result into an exit status.
//
//   0  done        1  failed, with one line on standard error        2  the command line was wrong
#include <curl/curl.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <utility>

#include "tools/commands.h"

namespace {

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;

// One line, whatever the message holds.
void PrintError(std::string message) {
  while (message.ends_with('\n')) message.pop_back();
  for (char& c : message) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  fmt::print(stderr, "varve: {}\n", message);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Varve stores logs and metrics and answers LogQL and PromQL over Loki's and Prometheus's HTTP APIs.", "varve");
  app.set_version_flag("--version", "varve " VARVE_VERSION);
  app.require_subcommand(1);
  app.footer("varve COMMAND --help explains a command and gives examples.");
  varve::ChosenCommand chosen;
  varve::AddServeCommand(&app, &chosen);
  varve::AddQueryCommand(&app, &chosen);
  varve::AddTailCommand(&app, &chosen);
  varve::AddLabelsCommand(&app, &chosen);
  varve::AddSeriesCommand(&app, &chosen);
  varve::AddTopCommand(&app, &chosen);
  varve::AddPushCommand(&app, &chosen);
  varve::AddReportCommand(&app, &chosen);
  varve::AddAlarmsCommand(&app, &chosen);
  varve::AddSilenceCommand(&app, &chosen);
  varve::AddRulesCommand(&app, &chosen);
  varve::AddProbeCommand(&app, &chosen);
  varve::AddInspectCommand(&app, &chosen);
  varve::AddVerifyCommand(&app, &chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {  // CLI11's way to say --help, --version, or what is wrong
    if (e.get_exit_code() == 0) return app.exit(e);
    std::string command = "varve";
    for (const CLI::App* at = &app; !at->get_subcommands().empty();) {
      at = at->get_subcommands().front();
      command += " " + at->get_name();
    }
    PrintError(fmt::format("{} ({} --help shows how)", e.what(), command));
    return kExitUsage;
  }
  curl_global_init(CURL_GLOBAL_DEFAULT);  // not thread-safe, so before any thread
  const varve::Status status = chosen();
  const bool written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  if (!status.ok()) {
    PrintError(status.message());
  } else if (!written) {
    PrintError("cannot write to standard output");
  }
  return status.ok() && written ? 0 : kExitFailed;
}
