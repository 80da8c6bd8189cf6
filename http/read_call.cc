#include "http/read_call.h"

#include <limits>

#include "http/error_map.h"
#include "http/query_limits_header.h"
#include "http/tenant.h"
#include "query/exec/blocked_queries.h"
#include "query/exec/humanized_text.h"

namespace varve {
namespace {

// The engine numbers tenants from the bottom, so nothing is ever found under this one. Reads must not
// create tenants: anybody may ask for any name.
constexpr TenantId kUnseenTenant = std::numeric_limits<TenantId>::max();

}  // namespace

HttpResponse AnswerRead(const ReadContext& context, const HttpRequest& request,
                        const std::function<Result<HttpResponse>(const ReadCall&)>& answer) {
  TenantLookup lookup = ResolveTenant(request, context.auth_enabled, false);
  if (lookup.refusal.has_value()) return std::move(*lookup.refusal);
  Result<FormParams> params = FormParams::Parse(request);
  if (!params.ok()) return LokiQueryError(params.status());
  ReadContext own = context;
  if (context.tenant_limits != nullptr) own.limits = *context.tenant_limits->Of(lookup.name);
  if (const std::string_view asked = request.Header("x-loki-query-limits");
      context.per_request_limits_enabled && !asked.empty()) {
    if (const Status tightened = TightenLimits(asked, &own.limits); !tightened.ok()) {
      return LokiQueryError(tightened);
    }
  }
  ReadCall call{own, request, std::move(*params), kUnseenTenant, context.clock->NowNs()};
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
  request.tenant = call.tenant;
  request.cancel = call.request.cancel;
  Result<QueryResult> result = RunQuery(*call.context.engine, expr, request, call.context.limits);
  if (call.context.counters != nullptr) call.context.counters->Count(result);
  return result;
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
