#include "http/http_server.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "http/access_log.h"
#include "http/admin_api.h"
#include "http/alarms_api.h"
#include "http/alertmanager_api.h"
#include "http/context_api.h"
#include "http/delete_api.h"
#include "http/export_api.h"
#include "http/fields_api.h"
#include "http/index_api.h"
#include "http/legacy_api.h"
#include "http/limits_api.h"
#include "http/link_pages.h"
#include "http/loki_api.h"
#include "http/metrics.h"
#include "http/otlp_api.h"
#include "http/patterns_api.h"
#include "http/prometheus_api.h"
#include "http/push_api.h"
#include "http/remote_write_api.h"
#include "http/reports_api.h"
#include "http/ring_pages.h"
#include "http/router.h"
#include "http/ruler_config_api.h"
#include "http/rules_api.h"
#include "http/server.h"
#include "http/tail_api.h"
#include "http/tail_hub.h"
#include "http/tenant.h"
#include "query/exec/result_cache.h"
#include "query/promql/logql/engine_logql.h"

namespace varve {
namespace {

uint32_t OrDefault(uint32_t configured, uint32_t fallback) { return configured != 0 ? configured : fallback; }

// An eighth of the queries' memory, a thirty-second of all, unless configured.
std::unique_ptr<ResultCache> MakeResultCache(Engine* engine, const HttpOptions& options) {
  if (!options.cache_results) return nullptr;
  const int64_t bytes = options.results_cache_bytes != 0 ? options.results_cache_bytes
                                                         : engine->query_budget()->limit_bytes() / 8;
  return std::make_unique<ResultCache>(bytes, engine->query_budget());
}

}  // namespace

struct HttpServer::Impl {
  Impl(Engine* engine, WritePath* writes, const QueryLimits& limits_for_all, const HttpOptions& options)
      : metrics(engine, writes, options.auth_enabled ? std::string() : std::string(kSingleTenant)),
        query_limits(limits_for_all),
        result_cache(MakeResultCache(engine, options)),
        read_context(MakeReadContext(engine, options)),
        loki(ForSeveralTenants(options)),
        index(ForSeveralTenants(options)),
        fields(ForSeveralTenants(options)),
        patterns(read_context),
        context(read_context),
        deletes(read_context, options.delete_max_interval_ns),
        exports(read_context),
        tails(engine, options.tail),
        tail(read_context, &tails),
        push(writes, options.auth_enabled),
        otlp(writes, options.auth_enabled),
        remote_write(writes->metrics(), options.auth_enabled),
        prometheus_context(MakePrometheusContext(engine, options)),
        prometheus(prometheus_context, ConfigYaml(options)),
        legacy(ForSeveralTenants(options)),
        admin(engine, &metrics, {ConfigYaml(options), options.config_defaults_yaml, options.terminate}),
        rings([this, host = options.listen_address] { return host + ":" + std::to_string(server.port()); },
              options.clock),
        rules(&prometheus_context, options.alerting.ruler, options.alerting.external),
        ruler_config(options.auth_enabled, options.alerting.ruler, prometheus_context.ready),
        alarms(&prometheus_context, options.alerting.ruler),
        reports(options.alerting.reporter, options.auth_enabled),
        alertmanager({.notifier = options.alerting.notifier,
                      .auth_enabled = options.auth_enabled,
                      .clock = options.clock,
                      .ready = prometheus_context.ready}),
        limits({.engine = engine,
                .query = read_context.tenant_limits,
                .ingest = &writes->limits(),
                .source = options.limits_source}),
        server(&router, MakeServerOptions(engine, *writes, options)) {
    push.AddRoutes(&router);
    otlp.AddRoutes(&router);
    remote_write.AddRoutes(&router);
    loki.AddRoutes(&router);
    index.AddRoutes(&router);
    fields.AddRoutes(&router);
    patterns.AddRoutes(&router);
    context.AddRoutes(&router);
    prometheus.AddRoutes(&router);
    legacy.AddRoutes(&router);
    deletes.AddRoutes(&router);
    exports.AddRoutes(&router);
    tail.AddRoutes(&router);
    admin.AddRoutes(&router);
    rings.AddRoutes(&router);
    rules.AddRoutes(&router);
    ruler_config.AddRoutes(&router);
    alarms.AddRoutes(&router);
    reports.AddRoutes(&router);
    if (options.alerting.notifier != nullptr) alertmanager.AddRoutes(&router);
    limits.AddRoutes(&router);
    AddLinkPages(&router);
    if (options.limits_source != nullptr) metrics.WatchLimits(options.limits_source);
    metrics.WatchServer(&server);
    metrics.WatchTails(&tails);
    metrics.WatchPrometheus(&prometheus, &active_queries);
    metrics.WatchAlerting(options.alerting);
    if (result_cache != nullptr) metrics.WatchResultCache(result_cache.get());
  }

  // For reads whose answers are complete when their handlers return.
  ReadContext ForSeveralTenants(const HttpOptions& options) const {
    ReadContext several = read_context;
    several.multi_tenant_queries = options.multi_tenant_queries;
    return several;
  }

  static std::function<std::string()> ConfigYaml(const HttpOptions& options) {
    if (options.limits_source != nullptr) {
      return [source = options.limits_source] { return source->ConfigYaml(); };
    }
    return [yaml = options.config_yaml] { return yaml; };
  }

  ReadContext MakeReadContext(Engine* engine, const HttpOptions& options) {
    ReadContext reads;
    reads.engine = engine;
    reads.tenant_limits = options.tenant_limits != nullptr ? options.tenant_limits : &query_limits;
    reads.per_request_limits_enabled = options.per_request_limits_enabled;
    reads.auth_enabled = options.auth_enabled;
    reads.clock = options.clock;
    reads.counters = metrics.query_counters();
    reads.result_cache = result_cache.get();
    reads.active = &active_queries;
    return reads;
  }

  PrometheusContext MakePrometheusContext(Engine* engine, const HttpOptions& options) {
    PrometheusContext shared;
    shared.engine = engine;
    shared.options = options.prometheus;
    shared.tenant_limits = read_context.tenant_limits;
    shared.auth_enabled = options.auth_enabled;
    shared.clock = options.clock;
    shared.active = &active_queries;
    shared.ready = [this] { return admin.running(); };
    shared.rules_by_api = options.alerting.ruler != nullptr;
    shared.logql = [this, engine](TenantId tenant, const std::string& name) {
      return std::make_unique<promql::EngineLogqlSource>(engine, tenant, *read_context.tenant_limits->Of(name),
                                                         result_cache.get());
    };
    return shared;
  }

  ServerOptions MakeServerOptions(Engine* engine, const WritePath& writes, const HttpOptions& options) {
    const uint32_t cores = std::max(std::thread::hardware_concurrency(), 1U);
    ServerOptions out;
    out.address = options.listen_address;
    out.port = options.listen_port;
    out.io_threads = OrDefault(options.io_threads, std::clamp(cores / 4, 1U, 4U));
    out.push_threads = OrDefault(options.push_threads, std::max(cores, 2U));
    // A query's worker takes part in its scan, so the system's scheduler shares the cores among all that run, and
    // a quick one is done after a few of its slices. With as many workers as heavy queries it would wait for one of them.
    out.query_threads = OrDefault(options.query_threads, std::clamp(8 * cores, 16U, 64U));
    out.push_queue_max = options.push_queue_max;
    out.query_queue_max = options.query_queue_max;
    out.connections_max = options.connections_max;
    out.header_bytes_max = options.header_bytes_max;
    out.form_bytes_max = options.form_bytes_max;
    out.push_bytes_max = static_cast<size_t>(writes.limits().Of("")->max_recv_msg_size);
    out.header_timeout_ms = options.header_timeout_ms;
    out.body_timeout_ms = options.body_timeout_ms;
    out.idle_timeout_ms = options.idle_timeout_ms;
    out.write_timeout_ms = options.write_timeout_ms;
    out.stop_timeout_ms = options.stop_timeout_ms;
    out.web_socket_stall_ms = options.tail.slow_client_timeout_ms;
    out.compress_responses = options.compress_responses;
    out.compress_min_bytes = options.compress_min_bytes;
    out.body_budget = engine->ingest_budget();
    out.on_request = [this, log = options.log_requests](const RequestRecord& record) {
      metrics.Observe(record);
      if (log) LogRequest(record);
    };
    return out;
  }

  Router router;
  Metrics metrics;
  ActiveQueries active_queries;
  const PerTenant<QueryLimits> query_limits;        // where the caller has no table
  const std::unique_ptr<ResultCache> result_cache;  // null when switched off
  const ReadContext read_context;
  LokiApi loki;
  IndexApi index;
  FieldsApi fields;
  PatternsApi patterns;
  ContextApi context;
  DeleteApi deletes;
  ExportApi exports;
  TailHub tails;
  TailApi tail;
  PushApi push;
  OtlpApi otlp;
  RemoteWriteApi remote_write;
  const PrometheusContext prometheus_context;  // of what is asked beside PrometheusApi
  PrometheusApi prometheus;
  LegacyApi legacy;
  AdminApi admin;
  RingPages rings;
  RulesApi rules;
  RulerConfigApi ruler_config;
  AlarmsApi alarms;
  ReportsApi reports;
  AlertmanagerApi alertmanager;
  LimitsApi limits;
  Server server;  // last: it stops before what its handlers use goes away
};

HttpServer::HttpServer(Engine* engine, WritePath* writes, QueryLimits query_limits, HttpOptions options)
    : impl_(std::make_unique<Impl>(engine, writes, query_limits, options)) {}

HttpServer::~HttpServer() { Stop(); }

Status HttpServer::Start() { return impl_->server.Start(); }

uint16_t HttpServer::port() const { return impl_->server.port(); }

void HttpServer::SetReady(bool ready) {
  impl_->admin.SetPhase(ready ? AdminApi::Phase::kRunning : AdminApi::Phase::kStarting);
}

void HttpServer::Stop() {
  impl_->admin.SetPhase(AdminApi::Phase::kStopping);
  impl_->server.Stop();
}

}  // namespace varve
