// varve series: the streams that match a selector.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "tools/api_client.h"
#include "tools/client_options.h"
#include "tools/commands.h"
#include "tools/query_answer.h"
#include "tools/query_output.h"

namespace varve {
namespace {

struct SeriesOptions {
  ServerAddress address;
  TimeOptions times;
  std::vector<std::string> selectors;
};

Status RunSeries(const SeriesOptions& options) {
  ApiClient::Parameters parameters;
  for (const std::string& selector : options.selectors) parameters.emplace_back("match[]", selector);
  if (options.times.given()) {
    VARVE_ASSIGN_OR_RETURN(const TimeRange range,
                           options.times.Resolve(Clock::System().NowNs(), 6 * kNsPerHour));
    AppendTimeParameters(range, &parameters);
  }
  ApiClient client(options.address);
  VARVE_ASSIGN_OR_RETURN(const std::string json, client.GetText("/loki/api/v1/series", parameters));
  VARVE_ASSIGN_OR_RETURN(std::vector<LabelPairs> sets, ParseLabelSetsAnswer(json));
  std::sort(sets.begin(), sets.end());
  for (const LabelPairs& labels : sets) fmt::print("{}\n", FormatLabelSet(labels));
  return Status::Ok();
}

}  // namespace

void AddSeriesCommand(CLI::App* app, ChosenCommand* chosen) {
  CLI::App* command = app->add_subcommand("series", "List the streams that match a selector");
  auto options = std::make_shared<SeriesOptions>();
  command->add_option("SELECTOR", options->selectors, "one or more")->required()->type_name("");
  AddTimeOptions(command, &options->times);
  AddServerOptions(command, &options->address);
  command->footer(
      "Covers the last 6 hours unless told otherwise.\n\n"
      "Examples:\n"
      "  varve series '{job=\"sshd\"}'\n"
      "  varve series '{host=~\"web.*\"}' '{job=\"nginx\"}' --since 7d");
  command->callback([options, chosen] { *chosen = [options] { return RunSeries(*options); }; });
}

}  // namespace varve
