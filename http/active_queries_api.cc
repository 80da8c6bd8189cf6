#include "http/active_queries_api.h"

#include <algorithm>
#include <string>

#include "engine/base/json_writer.h"
#include "http/legacy_api.h"
#include "http/prometheus_json.h"
#include "http/prometheus_params.h"

namespace varve {

void ActiveQueriesApi::AddRoutes(Router* router) {
  const PromAnswer list = [this](const PromCall& call) { return List(call); };
  const PromAnswer cancel = [this](const PromCall& call) { return Cancel(call); };
  // Not among the queries: they may be why somebody looks.
  AddPrometheusRoute(context_, router, {"GET"}, "/status/active_queries", Worker::kAdmin, list);
  AddPrometheusRoute(context_, router, {"DELETE"}, "/status/active_queries/{id}", Worker::kAdmin, cancel);
  AddPrometheusRoute(context_, router, {"POST"}, "/status/active_queries/{id}/cancel", Worker::kAdmin, cancel);
}

Result<HttpResponse> ActiveQueriesApi::List(const PromCall& call) const {
  const int64_t now_ns = context_.clock->NowNs();
  std::string data = "{\"queries\":[";
  for (const ActiveQueryInfo& query : context_.active->List(call.tenant_name)) {
    if (data.back() != '[') data.push_back(',');
    data.append("{\"id\":\"");
    AppendUint(&data, query.id);
    data.push_back('"');
    const auto text = [&](std::string_view name, std::string_view value) {
      data.append(",\"").append(name).append("\":");
      AppendJsonString(&data, value);
    };
    text("tenant", query.tenant);
    text("language", query.language);
    text("endpoint", query.endpoint);
    text("query", query.query);
    text("remote", query.remote);
    text("startTime", Rfc3339NanoText(query.started_ns));
    data.append(",\"ageSeconds\":");
    AppendJsonNumber(&data, static_cast<double>(std::max<int64_t>(now_ns - query.started_ns, 0)) * 1e-9);
    data.push_back('}');
  }
  return PromSuccess(std::move(data.append("]}")));
}

Result<HttpResponse> ActiveQueriesApi::Cancel(const PromCall& call) const {
  const std::string& id = call.request.path_params.front();
  const Result<int64_t> number = ParseGoAtoi(id);
  if (!number.ok() || *number <= 0) return InvalidParameter("id", "must be the number of a query");
  VARVE_RETURN_IF_ERROR(context_.active->Cancel(call.tenant_name, static_cast<uint64_t>(*number)));
  HttpResponse response;
  response.status = 204;
  return response;
}

}  // namespace varve
