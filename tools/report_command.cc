// varve report: the reports of a server, and running one now.
#include <fmt/format.h>
#include <simdjson.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/time.h"
#include "tools/api_client.h"
#include "tools/client_options.h"
#include "tools/commands.h"
#include "tools/table.h"
#include "tools/terminal.h"
#include "tools/time_text.h"

namespace varve {
namespace {

struct ReportOptions {
  ServerAddress address;
  std::string name;
  std::string date;
  std::string output = "text";
  bool dry_run = false;
  bool open = false;
};

// The `data` of an answer of the Prometheus API; what the server says when it is an error.
Result<simdjson::dom::element> ReadAnswer(const HttpAnswer& answer, simdjson::dom::parser* parser) {
  simdjson::dom::element document;
  if (parser->parse(answer.body).get(document) == simdjson::SUCCESS) {
    simdjson::dom::element data;
    std::string_view error;
    if (answer.status == 200 && document["data"].get(data) == simdjson::SUCCESS) return data;
    if (document["error"].get(error) == simdjson::SUCCESS) return InvalidArgument(std::string(error));
  }
  return Unavailable(fmt::format("the server answered {}: {}", answer.status, answer.body.substr(0, 200)));
}

std::string Text(const simdjson::dom::element& object, std::string_view key) {
  std::string_view text;
  return object[key].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

bool Flag(const simdjson::dom::element& object, std::string_view key) {
  bool flag = false;
  return object[key].get(flag) == simdjson::SUCCESS && flag;
}

Status RunList(const ReportOptions& options) {
  ApiClient client(options.address);
  VARVE_ASSIGN_OR_RETURN(const HttpAnswer answer, client.Get("/api/v1/reports", {}));
  simdjson::dom::parser parser;
  VARVE_ASSIGN_OR_RETURN(const simdjson::dom::element data, ReadAnswer(answer, &parser));
  simdjson::dom::array reports;
  if (data["reports"].get(reports) != simdjson::SUCCESS) return Unavailable("the server's answer has no reports");
  Table table({"REPORT", "SCHEDULE", "TIME ZONE", "PERIOD", "NEXT RUN", "LAST DATE", "LAST ERROR"}, 7);
  for (const simdjson::dom::element report : reports) {
    double next_s = 0;
    const bool has_next = report["nextRun"].get(next_s) == simdjson::SUCCESS;
    table.Add({Text(report, "name"), Text(report, "schedule"), Text(report, "timeZone"), Text(report, "period"),
               has_next ? FormatLocalTime(static_cast<int64_t>(next_s) * kNsPerSecond) : "", Text(report, "lastDate"),
               Printable(Text(report, "lastError"))});
  }
  fmt::print("{}", table.Print(Style{.colour = WantsColour(STDOUT_FILENO)}));
  return Status::Ok();
}

// Shows it with whatever the desktop has for HTML.
Status OpenHtml(const std::string& html) {
  const char* folder = std::getenv("TMPDIR");
  std::string path = fmt::format("{}/varve-report-XXXXXX.html", folder == nullptr ? "/tmp" : folder);
  const int file = mkstemps(path.data(), 5);
  if (file < 0) return IoError(path + " cannot be written");
  const bool written = write(file, html.data(), html.size()) == static_cast<ssize_t>(html.size());
  close(file);
  if (!written) return IoError(path + " cannot be written");
  fmt::print(stderr, "varve: {}\n", path);
  std::string program = "xdg-open";
  char* const arguments[] = {program.data(), path.data(), nullptr};
  pid_t child = 0;
  if (posix_spawnp(&child, program.c_str(), nullptr, nullptr, arguments, environ) != 0) {
    return Unavailable("xdg-open cannot be run; the report is in " + path);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? Status::Ok()
                                                       : Unavailable("xdg-open failed; the report is in " + path);
}

Status RunReport(const ReportOptions& options) {
  ApiClient client(options.address);
  const std::string path = fmt::format("/api/v1/reports/{}/run", ApiClient::EscapePathSegment(options.name));
  const std::string form = fmt::format("date={}&dry_run={}", ApiClient::EscapePathSegment(options.date),
                                       options.dry_run ? "true" : "false");
  VARVE_ASSIGN_OR_RETURN(const HttpAnswer answer, client.Post(path, "application/x-www-form-urlencoded", form));
  simdjson::dom::parser parser;
  VARVE_ASSIGN_OR_RETURN(const simdjson::dom::element run, ReadAnswer(answer, &parser));
  if (options.output == "json") {
    simdjson::dom::element entry;
    if (run["entry"].get(entry) == simdjson::SUCCESS) fmt::print("{}\n", simdjson::minify(entry));
  } else {
    const std::string text = Text(run, options.output);
    fmt::print("{}{}", text, text.ends_with('\n') ? "" : "\n");
  }
  std::fflush(stdout);
  if (!options.dry_run) {
    fmt::print(stderr, "varve: {} {}: {}, {}\n", options.name, Text(run, "date"),
               Flag(run, "stored") ? "stored" : "was stored before", Flag(run, "sent") ? "sent" : "not sent");
  }
  if (options.open) VARVE_RETURN_IF_ERROR(OpenHtml(Text(run, "html")));
  const std::string error = Text(run, "error");
  return error.empty() ? Status::Ok() : Unavailable("not sent to everybody: " + error);
}

}  // namespace

void AddReportCommand(CLI::App* app, ChosenCommand* chosen) {
  CLI::App* command = app->add_subcommand("report", "List a server's reports, or run one now");
  command->require_subcommand(1);
  auto options = std::make_shared<ReportOptions>();

  CLI::App* list = command->add_subcommand("list", "The reports, when they run next and how they went last");
  AddServerOptions(list, &options->address);
  list->callback([options, chosen] { *chosen = [options] { return RunList(*options); }; });

  CLI::App* run = command->add_subcommand("run", "Run a report for a date: store its entry, once, and send it");
  run->add_option("NAME", options->name, "of the report")->required()->type_name("");
  run->add_option("--date", options->date, "a day of the period: 2026-11-19; of an hourly report 2026-11-19T13")
      ->required()
      ->type_name("DATE");
  run->add_flag("--dry-run", options->dry_run, "ask the queries and show the result; store and send nothing");
  run->add_flag("--open", options->open, "write the HTML to a temporary file and open it (xdg-open)");
  run->add_option("-o,--output", options->output, "what is printed")
      ->type_name("text|html|json")
      ->check(CLI::IsMember({"text", "html", "json"}).description(""))
      ->capture_default_str();
  AddServerOptions(run, &options->address);
  run->footer(
      "A date whose entry is stored is not asked again: the entry is what is sent.\n\n"
      "Examples:\n"
      "  varve report run ssh --date 2026-11-19 --dry-run\n"
      "  varve report run ssh --date 2026-11-19 --dry-run --open\n"
      "  varve report run ssh --date 2026-11-19 -o json | jq .total_logs");
  run->callback([options, chosen] { *chosen = [options] { return RunReport(*options); }; });
}

}  // namespace varve
