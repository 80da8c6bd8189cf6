#include "tools/client_options.h"

#include <CLI/CLI.hpp>

#include "tools/time_text.h"
#include "tools/units.h"

namespace varve {

void AddServerOptions(CLI::App* command, ServerAddress* address) {
  address->url = "http://127.0.0.1:3100";
  command->add_option("--addr", address->url, "the server")
      ->envname("VARVE_ADDR")
      ->type_name("URL")
      ->capture_default_str();
  command->add_option("--tenant", address->tenant, "sent as X-Scope-OrgID")->type_name("NAME");
}

void AddTimeOptions(CLI::App* command, TimeOptions* times) {
  CLI::Option* since =
      command->add_option("--since", times->since, "from this long ago until now")->type_name("DURATION");
  CLI::Option* from =
      command
          ->add_option("--from", times->from,
                       "first instant: 2026-11-01T06:30:00Z, \"2026-11-01 06:30\", -2h, or Unix time")
          ->type_name("TIME");
  CLI::Option* to =
      command->add_option("--to", times->to, "end, not included (default: now)")->type_name("TIME");
  since->excludes(from)->excludes(to);
}

Result<TimeRange> TimeOptions::Resolve(int64_t now_ns, int64_t since_default_ns) const {
  TimeRange range{.begin_ns = 0, .end_ns = now_ns};
  if (!to.empty()) {
    VARVE_ASSIGN_OR_RETURN(range.end_ns, ParseTime(to, now_ns));
  }
  int64_t span_ns = since_default_ns;
  if (!since.empty()) {
    VARVE_ASSIGN_OR_RETURN(span_ns, ParseDuration(since));
  }
  range.begin_ns = range.end_ns - span_ns;
  if (!from.empty()) {
    VARVE_ASSIGN_OR_RETURN(range.begin_ns, ParseTime(from, now_ns));
  }
  if (range.empty()) return InvalidArgument("the time asked for is empty: it begins at its end or after it");
  return range;
}

void AppendTimeParameters(const TimeRange& range, ApiClient::Parameters* parameters) {
  parameters->emplace_back("start", std::to_string(range.begin_ns));
  parameters->emplace_back("end", std::to_string(range.end_ns));
}

}  // namespace varve
