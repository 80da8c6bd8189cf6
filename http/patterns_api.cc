#include "http/patterns_api.h"

#include <string>
#include <utility>
#include <vector>

#include "engine/base/json_writer.h"
#include "query/logql/parser.h"
#include "query/patterns/pattern_query.h"

namespace varve {
namespace {

// {"status":"success","data":[{"pattern":"GET <_> 200","level":"info","samples":[[1793491200,3],…]},…]}
std::string PatternsJson(const PatternResult& result) {
  std::string out = "{\"status\":\"success\",";
  if (!result.warnings.empty()) {
    out.append("\"warnings\":[");
    for (size_t i = 0; i < result.warnings.size(); ++i) {
      if (i != 0) out.push_back(',');
      AppendJsonString(&out, result.warnings[i]);
    }
    out.append("],");
  }
  out.append("\"data\":[");
  for (size_t i = 0; i < result.series.size(); ++i) {
    const PatternSeries& series = result.series[i];
    out.append(i == 0 ? "{\"pattern\":" : ",{\"pattern\":");
    AppendJsonString(&out, series.pattern);
    out.append(",\"level\":");
    AppendJsonString(&out, series.level);
    out.append(",\"samples\":[");
    for (size_t k = 0; k < series.samples_ns.size(); ++k) {
      out.append(k == 0 ? "[" : ",[");
      AppendInt(&out, series.samples_ns[k].first / kNsPerSecond);
      out.push_back(',');
      AppendUint(&out, series.samples_ns[k].second);
      out.push_back(']');
    }
    out.append("]}");
  }
  return out.append("]}\n");
}

}  // namespace

PatternsApi::PatternsApi(ReadContext context) : context_(std::move(context)) {}

void PatternsApi::AddRoutes(Router* router) {
  router->Add({"GET", "POST"}, "/loki/api/v1/patterns", Worker::kQuery, [this](const HttpRequest& request) {
    return AnswerRead(context_, request, [this](const ReadCall& call) { return Patterns(call); });
  });
}

Result<HttpResponse> PatternsApi::Patterns(const ReadCall& call) const {
  PatternRequest request;
  VARVE_ASSIGN_OR_RETURN(const TimeBounds bounds, ParseListBounds(call));
  VARVE_ASSIGN_OR_RETURN(const int64_t step_ns, ParseStep(call.params.Get("step"), bounds,
                                                          call.context.limits.max_points_per_series));
  VARVE_ASSIGN_OR_RETURN(request.matchers, logql::ParseMatchers(call.params.Get("query")));
  VARVE_RETURN_IF_ERROR(logql::ValidateMatchers(request.matchers));
  // Samples carry whole seconds.
  request.step_ns = (step_ns + kNsPerSecond - 1) / kNsPerSecond * kNsPerSecond;
  request.tenant = call.tenant;
  request.range = ClosedRange(bounds);
  request.cancel = call.request.cancel;
  PatternResult result;
  if (!request.range.empty()) {
    Result<PatternResult> found = RunPatternQuery(*call.context.engine, request, call.context.limits);
    CountQuery(call, found.ok() ? found->stats : QueryStats(), found.ok());
    if (!found.ok()) return std::move(found).status();
    result = std::move(*found);
  }
  return JsonResponse(PatternsJson(result));
}

}  // namespace varve
