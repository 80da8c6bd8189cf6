// varve query: a LogQL query, answered as lines, tables, JSON or CSV.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
#include <memory>
#include <string>

#include "query/logql/ast.h"
#include "query/logql/parser.h"
#include "tools/api_client.h"
#include "tools/client_options.h"
#include "tools/commands.h"
#include "tools/query_answer.h"
#include "tools/query_output.h"
#include "tools/terminal.h"
#include "tools/time_text.h"
#include "tools/units.h"

namespace varve {
namespace {

struct QueryOptions {
  ServerAddress address;
  TimeOptions times;
  std::string query;
  std::string at;
  std::string step;
  uint32_t limit = 100;
  Direction direction = Direction::kBackward;
  OutputFormat format = OutputFormat::kText;
  bool no_colour = false;
};

// Log queries have no instant form, metric queries have both. A query that does not parse here is sent
// as it is: the server says what is wrong with it.
bool IsLogQuery(const std::string& query) {
  const Result<logql::ExprPtr> parsed = logql::ParseExpr(query);
  return parsed.ok() && parsed.value()->is_log_query();
}

Result<std::string> Ask(const QueryOptions& options, bool log_query) {
  const int64_t now_ns = Clock::System().NowNs();
  ApiClient client(options.address);
  ApiClient::Parameters parameters = {{"query", options.query}, {"limit", std::to_string(options.limit)}};
  if (!log_query && options.step.empty() && !options.times.given()) {
    int64_t at_ns = now_ns;
    if (!options.at.empty()) {
      VARVE_ASSIGN_OR_RETURN(at_ns, ParseTime(options.at, now_ns));
    }
    parameters.emplace_back("time", std::to_string(at_ns));
    return client.GetText("/loki/api/v1/query", parameters);
  }
  if (!options.at.empty()) {
    return InvalidArgument(log_query
                               ? "--at is for metric queries; a log query takes --since, or --from and --to"
                               : "--at evaluates at one instant; it does not go with --step or a time range");
  }
  VARVE_ASSIGN_OR_RETURN(const TimeRange range, options.times.Resolve(now_ns, kNsPerHour));
  AppendTimeParameters(range, &parameters);
  parameters.emplace_back("direction", options.direction == Direction::kForward ? "forward" : "backward");
  if (!options.step.empty()) {
    VARVE_ASSIGN_OR_RETURN(const int64_t step_ns, ParseDuration(options.step));
    if (step_ns <= 0) return InvalidArgument("--step must be longer than nothing");
    parameters.emplace_back("step", fmt::format("{}", static_cast<double>(step_ns) / 1e9));
  }
  return client.GetText("/loki/api/v1/query_range", parameters);
}

Status RunQueryCommand(const QueryOptions& options) {
  VARVE_ASSIGN_OR_RETURN(const std::string json, Ask(options, IsLogQuery(options.query)));
  VARVE_ASSIGN_OR_RETURN(const QueryResult result, ParseQueryAnswer(json));
  OutputOptions output;
  output.format = options.format;
  output.terminal = IsTerminal(STDOUT_FILENO);
  output.width = TerminalWidth(STDOUT_FILENO);
  output.style.colour = WantsColour(STDOUT_FILENO) && !options.no_colour;
  output.direction = options.direction;
  const std::string text = FormatQueryResult(result, output);
  std::fwrite(text.data(), 1, text.size(), stdout);
  for (const std::string& warning : result.warnings) fmt::print(stderr, "varve: warning: {}\n", warning);
  const auto* streams = std::get_if<Streams>(&result.data);
  size_t entries = 0;
  if (streams != nullptr) {
    for (const ResultStream& stream : streams->streams) entries += stream.entries.size();
  }
  if (output.terminal && entries == options.limit) {
    fmt::print(stderr, "varve: these are the {} lines that --limit {} allows; there may be more\n", entries,
               options.limit);
  }
  return Status::Ok();
}

}  // namespace

void AddQueryCommand(CLI::App* app, ChosenCommand* chosen) {
  CLI::App* command = app->add_subcommand("query", "Run a LogQL query");
  auto options = std::make_shared<QueryOptions>();
  command->add_option("QUERY", options->query, "LogQL")->required()->type_name("");
  AddTimeOptions(command, &options->times);
  command->add_option("--at", options->at, "the instant of a metric query (default: now)")->type_name("TIME");
  command->add_option("--step", options->step, "a metric query as a range, one value every so often")
      ->type_name("DURATION");
  command->add_option("--limit", options->limit, "lines at most")->capture_default_str();
  const std::map<std::string, Direction> directions = {{"backward", Direction::kBackward},
                                                       {"forward", Direction::kForward}};
  command->add_option("--direction", options->direction, "newest (backward) or oldest (forward) lines first")
      ->transform(CLI::CheckedTransformer(directions).description(""))
      ->type_name("backward|forward");
  const std::map<std::string, OutputFormat> formats = {
      {"text", OutputFormat::kText}, {"json", OutputFormat::kJson}, {"csv", OutputFormat::kCsv}};
  command->add_option("-o,--output", options->format, "text, JSON lines or CSV")
      ->transform(CLI::CheckedTransformer(formats).description(""))
      ->type_name("text|json|csv");
  command->add_flag("--no-color", options->no_colour, "as does NO_COLOR in the environment");
  AddServerOptions(command, &options->address);
  command->footer(
      "A log query covers the last hour unless told otherwise. A metric query is evaluated now, or over\n"
      "a range with --step, --since or --from. In a pipe, text is the bare lines.\n\n"
      "Examples:\n"
      "  varve query '{job=\"sshd\"} |= \"Failed password\"' --since 24h\n"
      "  varve query '{job=\"sshd\"} | logfmt | status >= 500' --limit 1000 -o json | jq .line\n"
      "  varve query 'topk(3, sum by (host) (rate({job=\"sshd\"}[5m])))'\n"
      "  varve query 'sum(count_over_time({job=\"sshd\"}[1m]))' --since 1h --step 1m -o csv");
  command->callback([options, chosen] { *chosen = [options] { return RunQueryCommand(*options); }; });
}

}  // namespace varve
