// varve top: where a tenant's series come from, by metric, label and pair of label and value.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/json_writer.h"
#include "tools/api_client.h"
#include "tools/client_options.h"
#include "tools/commands.h"
#include "tools/metric_answer.h"
#include "tools/table.h"
#include "tools/terminal.h"

namespace varve {
namespace {

struct TopOptions {
  ServerAddress address;
  uint32_t limit = 10;
  std::string by = "all";
  bool json = false;
  bool no_colour = false;
};

struct Section {
  const char* by;
  const char* name;
  const char* count;
  const std::vector<CountedName>* rows;
};

std::string SectionTable(const Section& section, uint64_t series, const Style& style) {
  const bool share = section.rows != nullptr && std::string_view(section.count) == "series";
  Table table(share ? std::vector<std::string>{section.count, "share", section.name}
                    : std::vector<std::string>{section.count, "", section.name},
              SIZE_MAX);
  for (const CountedName& row : *section.rows) {
    const double part = series == 0 ? 0 : 100.0 * static_cast<double>(row.count) / static_cast<double>(series);
    table.Add({std::to_string(row.count), share ? fmt::format("{:.1f} %", part) : "", Printable(row.name)});
  }
  return table.Print(style);
}

// An object a line: {"by":"metric","name":"up","count":3}
std::string SectionJson(const Section& section) {
  std::string out;
  for (const CountedName& row : *section.rows) {
    out += fmt::format("{{\"by\":\"{}\",\"name\":", section.by);
    AppendJsonString(&out, row.name);
    out += fmt::format(",\"count\":{}}}\n", row.count);
  }
  return out;
}

Status RunTop(const TopOptions& options) {
  ApiClient client(options.address);
  VARVE_ASSIGN_OR_RETURN(const std::string json,
                         client.GetText("/api/v1/status/tsdb", {{"limit", std::to_string(options.limit)}}));
  VARVE_ASSIGN_OR_RETURN(const CardinalityAnswer answer, ParseCardinalityAnswer(json));
  const Section sections[] = {{"metric", "metric", "series", &answer.by_metric},
                              {"label", "label", "values", &answer.by_label},
                              {"pair", "label=value", "series", &answer.by_pair},
                              {"bytes", "label", "bytes of values", &answer.bytes_by_label}};
  const Style style{.colour = WantsColour(STDOUT_FILENO) && !options.no_colour};
  if (!options.json) {
    fmt::print("{} series, {} pairs of label and value\n", answer.series, answer.label_pairs);
  }
  for (const Section& section : sections) {
    const bool asked = options.by == section.by || (options.by == "all" && std::string_view(section.by) != "bytes");
    if (!asked) continue;
    if (options.json) {
      fmt::print("{}", SectionJson(section));
    } else {
      fmt::print("\n{}", SectionTable(section, answer.series, style));
    }
  }
  return Status::Ok();
}

}  // namespace

void AddTopCommand(CLI::App* app, ChosenCommand* chosen) {
  CLI::App* command = app->add_subcommand("top", "Show where series of metrics come from");
  auto options = std::make_shared<TopOptions>();
  command->add_option("--limit", options->limit, "rows of each list")
      ->capture_default_str()
      ->check(CLI::Range(1, 10'000).description(""));
  command
      ->add_option("--by", options->by,
                   "series by metric, values by label, series by pair, bytes of values by label (default: all but bytes)")
      ->type_name("metric|label|pair|bytes|all")
      ->check(CLI::IsMember({"metric", "label", "pair", "bytes", "all"}).description(""));
  command->add_flag("--json", options->json, "an object a line");
  command->add_flag("--no-color", options->no_colour, "as does NO_COLOR in the environment");
  AddServerOptions(command, &options->address);
  command->footer(
      "What /api/v1/status/tsdb says. A label with many values, or a metric with many series, is what to look\n"
      "at when memory grows or limits.max_global_series_per_user refuses series.\n\n"
      "Examples:\n"
      "  varve top\n"
      "  varve top --by label --limit 30");
  command->callback([options, chosen] { *chosen = [options] { return RunTop(*options); }; });
}

}  // namespace varve
