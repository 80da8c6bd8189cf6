#include "http/ruler_config_api.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "alerting/rules/rule_expression.h"
#include "alerting/rules/rule_file.h"
#include "alerting/rules/ruler.h"
#include "http/error_map.h"
#include "http/form.h"
#include "http/tenant.h"

namespace varve {
namespace {

HttpResponse Refusal(int status, std::string text) { return ErrorText(status, text + "\n"); }

HttpResponse Yaml(std::string body) {
  HttpResponse response = TextResponse(200, std::move(body));
  response.content_type = "application/yaml";
  return response;
}

HttpResponse Accepted() {
  HttpResponse response = JsonResponse(R"({"status":"success","data":null,"errorType":"","error":""})");
  response.status = 202;
  response.content_type = "application/json";
  return response;
}

HttpResponse Failure(const Status& status) {
  switch (status.code()) {
    case Code::kInvalidArgument:
    case Code::kResourceExhausted:
    case Code::kTooLarge: return Refusal(400, status.message());
    case Code::kNotFound: return Refusal(404, status.message());
    default: return Refusal(LokiQueryStatus(status.code()), status.message());
  }
}

// `labels=a:b,c:d`: only rules with all of these.
std::vector<std::pair<std::string, std::string>> LabelFilter(const HttpRequest& request) {
  std::vector<std::pair<std::string, std::string>> pairs;
  Status error;
  const FormParams params = FormParams::ParseWhatCan(request, &error);
  error.IgnoreError("what is broken is not a filter");
  std::string_view rest = params.Get("labels");
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, std::min(rest.find(','), rest.size()));
    if (const size_t colon = pair.find(':'); colon != std::string_view::npos) {
      pairs.emplace_back(pair.substr(0, colon), pair.substr(colon + 1));
    }
    rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
  }
  return pairs;
}

void KeepRulesWith(const std::vector<std::pair<std::string, std::string>>& labels, std::vector<RuleGroup>* groups) {
  if (labels.empty()) return;
  for (RuleGroup& group : *groups) {
    std::erase_if(group.rules, [&](const Rule& rule) {
      return !std::all_of(labels.begin(), labels.end(), [&](const auto& label) {
        const auto found = rule.labels.find(label.first);
        return found != rule.labels.end() && found->second == label.second;
      });
    });
  }
  std::erase_if(*groups, [](const RuleGroup& group) { return group.rules.empty(); });
}

// Grafana decodes all groups at once and fails on a key that it does not know: one group with `alarm:` would take its page of
// rules away. It adds `subtype` to what it asks; groups that it cannot decode are then left out, and so it cannot drop what
// it does not know of, either.
bool AsksGrafana(const HttpRequest& request) {
  Status error;
  const FormParams params = FormParams::ParseWhatCan(request, &error);
  error.IgnoreError("what is broken is not Grafana's");
  return params.Has("subtype");
}

bool GrafanaCanDecode(const RuleGroup& group) {
  return std::none_of(group.rules.begin(), group.rules.end(), [](const Rule& rule) {
    // As it is printed: `type` only where the expression does not tell.
    const auto is = [&](RuleLanguage language) { return CheckRuleExpression(rule.expr, language).ok(); };
    return rule.alarm.has_value() || (rule.language_given && is(RuleLanguage::kLogql) && is(RuleLanguage::kPromql));
  });
}

}  // namespace

void RulerConfigApi::AddRoutes(Router* router) {
  for (const char* base : {"/loki/api/v1/rules", "/api/prom/rules"}) AddBase(base, Dialect::kLoki, router);
  for (const char* base : {"/config/v1/rules", "/prometheus/config/v1/rules"}) AddBase(base, Dialect::kMimir, router);
}

void RulerConfigApi::AddBase(const std::string& base, Dialect dialect, Router* router) {
  const auto add = [&](const char* method, const std::string& path, Answer answer) {
    router->Add({method}, path, Worker::kAdmin, [this, dialect, answer](const HttpRequest& request) {
      TenantLookup tenant = ResolveTenant(request, auth_enabled_, true);
      if (tenant.refusal.has_value()) return std::move(*tenant.refusal);
      if (ready_ != nullptr && !ready_()) return Refusal(503, "rules are not loaded yet");
      return (this->*answer)(Call{request, dialect, std::move(tenant.name)});
    });
  };
  add("GET", base, &RulerConfigApi::List);
  add("GET", base + "/{namespace}", &RulerConfigApi::List);
  add("POST", base + "/{namespace}", &RulerConfigApi::Put);
  add("DELETE", base + "/{namespace}", &RulerConfigApi::DeleteNamespace);
  add("GET", base + "/{namespace}/{group}", &RulerConfigApi::Get);
  add("DELETE", base + "/{namespace}/{group}", &RulerConfigApi::DeleteGroup);
}

HttpResponse RulerConfigApi::List(const Call& call) const {
  std::vector<RuleGroup> groups = ruler_ == nullptr ? std::vector<RuleGroup>() : ruler_->ApiGroups(call.tenant);
  const std::vector<std::string>& path = call.request.path_params;
  if (!path.empty()) std::erase_if(groups, [&](const RuleGroup& group) { return group.file != path[0]; });
  KeepRulesWith(LabelFilter(call.request), &groups);
  if (AsksGrafana(call.request)) {
    std::erase_if(groups, [](const RuleGroup& group) { return !GrafanaCanDecode(group); });
  }
  if (groups.empty()) return Refusal(404, "no rule groups found");
  return Yaml(PrintRuleNamespaces(groups));
}

HttpResponse RulerConfigApi::Get(const Call& call) const {
  const std::vector<std::string>& path = call.request.path_params;
  if (ruler_ != nullptr) {
    for (const RuleGroup& group : ruler_->ApiGroups(call.tenant)) {
      if (group.file == path[0] && group.name == path[1]) return Yaml(PrintRuleGroup(group));
    }
  }
  return Refusal(404, ruler_ != nullptr ? "group does not exist" : "GetRuleGroup unsupported in rule local store");
}

HttpResponse RulerConfigApi::Put(const Call& call) const {
  if (ruler_ == nullptr) return Refusal(400, "SetRuleGroup unsupported in rule local store");
  const RuleLanguage language = call.dialect == Dialect::kLoki ? RuleLanguage::kLogql : RuleLanguage::kPromql;
  Result<RuleGroup> group = ParseRuleGroup(call.request.body, call.request.path_params[0], language);
  if (!group.ok()) return Failure(group.status());
  const Status put = ruler_->PutGroup(call.tenant, std::move(*group));
  return put.ok() ? Accepted() : Failure(put);
}

HttpResponse RulerConfigApi::DeleteGroup(const Call& call) const {
  if (ruler_ == nullptr) return Refusal(404, "group does not exist");
  const std::vector<std::string>& path = call.request.path_params;
  const Status deleted = ruler_->DeleteGroup(call.tenant, path[0], path[1]);
  // Loki also takes the deletion of what is not there.
  const bool gone = deleted.ok() || (deleted.code() == Code::kNotFound && call.dialect == Dialect::kLoki);
  return gone ? Accepted() : Failure(deleted);
}

HttpResponse RulerConfigApi::DeleteNamespace(const Call& call) const {
  if (ruler_ == nullptr) return Refusal(404, "group namespace does not exist");
  const Status deleted = ruler_->DeleteNamespace(call.tenant, call.request.path_params[0]);
  return deleted.ok() ? Accepted() : Failure(deleted);
}

}  // namespace varve
