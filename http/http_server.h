// The HTTP face of Varve: Loki's push and query API and the endpoints that operate the process.
//
//   HttpServer server(&engine, &write_path, query_limits, options);
//   VARVE_RETURN_IF_ERROR(server.Start());   // listening; /ready answers 503
//   … engine.Recover(write_path.MakeReplay()) …
//   server.SetReady(true);
//   … wait for SIGTERM …
//   server.Stop();                           // finishes what was accepted, then returns
//
// Connections live on a few I/O threads; handlers run on two bounded worker pools, one for pushes and
// one for everything else, so that slow queries never hold up a push. docs/http_api.md has the
// endpoints, docs/operations.md the limits and metrics.
// Threads: Start and Stop are the owner's; the rest is thread-safe.
// Ownership: `engine` and `writes` must outlive the server.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "engine/base/clock.h"
#include "engine/base/per_tenant.h"
#include "engine/base/status.h"
#include "engine/engine.h"
#include "http/prometheus_options.h"
#include "http/tail_options.h"
#include "ingest/write_path.h"
#include "query/exec/query.h"

namespace varve {

class ExternalAlertmanagers;  // alerting/notify/external_alertmanagers.h
class LimitsSource;           // http/limits_api.h
class Notifier;               // alerting/notify/notifier.h
class Reporter;               // alerting/reports/reporter.h
class Ruler;                  // alerting/rules/ruler.h

// What rules, notifications and reports are asked of and told to. Null: it is not there, and what is asked of it is
// answered as if nothing was configured. They must outlive the server.
struct AlertingParts {
  Ruler* ruler = nullptr;
  Notifier* notifier = nullptr;
  const ExternalAlertmanagers* external = nullptr;
  Reporter* reporter = nullptr;
  std::function<uint64_t()> lines_dropped;  // lines of {job="varve-alerts"} that were not stored; may be null
};

struct HttpOptions {
  std::string listen_address = "127.0.0.1";  // server.http_listen_address; a numeric IPv4 or IPv6 address
  uint16_t listen_port = 3100;               // server.http_listen_port; 0 = any free one (see port())
  bool auth_enabled = false;                 // true: X-Scope-OrgID names the tenant and must be there
  bool multi_tenant_queries = false;         // … and reads may name several: A|B

  uint32_t io_threads = 0;        // 0 = 1 per 4 cores, at least 1, at most 4
  uint32_t push_threads = 0;      // 0 = one per core, at least 2
  uint32_t query_threads = 0;     // 0 = eight per core, 16 to 64; see MakeServerOptions
  size_t push_queue_max = 1024;   // waiting pushes; beyond it 503 + Retry-After
  size_t query_queue_max = 1024;  // waiting queries; beyond it 429 "too many outstanding requests"

  size_t connections_max = 8192;  // more are closed on arrival
  size_t header_bytes_max = 64 << 10;
  size_t form_bytes_max = 1 << 20;  // bodies of everything but pushes; a query has 131,072 bytes at most
  // Bodies of pushes are bounded by IngestLimits::max_recv_msg_size and charged to
  // Engine::ingest_budget() while they are in flight.
  int64_t header_timeout_ms = 10'000;  // from a request's first byte to the end of its header
  int64_t body_timeout_ms = 30'000;    // without a byte of the body arriving
  int64_t idle_timeout_ms = 120'000;   // between requests of a connection
  int64_t write_timeout_ms = 30'000;   // without a byte of the answer being taken
  int64_t stop_timeout_ms = 30'000;    // Stop() waits this long for running requests, then cancels them

  bool compress_responses = true;  // gzip, only when the client asks for it
  size_t compress_min_bytes = 1024;
  bool per_request_limits_enabled = false;  // X-Loki-Query-Limits may tighten a query's limits
  // The access log: a line a request, at level debug; info when refused or slow, warn when it failed.
  bool log_requests = true;

  bool cache_results = true;        // query_range.cache_results
  int64_t results_cache_bytes = 0;  // query_range.results_cache_bytes; 0 = an eighth of the queries' memory
  // The most that a delete request's max_interval may ask for; 0 = anything.
  int64_t delete_max_interval_ns = 24 * kNsPerHour;
  TailOptions tail;
  PrometheusOptions prometheus;

  const Clock* clock = &Clock::System();
  std::string config_yaml;           // what GET /config answers: the effective configuration
  std::string config_defaults_yaml;  // GET /config?mode=defaults
  std::function<void()> terminate;   // what /ingester/shutdown?terminate=true calls; null = it is refused

  // Where limits come from; the tables must outlive the server. Null: the query limits that the server is
  // given hold for every tenant, and there is nothing to reload.
  const PerTenant<QueryLimits>* tenant_limits = nullptr;
  LimitsSource* limits_source = nullptr;

  AlertingParts alerting;
};

class HttpServer {
 public:
  HttpServer(Engine* engine, WritePath* writes, QueryLimits query_limits, HttpOptions options);
  ~HttpServer();  // stops
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Binds, listens and starts the threads. kInvalidArgument: not an address. kUnavailable: the port is
  // in use or may not be bound; the message is one line that names address and reason.
  Status Start();
  // The port that is listened on; after Start.
  uint16_t port() const;
  // What /ready answers; false until it is set.
  void SetReady(bool ready);
  // Stops accepting, lets running requests finish and their answers go out, joins the threads.
  // Idempotent.
  void Stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace varve
