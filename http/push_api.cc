#include "http/push_api.h"

#include "http/error_map.h"
#include "http/tenant.h"

namespace varve {

PushApi::PushApi(WritePath* writes, bool auth_enabled) : writes_(writes), auth_enabled_(auth_enabled) {}

void PushApi::AddRoutes(Router* router) {
  router->Add({"POST"}, "/loki/api/v1/push", Worker::kPush,
              [this](const HttpRequest& request) { return Push(request, false); });
  router->Add({"POST"}, "/api/prom/push", Worker::kPush,
              [this](const HttpRequest& request) { return Push(request, true); });
}

HttpResponse PushApi::Push(const HttpRequest& request, bool legacy) const {
  TenantLookup tenant = ResolveTenant(request, auth_enabled_, true);
  if (tenant.refusal.has_value()) return std::move(*tenant.refusal);
  PushRequest push;
  push.tenant = tenant.name;
  push.content_type = request.Header("content-type");
  push.content_encoding = request.Header("content-encoding");
  push.body = request.body;
  push.legacy_json = legacy;
  const PushOutcome outcome = writes_->Push(push);
  if (outcome.blocked_status != 0) {
    return ErrorText(static_cast<int>(outcome.blocked_status), outcome.status.message() + "\n");
  }
  if (!outcome.status.ok()) return LokiPushError(outcome.status);
  HttpResponse response;
  response.status = 204;
  return response;
}

}  // namespace varve
