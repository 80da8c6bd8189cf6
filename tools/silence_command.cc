// varve silence: add, list and expire silences of the built-in notifier (or of any Alertmanager).
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "alerting/notify/notify_config.h"
#include "engine/base/clock.h"
#include "engine/base/json_writer.h"
#include "tools/alert_answer.h"
#include "tools/api_client.h"
#include "tools/client_options.h"
#include "tools/commands.h"
#include "tools/table.h"
#include "tools/terminal.h"
#include "tools/time_text.h"
#include "tools/units.h"

namespace varve {
namespace {

struct SilenceOptions {
  ServerAddress address;
  std::vector<std::string> arguments;  // matchers, or ids
  std::string duration = "1h";
  std::string start, end;
  std::string author, comment;
  bool expired = false;
  bool quiet = false;
  bool json = false;
  bool no_colour = false;
};

// As amtool: a first argument without an operator is an alert's name.
Result<std::vector<Matcher>> ReadMatchers(const std::vector<std::string>& arguments) {
  std::vector<Matcher> matchers;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& text = arguments[i];
    if (i == 0 && text.find_first_of("=!~") == std::string::npos) {
      VARVE_ASSIGN_OR_RETURN(Matcher name, Matcher::Create("alertname", MatchOp::kEqual, text));
      matchers.push_back(std::move(name));
      continue;
    }
    VARVE_ASSIGN_OR_RETURN(std::vector<Matcher> more, ParseAlertMatchers(text));
    for (Matcher& matcher : more) matchers.push_back(std::move(matcher));
  }
  return matchers;
}

std::string SilenceJson(const SilenceOptions& options, const std::vector<Matcher>& matchers, int64_t begin_ns,
                        int64_t end_ns) {
  std::string body = "{\"matchers\":[";
  for (const Matcher& matcher : matchers) {
    const bool equal = matcher.op() == MatchOp::kEqual || matcher.op() == MatchOp::kRegexMatch;
    const bool regex = matcher.op() == MatchOp::kRegexMatch || matcher.op() == MatchOp::kRegexNotMatch;
    if (body.back() != '[') body.push_back(',');
    body.append("{\"name\":");
    AppendJsonString(&body, matcher.name());
    body.append(",\"value\":");
    AppendJsonString(&body, matcher.value());
    body.append(fmt::format(",\"isRegex\":{},\"isEqual\":{}}}", regex, equal));
  }
  body.append(fmt::format("],\"startsAt\":\"{}\",\"endsAt\":\"{}\",\"createdBy\":", FormatUtcTime(begin_ns),
                          FormatUtcTime(end_ns)));
  AppendJsonString(&body, options.author);
  body.append(",\"comment\":");
  AppendJsonString(&body, options.comment);
  return body.append("}");
}

Status RunAdd(SilenceOptions options) {
  if (options.arguments.empty()) return InvalidArgument("silence add: needs at least one matcher");
  VARVE_ASSIGN_OR_RETURN(const std::vector<Matcher> matchers, ReadMatchers(options.arguments));
  const int64_t now_ns = Clock::System().NowNs();
  int64_t begin_ns = now_ns;
  if (!options.start.empty()) {
    VARVE_ASSIGN_OR_RETURN(begin_ns, ParseTime(options.start, now_ns));
  }
  VARVE_ASSIGN_OR_RETURN(const int64_t duration_ns, ParseDuration(options.duration));
  int64_t end_ns = begin_ns + duration_ns;
  if (!options.end.empty()) {
    VARVE_ASSIGN_OR_RETURN(end_ns, ParseTime(options.end, now_ns));
  }
  if (end_ns <= begin_ns) return InvalidArgument("silence add: it would end before it begins");
  if (options.author.empty()) {
    const char* user = std::getenv("USER");
    options.author = user == nullptr ? "" : user;
  }
  ApiClient client(options.address);
  VARVE_ASSIGN_OR_RETURN(HttpAnswer answer, client.Post("/api/v2/silences", "application/json",
                                                        SilenceJson(options, matchers, begin_ns, end_ns)));
  if (answer.status != 200) return ApiClient::ErrorOf(std::move(answer));
  VARVE_ASSIGN_OR_RETURN(const std::string id, ParseSilenceIdAnswer(answer.body));
  fmt::print("{}\n", id);
  return Status::Ok();
}

Status RunList(const SilenceOptions& options) {
  VARVE_ASSIGN_OR_RETURN(const std::vector<Matcher> matchers, ReadMatchers(options.arguments));
  ApiClient::Parameters parameters;
  for (const Matcher& matcher : matchers) parameters.emplace_back("filter", matcher.ToString());
  parameters.emplace_back("expired", options.expired ? "true" : "false");
  ApiClient client(options.address);
  VARVE_ASSIGN_OR_RETURN(const std::string json, client.GetText("/api/v2/silences", parameters));
  if (options.json) {
    fmt::print("{}", json);
    return Status::Ok();
  }
  VARVE_ASSIGN_OR_RETURN(const std::vector<SilenceRow> rows, ParseSilencesAnswer(json));
  const auto local = [](const std::string& text) {
    const Result<int64_t> time = ParseTime(text, 0);
    return time.ok() ? FormatLocalTime(*time).substr(0, 19) : text;
  };
  Table table({"id", "state", "matchers", "starts", "ends", "by", "comment"}, SIZE_MAX);
  for (const SilenceRow& row : rows) {
    if (options.quiet) fmt::print("{}\n", row.id);
    table.Add({row.id, row.state, Printable(row.matchers), local(row.starts_at), local(row.ends_at),
               Printable(row.created_by), Printable(row.comment)});
  }
  const Style style{.colour = WantsColour(STDOUT_FILENO) && !options.no_colour};
  if (!options.quiet) fmt::print("{}", table.Print(style));
  return Status::Ok();
}

Status RunExpire(const SilenceOptions& options) {
  ApiClient client(options.address);
  for (const std::string& id : options.arguments) {
    VARVE_ASSIGN_OR_RETURN(HttpAnswer answer, client.Delete("/api/v2/silence/" + ApiClient::EscapePathSegment(id)));
    if (answer.status == 404) return NotFound(fmt::format("there is no silence {}", id));
    if (answer.status != 200) return ApiClient::ErrorOf(std::move(answer));
  }
  return Status::Ok();
}

void AddAdd(CLI::App* silence, ChosenCommand* chosen) {
  CLI::App* command = silence->add_subcommand("add", "Make a silence, and print its id");
  auto options = std::make_shared<SilenceOptions>();
  command->add_option("MATCHER", options->arguments, "name=value, name=~regex, name!=value, name!~regex, or an alert's name")
      ->type_name("");
  command->add_option("--duration,-d", options->duration, "how long")->type_name("DURATION")->capture_default_str();
  command->add_option("--start", options->start, "when it begins (default: now)")->type_name("TIME");
  command->add_option("--end", options->end, "when it ends, instead of --duration")->type_name("TIME");
  command->add_option("--author,-a", options->author, "who makes it (default: $USER)")->type_name("NAME");
  command->add_option("--comment,-c", options->comment, "why")->type_name("TEXT");
  AddServerOptions(command, &options->address);
  command->footer(
      "Examples:\n"
      "  varve silence add HighErrors --duration 2h --comment 'being repaired'\n"
      "  varve silence add 'host=~web.*' severity=warning --start '2026-11-21 22:00' --end '2026-11-22 06:00'");
  command->callback([options, chosen] { *chosen = [options] { return RunAdd(*options); }; });
}

void AddList(CLI::App* silence, ChosenCommand* chosen) {
  CLI::App* command = silence->add_subcommand("list", "List silences");
  auto options = std::make_shared<SilenceOptions>();
  command->add_option("MATCHER", options->arguments, "only those that have these matchers")->type_name("");
  command->add_flag("--expired", options->expired, "also those that are over");
  command->add_flag("--quiet,-q", options->quiet, "only their ids");
  command->add_flag("--json", options->json, "what the server answers");
  command->add_flag("--no-color", options->no_colour, "as does NO_COLOR in the environment");
  AddServerOptions(command, &options->address);
  command->callback([options, chosen] { *chosen = [options] { return RunList(*options); }; });
}

void AddExpire(CLI::App* silence, ChosenCommand* chosen) {
  CLI::App* command = silence->add_subcommand("expire", "End silences now");
  auto options = std::make_shared<SilenceOptions>();
  command->add_option("ID", options->arguments, "of the silence")->type_name("")->required();
  AddServerOptions(command, &options->address);
  command->footer("Example:\n  varve silence expire $(varve silence list -q HighErrors)");
  command->callback([options, chosen] { *chosen = [options] { return RunExpire(*options); }; });
}

}  // namespace

void AddSilenceCommand(CLI::App* app, ChosenCommand* chosen) {
  CLI::App* command = app->add_subcommand("silence", "Keep notifications of alerts back for a time");
  command->require_subcommand(1);
  AddAdd(command, chosen);
  AddList(command, chosen);
  AddExpire(command, chosen);
}

}  // namespace varve
