// One table, Settings(), names every key and points at its place in a Config; reading, printing and the
// list of keys all walk it. yaml-cpp throws, so its one call stands behind LoadYaml.
#include "tools/config.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "tools/config_slots.h"

namespace varve {
namespace {

constexpr size_t kConfigBytesMax = 1 << 20;
constexpr std::string_view kLimitsSection = "limits.";

struct Setting {
  std::string_view key;
  Slot slot;
  std::string_view meaning;
};

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

// Every key, pointing into `config`; a section's keys stand together.
std::vector<Setting> Settings(Config* config) {
  std::vector<Setting> settings;
  AddServerSettings(config, &settings);
  AddStorageSettings(config, &settings);
  AddIngestSettings(config, &settings);
  AddQuerySettings(config, &settings);
  AddPrometheusSettings(config, &settings);
  AddOtlpSettings(config, &settings);
  return settings;
}

// ---- Whole documents ----------------------------------------------------------------------------

// The key that is meant, for the error about one that is not there: the known key with the smallest
// edit distance, when that is small.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

Status UnknownKey(std::string_view key, const std::vector<Setting>& settings) {
  constexpr size_t kComparedBytesMax = 200;
  std::string_view nearest;
  size_t smallest = 6;
  for (const Setting& setting : settings) {
    if (key.size() > kComparedBytesMax) break;
    if (setting.key.starts_with(std::string(key) + ".")) {  // a section, which is no mistyped key
      nearest = {};
      break;
    }
    const size_t distance = EditDistance(key, setting.key);
    if (distance < smallest) {
      smallest = distance;
      nearest = setting.key;
    }
  }
  if (nearest.empty()) return InvalidArgument(fmt::format("unknown key \"{}\"", key));
  return InvalidArgument(fmt::format("unknown key \"{}\"; did you mean \"{}\"?", key, nearest));
}

Status ApplyNode(std::string_view key, const YAML::Node& value, const std::vector<Setting>& settings) {
  for (const Setting& setting : settings) {
    if (setting.key != key) continue;
    Status status = ReadSlot(value, setting.slot);
    if (status.ok()) return status;
    return InvalidArgument(fmt::format("{}: {}", key, status.message()));
  }
  return UnknownKey(key, settings);
}

Result<YAML::Node> LoadYaml(const std::string& text, std::string_view name) {
  try {
    return YAML::Load(text);
  } catch (const YAML::Exception& e) {
    return InvalidArgument(fmt::format("{}:{}: not valid YAML: {}", name, e.mark.line + 1, e.msg));
  }
}

struct Occurrence {
  std::string key;
  YAML::Node value;
  int line;
};

// The document's keys in full, in order.
Result<std::vector<Occurrence>> Flatten(const YAML::Node& document, std::string_view name) {
  std::vector<Occurrence> found;
  for (const auto& entry : document) {
    const int line = entry.first.Mark().line + 1;
    if (!entry.first.IsScalar())
      return InvalidArgument(fmt::format("{}:{}: a key is not a text", name, line));
    const std::string& section = entry.first.Scalar();
    if (!entry.second.IsMap()) {
      // "limits:" with nothing below it sets nothing.
      if (!entry.second.IsNull()) found.push_back({section, entry.second, line});
      continue;
    }
    for (const auto& inner : entry.second) {
      const int inner_line = inner.first.Mark().line + 1;
      if (!inner.first.IsScalar()) {
        return InvalidArgument(fmt::format("{}:{}: a key is not a text", name, inner_line));
      }
      found.push_back({section + "." + inner.first.Scalar(), inner.second, inner_line});
    }
  }
  return found;
}

Result<std::string> ReadConfigFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kConfigBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) return IoError(fmt::format("{}: cannot read the configuration", path));
  text.resize(static_cast<size_t>(file.gcount()));
  if (text.size() > kConfigBytesMax) {
    return InvalidArgument(fmt::format("{}: larger than {} bytes", path, kConfigBytesMax));
  }
  return text;
}

// One tenant's overrides: limits by their names without the section's.
Status ReadTenant(const YAML::Node& key, const YAML::Node& limits, std::string_view name,
                  const Config& defaults, std::map<std::string, Config>* tenants) {
  const int line = key.Mark().line + 1;
  if (!key.IsScalar()) return InvalidArgument(fmt::format("{}:{}: a key is not a text", name, line));
  const std::string& tenant = key.Scalar();
  const auto [own, fresh] = tenants->try_emplace(tenant, defaults);
  if (!fresh) return InvalidArgument(fmt::format("{}:{}: {}: given twice", name, line, tenant));
  own->second.retention_streams.clear();  // what is left is the tenant's own (retention_policy.h)
  if (limits.IsNull()) return Status::Ok();
  if (!limits.IsMap())
    return InvalidArgument(fmt::format("{}:{}: {}: not a map of limits", name, line, tenant));
  std::vector<Setting> settings = Settings(&own->second);
  std::erase_if(settings, [](const Setting& setting) { return !setting.key.starts_with(kLimitsSection); });
  std::set<std::string> seen;
  for (const auto& entry : limits) {
    const int entry_line = entry.first.Mark().line + 1;
    Status status = InvalidArgument("a key is not a text");
    if (entry.first.IsScalar()) {
      status = ApplyNode(std::string(kLimitsSection) + entry.first.Scalar(), entry.second, settings);
      if (status.ok() && !seen.insert(entry.first.Scalar()).second) {
        status = InvalidArgument(fmt::format("{}: given twice", entry.first.Scalar()));
      }
    }
    if (!status.ok()) {
      return InvalidArgument(fmt::format("{}:{}: {}: {}", name, entry_line, tenant, status.message()));
    }
  }
  return Status::Ok();
}

}  // namespace

Config::Config() : log_level("info"), log_format("logfmt") { engine.data_dir = "./varve-data"; }

Status ApplyConfigText(const std::string& text, std::string_view name, Config* config) {
  VARVE_ASSIGN_OR_RETURN(const YAML::Node document, LoadYaml(text, name));
  if (document.IsNull()) return Status::Ok();
  if (!document.IsMap()) return InvalidArgument(fmt::format("{}: not a map of keys to values", name));
  VARVE_ASSIGN_OR_RETURN(const std::vector<Occurrence> occurrences, Flatten(document, name));
  const std::vector<Setting> settings = Settings(config);
  std::set<std::string_view> seen;
  for (const Occurrence& occurrence : occurrences) {
    Status status = ApplyNode(occurrence.key, occurrence.value, settings);
    if (status.ok() && !seen.insert(occurrence.key).second) {
      status = InvalidArgument(fmt::format("{}: given twice", occurrence.key));
    }
    if (!status.ok()) {
      return InvalidArgument(fmt::format("{}:{}: {}", name, occurrence.line, status.message()));
    }
  }
  return Status::Ok();
}

Status ApplyConfigFile(const std::string& path, Config* config) {
  VARVE_ASSIGN_OR_RETURN(const std::string text, ReadConfigFile(path));
  return ApplyConfigText(text, path, config);
}

Result<std::map<std::string, Config>> ReadOverridesText(const std::string& text, std::string_view name,
                                                        const Config& defaults) {
  std::map<std::string, Config> tenants;
  VARVE_ASSIGN_OR_RETURN(const YAML::Node document, LoadYaml(text, name));
  if (document.IsNull()) return tenants;
  if (!document.IsMap()) return InvalidArgument(fmt::format("{}: not a map of keys to values", name));
  for (const auto& section : document) {
    const int line = section.first.Mark().line + 1;
    if (!section.first.IsScalar() || section.first.Scalar() != "overrides") {
      const std::string key = section.first.IsScalar() ? section.first.Scalar() : std::string();
      return InvalidArgument(
          fmt::format("{}:{}: unknown key \"{}\"; did you mean \"overrides\"?", name, line, key));
    }
    if (section.second.IsNull()) continue;
    if (!section.second.IsMap()) {
      return InvalidArgument(fmt::format("{}:{}: overrides: not a map of tenants", name, line));
    }
    for (const auto& tenant : section.second) {
      VARVE_RETURN_IF_ERROR(ReadTenant(tenant.first, tenant.second, name, defaults, &tenants));
    }
  }
  return tenants;
}

Result<std::map<std::string, Config>> ReadOverridesFile(const std::string& path, const Config& defaults) {
  VARVE_ASSIGN_OR_RETURN(const std::string text, ReadConfigFile(path));
  return ReadOverridesText(text, path, defaults);
}

Status ApplySetting(std::string_view key_equals_value, Config* config) {
  const size_t equals = key_equals_value.find('=');
  if (equals == std::string_view::npos) {
    return InvalidArgument(fmt::format("--set {}: expected KEY=VALUE", key_equals_value));
  }
  const std::string_view key = key_equals_value.substr(0, equals);
  const std::string name = fmt::format("--set {}", key);
  VARVE_ASSIGN_OR_RETURN(const YAML::Node value,
                         LoadYaml(std::string(key_equals_value.substr(equals + 1)), name));
  Status status = ApplyNode(key, value, Settings(config));
  if (status.ok()) return status;
  return InvalidArgument(fmt::format("--set: {}", status.message()));
}

Status ApplyListenAddress(std::string_view host_port, Config* config) {
  const size_t colon = host_port.rfind(':');
  uint16_t port = 0;
  if (colon == std::string_view::npos || !ReadPort(std::string(host_port.substr(colon + 1)), &port).ok()) {
    return InvalidArgument(fmt::format("--listen {}: expected HOST:PORT, such as 127.0.0.1:3100", host_port));
  }
  std::string_view host = host_port.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.empty()) host = "0.0.0.0";
  if (host == "localhost") host = "127.0.0.1";
  config->http.listen_address = host;
  config->http.listen_port = port;
  return Status::Ok();
}

std::string ToYaml(const Config& config) {
  Config copy = config;  // Settings wants to point into something it may write
  std::string out;
  std::set<std::string> printed;
  const std::vector<Setting> settings = Settings(&copy);
  for (const Setting& first : settings) {
    const size_t dot = first.key.find('.');
    if (dot == std::string_view::npos) {
      out += fmt::format("{}: {}\n", first.key, PrintSlot(first.slot));
      continue;
    }
    const std::string section(first.key.substr(0, dot));
    if (!printed.insert(section).second) continue;
    out += section + ":\n";
    for (const Setting& setting : settings) {
      if (!setting.key.starts_with(section + ".")) continue;
      out += fmt::format("  {}: {}\n", setting.key.substr(dot + 1), PrintSlot(setting.slot));
    }
  }
  return out;
}

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

std::vector<ConfigKey> ConfigKeys() {
  Config defaults;
  std::vector<ConfigKey> keys;
  for (const Setting& setting : Settings(&defaults)) {
    keys.push_back({std::string(setting.key), PrintSlot(setting.slot), std::string(setting.meaning)});
  }
  return keys;
}

}  // namespace varve
