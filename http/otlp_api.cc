#include "http/otlp_api.h"

#include "http/error_map.h"
#include "http/tenant.h"

namespace varve {

OtlpApi::OtlpApi(WritePath* writes, bool auth_enabled) : writes_(writes), auth_enabled_(auth_enabled) {}

void OtlpApi::AddRoutes(Router* router) {
  router->Add(
      {"POST"}, "/otlp/v1/logs", Worker::kPush, [this](const HttpRequest& request) { return Push(request); },
      &OtlpPushError);
}

HttpResponse OtlpApi::Push(const HttpRequest& request) const {
  TenantLookup tenant = ResolveTenant(request, auth_enabled_, true);
  if (tenant.refusal.has_value()) return std::move(*tenant.refusal);
  PushRequest push;
  push.tenant = tenant.name;
  push.content_type = request.Header("content-type");
  push.content_encoding = request.Header("content-encoding");
  push.body = request.body;
  push.otlp = true;
  const PushOutcome outcome = writes_->Push(push);
  if (!outcome.status.ok()) {
    HttpResponse refusal = OtlpPushError(outcome.status);
    if (outcome.blocked_status != 0) refusal.status = static_cast<int>(outcome.blocked_status);
    return refusal;
  }
  HttpResponse response;
  response.status = 204;
  return response;
}

}  // namespace varve
