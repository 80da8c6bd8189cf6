// What every endpoint of the Prometheus API needs before it does its own work, and how it fails.
//
// All of them are served below /api/v1 and once more below /prometheus/api/v1, answer OPTIONS, and send CORS
// headers to whoever sends an Origin. docs/prometheus_api.md has the endpoints.
// Threads: thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/clock.h"
#include "engine/base/per_tenant.h"
#include "engine/engine.h"
#include "http/active_queries.h"
#include "http/form.h"
#include "http/message.h"
#include "http/prometheus_options.h"
#include "http/promql_counters.h"
#include "http/query_gate.h"
#include "http/router.h"
#include "query/exec/query.h"

namespace varve {

struct PrometheusContext {
  Engine* engine = nullptr;
  PrometheusOptions options;
  const PerTenant<QueryLimits>* tenant_limits = nullptr;  // max_query_memory; null: no limit
  bool auth_enabled = false;
  const Clock* clock = &Clock::System();
  ActiveQueries* active = nullptr;     // may be null
  QueryGate* gate = nullptr;           // may be null
  PromqlCounters* counters = nullptr;  // never null
  // What logql("…") asks, for one tenant; null: it is an error.
  std::function<std::unique_ptr<const promql::LogqlSource>(TenantId tenant, const std::string& name)> logql;
  std::function<bool()> ready;  // null: always
  bool rules_by_api = false;    // buildinfo tells Grafana that rules can be edited
};

struct PromCall {
  const PrometheusContext& context;
  const HttpRequest& request;
  FormParams params;
  Status form_error;  // of the first parameter that was left out
  TenantId tenant = 0;  // one that owns nothing when the name was never seen
  std::string tenant_name;
  int64_t now_ms = 0;

  MetricStore& metrics() const { return context.engine->metrics(); }
};

using PromAnswer = std::function<Result<HttpResponse>(const PromCall&)>;

// Resolves the tenant and the parameters, runs `answer`, and puts what it fails with as PromFailure does.
HttpResponse AnswerPrometheus(const PrometheusContext& context, const HttpRequest& request,
                              const PromAnswer& answer);
// bad_data, execution, canceled, timeout, internal…, with the status that goes with it.
HttpResponse PromFailure(const Status& status);

// Adds `pattern` (which begins behind /api/v1) under both prefixes, with OPTIONS.
void AddPrometheusRoute(const PrometheusContext& context, Router* router, std::vector<std::string> methods,
                        std::string_view pattern, Worker worker, const PromAnswer& answer);

// All match[] parameters, parsed. kInvalidArgument in Prometheus's words.
Result<std::vector<std::vector<Matcher>>> ParseMatchParams(const PromCall& call);

// Bytes that one query of the tenant may take.
int64_t QueryMemoryOf(const PrometheusContext& context, std::string_view tenant);

}  // namespace varve
