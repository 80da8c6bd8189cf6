#include "http/limits_api.h"

#include <array>
#include <utility>
#include <vector>

#include "engine/base/json_writer.h"
#include "engine/retention_policy.h"
#include "http/error_map.h"
#include "http/tenant.h"
#include "http/version.h"
#include "ingest/otlp_config.h"
#include "query/exec/humanized_text.h"

namespace varve {
namespace {

// Bytes exactly, in the largest unit that divides them: "0B", "64KB".
std::string ExactBytes(int64_t bytes) {
  constexpr std::array<std::string_view, 7> kUnits = {"B", "KB", "MB", "GB", "TB", "PB", "EB"};
  size_t unit = 0;
  while (bytes != 0 && bytes % 1024 == 0 && unit + 1 < kUnits.size()) {
    bytes /= 1024;
    ++unit;
  }
  return std::to_string(bytes).append(kUnits[unit]);
}

// Writes the fields of a JSON object one after another.
class JsonFields {
 public:
  explicit JsonFields(std::string* out) : out_(out) {}

  void Text(std::string_view name, std::string_view value) {
    Name(name);
    AppendJsonString(out_, value);
  }
  void Bool(std::string_view name, bool value) {
    Name(name);
    out_->append(value ? "true" : "false");
  }
  void Number(std::string_view name, uint64_t value) {
    Name(name);
    AppendUint(out_, value);
  }
  void Texts(std::string_view name, const std::vector<std::string>& values) {
    Name(name);
    out_->push_back('[');
    for (size_t i = 0; i < values.size(); ++i) {
      if (i != 0) out_->push_back(',');
      AppendJsonString(out_, values[i]);
    }
    out_->push_back(']');
  }
  void Raw(std::string_view name, std::string_view json) {
    Name(name);
    out_->append(json);
  }

 private:
  void Name(std::string_view name) {
    if (!first_) out_->push_back(',');
    first_ = false;
    AppendJsonString(out_, name);
    out_->push_back(':');
  }

  std::string* const out_;
  bool first_ = true;
};

std::string OtlpRuleJson(const OtlpAttributeRule& rule) {
  std::string out = "{";
  JsonFields fields(&out);
  fields.Text("action", OtlpActionName(rule.action));
  if (!rule.attributes.empty()) fields.Texts("attributes", rule.attributes);
  if (!rule.regex.empty()) fields.Text("regex", rule.regex);
  return out.append("}");
}

std::string OtlpRulesJson(const std::vector<OtlpAttributeRule>& rules) {
  std::string out = "[";
  for (const OtlpAttributeRule& rule : rules) {
    if (out.size() > 1) out.push_back(',');
    out.append(OtlpRuleJson(rule));
  }
  return out.append("]");
}

// With the default list as the first rule of the resource, as Loki shows it.
std::string OtlpConfigJson(const OtlpConfig& config) {
  std::vector<OtlpAttributeRule> resource;
  if (!config.ignore_defaults) {
    OtlpAttributeRule& defaults = resource.emplace_back();
    defaults.action = OtlpAction::kIndexLabel;
    for (const std::string_view name : OtlpDefaultIndexLabels()) defaults.attributes.emplace_back(name);
  }
  resource.insert(resource.end(), config.resource_attributes.begin(), config.resource_attributes.end());
  std::string out = "{\"resource_attributes\":{";
  JsonFields attributes(&out);
  if (config.ignore_defaults) attributes.Bool("ignore_defaults", true);
  attributes.Raw("attributes_config", OtlpRulesJson(resource));
  out.push_back('}');
  if (!config.scope_attributes.empty()) {
    out.append(",\"scope_attributes\":").append(OtlpRulesJson(config.scope_attributes));
  }
  if (!config.log_attributes.empty()) {
    out.append(",\"log_attributes\":").append(OtlpRulesJson(config.log_attributes));
  }
  if (config.severity_text_as_label) out.append(",\"severity_text_as_label\":true");
  return out.append("}");
}

}  // namespace

void LimitsApi::AddRoutes(Router* router) {
  using Answer = HttpResponse (LimitsApi::*)(const std::string&) const;
  const auto add = [&](std::string_view pattern, Answer answer) {
    router->Add({"GET"}, pattern, Worker::kAdmin, [this, answer](const HttpRequest& request) {
      TenantLookup tenant = ResolveTenant(request, true, true);
      if (tenant.refusal.has_value()) return std::move(*tenant.refusal);
      return (this->*answer)(tenant.name);
    });
  };
  add("/loki/api/v1/drilldown-limits", &LimitsApi::DrilldownLimits);
  add("/config/tenant/v1/limits", &LimitsApi::TenantLimits);
  router->Add({"POST"}, "/-/reload", Worker::kAdmin, [this](const HttpRequest&) { return Reload(); });
}

HttpResponse LimitsApi::TenantLimits(const std::string& tenant) const {
  if (context_.source == nullptr) return ErrorText(404, "not found\n");
  HttpResponse response = TextResponse(200, context_.source->TenantYaml(tenant));
  response.content_type = "text/yaml; charset=utf-8";
  return response;
}

HttpResponse LimitsApi::DrilldownLimits(const std::string& tenant) const {
  const std::shared_ptr<const QueryLimits> query = context_.query->Of(tenant);
  const std::shared_ptr<const IngestLimits> ingest = context_.ingest->Of(tenant);
  std::string out = "{\"limits\":{";
  JsonFields limits(&out);
  limits.Bool("discover_log_levels", ingest->discover_log_levels);
  limits.Texts("discover_service_name", ingest->discover_service_name);
  limits.Texts("log_level_fields", ingest->log_level_fields);
  limits.Number("max_entries_limit_per_query", query->max_entries_limit_per_query);
  limits.Bool("max_line_size_truncate", ingest->max_line_size_truncate);
  limits.Text("max_query_bytes_read", ExactBytes(query->max_query_bytes_read));
  limits.Text("max_query_length", PrometheusDurationText(query->max_query_length_ns));
  limits.Text("max_query_lookback", PrometheusDurationText(query->max_query_lookback_ns));
  limits.Text("max_query_range", PrometheusDurationText(query->max_query_range_ns));
  limits.Number("max_query_series", query->max_query_series);
  limits.Bool("metric_aggregation_enabled", false);
  limits.Raw("otlp_config", OtlpConfigJson(ingest->otlp_config));
  limits.Bool("pattern_persistence_enabled", false);
  limits.Text("query_timeout", PrometheusDurationText(query->query_timeout_ms * kNsPerMs));
  limits.Text("retention_period",
              PrometheusDurationText(RetentionPolicyOf(context_.engine->options())->BasePeriodNs(tenant)));
  limits.Bool("volume_enabled", query->volume_enabled);
  limits.Number("volume_max_series", query->volume_max_series);
  out.append("},");
  JsonFields rest(&out);
  rest.Bool("pattern_ingester_enabled", true);
  rest.Text("version", kLokiApiVersion);
  return JsonResponse(out.append("}\n"));
}

HttpResponse LimitsApi::Reload() const {
  if (context_.source == nullptr) return ErrorText(404, "not found\n");
  if (const Status reloaded = context_.source->Reload(); !reloaded.ok()) {
    return ErrorText(500, "failed to reload the configuration: " + reloaded.message() + "\n");
  }
  HttpResponse response;
  response.status = 204;
  return response;
}

}  // namespace varve
