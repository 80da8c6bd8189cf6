#include "http/metrics.h"

#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <time.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

#include "http/alerting_metrics.h"
#include "http/http_server.h"
#include "http/limits_api.h"
#include "http/metric_families.h"
#include "http/prometheus_api.h"
#include "http/version.h"
#include "query/exec/result_cache.h"

namespace varve {
namespace {

void AddMetricStore(const MetricStoreStats& s, FamilyList* out) {
  out->Gauge("varve_metric_series", "Series of metrics known.", s.series);
  out->Gauge("varve_metric_series_table_bytes", "Bytes of their labels and index in memory.", s.series_table_bytes);
  out->Gauge("varve_metric_head_series", "Series with samples in memory.", s.head_series);
  out->Gauge("varve_metric_head_samples", "Samples in memory.", s.head_samples);
  out->Gauge("varve_metric_head_bytes", "Bytes they take.", s.head_bytes);
  out->Counter("varve_metric_appended_samples_total",
               "Samples taken by the store; those that were there already, too.", s.appended_samples);
  out->Counter("varve_metric_appended_histograms_total", "Native histograms taken by the store, likewise.",
               s.appended_histograms);
  out->Counter("varve_metric_appended_exemplars_total", "Exemplars that were new.", s.appended_exemplars);
  out->Counter("varve_metric_out_of_order_samples_total",
               "Samples taken that were not the newest of their series.", s.out_of_order_samples);
  out->Counter("varve_metric_conflicts_total", "Samples refused: another value is stored at their time.",
               s.refused_conflict);
  out->Counter("varve_metric_too_old_total", "Samples refused: past retention.", s.refused_too_old);
  out->Gauge("varve_metric_packs", "Packs of metrics on disk.", s.packs);
  out->Gauge("varve_metric_pack_bytes", "Bytes of their blocks.", s.pack_bytes);
  out->Gauge("varve_metric_pack_samples", "Samples in them.", s.pack_samples);
}

void AddEngine(const EngineStats& s, FamilyList* out) {
  out->Counter("varve_engine_appended_entries_total", "Log entries appended.", s.appended_entries);
  out->Counter("varve_engine_appended_line_bytes_total", "Bytes of lines appended.", s.appended_line_bytes);
  out->Counter("varve_engine_shed_appends_total", "Appends refused for want of memory or disk.",
               s.shed_appends);
  out->Counter("varve_journal_records_total", "Records written to the journal.", s.journal_records);
  out->Counter("varve_journal_record_bytes_total", "Bytes of records written to the journal.",
               s.journal_record_bytes);
  out->Gauge("varve_journal_live_bytes", "Bytes in the journal that packs do not cover yet.",
             s.journal_live_bytes);
  out->Counter("varve_journal_syncs_total", "Syncs of the journal to the disk.", s.journal_syncs);
  out->Gauge("varve_recovery_replayed_records", "Journal records replayed at start.", s.replayed_records);
  out->Gauge("varve_recovery_replayed_entries", "Entries replayed at start.", s.replayed_entries);
  out->Gauge("varve_recovery_seconds", "Time that recovery took at start.", s.recovery_seconds);
  out->Counter("varve_cuts_total", "Heads cut and encoded.", s.cuts);
  out->Counter("varve_cut_failures_total", "Cuts that failed and will be tried again.", s.cut_failures);
  out->Counter("varve_packs_written_total", "Packs written.", s.packs_written);
  out->Counter("varve_blocks_written_total", "Blocks written.", s.blocks_written);
  out->Counter("varve_encoded_line_bytes_total", "Bytes of lines that went into blocks.",
               s.encoded_line_bytes);
  out->Counter("varve_encoded_block_bytes_total", "Bytes of the blocks they became.", s.encoded_block_bytes);
  out->Counter("varve_duplicate_entries_dropped_total", "Exact duplicates dropped at cuts.",
               s.duplicate_entries_dropped);
  out->Gauge("varve_streams", "Streams known.", s.streams);
  out->Gauge("varve_head_entries", "Entries in memory.", s.head_entries);
  out->Gauge("varve_head_line_bytes", "Bytes of lines in memory.", s.head_line_bytes);
  out->Gauge("varve_packs", "Packs on disk.", s.packs);
  out->Gauge("varve_pack_bytes", "Bytes of packs on disk.", s.pack_bytes);
  out->Gauge("varve_pack_entries", "Entries in packs.", s.pack_entries);
  out->Counter("varve_packs_dropped_by_retention_total", "Packs dropped by retention.",
               s.packs_dropped_by_retention);
  out->Counter("varve_packs_dropped_by_size_total", "Packs dropped because they were too many bytes.",
               s.packs_dropped_by_size);
  out->Counter("varve_bytes_dropped_by_size_total", "Bytes of these packs.", s.bytes_dropped_by_size);
  out->Counter("varve_compactions_total", "Merges of packs committed.", s.compactions);
  out->Counter("varve_compaction_failures_total", "Merges that failed and will be tried again.",
               s.compaction_failures);
  out->Counter("varve_compaction_packs_in_total", "Packs merged into others.", s.compaction_packs_in);
  out->Counter("varve_compaction_bytes_in_total", "Bytes of blocks that compaction read.",
               s.compaction_bytes_in);
  out->Counter("varve_compaction_bytes_out_total", "Bytes of blocks that compaction wrote.",
               s.compaction_bytes_out);
  out->Counter("varve_compaction_blocks_copied_total", "Blocks that compaction copied as they were.",
               s.compaction_blocks_copied);
  out->Counter("varve_compaction_blocks_decoded_total", "Blocks that compaction decoded and wrote anew.",
               s.compaction_blocks_decoded);
  out->Counter("varve_compaction_entries_removed_total", "Entries removed: deleted, or past retention.",
               s.compaction_rows_removed);
  out->Counter("varve_compaction_duplicates_dropped_total", "Exact duplicates that compaction dropped.",
               s.compaction_duplicates_dropped);
  out->Gauge("varve_delete_requests", "Delete requests that hide entries.", s.delete_requests);
  out->Counter("varve_block_cache_hits_total", "Blocks found in the cache.", s.block_cache_hits);
  out->Counter("varve_block_cache_misses_total", "Blocks read and decoded.", s.block_cache_misses);
  out->Gauge("varve_block_cache_bytes", "Bytes in the block cache.", s.block_cache_bytes);
  AddMetricStore(s.metrics, out);
  out->Gauge("varve_disk_used_fraction", "Used share of the data directory's file system.",
             s.disk_used_fraction);
  out->Gauge("varve_accepting_writes", "1 while pushes are taken.", s.accepting_writes ? 1.0 : 0.0);
  for (const auto& b : s.budgets) {
    out->Gauge("varve_memory_budget_limit_bytes", "Limit of a memory budget.",
               static_cast<double>(b.limit_bytes), {{"budget", b.name}});
  }
  for (const auto& b : s.budgets) {
    out->Gauge("varve_memory_budget_used_bytes", "Reserved of a memory budget.",
               static_cast<double>(b.used_bytes), {{"budget", b.name}});
  }
  for (const auto& b : s.budgets) {
    out->Gauge("varve_memory_budget_peak_bytes", "Most ever reserved of a memory budget.",
               static_cast<double>(b.peak_bytes), {{"budget", b.name}});
  }
  out->Gauge("loki_ingester_memory_streams", "Streams known (Loki's name).", s.streams);
}

void AddIngest(const IngestStats& s, const LabelList& tenant, FamilyList* out) {
  out->Counter("varve_ingest_requests_total", "Push requests decoded or refused.", s.requests);
  out->Counter("varve_ingest_wire_bytes_total", "Bytes of push bodies as received.", s.wire_bytes);
  out->Counter("varve_ingest_decoded_bytes_total", "Bytes of push bodies after content encodings.",
               s.decoded_bytes);
  out->Counter("varve_ingest_entries_received_total", "Entries received.", s.entries_received);
  out->Counter("varve_ingest_line_bytes_received_total", "Bytes of lines received.", s.line_bytes_received);
  out->Counter("varve_ingest_metadata_bytes_received_total", "Bytes of structured metadata received.",
               s.metadata_bytes_received);
  out->Counter("loki_distributor_bytes_received_total", "Bytes of lines and metadata received (Loki's name).",
               s.line_bytes_received + s.metadata_bytes_received, tenant);
  out->Counter("loki_distributor_lines_received_total", "Entries received (Loki's name).", s.entries_received,
               tenant);
  const auto by_reason = [&](size_t i) {
    LabelList labels = tenant;
    labels.emplace_back("reason", DiscardReasonName(static_cast<DiscardReason>(i)));
    return labels;
  };
  for (size_t i = 0; i < s.discarded_entries.size(); ++i) {
    out->Counter("loki_discarded_samples_total", "Entries rejected, by reason.", s.discarded_entries[i],
                 by_reason(i));
  }
  LabelList truncated = tenant;
  truncated.emplace_back("reason", DiscardReasonName(DiscardReason::kLineTooLong));
  out->Counter("loki_mutated_samples_total", "Entries changed to keep a limit, by reason (Loki's name).",
               s.truncated_entries, truncated);
  out->Counter("loki_mutated_bytes_total", "Bytes they lost, by reason (Loki's name).", s.truncated_bytes,
               truncated);
  out->Counter("varve_masked_entries_total", "Lines that limits.mask changed.", s.masked.entries);
  out->Counter("varve_masked_metadata_values_total", "Values of structured metadata that limits.mask changed.",
               s.masked.values);
  out->Counter("varve_mask_replacements_total", "Replacements that limits.mask made.", s.masked.replacements);
  for (size_t i = 0; i < s.discarded_bytes.size(); ++i) {
    out->Counter("loki_discarded_bytes_total", "Bytes of rejected entries, by reason.", s.discarded_bytes[i],
                 by_reason(i));
  }
}

void AddMetricIngest(const MetricIngestStats& s, FamilyList* out) {
  out->Counter("varve_metric_requests_total", "Requests with metrics decoded or refused.", s.requests);
  out->Counter("varve_metric_wire_bytes_total", "Bytes of bodies with metrics as received.", s.wire_bytes);
  out->Counter("varve_metric_decoded_bytes_total", "Bytes of these bodies decompressed.", s.decoded_bytes);
  out->Counter("varve_metric_samples_received_total", "Samples received.", s.samples_received);
  out->Counter("varve_metric_histograms_received_total", "Native histograms received.", s.histograms_received);
  out->Counter("varve_metric_exemplars_received_total", "Exemplars received.", s.exemplars_received);
  out->Counter("varve_metric_samples_written_total", "Samples taken; those that were there already, too.",
               s.samples_written);
  out->Counter("varve_metric_histograms_written_total", "Native histograms taken.", s.histograms_written);
  out->Counter("varve_metric_exemplars_written_total", "Exemplars taken.", s.exemplars_written);
  out->Gauge("varve_metric_series_aliases", "Spellings of series known by their hash.",
             static_cast<double>(s.series_aliases));
  out->Gauge("varve_metric_series_alias_bytes", "Bytes of the table of them.",
             static_cast<double>(s.series_alias_bytes));
  for (size_t i = 0; i < s.discarded.size(); ++i) {
    out->Counter("varve_metric_discarded_total", "Samples, exemplars and metadata refused, by reason.", s.discarded[i],
                 {{"reason", std::string(MetricDiscardReasonName(static_cast<MetricDiscardReason>(i)))}});
  }
}

void AddLimits(const LimitsSource::Stats& s, FamilyList* out) {
  out->Counter("varve_limits_reloads_total", "Times that limits were read again.", s.reloads_succeeded,
               {{"result", "success"}});
  out->Counter("varve_limits_reloads_total", "Times that limits were read again.", s.reloads_failed,
               {{"result", "failure"}});
  out->Gauge("loki_runtime_config_last_reload_successful",
             "Whether the latest reload succeeded (Loki's name).", s.last_succeeded ? 1.0 : 0.0);
  out->Gauge("varve_limits_last_reload_success_timestamp_seconds",
             "When limits were last read without error.", static_cast<double>(s.last_success_ns) * 1e-9);
  out->Gauge("varve_limits_tenants_overridden", "Tenants with limits of their own.",
             static_cast<double>(s.tenants_overridden));
  out->Gauge("varve_limits_values_overridden", "Limits that differ for some tenant from those for all.",
             static_cast<double>(s.values_overridden));
}

void AddServer(const Server& server, FamilyList* out) {
  const ServerCounters& c = server.counters();
  const auto counter = [&](const char* name, const char* help, const std::atomic<uint64_t>& value) {
    out->Counter(name, help, value.load(std::memory_order_relaxed));
  };
  counter("varve_http_connections_accepted_total", "Connections accepted.", c.connections_accepted);
  counter("varve_http_connections_refused_total", "Connections closed on arrival: too many.",
          c.connections_refused);
  counter("varve_http_malformed_requests_total", "Requests that are not HTTP.", c.malformed_requests);
  counter("varve_http_oversized_headers_total", "Requests with too large a header.", c.oversized_headers);
  counter("varve_http_oversized_bodies_total", "Requests with too large a body.", c.oversized_bodies);
  counter("varve_http_shed_pushes_total", "Pushes refused: queue full or no memory.", c.shed_pushes);
  counter("varve_http_shed_queries_total", "Queries refused: queue full.", c.shed_queries);
  counter("varve_http_client_disconnects_total", "Clients that went away while a query ran.",
          c.client_disconnects);
  counter("varve_http_handler_exceptions_total", "Handlers that threw.", c.handler_exceptions);
  constexpr const char* kTimeouts = "varve_http_timeouts_total";
  constexpr const char* kTimeoutsHelp = "Connections closed because a step took too long.";
  out->Counter(kTimeouts, kTimeoutsHelp, c.timeouts_header.load(std::memory_order_relaxed),
               {{"step", "header"}});
  out->Counter(kTimeouts, kTimeoutsHelp, c.timeouts_body.load(std::memory_order_relaxed), {{"step", "body"}});
  out->Counter(kTimeouts, kTimeoutsHelp, c.timeouts_write.load(std::memory_order_relaxed),
               {{"step", "write"}});
  out->Gauge("varve_http_connections_open", "Open connections.",
             static_cast<double>(c.connections_open.load(std::memory_order_relaxed)));
  counter("varve_http_web_sockets_stalled_total", "WebSockets cut because their client did not read.",
          c.web_sockets_stalled);
  out->Gauge("varve_http_web_sockets_open", "Open WebSockets.",
             static_cast<double>(c.web_sockets_open.load(std::memory_order_relaxed)));
  out->Gauge("varve_http_requests_running", "Requests being handled or waiting for a worker.",
             static_cast<double>(c.requests_running.load(std::memory_order_relaxed)));
  constexpr const char* kQueued = "varve_http_requests_queued";
  constexpr const char* kQueuedHelp = "Requests waiting for a worker.";
  out->Gauge(kQueued, kQueuedHelp, static_cast<double>(server.queued_pushes()), {{"pool", "push"}});
  out->Gauge(kQueued, kQueuedHelp, static_cast<double>(server.queued_queries()), {{"pool", "query"}});
}

void AddQueries(const QueryCounters& c, FamilyList* out) {
  const auto counter = [&](const char* name, const char* help, const std::atomic<uint64_t>& value) {
    out->Counter(name, help, value.load(std::memory_order_relaxed));
  };
  counter("varve_query_finished_total", "Queries that gave an answer.", c.finished);
  counter("varve_query_failed_total", "Queries that failed while they ran.", c.failed);
  counter("varve_query_lines_processed_total", "Lines that filters or counting looked at.", c.lines);
  counter("varve_query_line_bytes_processed_total", "Bytes of these lines.", c.line_bytes);
  counter("varve_query_metadata_bytes_processed_total", "Bytes of their structured metadata.",
          c.metadata_bytes);
  counter("varve_query_disk_bytes_read_total", "Bytes of blocks read for queries.", c.disk_bytes);
  counter("varve_query_sources_considered_total", "Blocks and pieces of heads that queries touched.",
          c.sources);
  counter("varve_query_sources_loaded_total", "Those of them whose columns were needed.", c.sources_loaded);
  counter("varve_query_entries_returned_total", "Entries returned by log queries.", c.entries_returned);
}

void AddResultCache(const ResultCache& cache, FamilyList* out) {
  const ResultCache::Counters& c = cache.counters();
  const auto counter = [&](const char* name, const char* help, const std::atomic<uint64_t>& value) {
    out->Counter(name, help, value.load(std::memory_order_relaxed));
  };
  counter("varve_result_cache_hits_total", "Parts of range queries found in the result cache.", c.hits);
  counter("varve_result_cache_misses_total", "Parts that were not there, or stale.", c.misses);
  counter("varve_result_cache_stale_total", "Parts that were there, but whose data had changed.", c.stale);
  counter("varve_result_cache_stored_total", "Parts kept.", c.stored);
  counter("varve_result_cache_evicted_total", "Parts that made room for others.", c.evicted);
  out->Gauge("varve_result_cache_bytes", "Bytes in the result cache.",
             static_cast<double>(cache.used_bytes()));
  out->Gauge("varve_result_cache_limit_bytes", "Most that it may hold.",
             static_cast<double>(cache.limit_bytes()));
}

void AddTails(const TailHub& tails, FamilyList* out) {
  const TailCounters& c = tails.counters();
  const auto counter = [&](const char* name, const char* help, const std::atomic<uint64_t>& value) {
    out->Counter(name, help, value.load(std::memory_order_relaxed));
  };
  const auto open = static_cast<double>(c.open.load(std::memory_order_relaxed));
  out->Gauge("varve_tails_open", "Live tails.", open);
  out->Gauge("loki_querier_tail_active", "Live tails (Loki's name).", open);
  counter("varve_tails_opened_total", "Live tails opened.", c.opened);
  counter("varve_tails_refused_total", "Live tails refused: too many of the tenant.", c.refused);
  counter("varve_tail_entries_sent_total", "Entries sent to live tails.", c.entries_sent);
  counter("varve_tail_entries_dropped_total", "Entries that live tails could not show.", c.entries_dropped);
  counter("varve_tail_slow_clients_closed_total", "Live tails cut because their client did not read.",
          c.slow_clients_closed);
  out->Gauge("varve_tail_memory_limit_bytes", "Memory that live tails may take.",
             static_cast<double>(tails.budget()->limit_bytes()));
  out->Gauge("varve_tail_memory_used_bytes", "Memory that live tails take.",
             static_cast<double>(tails.budget()->used_bytes()));
}

void AddPrometheus(const PrometheusApi& prometheus, const ActiveQueries& active, FamilyList* out) {
  const PromqlCounters& c = prometheus.counters();
  const auto counter = [&](const char* name, const char* help, const std::atomic<uint64_t>& value) {
    out->Counter(name, help, value.load(std::memory_order_relaxed));
  };
  counter("varve_promql_finished_total", "PromQL queries that gave an answer.", c.finished);
  counter("varve_promql_refused_total", "PromQL queries that are none, or have wrong parameters.", c.refused);
  counter("varve_promql_failed_total", "PromQL queries that failed while they ran.", c.failed);
  counter("varve_promql_timed_out_total", "Those of them that took too long.", c.timed_out);
  counter("varve_promql_cancelled_total", "Those of them that were told to end.", c.cancelled);
  counter("varve_promql_samples_total", "Samples that PromQL queries looked at.", c.samples);
  counter("varve_promql_series_returned_total", "Series in their answers.", c.series_returned);
  out->Gauge("varve_promql_waiting", "PromQL queries that wait for others to end.",
             static_cast<double>(prometheus.gate().waiting()));
  counter("varve_remote_reads_total", "Remote reads.", c.remote_reads);
  counter("varve_remote_read_samples_total", "Samples that remote reads returned.", c.remote_read_samples);
  counter("varve_federated_samples_total", "Samples that /federate returned.", c.federated_samples);
  counter("varve_series_deletes_total", "Calls of delete_series.", c.deleted_series_requests);
  out->Gauge("varve_active_queries", "Queries that run or wait, of both languages.",
             static_cast<double>(active.running()));
  out->Counter("varve_active_queries_cancelled_total", "Queries ended by somebody's request.",
               active.cancelled());
}

// What Prometheus's client libraries export of every process.
void AddProcess(FamilyList* out) {
  timespec cpu{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
  out->Counter("process_cpu_seconds_total", "CPU time of this process.",
               static_cast<double>(cpu.tv_sec) + static_cast<double>(cpu.tv_nsec) * 1e-9);
  uint64_t total_pages = 0, resident_pages = 0;
  std::ifstream("/proc/self/statm") >> total_pages >> resident_pages;
  out->Gauge("process_resident_memory_bytes", "Memory of this process.",
             resident_pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)));
}

}  // namespace

struct Metrics::Impl {
  const Engine* engine = nullptr;
  const TailHub* tails = nullptr;
  const WritePath* writes = nullptr;
  const Server* server = nullptr;
  const ResultCache* result_cache = nullptr;
  const LimitsSource* limits = nullptr;
  const PrometheusApi* prometheus = nullptr;
  const ActiveQueries* active = nullptr;
  AlertingParts alerting;
  QueryCounters queries;
  LabelList tenant;
  prometheus::Registry registry;
  prometheus::Family<prometheus::Histogram>* request_seconds = nullptr;
};

Metrics::Metrics(const Engine* engine, const WritePath* writes, std::string tenant)
    : impl_(std::make_unique<Impl>()) {
  impl_->engine = engine;
  impl_->writes = writes;
  if (!tenant.empty()) impl_->tenant.emplace_back("tenant", std::move(tenant));
  impl_->request_seconds = &prometheus::BuildHistogram()
                                .Name("loki_request_duration_seconds")
                                .Help("Time to answer a request, by route (Loki's name and labels).")
                                .Register(impl_->registry);
}

Metrics::~Metrics() = default;

void Metrics::WatchServer(const Server* server) { impl_->server = server; }

void Metrics::WatchResultCache(const ResultCache* cache) { impl_->result_cache = cache; }

void Metrics::WatchTails(const TailHub* tails) { impl_->tails = tails; }
void Metrics::WatchLimits(const LimitsSource* limits) { impl_->limits = limits; }

void Metrics::WatchPrometheus(const PrometheusApi* prometheus, const ActiveQueries* active) {
  impl_->prometheus = prometheus;
  impl_->active = active;
}

void Metrics::WatchAlerting(const AlertingParts& alerting) { impl_->alerting = alerting; }

QueryCounters* Metrics::query_counters() { return &impl_->queries; }

void Metrics::Observe(const RequestRecord& record) {
  static const prometheus::Histogram::BucketBoundaries kBuckets = {.005, .01, .025, .05, .1, .25, .5,
                                                                   1,    2.5, 5,    10,  25, 50,  100};
  // What no route matched shares one label value: paths are the client's choice and would never end.
  const bool known = record.route != nullptr;
  impl_->request_seconds
      ->Add({{"method", known ? record.request->method : "other"},
             {"route", known ? record.route->name : "other"},
             {"status_code", std::to_string(record.status)},
             {"ws", "false"}},
            kBuckets)
      .Observe(record.seconds);
}

std::string Metrics::Render() const {
  std::vector<prometheus::MetricFamily> families = impl_->registry.Collect();
  FamilyList list(&families);
  list.Gauge("varve_build_info", "What is running.", 1.0, {{"version", std::string(kVarveVersion)}});
  list.Gauge(
      "loki_build_info", "The version of Loki whose API this is (Loki's name).", 1.0,
      {{"version", std::string(kLokiApiVersion)}, {"revision", "varve-" + std::string(kVarveVersion)}});
  AddEngine(impl_->engine->Stats(), &list);
  AddIngest(impl_->writes->Stats(), impl_->tenant, &list);
  AddMetricIngest(impl_->writes->metrics()->Stats(), &list);
  AddQueries(impl_->queries, &list);
  if (impl_->result_cache != nullptr) AddResultCache(*impl_->result_cache, &list);
  if (impl_->limits != nullptr) AddLimits(impl_->limits->stats(), &list);
  if (impl_->server != nullptr) AddServer(*impl_->server, &list);
  if (impl_->tails != nullptr) AddTails(*impl_->tails, &list);
  if (impl_->prometheus != nullptr) AddPrometheus(*impl_->prometheus, *impl_->active, &list);
  AddAlerting(impl_->alerting, &list);
  AddProcess(&list);
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, families);
  return out.str();
}

}  // namespace varve
