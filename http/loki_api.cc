#include "http/loki_api.h"

#include <limits>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/json_writer.h"
#include "http/explain_api.h"
#include "http/loki_responses.h"
#include "query/exec/page_cursor.h"
#include "query/logql/parser.h"
#include "query/logql/printer.h"

namespace varve {
namespace {

// {"status":"success","data":["a","b"]}, or without data when there is nothing, as Loki does.
HttpResponse NamesAnswer(const std::set<std::string_view>& names) {
  std::string out = "{\"status\":\"success\"";
  if (!names.empty()) {
    out.append(",\"data\":[");
    bool first = true;
    for (const std::string_view name : names) {
      if (!first) out.push_back(',');
      first = false;
      AppendJsonString(&out, name);
    }
    out.push_back(']');
  }
  return JsonResponse(out.append("}\n"));
}

// The streams that labels and label values are taken from. Without a selector the answer is about whole UTC
// days, as Loki's index is: whoever asks for a quarter of an hour gets the labels of the day.
Result<std::vector<const Labels*>> SelectForNames(const ReadCall& call) {
  VARVE_ASSIGN_OR_RETURN(const TimeBounds bounds, ParseListBounds(call));
  TimeRange range = ClosedRange(bounds);
  std::vector<Matcher> matchers;
  if (const std::string_view query = call.params.Get("query"); !query.empty()) {
    VARVE_ASSIGN_OR_RETURN(matchers, logql::ParseMatchers(query));
  } else if (!range.empty()) {
    constexpr int64_t kNsPerDay = 24 * kNsPerHour;
    const auto into_day = [](int64_t t_ns) { return (t_ns % kNsPerDay + kNsPerDay) % kNsPerDay; };
    if (range.begin_ns > std::numeric_limits<int64_t>::min() + kNsPerDay)
      range.begin_ns -= into_day(range.begin_ns);
    if (range.end_ns < std::numeric_limits<int64_t>::max() - kNsPerDay) {
      range.end_ns += kNsPerDay - 1 - into_day(range.end_ns - 1);
    }
  }
  if (range.empty()) return std::vector<const Labels*>();
  return call.context.engine->SelectStreams(call.tenant, matchers, range);
}

// paging=true asks for a log query's first page, cursor=… for the next one.
Status ParsePaging(const ReadCall& call, const logql::Expr& expr, QueryRequest* request) {
  const std::string_view paging = call.params.Get("paging");
  if (!paging.empty() && paging != "true" && paging != "false") {
    return InvalidArgument("could not parse 'paging' parameter: '" + std::string(paging) +
                           "' is neither true nor false");
  }
  const std::string_view cursor = call.params.Get("cursor");
  request->paging = paging == "true" || !cursor.empty();
  if (!request->paging) return Status::Ok();
  if (!expr.is_log_query()) return InvalidArgument("paging is for log queries");
  return cursor.empty() ? Status::Ok() : ApplyPageCursor(cursor, expr, request);
}

}  // namespace

LokiApi::LokiApi(ReadContext context) : context_(std::move(context)) {}

void LokiApi::AddRoutes(Router* router) {
  using Answer = Result<HttpResponse> (LokiApi::*)(const ReadCall&) const;
  const auto add = [&](std::string_view pattern, Answer answer) {
    router->Add({"GET", "POST"}, pattern, Worker::kQuery, [this, answer](const HttpRequest& request) {
      return AnswerRead(context_, request,
                        [this, answer](const ReadCall& call) { return (this->*answer)(call); });
    });
  };
  add("/loki/api/v1/query_range", &LokiApi::QueryRange);
  add("/loki/api/v1/query", &LokiApi::QueryInstant);
  add("/loki/api/v1/format_query", &LokiApi::FormatQuery);
  for (const std::string_view pattern : {"/loki/api/v1/labels", "/loki/api/v1/label", "/api/prom/label"}) {
    add(pattern, &LokiApi::LabelNames);
  }
  for (const std::string_view pattern :
       {"/loki/api/v1/label/{name}/values", "/api/prom/label/{name}/values"}) {
    add(pattern, &LokiApi::LabelValues);
  }
  for (const std::string_view pattern : {"/loki/api/v1/series", "/api/prom/series"})
    add(pattern, &LokiApi::Series);
}

Result<HttpResponse> LokiApi::QueryRange(const ReadCall& call) const {
  VARVE_ASSIGN_OR_RETURN(const RangeParams range,
                         ParseRangeParams(call.params, call.now_ns, call.context.limits.max_points_per_series));
  VARVE_ASSIGN_OR_RETURN(const logql::ExprPtr expr, logql::ParseExpr(call.params.Get("query")));
  QueryRequest request;
  request.start_ns = range.bounds.start_ns;
  request.end_ns = range.bounds.end_ns;
  request.step_ns = range.step_ns;
  request.interval_ns = range.interval_ns;
  request.limit = range.limit;
  request.direction = range.direction;
  VARVE_RETURN_IF_ERROR(ParsePaging(call, *expr, &request));
  VARVE_ASSIGN_OR_RETURN(auto explained, ExplainIfAsked(call, *expr, request));
  if (explained.has_value()) return *std::move(explained);
  VARVE_ASSIGN_OR_RETURN(const QueryResult result, RunCountedQuery(call, *expr, request));
  if (!request.paging) return QueryAnswer(call, result);
  return QueryAnswer(call, result,
                     result.last.has_value() ? EncodePageCursor(*expr, request, *result.last) : "");
}

Result<HttpResponse> LokiApi::QueryInstant(const ReadCall& call) const {
  QueryRequest request;
  VARVE_ASSIGN_OR_RETURN(request.limit, ParseLimit(call.params.Get("limit")));
  VARVE_ASSIGN_OR_RETURN(request.end_ns, ParseTimeNs(call.params.Get("time"), call.now_ns));
  VARVE_ASSIGN_OR_RETURN(request.direction, ParseDirection(call.params.Get("direction")));
  VARVE_ASSIGN_OR_RETURN(const logql::ExprPtr expr, logql::ParseExpr(call.params.Get("query")));
  request.start_ns = request.end_ns;
  request.instant = true;
  VARVE_ASSIGN_OR_RETURN(auto explained, ExplainIfAsked(call, *expr, request));
  if (explained.has_value()) return *std::move(explained);
  VARVE_ASSIGN_OR_RETURN(const QueryResult result, RunCountedQuery(call, *expr, request));
  return QueryAnswer(call, result);
}

Result<HttpResponse> LokiApi::LabelNames(const ReadCall& call) const {
  VARVE_ASSIGN_OR_RETURN(const std::vector<const Labels*> streams, SelectForNames(call));
  std::set<std::string_view> names;
  for (const Labels* labels : streams) {
    for (const Label& label : *labels) names.insert(label.name);
  }
  return NamesAnswer(names);
}

Result<HttpResponse> LokiApi::LabelValues(const ReadCall& call) const {
  VARVE_ASSIGN_OR_RETURN(const std::vector<const Labels*> streams, SelectForNames(call));
  std::set<std::string_view> values;
  for (const Labels* labels : streams) {
    if (const std::string_view value = labels->Get(call.request.path_params.front()); !value.empty()) {
      values.insert(value);
    }
  }
  return NamesAnswer(values);
}

Result<HttpResponse> LokiApi::Series(const ReadCall& call) const {
  VARVE_ASSIGN_OR_RETURN(const TimeBounds bounds, ParseListBounds(call));
  std::vector<std::string_view> selectors = call.params.All("match");
  for (const std::string_view selector : call.params.All("match[]")) selectors.push_back(selector);
  std::vector<std::vector<Matcher>> groups;
  if (selectors.empty() || (selectors.size() == 1 && selectors.front() == "{}")) {
    groups.emplace_back();  // everything
  } else {
    for (const std::string_view selector : selectors) {
      VARVE_ASSIGN_OR_RETURN(std::vector<Matcher> matchers, logql::ParseMatchers(selector));
      if (matchers.empty()) return InvalidArgument("0 matchers in group: " + std::string(selector));
      groups.push_back(std::move(matchers));
    }
  }
  const auto before = [](const Labels* a, const Labels* b) { return *a < *b; };
  std::set<const Labels*, decltype(before)> found(before);
  if (bounds.start_ns <= bounds.end_ns) {
    for (const std::vector<Matcher>& matchers : groups) {
      VARVE_ASSIGN_OR_RETURN(const std::vector<const Labels*> streams,
                             call.context.engine->SelectStreams(call.tenant, matchers, ClosedRange(bounds)));
      found.insert(streams.begin(), streams.end());
    }
  }
  std::string out = "{\"status\":\"success\",\"data\":[";
  bool first_stream = true;
  for (const Labels* labels : found) {
    out.append(first_stream ? "{" : ",{");
    first_stream = false;
    for (size_t i = 0; i < labels->size(); ++i) {
      if (i != 0) out.push_back(',');
      AppendJsonString(&out, (*labels)[i].name);
      out.push_back(':');
      AppendJsonString(&out, (*labels)[i].value);
    }
    out.push_back('}');
  }
  return JsonResponse(out.append("]}\n"));
}

Result<HttpResponse> LokiApi::FormatQuery(const ReadCall& call) const {
  const Result<logql::ExprPtr> expr = logql::ParseExprWithoutValidation(call.params.Get("query"));
  std::string out =
      expr.ok() ? "{\"status\":\"success\",\"data\":" : "{\"status\":\"invalid-query\",\"error\":";
  AppendJsonString(&out, expr.ok() ? logql::PrintPretty(**expr) : expr.status().message());
  HttpResponse response = JsonResponse(out.append("}\n"));
  if (!expr.ok()) {
    response.status = 400;
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  }
  return response;
}

}  // namespace varve
