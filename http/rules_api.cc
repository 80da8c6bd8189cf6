#include "http/rules_api.h"

#include <functional>
#include <string>
#include <utility>

#include "engine/base/json_writer.h"
#include "engine/model/labels.h"
#include "http/error_map.h"
#include "http/form.h"
#include "http/tenant.h"

namespace varve {
namespace {

HttpResponse Missing(const char* what) { return ErrorText(404, std::string(what) + "\n"); }

HttpResponse BadData(std::string_view message) {
  std::string body = R"({"status":"error","data":null,"errorType":"bad_data","error":)";
  AppendJsonString(&body, message);
  return ErrorText(400, body.append("}"));
}

HttpResponse Success(const char* data) {
  HttpResponse response =
      JsonResponse(R"({"status":"success","data":)" + std::string(data) + R"(,"errorType":"","error":""})");
  response.content_type = "application/json";
  return response;
}

HttpResponse PrometheusRules(const HttpRequest& request) {
  const Result<FormParams> params = FormParams::Parse(request);
  if (!params.ok()) return BadData(params.status().message());
  const std::string type(params->Get("type"));
  if (!type.empty() && type != "alert" && type != "record") {
    return BadData("not supported value " + GoQuoted(type));
  }
  return Success(R"({"groups":[]})");
}

}  // namespace

void RulesApi::AddRoutes(Router* router) {
  using Answer = HttpResponse (*)(const HttpRequest&);
  const auto add = [&](const std::string& path, Answer answer) {
    router->Add({"GET"}, path, Worker::kInline, [this, answer](const HttpRequest& request) {
      TenantLookup tenant = ResolveTenant(request, auth_enabled_, true);
      return tenant.refusal.has_value() ? std::move(*tenant.refusal) : answer(request);
    });
  };
  const Answer no_groups = [](const HttpRequest&) { return Missing("no rule groups found"); };
  for (const std::string base : {"/loki/api/v1/rules", "/api/prom/rules"}) {
    add(base, no_groups);
    add(base + "/{namespace}", no_groups);
    // Grafana asks for /rules/test/test to learn whether rules can be edited: "group does not exist" would be
    // a yes, and saving one would then fail. This is what Loki says whose rules are files.
    add(base + "/{namespace}/{group}",
        [](const HttpRequest&) { return Missing("GetRuleGroup unsupported in rule local store"); });
  }
  add("/prometheus/api/v1/rules", PrometheusRules);
  add("/prometheus/api/v1/alerts", [](const HttpRequest&) { return Success(R"({"alerts":[]})"); });
}

}  // namespace varve
