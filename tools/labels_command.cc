// varve labels: the label names in use by logs or metrics, or the values of one.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "tools/api_client.h"
#include "tools/client_options.h"
#include "tools/commands.h"
#include "tools/metric_query.h"
#include "tools/query_answer.h"

namespace varve {
namespace {

struct LabelsOptions {
  ServerAddress address;
  TimeOptions times;
  std::string name;
  std::string selector;
  bool metrics = false;
};

Result<std::string> AskMetrics(const LabelsOptions& options) {
  ApiClient::Parameters parameters;
  if (options.times.given()) {
    VARVE_ASSIGN_OR_RETURN(const TimeRange range,
                           options.times.Resolve(Clock::System().NowNs(), 6 * kNsPerHour));
    parameters.emplace_back("start", SecondsText(range.begin_ns));
    parameters.emplace_back("end", SecondsText(range.end_ns));
  }
  if (!options.selector.empty()) parameters.emplace_back("match[]", options.selector);
  const std::string path = options.name.empty() ? "/api/v1/labels"
                                                : fmt::format("/api/v1/label/{}/values",
                                                              ApiClient::EscapePathSegment(options.name));
  ApiClient client(options.address);
  return client.GetText(path, parameters);
}

Result<std::string> AskLogs(const LabelsOptions& options) {
  ApiClient::Parameters parameters;
  if (options.times.given()) {
    VARVE_ASSIGN_OR_RETURN(const TimeRange range,
                           options.times.Resolve(Clock::System().NowNs(), 6 * kNsPerHour));
    AppendTimeParameters(range, &parameters);
  }
  if (!options.selector.empty()) parameters.emplace_back("query", options.selector);
  const std::string path = options.name.empty() ? "/loki/api/v1/labels"
                                                : fmt::format("/loki/api/v1/label/{}/values",
                                                              ApiClient::EscapePathSegment(options.name));
  ApiClient client(options.address);
  return client.GetText(path, parameters);
}

Status RunLabels(const LabelsOptions& options) {
  VARVE_ASSIGN_OR_RETURN(const std::string json, options.metrics ? AskMetrics(options) : AskLogs(options));
  VARVE_ASSIGN_OR_RETURN(const std::vector<std::string> texts, ParseTextListAnswer(json));
  for (const std::string& text : texts) fmt::print("{}\n", text);
  return Status::Ok();
}

}  // namespace

void AddLabelsCommand(CLI::App* app, ChosenCommand* chosen) {
  CLI::App* command = app->add_subcommand("labels", "List label names, or the values of one");
  auto options = std::make_shared<LabelsOptions>();
  command->add_option("NAME", options->name, "list this label's values")->type_name("");
  command->add_option("--query", options->selector, "only of the streams (or series) that match")->type_name("SELECTOR");
  command->add_flag("--metrics", options->metrics, "of metrics, not of logs; all of them unless a time is given");
  AddTimeOptions(command, &options->times);
  AddServerOptions(command, &options->address);
  command->footer(
      "Covers the last 6 hours of logs unless told otherwise.\n\n"
      "Examples:\n"
      "  varve labels\n"
      "  varve labels job --since 7d\n"
      "  varve labels host --query '{job=\"sshd\"}'\n"
      "  varve labels --metrics\n"
      "  varve labels instance --metrics --query 'up{job=\"node\"}'");
  command->callback([options, chosen] { *chosen = [options] { return RunLabels(*options); }; });
}

}  // namespace varve
