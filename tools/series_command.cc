// varve series: the streams, or the series of metrics, that match a selector.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "tools/api_client.h"
#include "tools/client_options.h"
#include "tools/commands.h"
#include "tools/metric_output.h"
#include "tools/metric_query.h"
#include "tools/query_answer.h"
#include "tools/query_language.h"
#include "tools/query_output.h"

namespace varve {
namespace {

struct SeriesOptions {
  ServerAddress address;
  TimeOptions times;
  std::vector<std::string> selectors;
  bool metrics = false;
  bool logs = false;
};

bool AsksForMetrics(const SeriesOptions& options) {
  if (options.metrics || options.logs) return options.metrics;
  return std::any_of(options.selectors.begin(), options.selectors.end(), [](const std::string& selector) {
    return GuessSelectorLanguage(selector) == QueryLanguage::kPromql;
  });
}

Status RunSeries(const SeriesOptions& options) {
  const bool metrics = AsksForMetrics(options);
  ApiClient::Parameters parameters;
  for (const std::string& selector : options.selectors) parameters.emplace_back("match[]", selector);
  if (options.times.given()) {
    VARVE_ASSIGN_OR_RETURN(const TimeRange range,
                           options.times.Resolve(Clock::System().NowNs(), 6 * kNsPerHour));
    if (metrics) {
      parameters.emplace_back("start", SecondsText(range.begin_ns));
      parameters.emplace_back("end", SecondsText(range.end_ns));
    } else {
      AppendTimeParameters(range, &parameters);
    }
  }
  ApiClient client(options.address);
  VARVE_ASSIGN_OR_RETURN(const std::string json, client.GetText(metrics ? "/api/v1/series" : "/loki/api/v1/series", parameters));
  VARVE_ASSIGN_OR_RETURN(std::vector<LabelPairs> sets, ParseLabelSetsAnswer(json));
  std::sort(sets.begin(), sets.end());
  for (const LabelPairs& labels : sets) {
    fmt::print("{}\n", metrics ? MetricText(labels) : FormatLabelSet(labels));
  }
  return Status::Ok();
}

}  // namespace

void AddSeriesCommand(CLI::App* app, ChosenCommand* chosen) {
  CLI::App* command = app->add_subcommand("series", "List the streams, or the series of metrics, that match a selector");
  auto options = std::make_shared<SeriesOptions>();
  command->add_option("SELECTOR", options->selectors, "one or more")->required()->type_name("");
  CLI::Option* metrics = command->add_flag("--metrics", options->metrics, "series of metrics");
  command->add_flag("--logs", options->logs, "streams of logs")->excludes(metrics);
  AddTimeOptions(command, &options->times);
  AddServerOptions(command, &options->address);
  command->footer(
      "Unless --metrics or --logs says which: a bare {…} without __name__ selects streams, all else series.\n"
      "Covers the last 6 hours of logs, and all metrics, unless told otherwise.\n\n"
      "Examples:\n"
      "  varve series '{job=\"sshd\"}'\n"
      "  varve series '{host=~\"web.*\"}' '{job=\"nginx\"}' --since 7d\n"
      "  varve series 'up{job=\"node\"}'");
  command->callback([options, chosen] { *chosen = [options] { return RunSeries(*options); }; });
}

}  // namespace varve
