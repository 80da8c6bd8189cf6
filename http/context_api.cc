#include "http/context_api.h"

#include <limits>
#include <string>
#include <utility>
#include <variant>

#include "query/exec/context_query.h"
#include "query/logql/parser.h"

namespace varve {
namespace {

constexpr uint32_t kDefaultNeighbours = 10;

// As a limit, but 0 is a number of neighbours too.
Result<uint32_t> ParseNeighbours(const ReadCall& call, std::string_view name) {
  const std::string_view value = call.params.Get(name);
  if (value == "0") return uint32_t{0};
  Result<uint32_t> count = ParseLimit(value, kDefaultNeighbours);
  if (!count.ok()) {
    return InvalidArgument("could not parse '" + std::string(name) +
                           "' parameter: " + count.status().message());
  }
  const uint32_t count_max = call.context.limits.max_entries_limit_per_query;
  if (count_max != 0 && *count > count_max) {
    return InvalidArgument("max entries limit per query exceeded, limit > max_entries_limit_per_query (" +
                           std::to_string(*count) + " > " + std::to_string(count_max) + ")");
  }
  return *count;
}

Result<ContextRequest> ParseContext(const ReadCall& call) {
  ContextRequest request;
  if (call.params.Get("time").empty()) return InvalidArgument("the 'time' parameter is required");
  const Result<int64_t> time_ns = ParseTimeNs(call.params.Get("time"), 0);
  if (!time_ns.ok()) {
    return InvalidArgument("could not parse 'time' parameter: " + time_ns.status().message());
  }
  request.time_ns = *time_ns;
  VARVE_ASSIGN_OR_RETURN(request.before, ParseNeighbours(call, "before"));
  VARVE_ASSIGN_OR_RETURN(request.after, ParseNeighbours(call, "after"));
  if (call.params.Has("line")) request.line = call.params.Get("line");
  if (const std::string_view labels = call.params.Get("labels"); !labels.empty()) {
    VARVE_ASSIGN_OR_RETURN(request.labels, logql::ParseMatchers(labels));
  }
  if (const std::string_view stream = call.params.Get("stream"); !stream.empty()) {
    if (stream != "true" && stream != "false") {
      return InvalidArgument("could not parse 'stream' parameter: '" + std::string(stream) +
                             "' is neither true nor false");
    }
    request.same_stream = stream == "true";
  }
  for (const std::string_view name : {"start", "end"}) {
    if (call.params.Get(name).empty()) continue;
    const Result<int64_t> bound_ns = ParseTimeNs(call.params.Get(name), 0);
    if (!bound_ns.ok()) {
      return InvalidArgument("could not parse '" + std::string(name) +
                             "' parameter: " + bound_ns.status().message());
    }
    (name == "start" ? request.range.begin_ns : request.range.end_ns) = *bound_ns;
  }
  return request;
}

}  // namespace

ContextApi::ContextApi(ReadContext context) : context_(std::move(context)) {}

void ContextApi::AddRoutes(Router* router) {
  router->Add({"GET", "POST"}, "/loki/api/v1/context", Worker::kQuery, [this](const HttpRequest& request) {
    return AnswerRead(context_, request, [this](const ReadCall& call) { return Context(call); });
  });
}

Result<HttpResponse> ContextApi::Context(const ReadCall& call) const {
  VARVE_ASSIGN_OR_RETURN(ContextRequest request, ParseContext(call));
  VARVE_ASSIGN_OR_RETURN(const logql::ExprPtr expr, logql::ParseExpr(call.params.Get("query")));
  const auto* selector = std::get_if<logql::LogSelector>(&expr->node);
  if (selector == nullptr) return InvalidArgument("only log selector is supported");
  request.tenant = call.tenant;
  request.cancel = call.request.cancel;
  Result<ContextResult> found =
      RunContextQuery(*call.context.engine, *selector, request, call.context.limits);
  CountQuery(call, found.ok() ? found->stats : QueryStats(), found.ok());
  if (!found.ok()) return std::move(found).status();
  QueryResult result;
  result.data = std::move(found->streams);
  result.stats = found->stats;
  return QueryAnswer(call, result);
}

}  // namespace varve
