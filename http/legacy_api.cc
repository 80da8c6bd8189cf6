#include "http/legacy_api.h"

#include <cstdio>
#include <ctime>
#include <memory>
#include <utility>
#include <variant>

#include "engine/base/json_writer.h"
#include "engine/base/time.h"
#include "engine/model/labels.h"
#include "http/loki_responses.h"
#include "query/logql/parser.h"
#include "query/logql/printer.h"

namespace varve {
namespace {

// {a="b", c="d"}
std::string LabelsText(const LabelPairs& labels) {
  std::string text = "{";
  for (const auto& [name, value] : labels) {
    if (text.size() > 1) text.append(", ");
    text.append(name).push_back('=');
    AppendGoQuoted(&text, value);
  }
  return text.append("}");
}

// The query, with `regexp` as one more line filter at its end.
Result<logql::ExprPtr> ParseLegacyQuery(const ReadCall& call) {
  VARVE_ASSIGN_OR_RETURN(logql::ExprPtr expr, logql::ParseExpr(call.params.Get("query")));
  if (!expr->is_log_query()) {
    return InvalidArgument("legacy endpoints only support streams result type");
  }
  const std::string_view regexp = call.params.Get("regexp");
  if (regexp.empty()) return expr;
  std::string filtered = logql::Print(*expr);
  filtered.append(" |~ ");
  AppendGoQuoted(&filtered, regexp);
  return logql::ParseExpr(filtered);
}

}  // namespace

std::string Rfc3339NanoText(int64_t ts_ns) {
  int64_t seconds = ts_ns / kNsPerSecond;
  int64_t fraction = ts_ns % kNsPerSecond;
  if (fraction < 0) {
    fraction += kNsPerSecond;
    --seconds;
  }
  const time_t time = seconds;
  tm parts{};
  gmtime_r(&time, &parts);
  char text[80];
  std::snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%09lld", parts.tm_year + 1900,
                parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                static_cast<long long>(fraction));
  std::string out = text;
  while (out.back() == '0') out.pop_back();
  if (out.back() == '.') out.pop_back();
  return out.append("Z");
}

std::string LegacyStreamsJson(const Streams& streams, const QueryStats& stats) {
  std::string out = "{\"streams\":[";
  bool first_stream = true;
  for (const MergedStream& stream : MergeCategories(streams)) {
    out.append(first_stream ? "{\"labels\":" : ",{\"labels\":");
    first_stream = false;
    AppendJsonString(&out, LabelsText(stream.labels));
    out.append(",\"entries\":[");
    for (size_t i = 0; i < stream.entries.size(); ++i) {
      out.append(i == 0 ? "{\"ts\":\"" : ",{\"ts\":\"").append(Rfc3339NanoText(stream.entries[i]->ts_ns));
      out.append("\",\"line\":");
      AppendJsonString(&out, stream.entries[i]->line);
      out.push_back('}');
    }
    out.append("]}");
  }
  out.append("],\"stats\":");
  AppendLokiStats(stats, &out);
  return out.append("}\n");
}

LegacyApi::LegacyApi(ReadContext context) : context_(std::move(context)) {}

void LegacyApi::AddRoutes(Router* router) {
  router->Add({"GET", "POST"}, "/api/prom/query", Worker::kQuery, [this](const HttpRequest& request) {
    return AnswerRead(context_, request, [this](const ReadCall& call) { return Query(call); });
  });
}

Result<HttpResponse> LegacyApi::Query(const ReadCall& call) const {
  VARVE_ASSIGN_OR_RETURN(
      const RangeParams range,
      ParseRangeParams(call.params, call.now_ns, call.context.limits.max_points_per_series));
  VARVE_ASSIGN_OR_RETURN(const logql::ExprPtr expr, ParseLegacyQuery(call));
  QueryRequest request;
  request.start_ns = range.bounds.start_ns;
  request.end_ns = range.bounds.end_ns;
  request.step_ns = range.step_ns;
  request.interval_ns = range.interval_ns;
  request.limit = range.limit;
  request.direction = range.direction;
  VARVE_ASSIGN_OR_RETURN(const QueryResult result, RunCountedQuery(call, *expr, request));
  const auto* streams = std::get_if<Streams>(&result.data);
  if (streams == nullptr) return InternalError("a log query gave no streams");
  auto memory = std::make_shared<MemoryReservation>(call.context.engine->query_budget());
  // A time takes twice the bytes here that it takes elsewhere.
  VARVE_RETURN_IF_ERROR(memory->Add(3 * static_cast<int64_t>(EstimateJsonBytes(result))));
  HttpResponse response = JsonResponse(LegacyStreamsJson(*streams, result.stats));
  response.memory = std::move(memory);
  return response;
}

}  // namespace varve
