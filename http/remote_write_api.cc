#include "http/remote_write_api.h"

#include <string>

#include "http/error_map.h"
#include "http/tenant.h"

namespace varve {
namespace {

MetricWriteRequest MakeRequest(const HttpRequest& request, std::string_view tenant, MetricWire wire) {
  MetricWriteRequest write;
  write.tenant = tenant;
  write.wire = wire;
  write.content_type = request.Header("content-type");
  write.content_encoding = request.Header("content-encoding");
  write.body = request.body;
  return write;
}

void AddRetryAfter(HttpResponse* response) {
  if (response->status == 429 || response->status == 503) response->headers.emplace_back("Retry-After", "1");
  if (response->status == 507) response->headers.emplace_back("Retry-After", "30");
}

// With them a sender of 2.0 knows that it was understood, whatever the status.
void AddWrittenHeaders(const MetricWriteOutcome& outcome, HttpResponse* response) {
  const auto add = [&](const char* name, uint64_t count) {
    response->headers.emplace_back(name, std::to_string(count));
  };
  add("X-Prometheus-Remote-Write-Samples-Written", outcome.samples_written);
  add("X-Prometheus-Remote-Write-Histograms-Written", outcome.histograms_written);
  add("X-Prometheus-Remote-Write-Exemplars-Written", outcome.exemplars_written);
}

// A remote write that is refused before it is read: 429 would make Prometheus drop it.
HttpResponse RemoteWriteRefusal(const Status& status) {
  HttpResponse response = LokiPushError(status);
  if (response.status == 429) response.status = 503;
  AddWrittenHeaders({}, &response);
  return response;
}

}  // namespace

RemoteWriteApi::RemoteWriteApi(MetricWritePath* writes, bool auth_enabled)
    : writes_(writes), auth_enabled_(auth_enabled) {}

void RemoteWriteApi::AddRoutes(Router* router) {
  const auto write = [this](const HttpRequest& request) { return Write(request); };
  const auto otlp = [this](const HttpRequest& request) { return Otlp(request); };
  for (const std::string prefix : {"/api/v1", "/prometheus/api/v1"}) {
    router->Add({"POST"}, prefix + "/write", Worker::kPush, write, &RemoteWriteRefusal);
    router->Add({"POST"}, prefix + "/push", Worker::kPush, write, &RemoteWriteRefusal);
    router->Add({"POST"}, prefix + "/otlp/v1/metrics", Worker::kPush, otlp, &OtlpPushError);
    router->Add({"POST"}, prefix + "/import", Worker::kPush,
                [this](const HttpRequest& request) { return Import(request, MetricWire::kImportJson); });
    router->Add({"POST"}, prefix + "/import/prometheus", Worker::kPush,
                [this](const HttpRequest& request) { return Import(request, MetricWire::kImportOpenMetrics); });
  }
  router->Add({"POST"}, "/otlp/v1/metrics", Worker::kPush, otlp, &OtlpPushError);
}

HttpResponse RemoteWriteApi::Write(const HttpRequest& request) const {
  TenantLookup tenant = ResolveTenant(request, auth_enabled_, true);
  if (tenant.refusal.has_value()) return std::move(*tenant.refusal);
  const MetricWriteOutcome outcome = writes_->Write(MakeRequest(request, tenant.name, MetricWire::kRemoteWrite));
  HttpResponse response;
  if (outcome.http_status >= 300) {
    response = ErrorText(outcome.http_status, outcome.message);
    AddRetryAfter(&response);
  } else {
    response.status = outcome.http_status;
  }
  AddWrittenHeaders(outcome, &response);
  return response;
}

// Success: 200 and an empty ExportMetricsServiceResponse, which is no bytes, or {} in JSON.
HttpResponse RemoteWriteApi::Otlp(const HttpRequest& request) const {
  TenantLookup tenant = ResolveTenant(request, auth_enabled_, true);
  if (tenant.refusal.has_value()) return std::move(*tenant.refusal);
  const MetricWriteOutcome outcome = writes_->Write(MakeRequest(request, tenant.name, MetricWire::kOtlp));
  if (outcome.http_status >= 300) {
    HttpResponse response = ErrorText(outcome.http_status, outcome.message);
    if (response.status == 500) response.status = 503;  // OTLP's clients repeat only that
    AddRetryAfter(&response);
    return response;
  }
  const bool json = request.Header("content-type").starts_with("application/json");
  HttpResponse response;
  response.content_type = json ? "application/json" : "application/x-protobuf";
  if (json) response.body = "{}";
  return response;
}

HttpResponse RemoteWriteApi::Import(const HttpRequest& request, MetricWire wire) const {
  TenantLookup tenant = ResolveTenant(request, auth_enabled_, true);
  if (tenant.refusal.has_value()) return std::move(*tenant.refusal);
  const MetricWriteOutcome outcome = writes_->Write(MakeRequest(request, tenant.name, wire));
  HttpResponse response;
  if (outcome.http_status >= 300) {
    response = ErrorText(outcome.http_status, outcome.message);
    AddRetryAfter(&response);
  } else {
    response.status = outcome.http_status;
  }
  AddWrittenHeaders(outcome, &response);
  return response;
}

}  // namespace varve
