#include "ingest/metric_body.h"

#include <algorithm>
#include <string>

#include "ingest/content_decoding.h"
#include "ingest/metric_import.h"
#include "ingest/otlp_metric_batch.h"
#include "ingest/otlp_metrics_wire.h"
#include "ingest/push_headers.h"
#include "ingest/remote_write.h"

namespace varve {
namespace {

constexpr std::string_view kProtobuf = "application/x-protobuf";

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string Lower(std::string_view text) {
  std::string lower(Trimmed(text));
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  return lower;
}

std::string_view NextPart(std::string_view* rest) {
  const size_t semicolon = rest->find(';');
  const std::string_view part = Trimmed(rest->substr(0, semicolon));
  *rest = semicolon == std::string_view::npos ? std::string_view() : rest->substr(semicolon + 1);
  return part;
}

// An absent type means 1.0, as in Prometheus.
Result<WireForm> RemoteWriteForm(std::string_view content_type) {
  std::string_view rest = content_type;
  if (Trimmed(rest).empty()) return WireForm::kRemoteWrite1;
  const std::string_view media = NextPart(&rest);
  if (Lower(media) != kProtobuf) {
    return Unimplemented("expected " + std::string(kProtobuf) + " as the first (media) part, got " +
                         std::string(content_type) + " content-type");
  }
  while (!rest.empty()) {
    const std::string_view parameter = NextPart(&rest);
    const size_t equals = parameter.find('=');
    if (equals == std::string_view::npos || parameter.find('=', equals + 1) != std::string_view::npos) {
      return Unimplemented("expected parameters to be key-values, got " + std::string(parameter) + " in " +
                           std::string(content_type) + " content-type");
    }
    if (Lower(parameter.substr(0, equals)) != "proto") continue;
    std::string_view message = Trimmed(parameter.substr(equals + 1));
    if (message.size() >= 2 && message.front() == '"' && message.back() == '"') {
      message = message.substr(1, message.size() - 2);
    }
    if (message == "prometheus.WriteRequest") return WireForm::kRemoteWrite1;
    if (message == "io.prometheus.write.v2.Request") return WireForm::kRemoteWrite2;
    return Unimplemented("unknown remote write protobuf message " + std::string(message) +
                         ", supported: prometheus.WriteRequest, io.prometheus.write.v2.Request");
  }
  return WireForm::kRemoteWrite1;
}

Result<MetricBodyFormat> RemoteWriteFormat(std::string_view content_type, std::string_view content_encoding) {
  MetricBodyFormat format;
  const std::string encoding = Lower(content_encoding);
  if (!encoding.empty() && encoding != "snappy") {
    return Unimplemented(std::string(content_encoding) +
                         " encoding (compression) is not accepted by this server; only snappy is acceptable");
  }
  format.encoding = ContentEncoding::kSnappy;
  VARVE_ASSIGN_OR_RETURN(format.form, RemoteWriteForm(content_type));
  return format;
}

Result<ContentEncoding> ImportEncoding(std::string_view content_encoding) {
  const std::string encoding = Lower(content_encoding);
  if (encoding.empty() || encoding == "identity") return ContentEncoding::kIdentity;
  if (encoding == "gzip") return ContentEncoding::kGzip;
  if (encoding == "zstd") return ContentEncoding::kZstd;
  if (encoding == "lz4") return ContentEncoding::kLz4Frame;
  if (encoding == "snappy") return ContentEncoding::kSnappy;
  return InvalidArgument("unsupported content encoding " + std::string(content_encoding) +
                         ": gzip, zstd, lz4 and snappy (block) are supported");
}

}  // namespace

Result<MetricBodyFormat> ParseMetricHeaders(MetricWire wire, std::string_view content_type,
                                            std::string_view content_encoding) {
  if (wire == MetricWire::kRemoteWrite) return RemoteWriteFormat(content_type, content_encoding);
  MetricBodyFormat format;
  if (wire == MetricWire::kOtlp) {
    // The types and encodings are those of OTLP logs.
    VARVE_ASSIGN_OR_RETURN(const BodyFormat otlp, ParseOtlpHeaders(content_type, content_encoding));
    format.form =
        otlp.form == WireForm::kOtlpJson ? WireForm::kOtlpMetricsJson : WireForm::kOtlpMetricsProtobuf;
    format.encoding = otlp.outer;
    return format;
  }
  VARVE_ASSIGN_OR_RETURN(format.encoding, ImportEncoding(content_encoding));
  const std::string type = Lower(content_type);
  const bool open_metrics = type.find("openmetrics") != std::string::npos;
  format.form = wire == MetricWire::kImportJson ? WireForm::kImportJson
                : open_metrics                  ? WireForm::kImportOpenMetrics
                                                : WireForm::kImportPrometheusText;
  format.detect_open_metrics = wire == MetricWire::kImportOpenMetrics && !type.starts_with("text/plain");
  return format;
}

Result<uint64_t> DecodeMetricBody(MetricBodyFormat* format, std::string_view body,
                                  const MetricBodyContext& context, MetricScratch* scratch, DecodeMemory* memory) {
  uint64_t size_max = body.size();
  if (format->encoding != ContentEncoding::kIdentity) {
    VARVE_RETURN_IF_ERROR(DecodeContent(format->encoding, body, context.max_size, &scratch->outer, memory));
    body = scratch->outer.view();
    size_max = std::max(size_max, uint64_t{body.size()});
  }
  if (format->detect_open_metrics && LooksLikeOpenMetrics(body)) format->form = WireForm::kImportOpenMetrics;
  switch (format->form) {
    case WireForm::kRemoteWrite1:
      VARVE_RETURN_IF_ERROR(DecodeRemoteWrite1(body, &scratch->decoded, &scratch->arena, memory));
      return size_max;
    case WireForm::kRemoteWrite2:
      VARVE_RETURN_IF_ERROR(DecodeRemoteWrite2(body, &scratch->decoded, &scratch->arena, memory));
      return size_max;
    case WireForm::kOtlpMetricsProtobuf:
    case WireForm::kOtlpMetricsJson: {
      OtlpMetricBatch batch(context.otlp, &scratch->decoded, &scratch->arena, memory);
      VARVE_RETURN_IF_ERROR(format->form == WireForm::kOtlpMetricsProtobuf
                                ? DecodeOtlpMetricsProtobuf(body, &batch, memory)
                                : DecodeOtlpMetricsJson(body, &batch, &scratch->arena, memory));
      return size_max;
    }
    case WireForm::kImportJson:
      VARVE_RETURN_IF_ERROR(DecodeImportJson(body, &scratch->decoded, &scratch->arena, memory));
      return size_max;
    case WireForm::kImportOpenMetrics:
    case WireForm::kImportPrometheusText: {
      const TextImport options{format->form == WireForm::kImportOpenMetrics, context.received_ms};
      VARVE_RETURN_IF_ERROR(DecodeImportText(body, options, &scratch->decoded, &scratch->arena, memory));
      return size_max;
    }
    default: break;
  }
  return InternalError("no decoder for this form of metrics");
}

}  // namespace varve
