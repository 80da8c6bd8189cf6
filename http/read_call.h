// What every read endpoint needs before it does its own work: tenant, parameters, limits, the time now.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "engine/base/clock.h"
#include "engine/engine.h"
#include "http/form.h"
#include "http/message.h"
#include "http/query_counters.h"
#include "http/query_params.h"
#include "query/exec/query.h"

namespace varve {

struct ReadContext {
  Engine* engine = nullptr;
  QueryLimits limits;
  bool auth_enabled = false;
  const Clock* clock = &Clock::System();
  QueryCounters* counters = nullptr;    // may be null
  ResultCache* result_cache = nullptr;  // null: answers are not kept
  // Whether X-Scope-OrgID may name several tenants (http/multi_tenant.h). Not where an answer outlives its call.
  bool multi_tenant_queries = false;
};

struct ReadCall {
  const ReadContext& context;
  const HttpRequest& request;
  FormParams params;
  TenantId tenant = 0;  // one that owns nothing when the name was never seen
  int64_t now_ns = 0;
};

// Resolves the tenant, parses the parameters, runs `answer`, and maps its error as Loki does for reads.
HttpResponse AnswerRead(const ReadContext& context, const HttpRequest& request,
                        const std::function<Result<HttpResponse>(const ReadCall&)>& answer);

// RunQuery with the call's tenant and token, counted.
Result<QueryResult> RunCountedQuery(const ReadCall& call, const logql::Expr& expr, QueryRequest request);

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
