// varve query: a LogQL or PromQL query, answered as lines, tables, sparklines, JSON or CSV.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "query/logql/ast.h"
#include "query/logql/parser.h"
#include "tools/api_client.h"
#include "tools/client_options.h"
#include "tools/commands.h"
#include "tools/metric_query.h"
#include "tools/query_answer.h"
#include "tools/query_language.h"
#include "tools/query_output.h"
#include "tools/terminal.h"
#include "tools/time_text.h"
#include "tools/units.h"

namespace varve {
namespace {

// Lines in one answer; more are asked for page by page. What limits.max_entries_limit_per_query allows by
// default.
constexpr uint32_t kPageLines = 5000;

struct QueryOptions {
  ServerAddress address;
  TimeOptions times;
  std::string query;
  std::string at;
  std::string step;
  uint32_t limit = 100;
  bool all = false;
  Direction direction = Direction::kBackward;
  std::string format;  // "": by what comes and where it goes
  bool no_colour = false;
  bool promql = false;
  bool logql = false;
};

bool IsMetricFormat(const std::string& format) { return format == "table" || format == "spark"; }

OutputFormat LogFormat(const std::string& format) {
  if (format == "json") return OutputFormat::kJson;
  return format == "csv" ? OutputFormat::kCsv : OutputFormat::kText;
}

Status RunAsMetricQuery(const QueryOptions& options, bool metric_api) {
  const std::map<std::string, MetricFormat> formats = {{"text", MetricFormat::kText},
                                                       {"table", MetricFormat::kTable},
                                                       {"spark", MetricFormat::kSpark},
                                                       {"json", MetricFormat::kJson},
                                                       {"csv", MetricFormat::kCsv}};
  MetricQueryOptions query;
  query.address = options.address;
  query.times = options.times;
  query.query = options.query;
  query.at = options.at;
  query.step = options.step;
  query.metric_api = metric_api;
  query.format_given = !options.format.empty();
  if (query.format_given) query.output.format = formats.at(options.format);
  query.output.width = TerminalWidth(STDOUT_FILENO);
  query.terminal = IsTerminal(STDOUT_FILENO);
  query.output.style.colour = WantsColour(STDOUT_FILENO) && !options.no_colour;
  return RunMetricQuery(std::move(query));
}

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

size_t CountEntries(const QueryResult& result) {
  size_t entries = 0;
  if (const auto* streams = std::get_if<Streams>(&result.data)) {
    for (const ResultStream& stream : streams->streams) entries += stream.entries.size();
  }
  return entries;
}

void Show(const QueryResult& result, const OutputOptions& output) {
  const std::string text = FormatQueryResult(result, output);
  std::fwrite(text.data(), 1, text.size(), stdout);
  for (const std::string& warning : result.warnings) fmt::print(stderr, "varve: warning: {}\n", warning);
}

void TellOfTheLimit(uint32_t limit) {
  fmt::print(stderr, "varve: these are the {} lines that --limit {} allows; there may be more\n", limit,
             limit);
}

// More lines than an answer holds, page by page; each is printed as it comes.
Status RunPages(const QueryOptions& options, OutputOptions output) {
  if (!options.at.empty() || !options.step.empty()) {
    return InvalidArgument("a log query takes --since, or --from and --to");
  }
  const int64_t now_ns = Clock::System().NowNs();
  VARVE_ASSIGN_OR_RETURN(const TimeRange range, options.times.Resolve(now_ns, kNsPerHour));
  ApiClient client(options.address);
  uint64_t left = options.all ? UINT64_MAX : options.limit;
  std::optional<std::string> cursor;
  do {
    ApiClient::Parameters parameters = {{"query", options.query},
                                        {"limit", std::to_string(std::min<uint64_t>(left, kPageLines))}};
    if (cursor.has_value()) {
      parameters.emplace_back("cursor", *cursor);
    } else {
      AppendTimeParameters(range, &parameters);
      parameters.emplace_back("direction", options.direction == Direction::kForward ? "forward" : "backward");
      parameters.emplace_back("paging", "true");
    }
    VARVE_ASSIGN_OR_RETURN(const std::string json, client.GetText("/loki/api/v1/query_range", parameters));
    cursor.reset();
    VARVE_ASSIGN_OR_RETURN(const QueryResult page, ParseQueryAnswer(json, &cursor));
    if (!cursor.has_value()) {
      return Unavailable("the server does not page its answers; ask for at most " +
                         std::to_string(kPageLines) + " lines");
    }
    Show(page, output);
    output.header = false;
    left -= std::min<uint64_t>(left, CountEntries(page));
  } while (!cursor->empty() && left != 0);
  if (output.terminal && !cursor->empty()) TellOfTheLimit(options.limit);
  return Status::Ok();
}

Status RunQueryCommand(const QueryOptions& options) {
  const bool promql =
      options.promql || (!options.logql && GuessLanguage(options.query) == QueryLanguage::kPromql);
  if (promql) return RunAsMetricQuery(options, true);
  const bool log_query = IsLogQuery(options.query);
  if (IsMetricFormat(options.format)) {
    if (log_query) return InvalidArgument("-o " + options.format + " is for metrics; this is a log query");
    return RunAsMetricQuery(options, false);
  }
  OutputOptions output;
  output.format = LogFormat(options.format);
  output.terminal = IsTerminal(STDOUT_FILENO);
  output.width = TerminalWidth(STDOUT_FILENO);
  output.style.colour = WantsColour(STDOUT_FILENO) && !options.no_colour;
  output.direction = options.direction;
  if (log_query && (options.all || options.limit > kPageLines)) return RunPages(options, output);
  VARVE_ASSIGN_OR_RETURN(const std::string json, Ask(options, log_query));
  VARVE_ASSIGN_OR_RETURN(const QueryResult result, ParseQueryAnswer(json));
  Show(result, output);
  if (output.terminal && CountEntries(result) == options.limit) TellOfTheLimit(options.limit);
  return Status::Ok();
}

}  // namespace

void AddQueryCommand(CLI::App* app, ChosenCommand* chosen) {
  CLI::App* command = app->add_subcommand("query", "Run a LogQL or PromQL query");
  auto options = std::make_shared<QueryOptions>();
  command->add_option("QUERY", options->query, "LogQL or PromQL")->required()->type_name("");
  CLI::Option* promql = command->add_flag("--promql", options->promql, "the query is PromQL");
  command->add_flag("--logql", options->logql, "the query is LogQL")->excludes(promql);
  AddTimeOptions(command, &options->times);
  command->add_option("--at", options->at, "the instant of a metric query (default: now)")->type_name("TIME");
  command->add_option("--step", options->step, "a metric query as a range, one value every so often")
      ->type_name("DURATION");
  CLI::Option* limit = command->add_option("--limit", options->limit, "lines at most")->capture_default_str();
  command->add_flag("--all", options->all, "every line, page by page")->excludes(limit);
  const std::map<std::string, Direction> directions = {{"backward", Direction::kBackward},
                                                       {"forward", Direction::kForward}};
  command->add_option("--direction", options->direction, "newest (backward) or oldest (forward) lines first")
      ->transform(CLI::CheckedTransformer(directions).description(""))
      ->type_name("backward|forward");
  command
      ->add_option("-o,--output", options->format, "text, JSON lines, CSV; of metrics also a table or sparklines")
      ->type_name("text|table|spark|json|csv")
      ->check(CLI::IsMember({"text", "table", "spark", "json", "csv"}).description(""));
  command->add_flag("--no-color", options->no_colour, "as does NO_COLOR in the environment");
  AddServerOptions(command, &options->address);
  command->footer(
      "Unless --promql or --logql says which, the query is LogQL if it parses as LogQL (streams are selected in\n"
      "braces, without a metric name in front) and does not say __name__; else it is PromQL. What is neither\n"
      "counts as LogQL if it begins with a brace or has a |, else as PromQL.\n"
      "A log query covers the last hour unless told otherwise. A metric query is evaluated now, or over\n"
      "a range with --step, --since or --from. In a pipe, text is the bare lines.\n\n"
      "Examples:\n"
      "  varve query '{job=\"sshd\"} |= \"Failed password\"' --since 24h\n"
      "  varve query '{job=\"sshd\"} | logfmt | status >= 500' --limit 1000 -o json | jq .line\n"
      "  varve query 'topk(3, sum by (host) (rate({job=\"sshd\"}[5m])))'\n"
      "  varve query 'sum(count_over_time({job=\"sshd\"}[1m]))' --since 1h --step 1m -o csv\n"
      "  varve query 'topk(5, rate(http_requests_total[5m]))'\n"
      "  varve query 'sum by (job) (up)' --since 6h -o spark");
  command->callback([options, chosen] { *chosen = [options] { return RunQueryCommand(*options); }; });
}

}  // namespace varve
