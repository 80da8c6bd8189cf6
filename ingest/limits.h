// What a push may contain, with Loki's names (limits_config) and meanings.
//
// Defaults differ from Loki's where a single machine gains nothing from them: any timestamp inside
// retention is taken, in any order, lines may be longer, and there are no rate or stream limits unless
// set. docs/http_api.md lists every limit, its default and its error text.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ingest/mask.h"
#include "ingest/otlp_config.h"
#include "ingest/otlp_metrics_config.h"

namespace varve {

struct IngestLimits {
  std::vector<std::string> discover_service_name = {"service",
                                                    "app",
                                                    "application",
                                                    "app_name",
                                                    "name",
                                                    "app_kubernetes_io_name",
                                                    "container",
                                                    "container_name",
                                                    "k8s_container_name",
                                                    "component",
                                                    "workload",
                                                    "job",
                                                    "k8s_job_name"};  // empty = off
  bool discover_log_levels = true;
  std::vector<std::string> log_level_fields = {
      "level",        "LEVEL", "Level", "log.level", "severity",      "SEVERITY",      "Severity",
      "SeverityText", "lvl",   "LVL",   "Lvl",       "severity_text", "Severity_Text", "SEVERITY_TEXT"};
  uint32_t log_level_from_json_max_depth = 2;
  OtlpConfig otlp_config;

  bool reject_old_samples = false;
  int64_t reject_old_samples_max_age_ms = 7LL * 24 * 3600 * 1000;
  int64_t creation_grace_period_ms = 10LL * 60 * 1000;
  int64_t max_line_size = 1 << 20;  // bytes; 0 = no limit below max_decompressed_size
  bool max_line_size_truncate = false;
  std::string max_line_size_truncate_identifier;  // ends a line that was cut, within max_line_size
  uint32_t max_label_names_per_series = 15;
  uint32_t max_label_name_length = 1024;
  uint32_t max_label_value_length = 2048;
  bool allow_structured_metadata = true;
  int64_t max_structured_metadata_size = 64 << 10;
  uint32_t max_structured_metadata_entries_count = 128;
  double ingestion_rate_mb = 0;  // 0 = none
  double ingestion_burst_size_mb = 0;
  double per_stream_rate_limit_mb = 0;  // 0 = none
  double per_stream_rate_limit_burst_mb = 0;
  uint32_t max_global_streams_per_user = 0;    // 0 = none
  std::vector<std::string> enforced_labels;    // that every stream must have
  int64_t block_ingestion_until_ns = 0;        // until then pushes are refused whole; 0 = no time
  uint32_t block_ingestion_status_code = 260;  // … with this status; 200: they are told 204
  bool increment_duplicate_timestamp = false;
  std::shared_ptr<const LineMask> mask;        // null = none

  // Of metrics. max_label_name_length and creation_grace_period hold for them too.
  uint32_t max_label_names_per_metric_series = 128;
  uint32_t max_metric_label_value_length = 64 << 10;
  uint64_t max_global_series_per_user = 0;         // active series; 0 = none
  uint64_t max_samples_per_metrics_request = 5'000'000;  // with histograms; 0 = as many as the body holds
  uint32_t max_metric_metadata_length = 16 << 10;  // of a metric's name, help and unit together
  double ingestion_rate_samples = 0;               // samples a second; 0 = none
  double ingestion_burst_size_samples = 0;         // 0: one and a half times the rate
  OtlpMetricsConfig otlp_metrics;                  // the section `otlp`
  int64_t max_metrics_decompressed_size = 32LL << 20;  // of remote write and OTLP; imports: max_decompressed_size

  int64_t max_recv_msg_size = 100LL << 20;      // bytes on the wire
  int64_t max_decompressed_size = 512LL << 20;  // after all content encodings
};

}  // namespace varve
