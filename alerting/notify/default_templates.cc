#include "alerting/notify/default_templates.h"

#include <fstream>
#include <sstream>

namespace varve {
namespace {

constexpr std::string_view kTexts = R"tmpl({{ define "__alertmanager" }}Alertmanager{{ end }}
{{ define "__alertmanagerURL" }}{{ printf "%s/#/alerts?receiver=" .ExternalURL }}{{ urlquery .Receiver }}{{ end }}
{{ define "__description" }}{{ end }}

{{ define "__subject" -}}
  {{- $status := toUpper .Status -}}
  {{- if eq .Status "firing" }}{{ $status = printf "%s:%d" $status (len .Alerts.Firing) }}{{ end -}}
  {{- $rest := "" -}}
  {{- if gt (len .CommonLabels) (len .GroupLabels) -}}
    {{- $rest = printf "(%s)" (join " " (.CommonLabels.Remove .GroupLabels.Names).Values) -}}
  {{- end -}}
  {{- printf "[%s] %s %s" $status (join " " .GroupLabels.SortedPairs.Values) $rest -}}
{{- end }}

{{ define "__varve_pairs" }}{{ range . }}{{ printf " - %s = %s\n" .Name .Value }}{{ end }}{{ end }}
{{ define "__text_alert_list" -}}
  {{- range . }}{{ "Labels:\n" }}{{ template "__varve_pairs" .Labels.SortedPairs -}}
  {{- "Annotations:\n" }}{{ template "__varve_pairs" .Annotations.SortedPairs -}}
  {{- printf "Source: %s\n" .GeneratorURL }}{{ end -}}
{{- end }}
{{ define "__varve_markdown_pairs" }}{{ range . }}{{ printf "  - %s = %s\n" .Name .Value }}{{ end }}{{ end }}
{{ define "__text_alert_list_markdown" -}}
  {{- range . }}{{ "\nLabels:\n" }}{{ template "__varve_markdown_pairs" .Labels.SortedPairs -}}
  {{- "\nAnnotations:\n" }}{{ template "__varve_markdown_pairs" .Annotations.SortedPairs -}}
  {{- printf "\nSource: %s\n" .GeneratorURL }}{{ end -}}
  {{- "\n" -}}
{{- end }}

{{ define "slack.default.color" }}{{ $color := "good" }}{{ if eq .Status "firing" }}{{ $color = "danger" }}{{ end }}{{ $color }}{{ end }}
{{ define "slack.default.username" }}{{ template "__alertmanager" . }}{{ end }}
{{ define "slack.default.title" }}{{ template "__subject" . }}{{ end }}
{{ define "slack.default.titlelink" }}{{ template "__alertmanagerURL" . }}{{ end }}
{{ define "slack.default.fallback" }}{{ template "__subject" . }}{{ " | " }}{{ template "__alertmanagerURL" . }}{{ end }}
{{ define "slack.default.pretext" }}{{ end }}
{{ define "slack.default.text" }}{{ end }}
{{ define "slack.default.footer" }}{{ end }}
{{ define "slack.default.callbackid" }}{{ end }}
{{ define "slack.default.iconemoji" }}{{ end }}
{{ define "slack.default.iconurl" }}{{ end }}

{{ define "pagerduty.default.client" }}{{ template "__alertmanager" . }}{{ end }}
{{ define "pagerduty.default.clientURL" }}{{ template "__alertmanagerURL" . }}{{ end }}
{{ define "pagerduty.default.description" }}{{ template "__subject" . }}{{ end }}
{{ define "pagerduty.default.instances" }}{{ template "__text_alert_list" . }}{{ end }}

{{ define "email.default.subject" }}{{ template "__subject" . }}{{ end }}
)tmpl";

constexpr std::string_view kMail = R"tmpl({{ define "__varve_mail_pairs" }}{{ range . }}{{ .Name }} = {{ .Value }}<br>
{{ end }}{{ end }}
{{ define "__varve_mail_alert" }}<div style="margin:0 0 16px;padding:0 0 12px;border-bottom:1px solid #ddd">
<b>Labels</b><br>
{{ template "__varve_mail_pairs" .Labels.SortedPairs }}
{{- if .Annotations }}<b>Annotations</b><br>
{{ template "__varve_mail_pairs" .Annotations.SortedPairs }}{{ end -}}
<a href="{{ .GeneratorURL }}" style="color:#1a66b3">Source</a>
</div>
{{ end }}
{{ define "email.default.html" }}<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ template "__subject" . }}</title>
</head>
{{ $firing := .Alerts.Firing }}{{ $resolved := .Alerts.Resolved }}
<body style="margin:0;padding:16px;background:#f2f2f2;font-family:sans-serif;font-size:14px;line-height:1.5;color:#222">
<div style="max-width:640px;margin:0 auto;background:#fff;border-radius:6px;overflow:hidden">
<h1 style="margin:0;padding:16px 24px;font-size:17px;color:#fff;background:{{ if $firing }}#b3261e{{ else }}#2e7d32{{ end }}">
{{- len .Alerts }} alert{{ if gt (len .Alerts) 1 }}s{{ end }} for
{{- range .GroupLabels.SortedPairs }} {{ .Name }}={{ .Value }}{{ end -}}
</h1>
<div style="padding:20px 24px">
<p style="margin:0 0 20px"><a href="{{ template "__alertmanagerURL" . }}" style="color:#1a66b3;font-weight:bold">View in {{ template "__alertmanager" . }}</a></p>
{{ if $firing }}<h2 style="font-size:15px">[{{ len $firing }}] Firing</h2>
{{ range $firing }}{{ template "__varve_mail_alert" . }}{{ end }}{{ end -}}
{{ if $resolved }}<h2 style="font-size:15px">[{{ len $resolved }}] Resolved</h2>
{{ range $resolved }}{{ template "__varve_mail_alert" . }}{{ end }}{{ end -}}
</div>
<p style="margin:0;padding:12px 24px;font-size:12px;background:#fafafa"><a href="{{ .ExternalURL }}" style="color:#777">Sent by {{ template "__alertmanager" . }}</a></p>
</div>
</body>
</html>
{{ end }}
)tmpl";

constexpr size_t kTemplateFileBytesMax = 1 << 20;

Result<std::string> ReadTemplateFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return IoError("cannot read " + path);
  std::ostringstream text;
  text << file.rdbuf();
  if (file.bad()) return IoError("cannot read " + path);
  if (text.view().size() > kTemplateFileBytesMax) return InvalidArgument(path + ": longer than 1 MiB");
  return std::move(text).str();
}

// Checks the templates of one receiver's entry.
class EntryCheck {
 public:
  EntryCheck(const templates::TemplateSet* set, const ReceiverConfig& receiver, std::string_view kind, size_t at)
      : set_(set), where_((receiver.where.empty() ? "" : receiver.where + ": ") + "receiver \"" + receiver.name + "\": " +
                          std::string(kind) + "_configs[" + std::to_string(at) + "]") {}

  EntryCheck& Text(std::string_view key, std::string_view text) {
    if (!status_.ok()) return *this;
    Status checked = set_->Check("", text);
    if (!checked.ok()) status_ = InvalidArgument(where_ + ": " + std::string(key) + ": " + checked.message());
    return *this;
  }
  Status Take() { return std::move(status_); }

 private:
  const templates::TemplateSet* set_;
  std::string where_;
  Status status_;
};

Status CheckEmail(const EmailConfig& config, EntryCheck* check) {
  check->Text("to", config.to).Text("from", config.from).Text("html", config.html).Text("text", config.text);
  for (const auto& [name, value] : config.headers) check->Text("headers", value);
  return check->Take();
}

Status CheckSlack(const SlackConfig& c, EntryCheck* check) {
  check->Text("channel", c.channel).Text("username", c.username).Text("color", c.color).Text("title", c.title);
  check->Text("title_link", c.title_link).Text("pretext", c.pretext).Text("text", c.text).Text("footer", c.footer);
  check->Text("fallback", c.fallback).Text("callback_id", c.callback_id).Text("icon_emoji", c.icon_emoji);
  check->Text("icon_url", c.icon_url).Text("image_url", c.image_url).Text("thumb_url", c.thumb_url);
  check->Text("message_text", c.message_text);
  for (const SlackField& field : c.fields) check->Text("fields", field.title).Text("fields", field.value);
  for (const SlackAction& action : c.actions) {
    check->Text("actions", action.type).Text("actions", action.text).Text("actions", action.url);
    check->Text("actions", action.style).Text("actions", action.name).Text("actions", action.value);
  }
  return check->Take();
}

Status CheckPagerduty(const PagerdutyConfig& c, EntryCheck* check) {
  check->Text("routing_key", c.routing_key.text).Text("client", c.client).Text("client_url", c.client_url);
  check->Text("description", c.description).Text("severity", c.severity).Text("source", c.source);
  check->Text("component", c.component).Text("class", c.component_class).Text("group", c.group);
  for (const auto& [name, value] : c.details) check->Text("details", value);
  for (const PagerdutyConfig::Link& link : c.links) check->Text("links", link.href).Text("links", link.text);
  for (const PagerdutyConfig::Image& image : c.images) {
    check->Text("images", image.src).Text("images", image.alt).Text("images", image.href);
  }
  return check->Take();
}

Status CheckReceiver(const ReceiverConfig& receiver, const templates::TemplateSet* set) {
  for (size_t i = 0; i < receiver.emails.size(); ++i) {
    EntryCheck check(set, receiver, "email", i);
    VARVE_RETURN_IF_ERROR(CheckEmail(receiver.emails[i], &check));
  }
  for (size_t i = 0; i < receiver.slacks.size(); ++i) {
    EntryCheck check(set, receiver, "slack", i);
    VARVE_RETURN_IF_ERROR(CheckSlack(receiver.slacks[i], &check));
  }
  for (size_t i = 0; i < receiver.webhooks.size(); ++i) {
    EntryCheck check(set, receiver, "webhook", i);
    VARVE_RETURN_IF_ERROR(check.Text("url", receiver.webhooks[i].url.text).Take());
  }
  for (size_t i = 0; i < receiver.pagerduties.size(); ++i) {
    EntryCheck check(set, receiver, "pagerduty", i);
    VARVE_RETURN_IF_ERROR(CheckPagerduty(receiver.pagerduties[i], &check));
  }
  return Status::Ok();
}

}  // namespace

std::string_view DefaultTemplates() {
  static const std::string all = std::string(kTexts) + std::string(kMail);
  return all;
}

Result<std::shared_ptr<const templates::TemplateSet>> LoadTemplates(const NotifyConfig& config) {
  auto set = std::make_shared<templates::TemplateSet>(templates::FunctionSet::kAlertmanager);
  VARVE_RETURN_IF_ERROR(set->Parse("default.tmpl", DefaultTemplates()));
  for (const std::string& path : config.template_files) {
    VARVE_ASSIGN_OR_RETURN(std::string text, ReadTemplateFile(path));
    const size_t slash = path.rfind('/');
    VARVE_RETURN_IF_ERROR(set->Parse(slash == std::string::npos ? path : path.substr(slash + 1), text));
  }
  for (const ReceiverConfig& receiver : config.receivers) VARVE_RETURN_IF_ERROR(CheckReceiver(receiver, set.get()));
  return std::shared_ptr<const templates::TemplateSet>(std::move(set));
}

}  // namespace varve
