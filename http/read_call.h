// What every read endpoint needs before it does its own work: tenant, parameters, limits, the time now.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "engine/base/clock.h"
#include "engine/base/per_tenant.h"
#include "engine/engine.h"
#include "http/active_queries.h"
#include "http/form.h"
#include "http/message.h"
#include "http/query_counters.h"
#include "http/query_params.h"
#include "query/exec/query.h"

namespace varve {

struct ReadContext {
  Engine* engine = nullptr;
  // In a ReadCall those of its tenant, as they were when the request came; else what holds when
  // `tenant_limits` is null.
  QueryLimits limits;
  const PerTenant<QueryLimits>* tenant_limits = nullptr;
  bool per_request_limits_enabled = false;  // X-Loki-Query-Limits
  bool auth_enabled = false;
  const Clock* clock = &Clock::System();
  QueryCounters* counters = nullptr;    // may be null
  ResultCache* result_cache = nullptr;  // null: answers are not kept
  ActiveQueries* active = nullptr;      // may be null
  // Whether X-Scope-OrgID may name several tenants (http/multi_tenant.h). Not where an answer outlives its call.
  bool multi_tenant_queries = false;
};

struct ReadCall {
  const ReadContext& context;  // of this call, with the limits that hold for it
  const HttpRequest& request;
  FormParams params;
  TenantId tenant = 0;  // one that owns nothing when the name was never seen
  int64_t now_ns = 0;
  std::string tenant_name;  // as in X-Scope-OrgID, where it may name several
};

// Resolves the tenant, parses the parameters, runs `answer`, and maps its error as Loki does for reads.
HttpResponse AnswerRead(const ReadContext& context, const HttpRequest& request,
                        const std::function<Result<HttpResponse>(const ReadCall&)>& answer);

// RunQuery with the call's tenant and token, counted; refused when the parameter `query` is blocked.
Result<QueryResult> RunCountedQuery(const ReadCall& call, const logql::Expr& expr, QueryRequest request);

// Counts a query that RunCountedQuery did not run, for /metrics.
void CountQuery(const ReadCall& call, const QueryStats& stats, bool ok);

// The answer, charged to the query budget until it has gone out: the query's own budget ended with it, but a
// few results of many long lines could still exhaust the memory. `cursor` is shown where there is one, be it
// empty.
Result<HttpResponse> QueryAnswer(const ReadCall& call, const QueryResult& result,
                                 const std::optional<std::string>& cursor = std::nullopt);

// start and end of an endpoint that lists or counts, within the limits. kInvalidArgument when end lies
// before start.
Result<TimeBounds> ParseListBounds(const ReadCall& call);

// The time range that holds both bounds. `begin` > `end` (everything lies before the look-back) gives an
// empty one.
TimeRange ClosedRange(const TimeBounds& bounds);

}  // namespace varve
