#include "tools/metric_query.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "tools/metric_answer.h"
#include "tools/time_text.h"
#include "tools/units.h"

namespace varve {
namespace {

// As many points as Loki's API gives a range by default.
constexpr int64_t kPointsOfRange = 250;

Result<std::string> Ask(const MetricQueryOptions& options) {
  const std::string base = options.metric_api ? "/api/v1/" : "/loki/api/v1/";
  const int64_t now_ns = Clock::System().NowNs();
  ApiClient client(options.address);
  ApiClient::Parameters parameters = {{"query", options.query}};
  if (options.step.empty() && !options.times.given()) {
    int64_t at_ns = now_ns;
    if (!options.at.empty()) {
      VARVE_ASSIGN_OR_RETURN(at_ns, ParseTime(options.at, now_ns));
    }
    parameters.emplace_back("time", options.metric_api ? SecondsText(at_ns) : std::to_string(at_ns));
    return client.GetText(base + "query", parameters);
  }
  if (!options.at.empty()) {
    return InvalidArgument("--at evaluates at one instant; it does not go with --step or a time range");
  }
  VARVE_ASSIGN_OR_RETURN(const TimeRange range, options.times.Resolve(now_ns, kNsPerHour));
  int64_t step_ns = std::max<int64_t>((range.end_ns - range.begin_ns) / kNsPerSecond / kPointsOfRange, 1) * kNsPerSecond;
  if (!options.step.empty()) {
    VARVE_ASSIGN_OR_RETURN(step_ns, ParseDuration(options.step));
    if (step_ns <= 0) return InvalidArgument("--step must be longer than nothing");
  }
  if (options.metric_api) {
    parameters.emplace_back("start", SecondsText(range.begin_ns));
    parameters.emplace_back("end", SecondsText(range.end_ns));
  } else {
    AppendTimeParameters(range, &parameters);
  }
  parameters.emplace_back("step", SecondsText(step_ns));
  return client.GetText(base + "query_range", parameters);
}

}  // namespace

std::string SecondsText(int64_t t_ns) {
  const char* const sign = t_ns < 0 ? "-" : "";
  const uint64_t magnitude = t_ns < 0 ? ~static_cast<uint64_t>(t_ns) + 1 : static_cast<uint64_t>(t_ns);
  std::string text = fmt::format("{}{}.{:09}", sign, magnitude / kNsPerSecond, magnitude % kNsPerSecond);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

Status RunMetricQuery(MetricQueryOptions options) {
  VARVE_ASSIGN_OR_RETURN(const std::string json, Ask(options));
  VARVE_ASSIGN_OR_RETURN(const MetricAnswer answer, ParseMetricAnswer(json));
  if (!options.format_given) {
    const bool range = answer.type == MetricAnswer::Type::kMatrix;
    options.output.format = !options.terminal ? MetricFormat::kText
                            : range           ? MetricFormat::kSpark
                                              : MetricFormat::kTable;
  }
  const std::string text = FormatMetricAnswer(answer, options.output);
  std::fwrite(text.data(), 1, text.size(), stdout);
  for (const std::string& warning : answer.warnings) fmt::print(stderr, "varve: warning: {}\n", warning);
  for (const std::string& info : answer.infos) fmt::print(stderr, "varve: note: {}\n", info);
  return Status::Ok();
}

}  // namespace varve
