// /metrics: what Varve counts, in Prometheus's text format.
//
// Names begin with varve_; figures that Loki's dashboards and alerts look for are there a second time under
// Loki's names. docs/operations.md explains them.
// Threads: thread-safe. Ownership: engine, writes and server must outlive this.
#pragma once

#include <memory>
#include <string>

#include "engine/engine.h"
#include "http/query_counters.h"
#include "http/server.h"
#include "http/tail_hub.h"
#include "ingest/write_path.h"

namespace varve {

class ActiveQueries;
struct AlertingParts;
class LimitsSource;
class PrometheusApi;
class ResultCache;

class Metrics {
 public:
  // `tenant` labels the figures that Loki keeps by tenant; "" (several tenants) leaves the label out.
  Metrics(const Engine* engine, const WritePath* writes, std::string tenant);
  ~Metrics();

  // Adds the transport's counters; before the first Render.
  void WatchServer(const Server* server);
  // Adds the result cache's; before the first Render.
  void WatchResultCache(const ResultCache* cache);
  // Adds those of live tails; before the first Render.
  void WatchTails(const TailHub* tails);
  // Adds those of PromQL, and of the queries that run; before the first Render.
  void WatchPrometheus(const PrometheusApi* prometheus, const ActiveQueries* active);
  // As for the server: to be called before the first request, if at all.
  void WatchLimits(const LimitsSource* limits);
  // Adds those of rules and notifications; before the first Render.
  void WatchAlerting(const AlertingParts& alerting);
  // Where queries are counted; lives as long as this.
  QueryCounters* query_counters();
  // Counts a finished request.
  void Observe(const RequestRecord& record);
  // Everything, as text.
  std::string Render() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace varve
