// One table, Settings(), names every key and points at its place in a Config; reading (config_file.cc), printing and the
// list of keys all walk it.
#include "tools/config.h"

#include "tools/config_settings.h"

namespace varve {
namespace {

void AddServerSettings(Config* c, std::vector<Setting>* out) {
  HttpOptions& http = c->http;
  out->insert(
      out->end(),
      {
          {"auth_enabled", Flag{&http.auth_enabled},
           "tenants by the X-Scope-OrgID header, which must then be there (`--multi-tenant`)"},
          {"querier.multi_tenant_queries_enabled", Flag{&http.multi_tenant_queries},
           "reads may name several tenants in X-Scope-OrgID"},
          {"server.http_listen_address", Text{&http.listen_address},
           "numeric address to listen on (`--listen`)"},
          {"server.http_listen_port", Port{&http.listen_port}, "0 takes any free port (`--listen`)"},
          {"server.log_level", Choice{&c->log_level, {"debug", "info", "warn", "error"}}, "`--log-level`"},
          {"server.log_format", Choice{&c->log_format, {"logfmt", "json"}}, "`--log-format`"},
          {"server.log_requests", Flag{&http.log_requests}, "write a line for each request"},
          {"server.http_server_read_timeout", DurationMs{&http.body_timeout_ms},
           "without a byte of a request's body arriving"},
          {"server.http_server_read_header_timeout", DurationMs{&http.header_timeout_ms},
           "from a request's first byte to the end of its header"},
          {"server.http_server_write_timeout", DurationMs{&http.write_timeout_ms},
           "without a byte of the answer being taken"},
          {"server.http_server_idle_timeout", DurationMs{&http.idle_timeout_ms},
           "between the requests of a connection"},
          {"server.graceful_shutdown_timeout", DurationMs{&http.stop_timeout_ms},
           "SIGTERM waits this long for running requests, then cancels them"},
          {"server.http_listen_conn_limit", CountSize{&http.connections_max},
           "connections; more are closed on arrival"},
          {"querier.tail_max_duration", DurationMs{&http.tail.duration_max_ms}, "then a live tail is closed"},
          {"querier.tail_memory", Bytes{&http.tail.memory_bytes}, "of all live tails together"},
          {"querier.tail_backlog_max", Bytes{&http.tail.backlog_bytes_max},
           "of what waits for the client of one live tail; more is dropped"},
          {"querier.tail_slow_client_timeout", DurationMs{&http.tail.slow_client_timeout_ms},
           "a live tail whose client takes nothing for so long is cut"},
          {"server.header_bytes_max", BytesSize{&http.header_bytes_max}, "of a request's header"},
          {"server.form_bytes_max", BytesSize{&http.form_bytes_max}, "of any request body but a push's"},
          {"server.io_threads", Count{&http.io_threads}, "0: 1 per 4 cores, 1 to 4"},
          {"server.push_threads", Count{&http.push_threads}, "0: one per core, at least 2"},
          {"server.query_threads", Count{&http.query_threads},
           "requests answered at a time; 0: eight per core, 16 to 64"},
          {"server.push_queue_max", CountSize{&http.push_queue_max}, "waiting pushes; beyond it 503"},
          {"server.query_queue_max", CountSize{&http.query_queue_max}, "waiting queries; beyond it 429"},
          {"frontend.compress_responses", Flag{&http.compress_responses},
           "gzip, when the client asks for it"},
          {"querier.per_request_limits_enabled", Flag{&http.per_request_limits_enabled},
           "the header X-Loki-Query-Limits may tighten a query's limits"},
          {"runtime_config.file", Text{&c->runtime_config_file},
           "a YAML file with `overrides: {tenant: {limit: value}}`; read again on SIGHUP and `POST "
           "/-/reload`"},
      });
}

void AddStorageSettings(Config* c, std::vector<Setting>* out) {
  EngineOptions& engine = c->engine;
  out->insert(
      out->end(),
      {
          {"memory.budget", Bytes{&engine.memory_budget_bytes},
           "shared by journal, heads, caches and queries; 0: a quarter of the machine, at most 4 GB"},
          {"storage.data_dir", Text{&engine.data_dir}, "`--data-dir`"},
          {"storage.durability", DurabilityChoice{&engine.durability},
           "`process`: an acknowledged push survives kill -9; `disk`: also a power cut (`--durability`)"},
          {"storage.sync_interval", DurationMs{&engine.sync_interval_ms},
           "what a power cut can take with durability `process`"},
          {"storage.shard_count", Count{&engine.shard_count},
           "lock domains; fixed when a data directory is created; 0: 4 per core, at least 8"},
          {"storage.encode_threads", Count{&engine.encode_threads}, "0: half the cores, at least 1"},
          {"storage.query_threads", Count{&engine.query_threads}, "scan blocks for queries; 0: one per core"},
          {"storage.cut_bytes", Bytes{&engine.cut_bytes},
           "of lines in a shard's head; 0: from the memory budget"},
          {"storage.cut_age", DurationMs{&engine.cut_age_ms}, "the longest a line waits in a head"},
          {"storage.metric_shard_count", Count{&engine.metric_shard_count},
           "lock domains of metrics; fixed when a data directory is created; 0: 4"},
          {"storage.metric_cut_bytes", Bytes{&engine.metric_cut_bytes},
           "of samples in a metric shard's head; 0: from the memory budget"},
          {"storage.metric_cut_age", DurationMs{&engine.metric_cut_age_ms}, "the longest a sample waits in a head"},
          {"storage.exemplars_max", Count{&engine.exemplars_max},
           "exemplars kept, of all tenants; the oldest give way; 0: none are"},
          {"storage.metadata_max", Count{&engine.metadata_max},
           "metrics of a tenant of which metadata are kept; what comes beyond is left out"},
          {"storage.journal_bytes_max", Bytes{&engine.journal_bytes_max},
           "of journalled bodies before cuts are forced; 0: from the memory budget"},
          {"storage.append_wait_max", DurationMs{&engine.append_wait_ms_max},
           "a push waits this long for room in the heads, then 429 or 503"},
          {"storage.block_bytes", Bytes32{&engine.block_bytes}, "of lines in a block"},
          {"storage.block_rows", Count{&engine.block_rows}, "entries in a block"},
          {"storage.retention_check_interval", DurationMs{&engine.retention_check_interval_ms},
           "how often expired data is dropped"},
          {"storage.retention_size", Bytes{&engine.retention_size_bytes},
           "of packs; beyond it the oldest buckets are dropped; 0: no limit"},
          {"storage.retention_disk_fraction", Real{&engine.retention_disk_fraction},
           "of the file system in use; beyond it the oldest buckets are dropped; 0: no limit"},
          {"storage.disk_full_fraction", Real{&engine.disk_full_fraction},
           "pushes are refused (507) when the file system is fuller than this"},
          {"compactor.enabled", Flag{&engine.compaction_enabled},
           "merge packs and remove deleted lines by itself; `POST /compact` does it in any case"},
          {"compactor.compaction_interval", DurationMs{&engine.compaction_interval_ms},
           "between two looks for packs to merge"},
          {"compactor.bytes_per_second", Bytes{&engine.compaction_bytes_per_second},
           "of blocks that compaction reads and writes; 0: no limit"},
          {"compactor.delete_request_cancel_period", DurationNs{&engine.delete_cancel_period_ns},
           "how long a delete request can be cancelled before its lines leave the disk; they are hidden at once"},
          {"compactor.delete_max_interval", DurationNs{&c->http.delete_max_interval_ns},
           "the most a delete request's `max_interval` may ask for; 0s: anything"},
          {"compactor.delete_requests_max", Count{&engine.delete_requests_max},
           "delete requests that hide lines, of all tenants; beyond it 429"},
          {"limits.retention_period", DurationNs{&engine.retention_ns},
           "older data is dropped and refused; 0s keeps everything"},
          {"limits.retention_stream", RetentionStreams{&c->retention_streams},
           "periods of single streams: maps of `selector`, `priority`, `period`"},
      });
}

void AddIngestSettings(Config* c, std::vector<Setting>* out) {
  IngestLimits& in = c->ingest;
  out->insert(
      out->end(),
      {
          {"limits.discover_service_name", TextList{&in.discover_service_name},
           "labels that `service_name` is taken from; [] turns it off"},
          {"limits.discover_log_levels", Flag{&in.discover_log_levels}, "add `detected_level`"},
          {"limits.log_level_fields", TextList{&in.log_level_fields}, "where `detected_level` is looked for"},
          {"limits.log_level_from_json_max_depth", Count{&in.log_level_from_json_max_depth},
           "of JSON lines searched for a level"},
          {"limits.otlp_config", OtlpSettings{&in.otlp_config},
           "what becomes of the attributes of OTLP logs: docs/http_api.md, \"OTLP\""},
          {"limits.reject_old_samples", Flag{&in.reject_old_samples}, "refuse old lines"},
          {"limits.reject_old_samples_max_age", DurationMs{&in.reject_old_samples_max_age_ms}, "how old"},
          {"limits.creation_grace_period", DurationMs{&in.creation_grace_period_ms},
           "how far in the future a line or a sample may be"},
          {"limits.max_line_size", Bytes{&in.max_line_size}, "0: no limit of its own"},
          {"limits.max_line_size_truncate", Flag{&in.max_line_size_truncate},
           "cut longer lines instead of refusing them"},
          {"limits.max_line_size_truncate_identifier", Text{&in.max_line_size_truncate_identifier},
           "what a line that was cut ends with"},
          {"limits.max_label_names_per_series", Count{&in.max_label_names_per_series}, "labels of a stream"},
          {"limits.max_label_name_length", Count{&in.max_label_name_length}, "bytes"},
          {"limits.max_label_value_length", Count{&in.max_label_value_length}, "bytes"},
          {"limits.allow_structured_metadata", Flag{&in.allow_structured_metadata},
           "take structured metadata"},
          {"limits.max_structured_metadata_size", Bytes{&in.max_structured_metadata_size}, "of a line"},
          {"limits.max_structured_metadata_entries_count", Count{&in.max_structured_metadata_entries_count},
           "of a line"},
          {"limits.ingestion_rate_mb", Real{&in.ingestion_rate_mb}, "MB/s of a tenant; 0: no limit"},
          {"limits.ingestion_burst_size_mb", Real{&in.ingestion_burst_size_mb}, "MB"},
          {"limits.per_stream_rate_limit", Real{&in.per_stream_rate_limit_mb},
           "MB/s of a stream; 0: no limit"},
          {"limits.per_stream_rate_limit_burst", Real{&in.per_stream_rate_limit_burst_mb}, "MB"},
          {"limits.max_global_streams_per_user", Count{&in.max_global_streams_per_user},
           "streams of a tenant; 0: no limit"},
          {"limits.enforced_labels", TextList{&in.enforced_labels}, "labels every stream must have"},
          {"limits.block_ingestion_until", InstantNs{&in.block_ingestion_until_ns},
           "pushes are refused until then (RFC 3339)"},
          {"limits.block_ingestion_status_code", Count{&in.block_ingestion_status_code},
           "… with this status; 200: dropped silently, answered 204"},
          {"limits.increment_duplicate_timestamp", Flag{&in.increment_duplicate_timestamp},
           "different lines of one time stamp in a push get a nanosecond more each"},
          {"limits.mask", Masks{&in.mask},
           "maps of `regex` and `replacement`: what lines and structured metadata hide before anything is written"},
          {"limits.max_recv_msg_size", Bytes{&in.max_recv_msg_size}, "of a push on the wire"},
          {"limits.max_decompressed_size", Bytes{&in.max_decompressed_size}, "of a push after decompression"},
          {"limits.max_label_names_per_metric_series", Count{&in.max_label_names_per_metric_series},
           "labels of a series of metrics"},
          {"limits.max_metric_label_value_length", Bytes32{&in.max_metric_label_value_length},
           "of a label of a series of metrics"},
          {"limits.max_global_series_per_user", CountSize{&in.max_global_series_per_user},
           "active series of a tenant; 0: no limit"},
          {"limits.max_samples_per_metrics_request", CountSize{&in.max_samples_per_metrics_request},
           "samples and histograms in a request; 0: as many as it has room for"},
          {"limits.max_metric_metadata_length", Bytes32{&in.max_metric_metadata_length},
           "of a metric's name, help and unit together"},
          {"limits.ingestion_rate_samples", Real{&in.ingestion_rate_samples},
           "samples/s of a tenant; 0: no limit"},
          {"limits.ingestion_burst_size_samples", Real{&in.ingestion_burst_size_samples},
           "samples; 0: one and a half times the rate"},
          {"limits.max_metrics_decompressed_size", Bytes{&in.max_metrics_decompressed_size},
           "of a remote write or OTLP metrics request after decompression"},
      });
}

void AddOtlpSettings(Config* c, std::vector<Setting>* out) {
  OtlpMetricsConfig& otlp = c->ingest.otlp_metrics;
  out->insert(
      out->end(),
      {
          {"otlp.promote_resource_attributes", TextList{&otlp.promote_resource_attributes},
           "resource attributes that become labels of every series of OTLP metrics"},
          {"otlp.promote_all_resource_attributes", Flag{&otlp.promote_all_resource_attributes}, "all of them"},
          {"otlp.ignore_resource_attributes", TextList{&otlp.ignore_resource_attributes}, "but these"},
          {"otlp.translation_strategy",
           Choice{&otlp.translation_strategy, {std::begin(kOtlpTranslationNames), std::end(kOtlpTranslationNames)}},
           "what becomes of names: docs/prometheus_api.md, \"OTLP\""},
          {"otlp.keep_identifying_resource_attributes", Flag{&otlp.keep_identifying_resource_attributes},
           "`target_info` also has service.name, service.namespace and service.instance.id"},
          {"otlp.convert_histograms_to_nhcb", Flag{&otlp.convert_histograms_to_nhcb},
           "histograms become native ones with custom buckets, not series by `le`"},
          {"otlp.promote_scope_metadata", Flag{&otlp.promote_scope_metadata},
           "labels `otel_scope_name`, `otel_scope_version`, `otel_scope_…`"},
          {"otlp.label_name_underscore_sanitization", Flag{&otlp.label_name_underscore_sanitization},
           "label names that begin with one underscore get `key` in front"},
          {"otlp.label_name_preserve_multiple_underscores", Flag{&otlp.label_name_preserve_multiple_underscores},
           "runs of underscores in label names stay as they are"},
      });
}

void AddQuerySettings(Config* c, std::vector<Setting>* out) {
  QueryLimits& query = c->query;
  out->insert(
      out->end(),
      {
          {"limits.max_query_length", DurationNs{&query.max_query_length_ns},
           "end minus start; 0s: no limit"},
          {"limits.max_query_lookback", DurationNs{&query.max_query_lookback_ns},
           "how far back a query may reach; 0s: no limit"},
          {"limits.max_query_range", DurationNs{&query.max_query_range_ns},
           "of a range such as [5m]; 0s: no limit"},
          {"limits.max_entries_limit_per_query", Count{&query.max_entries_limit_per_query},
           "lines; 0: no limit"},
          {"limits.max_query_series", Count{&query.max_query_series}, "series in an answer"},
          {"limits.max_streams_matchers_per_query", Count{&query.max_streams_matchers_per_query},
           "of one query"},
          {"limits.max_points_per_series", Count{&query.max_points_per_series}, "(end - start) / step"},
          {"limits.max_query_bytes_read", Bytes{&query.max_query_bytes_read}, "0: no limit"},
          {"limits.max_query_memory", Bytes{&query.max_query_memory_bytes}, "of one query"},
          {"limits.max_concurrent_tail_requests", Count{&query.max_concurrent_tail_requests},
           "live tails of a tenant; 0: no limit"},
          {"limits.query_timeout", DurationMs{&query.query_timeout_ms}, "then 504"},
          {"limits.required_labels", TextList{&query.required_labels}, "labels every query must match on"},
          {"limits.minimum_labels_number", Count{&query.minimum_labels_number}, "matchers a query needs"},
          {"limits.cardinality_limit", Count{&query.cardinality_limit},
           "streams that a selector may select; 0: no limit"},
          {"limits.max_regex_size", Bytes32{&query.max_regex_size},
           "of the text of a regular expression; 0: no limit"},
          {"limits.blocked_queries", BlockedQueries{&query.blocked_queries},
           "queries that are refused: maps of `pattern`, `regex`, `types`, `hash`"},
          {"limits.volume_enabled", Flag{&query.volume_enabled}, "answer index/volume and volume_range"},
          {"limits.volume_max_series", Count{&query.volume_max_series}, "in their answers; 0: no limit"},
          {"limits.deletion_mode",
           Choice{&query.deletion_mode, {"disabled", "filter-only", "filter-and-delete"}},
           "what delete requests do"},
          {"limits.max_pattern_lines", Count{&query.max_pattern_lines},
           "lines patterns are counted in; beyond it every n-th block is, and scaled; 0: no limit"},
          {"limits.max_patterns", Count{&query.max_patterns}, "patterns in an answer"},
          {"limits.pattern_lines_min", Count{&query.pattern_lines_min}, "patterns with fewer lines are left out"},
          {"query_range.cache_results", Flag{&c->http.cache_results},
           "keep parts of the answers of metric range queries; late data makes them stale, exactly"},
          {"query_range.results_cache_bytes", Bytes{&c->http.results_cache_bytes},
           "of them, out of the queries' memory; 0: an eighth of it (1/32 of `memory.budget`)"},
      });
}

void AddPrometheusSettings(Config* c, std::vector<Setting>* out) {
  PrometheusOptions& prometheus = c->http.prometheus;
  promql::PromqlOptions& promql = prometheus.promql;
  out->insert(
      out->end(),
      {
          {"promql.lookback_delta", DurationMs{&promql.lookback_ms},
           "how far back an instant selector looks for a series' latest sample"},
          {"promql.default_step", DurationMs{&promql.default_step_ms},
           "of subqueries without a step of their own: Prometheus's global.evaluation_interval"},
          {"promql.timeout", DurationMs{&promql.timeout_ms}, "of a query, waiting included; then 503"},
          {"promql.max_samples", CountSize{&promql.samples_max},
           "that a query may hold in memory at once; then 422"},
          {"promql.max_points_per_series", CountSize{&promql.points_max}, "(end - start) / step"},
          {"promql.max_concurrency", Count{&prometheus.concurrency_max},
           "queries that run at once, of all tenants; others wait; 0: no limit"},
          {"promql.delayed_name_removal", Flag{&promql.delayed_name_removal},
           "functions drop the metric name at the end of the query rather than at once"},
          {"promql.use_start_timestamps", Flag{&promql.use_start_timestamps},
           "rate and its like take a counter's start timestamps into account"},
          {"promql.type_and_unit_labels", Flag{&promql.type_and_unit_labels},
           "`__type__` and `__unit__` are treated as parts of the metric name"},
          {"prometheus.enable_admin_api", Flag{&prometheus.admin_api_enabled},
           "answer /api/v1/admin/tsdb: whoever can reach the port can delete series"},
          {"prometheus.cors_origin", Text{&prometheus.cors_origin},
           "web origin whose pages may read the Prometheus API; `*`: any; empty: none"},
          {"prometheus.remote_read_sample_limit", CountSize{&prometheus.read_samples_max},
           "samples in an answer that is not streamed; 0: no limit"},
          {"prometheus.remote_read_concurrent_limit", Count{&prometheus.read_concurrency_max},
           "remote reads that run at once; others wait; 0: no limit"},
          {"prometheus.remote_read_max_bytes_in_frame", Bytes{&prometheus.read_frame_bytes},
           "of chunks in a streamed answer"},
      });
}

void AddRulerSettings(Config* c, std::vector<Setting>* out) {
  AlertingConfig& alerting = c->alerting;
  RulerOptions& ruler = alerting.ruler;
  out->insert(
      out->end(),
      {
          {"rule_files", TextList{&alerting.rule_files},
           "rule files, `*` and `?` in their names: docs/rules.md. Relative to the configuration file"},
          {"global.evaluation_interval", DurationMs{&ruler.evaluation_interval_ms},
           "of groups of rules that do not say one"},
          {"global.rule_query_offset", DurationMs{&ruler.query_offset_ms},
           "how far in the past rules are evaluated, where their group does not say it"},
          {"global.external_labels", TextMap{&ruler.external_labels},
           "labels that alerts get where rules do not set them, and templates see"},
          {"ruler.external_url", Text{&ruler.external_url},
           "where people reach this server: what links in alerts, notifications and reports begin with; empty: "
           "`http://<host name>:<port>`, as Prometheus has it"},
          {"ruler.rule_files_tenant", Text{&alerting.rule_files_tenant}, "whose rules `rule_files` are"},
          {"ruler.storage.local.directory", Text{&alerting.ruler_directory},
           "rule files of Loki's ruler, `<directory>/<tenant>/*.yaml`; empty: none"},
          {"ruler.alertmanager_url", Urls{&alerting.alertmanager_url},
           "Alertmanagers elsewhere, comma-separated; `alerting` says more of them"},
          {"ruler.notification_queue_capacity", Count{&alerting.external.queue_max},
           "alerts that wait for an Alertmanager elsewhere; the oldest give way"},
          {"ruler.resend_delay", DurationMs{&ruler.resend_delay_ms}, "between two sendings of a firing alert"},
          {"ruler.evaluation_threads", Count{&ruler.evaluation_threads}, "groups evaluated at a time; 0: one per core"},
          {"ruler.catch_up_max", DurationMs{&ruler.catch_up_max_ms},
           "how far back evaluations missed while the server was down are made up"},
          {"ruler.catch_up_delay", DurationMs{&ruler.catch_up_delay_ms},
           "after a start the first evaluation waits this long, at most as long as the server was down"},
          {"ruler.max_rules_per_rule_group", Count{&ruler.rules_per_group_max}, "of groups made by the API; 0: no limit"},
          {"ruler.max_rule_groups_per_tenant", Count{&ruler.groups_max}, "made by the API; 0: no limit"},
          {"ruler.max_alerts_per_rule", Count{&ruler.alerts_per_rule_max},
           "active ones; beyond it the rule fails. Of an alarm: its label sets. Of alerts that have ended the latest so "
           "many are kept"},
          {"alerting", Section{&alerting.alertmanagers, "{}"},
           "Alertmanagers elsewhere, as in a prometheus.yml: docs/notifications.md"},
      });
}

void AddNotifierSettings(Config* c, std::vector<Setting>* out) {
  AlertingConfig& alerting = c->alerting;
  NotifierOptions& notifier = alerting.notifier;
  out->insert(
      out->end(),
      {
          {"alertmanager.config_file", Text{&alerting.notify_config_file},
           "an alertmanager.yml for the built-in notifier: docs/notifications.md. Relative to the configuration file"},
          {"alertmanager.delivery_threads", Count{&notifier.delivery_threads}, "notifications delivered at a time"},
          {"alertmanager.alerts_max", Count{&notifier.alerts_max}, "alerts kept; more are refused"},
          {"alertmanager.silences_max", Count{&notifier.silences_max}, "silences of a tenant"},
          {"alertmanager.retention", DurationMs{&notifier.retention_ms},
           "of expired silences, and of what was notified"},
          {"alertmanager.backoff_max", DurationMs{&notifier.backoff_max_ms},
           "the longest pause between two attempts at a delivery"},
          {"reports", Section{&alerting.reports, "[]"}, "reports on a schedule: docs/reports.md"},
          {"report_files", TextList{&alerting.report_files},
           "files with more of them, `*` and `?` in their names. Relative to the configuration file"},
      });
}

}  // namespace

std::vector<Setting> Settings(Config* config) {
  std::vector<Setting> settings;
  AddServerSettings(config, &settings);
  AddStorageSettings(config, &settings);
  AddIngestSettings(config, &settings);
  AddQuerySettings(config, &settings);
  AddPrometheusSettings(config, &settings);
  AddOtlpSettings(config, &settings);
  AddRulerSettings(config, &settings);
  AddNotifierSettings(config, &settings);
  return settings;
}

Config::Config() : log_level("info"), log_format("logfmt") { engine.data_dir = "./varve-data"; }

std::vector<std::pair<std::string, std::string>> LimitValues(const Config& config) {
  Config copy = config;
  std::vector<std::pair<std::string, std::string>> values;
  for (const Setting& setting : Settings(&copy)) {
    if (!setting.key.starts_with(kLimitsSection)) continue;
    values.emplace_back(setting.key.substr(kLimitsSection.size()), PrintSlot(setting.slot));
  }
  return values;
}

void CopyLimits(const Config& from, Config* to) {
  to->ingest = from.ingest;
  to->query = from.query;
  to->engine.retention_ns = from.engine.retention_ns;
  to->retention_streams = from.retention_streams;
}

void CopyAlertingFiles(const Config& from, Config* to) {
  AlertingConfig copy = from.alerting;
  copy.ruler = to->alerting.ruler;
  copy.notifier = to->alerting.notifier;
  copy.external = to->alerting.external;
  to->alerting = std::move(copy);
}

std::vector<ConfigKey> ConfigKeys() {
  Config defaults;
  std::vector<ConfigKey> keys;
  for (const Setting& setting : Settings(&defaults)) {
    keys.push_back({std::string(setting.key), PrintSlot(setting.slot), std::string(setting.meaning)});
  }
  return keys;
}

}  // namespace varve
