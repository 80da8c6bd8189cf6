#include "http/read_call.h"

#include <limits>
#include <memory>

#include "http/error_map.h"
#include "http/loki_responses.h"
#include "http/multi_tenant.h"
#include "http/query_headers.h"
#include "http/query_limits_header.h"
#include "http/tenant.h"
#include "http/tenant_query_limits.h"
#include "query/exec/blocked_queries.h"
#include "query/exec/humanized_text.h"

namespace varve {
namespace {

// The engine numbers tenants from the bottom, so nothing is ever found under this one. Reads must not
// create tenants: anybody may ask for any name.
constexpr TenantId kUnseenTenant = std::numeric_limits<TenantId>::max();
constexpr std::string_view kEncodingFlagsHeader = "x-loki-response-encoding-flags";

using Answer = std::function<Result<HttpResponse>(const ReadCall&)>;

Status TightenByHeader(const HttpRequest& request, ReadContext* context) {
  const std::string_view asked = request.Header("x-loki-query-limits");
  if (!context->per_request_limits_enabled || asked.empty()) return Status::Ok();
  return TightenLimits(asked, &context->limits);
}

// Several tenants: the same call, with an engine that shows the streams of all of them.
HttpResponse AnswerForSeveral(const ReadContext& context, const HttpRequest& request, std::string_view names,
                              const Answer& answer) {
  Result<std::vector<std::string>> tenants = SplitTenants(names);
  if (!tenants.ok()) return LokiPushError(tenants.status());
  Result<FormParams> params = FormParams::Parse(request);
  if (!params.ok()) return LokiQueryError(params.status());
  ReadContext own = context;
  own.limits = LimitsOfTenants(context, *tenants);
  if (const Status tightened = TightenByHeader(request, &own); !tightened.ok())
    return LokiQueryError(tightened);
  MultiTenantEngine engine(context.engine, std::move(*tenants));
  own.engine = &engine;
  own.result_cache = nullptr;  // it knows answers by the one tenant's number
  const ReadCall call{own, request, std::move(*params), kUnseenTenant, context.clock->NowNs(), std::string(names)};
  Result<HttpResponse> response = answer(call);
  if (!response.ok()) return LokiQueryError(response.status());
  return std::move(*response);
}

}  // namespace

HttpResponse AnswerRead(const ReadContext& context, const HttpRequest& request,
                        const std::function<Result<HttpResponse>(const ReadCall&)>& answer) {
  const std::string_view names = request.Header("x-scope-orgid");
  if (context.auth_enabled && context.multi_tenant_queries && names.find('|') != std::string_view::npos) {
    return AnswerForSeveral(context, request, names, answer);
  }
  TenantLookup lookup = ResolveTenant(request, context.auth_enabled, false);
  if (lookup.refusal.has_value()) return std::move(*lookup.refusal);
  Result<FormParams> params = FormParams::Parse(request);
  if (!params.ok()) return LokiQueryError(params.status());
  ReadContext own = context;
  own.limits = LimitsOfTenants(context, {lookup.name});
  if (const Status tightened = TightenByHeader(request, &own); !tightened.ok())
    return LokiQueryError(tightened);
  ReadCall call{own, request, std::move(*params), kUnseenTenant, context.clock->NowNs(), lookup.name};
  if (const Result<TenantId> tenant = context.engine->FindTenant(lookup.name); tenant.ok()) {
    call.tenant = tenant.value();
  } else if (tenant.status().code() != Code::kNotFound) {
    return LokiQueryError(tenant.status());
  }
  Result<HttpResponse> response = answer(call);
  if (!response.ok()) return LokiQueryError(response.status());
  return std::move(*response);
}

Result<QueryResult> RunCountedQuery(const ReadCall& call, const logql::Expr& expr, QueryRequest request) {
  VARVE_RETURN_IF_ERROR(CheckBlocked(call.params.Get("query"), expr, call.context.limits));
  const ActiveQuery entry(call.context.active,
                          {.tenant = call.tenant_name,
                           .language = "logql",
                           .endpoint = call.request.path,
                           .query = std::string(call.params.Get("query")),
                           .remote = call.request.remote,
                           .started_ns = call.now_ns},
                          call.request.cancel);
  request.tenant = call.tenant;
  request.cancel = call.request.cancel;
  request.partial_series = IsLogsDrilldown(call.request);
  if (request.plan == nullptr && !BypassesResultCache(call.request)) request.cache = call.context.result_cache;
  Result<QueryResult> result = RunQuery(*call.context.engine, expr, request, call.context.limits);
  if (call.context.counters != nullptr) call.context.counters->Count(result);
  return result;
}

void CountQuery(const ReadCall& call, const QueryStats& stats, bool ok) {
  if (call.context.counters == nullptr) return;
  QueryResult result;
  result.stats = stats;
  Result<QueryResult> counted(std::move(result));
  if (!ok) counted = InternalError("failed");  // how it failed does not matter
  call.context.counters->Count(counted);
}

Result<HttpResponse> QueryAnswer(const ReadCall& call, const QueryResult& result,
                                 const std::optional<std::string>& cursor) {
  const EncodingFlags flags = EncodingFlags::Parse(call.request.Header(kEncodingFlagsHeader));
  auto memory = std::make_shared<MemoryReservation>(call.context.engine->query_budget());
  VARVE_RETURN_IF_ERROR(memory->Add(2 * static_cast<int64_t>(EstimateJsonBytes(result))));
  HttpResponse response = JsonResponse(LokiQueryJson(result, flags, cursor));
  response.memory = std::move(memory);
  return response;
}

Result<TimeBounds> ParseListBounds(const ReadCall& call) {
  VARVE_ASSIGN_OR_RETURN(TimeBounds bounds, ParseBounds(call.params, call.now_ns));
  if (bounds.end_ns < bounds.start_ns) {
    return InvalidArgument("this data is no longer available, it is past now - max_query_lookback (" +
                           PrometheusDurationText(call.context.limits.max_query_lookback_ns) + ")");
  }
  VARVE_RETURN_IF_ERROR(ApplyTimeLimits(call.context.limits, call.now_ns, &bounds));
  return bounds;
}

TimeRange ClosedRange(const TimeBounds& bounds) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  return {bounds.start_ns, bounds.end_ns == kMax ? kMax : bounds.end_ns + 1};
}

}  // namespace varve
