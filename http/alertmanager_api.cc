#include "http/alertmanager_api.h"

#include <algorithm>
#include <cctype>
#include <utility>
#include <vector>

#include "alerting/notify/notifier.h"
#include "engine/base/json_writer.h"
#include "engine/base/time.h"
#include "engine/model/labels.h"
#include "http/alerting_json.h"
#include "http/alertmanager_json.h"
#include "http/form.h"
#include "http/tenant.h"
#include "http/version.h"

namespace varve {
namespace {

// What is in force without a configuration: alerts are kept, and nobody is told.
constexpr std::string_view kNoConfig = "route:\n  receiver: \"null\"\nreceivers:\n- name: \"null\"\n";

HttpResponse Json(int status, std::string body) {
  HttpResponse response;
  response.status = status;
  response.content_type = "application/json";
  response.body = body.append("\n");
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

HttpResponse Empty(int status) {
  HttpResponse response;
  response.status = status;
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

// Alertmanager's own errors are texts, …
HttpResponse TextError(int status, std::string_view message) {
  std::string body;
  AppendJsonString(&body, message);
  return Json(status, std::move(body));
}

// … those of the library that reads its requests are objects.
HttpResponse RequestError(int status, int code, std::string_view message) {
  std::string body = "{\"code\":" + std::to_string(code) + ",\"message\":";
  AppendJsonString(&body, message);
  return Json(status, body.append("}"));
}

HttpResponse Failure(const Status& status) {
  switch (status.code()) {
    case Code::kInvalidArgument: return TextError(400, status.message());
    case Code::kNotFound: return TextError(404, status.message());
    case Code::kResourceExhausted: return TextError(429, status.message());
    case Code::kUnavailable: return TextError(503, status.message());
    default: return TextError(500, status.message());
  }
}

bool IsJson(const HttpRequest& request) {
  std::string type(request.Header("content-type"));
  type.resize(std::min(type.find(';'), type.size()));
  while (!type.empty() && type.back() == ' ') type.pop_back();
  std::transform(type.begin(), type.end(), type.begin(),
                 [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
  return type == "application/json";
}

// A page of another site cannot send JSON without asking first, so that no page can silence alerts.
HttpResponse WrongType(const HttpRequest& request) {
  return RequestError(415, 415,
                      "unsupported media type " + GoQuoted(request.Header("content-type")) +
                          ", only [application/json] are allowed");
}

FormParams Params(const HttpRequest& request) {
  Status error;
  FormParams params = FormParams::ParseWhatCan(request, &error);
  error.IgnoreError("as Go: broken parameters are left out");
  return params;
}

// True when it is not there; what is no kind of yes is a no.
bool Flag(const FormParams& params, std::string_view name) {
  if (!params.Has(name)) return true;
  const std::string_view text = params.Get(name);
  for (const std::string_view yes : {"true", "1", "yes", "ok", "y", "on", "selected", "checked", "t", "enabled"}) {
    if (text == yes) return true;
  }
  return false;
}

Result<std::vector<Matcher>> ReadFilter(const FormParams& params) {
  std::vector<Matcher> all;
  for (const std::string_view text : params.All("filter")) {
    VARVE_ASSIGN_OR_RETURN(std::vector<Matcher> matchers, ParseAlertMatchers(text));
    for (Matcher& matcher : matchers) all.push_back(std::move(matcher));
  }
  return all;
}

Result<AlertFilter> ReadAlertFilter(const FormParams& params) {
  AlertFilter filter;
  filter.active = Flag(params, "active");
  filter.silenced = Flag(params, "silenced");
  filter.inhibited = Flag(params, "inhibited");
  filter.unprocessed = Flag(params, "unprocessed");
  filter.muted = Flag(params, "muted");
  VARVE_ASSIGN_OR_RETURN(filter.matchers, ReadFilter(params));
  filter.receiver = params.Get("receiver");
  const Result<Matcher> receiver = Matcher::Create("receiver", MatchOp::kRegexMatch, filter.receiver);
  if (!receiver.ok()) {
    return InvalidArgument("failed to parse receiver param: " + receiver.status().message());
  }
  return filter;
}

bool IsUuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : std::isxdigit(static_cast<unsigned char>(text[i])) == 0) return false;
  }
  return true;
}

HttpResponse NotAUuid(std::string_view id) {
  return RequestError(422, 601, "silenceID in path must be of type uuid: " + GoQuoted(id));
}

// Whether each matcher of the filter is one of the silence's.
bool HasMatchers(const Silence& silence, const std::vector<Matcher>& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const Matcher& matcher) {
    return std::any_of(silence.matchers.begin(), silence.matchers.end(), [&](const Matcher& own) {
      return own.name() == matcher.name() && own.op() == matcher.op() && own.value() == matcher.value();
    });
  });
}

// Active ones first, then those that are to come, then the others; each by what happens next, or happened last.
void SortSilences(std::vector<Silence>* silences, int64_t now_ms) {
  const auto key = [now_ms](const Silence& silence) -> std::pair<int, int64_t> {
    switch (silence.StateAt(now_ms)) {
      case SilenceState::kActive: return {0, silence.ends_at_ms};
      case SilenceState::kPending: return {1, silence.starts_at_ms};
      case SilenceState::kExpired: break;
    }
    return {2, -silence.ends_at_ms};
  };
  std::stable_sort(silences->begin(), silences->end(),
                   [&](const Silence& a, const Silence& b) { return key(a) < key(b); });
}

}  // namespace

AlertmanagerApi::AlertmanagerApi(AlertmanagerContext context) : context_(std::move(context)), started_ms_(NowMs()) {}

int64_t AlertmanagerApi::NowMs() const { return context_.clock->NowNs() / kNsPerMs; }

void AlertmanagerApi::AddRoutes(Router* router) {
  const auto add = [&](const char* method, const std::string& path, Answer answer) {
    router->Add({method}, "/api/v2" + path, Worker::kAdmin, [this, answer](const HttpRequest& request) {
      TenantLookup tenant = ResolveTenant(request, context_.auth_enabled, true);
      if (tenant.refusal.has_value()) return std::move(*tenant.refusal);
      if (context_.ready != nullptr && !context_.ready()) return TextError(503, "alerts are not loaded yet");
      if (request.method == "POST" && !IsJson(request)) return WrongType(request);
      return (this->*answer)(request, tenant.name);
    });
  };
  add("GET", "/status", &AlertmanagerApi::GetStatus);
  add("GET", "/receivers", &AlertmanagerApi::Receivers);
  add("GET", "/alerts", &AlertmanagerApi::Alerts);
  add("POST", "/alerts", &AlertmanagerApi::PostAlerts);
  add("GET", "/alerts/groups", &AlertmanagerApi::Groups);
  add("GET", "/silences", &AlertmanagerApi::Silences);
  add("POST", "/silences", &AlertmanagerApi::PostSilence);
  add("GET", "/silence/{id}", &AlertmanagerApi::GetSilence);
  add("DELETE", "/silence/{id}", &AlertmanagerApi::DeleteSilence);
}

HttpResponse AlertmanagerApi::GetStatus(const HttpRequest&, const std::string&) const {
  const std::optional<NotifyConfig> config = context_.notifier->config();
  std::string body = R"({"cluster":{"name":"","peers":[],"status":"disabled"},"config":{"original":)";
  AppendJsonString(&body, config.has_value() ? std::string_view(config->original) : kNoConfig);
  body.append("},\"uptime\":");
  AppendMilliTimeJson(&body, started_ms_);
  body.append(R"(,"versionInfo":{"branch":"","buildDate":"","buildUser":"","goVersion":"","revision":)");
  AppendJsonString(&body, "varve-" + std::string(kVarveVersion));
  body.append(",\"version\":");
  AppendJsonString(&body, kAlertmanagerApiVersion);
  return Json(200, body.append("}}"));
}

HttpResponse AlertmanagerApi::Receivers(const HttpRequest&, const std::string&) const {
  std::string body = "[";
  for (const std::string& name : context_.notifier->Receivers()) {
    if (body.size() > 1) body.push_back(',');
    body.append("{\"name\":");
    AppendJsonString(&body, name);
    body.push_back('}');
  }
  return Json(200, body.append("]"));
}

HttpResponse AlertmanagerApi::Alerts(const HttpRequest& request, const std::string& tenant) const {
  const Result<AlertFilter> filter = ReadAlertFilter(Params(request));
  if (!filter.ok()) return Failure(filter.status());
  std::vector<AlertView> views = context_.notifier->Alerts(tenant, *filter);
  std::sort(views.begin(), views.end(),
            [](const AlertView& a, const AlertView& b) { return a.fingerprint < b.fingerprint; });
  std::string body = "[";
  for (const AlertView& view : views) {
    if (body.size() > 1) body.push_back(',');
    AppendAlertViewJson(&body, view);
  }
  return Json(200, body.append("]"));
}

HttpResponse AlertmanagerApi::Groups(const HttpRequest& request, const std::string& tenant) const {
  const Result<AlertFilter> filter = ReadAlertFilter(Params(request));
  if (!filter.ok()) return Failure(filter.status());
  const std::vector<AlertGroupView> groups = context_.notifier->Groups(tenant, *filter);
  std::string body = "[";
  for (const AlertGroupView& group : groups) {
    if (body.size() > 1) body.push_back(',');
    AppendAlertGroupJson(&body, group);
  }
  return Json(200, body.append("]"));
}

HttpResponse AlertmanagerApi::PostAlerts(const HttpRequest& request, const std::string& tenant) const {
  std::string invalid;
  const Result<std::vector<PostedAlert>> alerts = ReadPostedAlerts(request.body, &invalid);
  if (!alerts.ok()) return RequestError(400, 400, alerts.status().message());
  if (const Status posted = context_.notifier->Post(tenant, *alerts); !posted.ok()) return Failure(posted);
  return invalid.empty() ? Empty(200) : TextError(400, invalid);
}

HttpResponse AlertmanagerApi::Silences(const HttpRequest& request, const std::string& tenant) const {
  const FormParams params = Params(request);
  const Result<std::vector<Matcher>> filter = ReadFilter(params);
  if (!filter.ok()) return Failure(filter.status());
  const int64_t now_ms = NowMs();
  const bool active = Flag(params, "active"), pending = Flag(params, "pending"), expired = Flag(params, "expired");
  std::vector<Silence> silences = context_.notifier->Silences(tenant);
  std::erase_if(silences, [&](const Silence& silence) {
    const SilenceState state = silence.StateAt(now_ms);
    const bool wanted = state == SilenceState::kActive ? active : state == SilenceState::kPending ? pending : expired;
    return !wanted || !HasMatchers(silence, *filter);
  });
  SortSilences(&silences, now_ms);
  std::string body = "[";
  for (const Silence& silence : silences) {
    if (body.size() > 1) body.push_back(',');
    AppendSilenceJson(&body, silence, now_ms);
  }
  return Json(200, body.append("]"));
}

HttpResponse AlertmanagerApi::PostSilence(const HttpRequest& request, const std::string& tenant) const {
  Result<Silence> silence = ReadSilence(request.body);
  if (!silence.ok()) return RequestError(422, 602, silence.status().message());
  if (silence->starts_at_ms >= silence->ends_at_ms) {
    return TextError(400, "Failed to create silence: start time must be before end time");
  }
  if (silence->ends_at_ms < NowMs()) {
    return TextError(400, "Failed to create silence: end time can't be in the past");
  }
  const Result<std::string> id = context_.notifier->SetSilence(tenant, std::move(*silence));
  if (!id.ok()) return Failure(id.status());
  std::string body = "{\"silenceID\":";
  AppendJsonString(&body, *id);
  return Json(200, body.append("}"));
}

HttpResponse AlertmanagerApi::GetSilence(const HttpRequest& request, const std::string& tenant) const {
  const std::string& id = request.path_params.front();
  if (!IsUuid(id)) return NotAUuid(id);
  const Result<Silence> silence = context_.notifier->FindSilence(tenant, id);
  if (!silence.ok()) return silence.status().code() == Code::kNotFound ? Empty(404) : Failure(silence.status());
  std::string body;
  AppendSilenceJson(&body, *silence, NowMs());
  return Json(200, std::move(body));
}

HttpResponse AlertmanagerApi::DeleteSilence(const HttpRequest& request, const std::string& tenant) const {
  const std::string& id = request.path_params.front();
  if (!IsUuid(id)) return NotAUuid(id);
  const Status expired = context_.notifier->ExpireSilence(tenant, id);
  if (expired.ok()) return Empty(200);
  if (expired.code() == Code::kNotFound) return Empty(404);
  return TextError(500, expired.message());
}

}  // namespace varve
