#include <simdjson.h>

#include "alerting/notify/integrations.h"
#include "alerting/notify/json_object.h"
#include "alerting/notify/notification_data.h"
#include "engine/model/labels.h"

namespace varve {
namespace {

constexpr size_t kTitleRunesMax = 1024;

// Slack's web API answers {"ok": false, "error": "…"} with status 200; webhooks answer "ok".
Status CheckReply(const std::string& body) {
  if (body == "ok") return Status::Ok();
  if (!body.starts_with('{')) return Unavailable("received an error response from Slack: " + body.substr(0, 300));
  simdjson::dom::parser parser;
  simdjson::dom::element reply;
  bool ok = false;
  if (parser.parse(body).get(reply) == simdjson::SUCCESS && reply["ok"].get(ok) == simdjson::SUCCESS && ok) {
    return Status::Ok();
  }
  std::string_view error;
  if (parser.parse(body).get(reply) != simdjson::SUCCESS || reply["error"].get(error) != simdjson::SUCCESS) {
    error = "not understood";
  }
  return Unavailable("error response from Slack: " + std::string(error.substr(0, 300)));
}

class SlackIntegration final : public Integration {
 public:
  SlackIntegration(SlackConfig config, const templates::TemplateSet* templates)
      : config_(std::move(config)), templates_(templates) {}

  std::string_view kind() const override { return "slack"; }
  bool send_resolved() const override { return config_.send_resolved; }

  Delivery Notify(const Notification& notification, const CancelToken& cancel) override {
    MessageTemplates templates(templates_, notification);
    std::string attachment;
    AppendAttachment(&templates, &attachment);
    return Post(&templates, templates.Text(config_.message_text), attachment, cancel);
  }

  Delivery Send(const Message& message, const CancelToken& cancel) override {
    MessageTemplates templates(templates_, EmptyNotification());
    std::string attachment;
    JsonObject object(&attachment);
    object.TextUnlessEmpty("title", TruncatedInRunes(message.title, kTitleRunesMax));
    object.Text("text", message.text);
    object.Text("fallback", message.title);
    object.Text("callback_id", "");
    object.Text("footer", "");
    object.Text("color", message.severity == "error" ? "danger" : "good");
    object.Name("mrkdwn_in");
    attachment += "[\"text\"]";
    object.Close();
    return Post(&templates, "", attachment, cancel);
  }

 private:
  void AppendAttachment(MessageTemplates* t, std::string* out) const {
    JsonObject object(out);
    object.TextUnlessEmpty("title", TruncatedInRunes(t->Text(config_.title), kTitleRunesMax));
    object.TextUnlessEmpty("title_link", t->Text(config_.title_link));
    object.TextUnlessEmpty("pretext", t->Text(config_.pretext));
    object.Text("text", t->Text(config_.text));
    object.Text("fallback", t->Text(config_.fallback));
    object.Text("callback_id", t->Text(config_.callback_id));
    if (!config_.fields.empty()) AppendFields(t, &object, out);
    if (!config_.actions.empty()) AppendActions(t, &object, out);
    object.TextUnlessEmpty("image_url", t->Text(config_.image_url));
    object.TextUnlessEmpty("thumb_url", t->Text(config_.thumb_url));
    object.Text("footer", t->Text(config_.footer));
    object.TextUnlessEmpty("color", t->Text(config_.color));
    object.Name("mrkdwn_in");
    *out += '[';
    const std::vector<std::string> usual = {"fallback", "pretext", "text"};
    bool first = true;
    for (const std::string& name : config_.mrkdwn_in.empty() ? usual : config_.mrkdwn_in) {
      if (!first) *out += ',';
      first = false;
      AppendJsonString(out, name);
    }
    *out += ']';
    object.Close();
  }

  void AppendFields(MessageTemplates* t, JsonObject* parent, std::string* out) const {
    parent->Name("fields");
    char separator = '[';
    for (const SlackField& field : config_.fields) {
      *out += separator;
      separator = ',';
      JsonObject object(out);
      object.TextUnlessEmpty("title", t->Text(field.title));
      object.TextUnlessEmpty("value", t->Text(field.value));
      object.Flag("short", field.is_short.value_or(config_.short_fields));
      object.Close();
    }
    *out += ']';
  }

  void AppendActions(MessageTemplates* t, JsonObject* parent, std::string* out) const {
    parent->Name("actions");
    char separator = '[';
    for (const SlackAction& action : config_.actions) {
      *out += separator;
      separator = ',';
      JsonObject object(out);
      object.TextUnlessEmpty("type", t->Text(action.type));
      object.TextUnlessEmpty("text", t->Text(action.text));
      object.TextUnlessEmpty("url", t->Text(action.url));
      object.TextUnlessEmpty("style", t->Text(action.style));
      object.TextUnlessEmpty("name", t->Text(action.name));
      object.TextUnlessEmpty("value", t->Text(action.value));
      if (action.confirm) {
        object.Name("confirm");
        JsonObject confirm(out);
        confirm.TextUnlessEmpty("text", t->Text(action.confirm->text));
        confirm.TextUnlessEmpty("title", t->Text(action.confirm->title));
        confirm.TextUnlessEmpty("ok_text", t->Text(action.confirm->ok_text));
        confirm.TextUnlessEmpty("dismiss_text", t->Text(action.confirm->dismiss_text));
        confirm.Close();
      }
      object.Close();
    }
    *out += ']';
  }

  Delivery Post(MessageTemplates* t, const std::string& text, const std::string& attachment,
                const CancelToken& cancel) const {
    std::string body;
    const std::string channel = t->Text(config_.channel);
    JsonObject object(&body);
    object.TextUnlessEmpty("channel", channel);
    object.TextUnlessEmpty("username", t->Text(config_.username));
    object.TextUnlessEmpty("icon_emoji", t->Text(config_.icon_emoji));
    object.TextUnlessEmpty("icon_url", t->Text(config_.icon_url));
    if (config_.link_names) object.Flag("link_names", true);
    object.TextUnlessEmpty("text", text);
    object.Name("attachments");
    body += "[" + attachment + "]";
    object.Close();
    body += '\n';
    if (!t->status().ok()) return Failed(t->status().Clone(), false);
    return PostTo(channel, std::move(body), cancel);
  }

  Delivery PostTo(const std::string& channel, std::string body, const CancelToken& cancel) const {
    HttpClientConfig http = config_.http;
    std::string url = config_.app_url;
    if (!config_.app_token.empty()) {
      http.authorization_type = "Bearer";
      http.authorization_credentials = config_.app_token.text;
      http.authorization_credentials_file = config_.app_token.file;
    } else {
      auto secret = config_.api_url.Read();
      if (!secret.ok()) return Failed(std::move(secret).status(), false);
      url = std::move(*secret);
    }
    HttpReply reply;
    Delivery delivery = PostJson(url, std::move(body), config_.timeout_ms, http, cancel, &reply);
    if (delivery.status.ok()) delivery = Failed(CheckReply(reply.body), false);
    if (!delivery.status.ok()) {
      delivery.status = std::move(delivery.status).WithContext("channel " + GoQuoted(channel));
    }
    return delivery;
  }

  const SlackConfig config_;
  const templates::TemplateSet* templates_;
};

}  // namespace

std::unique_ptr<Integration> MakeSlackIntegration(SlackConfig config, const templates::TemplateSet* templates) {
  return std::make_unique<SlackIntegration>(std::move(config), templates);
}

}  // namespace varve
