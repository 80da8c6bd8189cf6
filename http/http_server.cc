#include "http/http_server.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "http/access_log.h"
#include "http/admin_api.h"
#include "http/fields_api.h"
#include "http/index_api.h"
#include "http/limits_api.h"
#include "http/loki_api.h"
#include "http/metrics.h"
#include "http/otlp_api.h"
#include "http/patterns_api.h"
#include "http/push_api.h"
#include "http/router.h"
#include "http/server.h"
#include "http/tenant.h"

namespace varve {
namespace {

uint32_t OrDefault(uint32_t configured, uint32_t fallback) { return configured != 0 ? configured : fallback; }

}  // namespace

struct HttpServer::Impl {
  Impl(Engine* engine, WritePath* writes, const QueryLimits& limits_for_all, const HttpOptions& options)
      : metrics(engine, writes, options.auth_enabled ? std::string() : std::string(kSingleTenant)),
        query_limits(limits_for_all),
        read_context(MakeReadContext(engine, options)),
        loki(read_context),
        index(read_context),
        fields(read_context),
        patterns(read_context),
        push(writes, options.auth_enabled),
        otlp(writes, options.auth_enabled),
        admin(engine, &metrics, ConfigYaml(options)),
        limits({.engine = engine,
                .query = read_context.tenant_limits,
                .ingest = &writes->limits(),
                .source = options.limits_source}),
        server(&router, MakeServerOptions(engine, *writes, options)) {
    push.AddRoutes(&router);
    otlp.AddRoutes(&router);
    loki.AddRoutes(&router);
    index.AddRoutes(&router);
    fields.AddRoutes(&router);
    patterns.AddRoutes(&router);
    admin.AddRoutes(&router);
    limits.AddRoutes(&router);
    if (options.limits_source != nullptr) metrics.WatchLimits(options.limits_source);
    metrics.WatchServer(&server);
  }

  static std::function<std::string()> ConfigYaml(const HttpOptions& options) {
    if (options.limits_source != nullptr) {
      return [source = options.limits_source] { return source->ConfigYaml(); };
    }
    return [yaml = options.config_yaml] { return yaml; };
  }

  ReadContext MakeReadContext(Engine* engine, const HttpOptions& options) {
    ReadContext context;
    context.engine = engine;
    context.tenant_limits = options.tenant_limits != nullptr ? options.tenant_limits : &query_limits;
    context.per_request_limits_enabled = options.per_request_limits_enabled;
    context.auth_enabled = options.auth_enabled;
    context.clock = options.clock;
    context.counters = metrics.query_counters();
    return context;
  }

  ServerOptions MakeServerOptions(Engine* engine, const WritePath& writes, const HttpOptions& options) {
    const uint32_t cores = std::max(std::thread::hardware_concurrency(), 1U);
    ServerOptions out;
    out.address = options.listen_address;
    out.port = options.listen_port;
    out.io_threads = OrDefault(options.io_threads, std::clamp(cores / 4, 1U, 4U));
    out.push_threads = OrDefault(options.push_threads, std::max(cores, 2U));
    out.query_threads = OrDefault(options.query_threads, std::max(2 * cores, 4U));
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
  const PerTenant<QueryLimits> query_limits;  // where the caller has no table
  const ReadContext read_context;
  LokiApi loki;
  IndexApi index;
  FieldsApi fields;
  PatternsApi patterns;
  PushApi push;
  OtlpApi otlp;
  AdminApi admin;
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
