#include "http/prometheus_call.h"

#include <limits>
#include <utility>

#include "engine/base/time.h"
#include "http/prometheus_json.h"
#include "http/tenant.h"
#include "query/promql/syntax/parser.h"

namespace varve {
namespace {

constexpr TenantId kUnseenTenant = std::numeric_limits<TenantId>::max();  // as in read_call.cc

void AddCors(const PrometheusContext& context, const HttpRequest& request, HttpResponse* response) {
  const std::string& allowed = context.options.cors_origin;
  const std::string_view origin = request.Header("origin");
  if (allowed.empty() || origin.empty()) return;
  if (allowed != "*" && allowed != origin) return;
  auto& headers = response->headers;
  headers.emplace_back("Access-Control-Allow-Headers", "Accept, Authorization, Content-Type, Origin");
  headers.emplace_back("Access-Control-Allow-Methods", "GET, POST, OPTIONS");
  headers.emplace_back("Access-Control-Allow-Origin", allowed);
  headers.emplace_back("Access-Control-Expose-Headers", "Date");
  headers.emplace_back("Vary", "Origin");
}

HttpResponse AnswerCall(const PrometheusContext& context, const HttpRequest& request, const PromAnswer& answer) {
  HttpResponse no_content;
  no_content.status = 204;
  if (request.method == "OPTIONS") return no_content;
  if (context.ready != nullptr && !context.ready()) {
    HttpResponse response = ErrorText(503, "Service Unavailable\n");
    response.headers.emplace_back("X-Prometheus-Stopping", "false");
    return response;
  }
  TenantLookup lookup = ResolveTenant(request, context.auth_enabled, true);
  if (lookup.refusal.has_value()) return std::move(*lookup.refusal);
  PromCall call{context, request, {}, {}, kUnseenTenant, std::move(lookup.name),
                context.clock->NowNs() / kNsPerMs};
  call.params = FormParams::ParseWhatCan(request, &call.form_error);
  const Result<TenantId> tenant = context.engine->FindTenant(call.tenant_name);
  if (tenant.ok()) {
    call.tenant = *tenant;
  } else if (tenant.status().code() != Code::kNotFound) {
    return PromFailure(tenant.status());
  }
  Result<HttpResponse> response = answer(call);
  return response.ok() ? *std::move(response) : PromFailure(response.status());
}

}  // namespace

HttpResponse PromFailure(const Status& status) {
  switch (status.code()) {
    case Code::kInvalidArgument: return PromError(400, "bad_data", status.message());
    case Code::kNotFound: return PromError(404, "not_found", status.message());
    case Code::kOutOfRange:
    case Code::kTooLarge:
    case Code::kResourceExhausted:
    case Code::kUnimplemented:
    case Code::kExecution: return PromError(422, "execution", status.message());
    case Code::kCancelled: return PromError(499, "canceled", "query was canceled in expression evaluation");
    case Code::kDeadlineExceeded:
      return PromError(503, "timeout",
                       status.message().starts_with("query timed out")
                           ? status.message()
                           : "query timed out in expression evaluation");
    case Code::kUnavailable: return PromError(503, "unavailable", status.message());
    case Code::kStorageFull:
    case Code::kCorruption:
    case Code::kIoError:
    case Code::kInternal:
    case Code::kOk: break;
  }
  return PromError(500, "internal", status.message());
}

HttpResponse AnswerPrometheus(const PrometheusContext& context, const HttpRequest& request,
                              const PromAnswer& answer) {
  HttpResponse response = AnswerCall(context, request, answer);
  response.may_deflate = true;
  AddCors(context, request, &response);
  return response;
}

void AddPrometheusRoute(const PrometheusContext& context, Router* router, std::vector<std::string> methods,
                        std::string_view pattern, Worker worker, const PromAnswer& answer) {
  methods.emplace_back("OPTIONS");
  for (const std::string_view prefix : {"/api/v1", "/prometheus/api/v1"}) {
    router->Add(methods, std::string(prefix) + std::string(pattern), worker,
                [&context, answer](const HttpRequest& request) {
                  return AnswerPrometheus(context, request, answer);
                });
  }
}

Result<std::vector<std::vector<Matcher>>> ParseMatchParams(const PromCall& call) {
  std::vector<std::vector<Matcher>> sets;
  for (const std::string_view text : call.params.All("match[]")) {
    VARVE_ASSIGN_OR_RETURN(std::vector<Matcher> matchers, promql::ParseSelector(text));
    sets.push_back(std::move(matchers));
  }
  return sets;
}

int64_t QueryMemoryOf(const PrometheusContext& context, std::string_view tenant) {
  constexpr int64_t kUnlimited = std::numeric_limits<int64_t>::max();
  if (context.tenant_limits == nullptr) return kUnlimited;
  const int64_t bytes = context.tenant_limits->Of(tenant)->max_query_memory_bytes;
  return bytes > 0 ? bytes : kUnlimited;
}

}  // namespace varve
