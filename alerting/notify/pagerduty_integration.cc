#include "alerting/notify/integrations.h"
#include "alerting/notify/json_object.h"
#include "alerting/notify/notification_data.h"
#include "alerting/outgoing/sha256.h"

namespace varve {
namespace {

constexpr size_t kSummaryRunesMax = 1024;
constexpr size_t kEventBytesMax = 512'000;
constexpr std::string_view kTooLarge =
    "Custom details have been removed because the original event exceeds the maximum size of 512KB";

// The parts of an event of the Events API v2.
struct Event {
  std::string routing_key, dedup_key, action;
  std::string summary, source, severity, component_class, component, group;
  LabelMap details;
  std::string client, client_url;
  std::vector<PagerdutyConfig::Image> images;
  std::vector<PagerdutyConfig::Link> links;
};

void AppendPayload(const Event& event, std::string* out) {
  JsonObject payload(out);
  payload.Text("summary", event.summary);
  payload.Text("source", event.source);
  payload.Text("severity", event.severity);
  payload.TextUnlessEmpty("class", event.component_class);
  payload.TextUnlessEmpty("component", event.component);
  payload.TextUnlessEmpty("group", event.group);
  if (!event.details.empty()) {
    payload.Name("custom_details");
    JsonObject details(out);
    for (const auto& [name, value] : event.details) details.Text(name, value);
    details.Close();
  }
  payload.Close();
}

std::string EventJson(const Event& event) {
  std::string out;
  JsonObject object(&out);
  object.TextUnlessEmpty("routing_key", event.routing_key);
  object.TextUnlessEmpty("dedup_key", event.dedup_key);
  object.Text("event_action", event.action);
  object.Name("payload");
  AppendPayload(event, &out);
  object.TextUnlessEmpty("client", event.client);
  object.TextUnlessEmpty("client_url", event.client_url);
  char separator = '[';
  if (!event.images.empty()) object.Name("images");
  for (const PagerdutyConfig::Image& image : event.images) {
    out += separator;
    separator = ',';
    JsonObject entry(&out);
    entry.Text("src", image.src);
    entry.Text("alt", image.alt);
    entry.Text("href", image.href);
    entry.Close();
  }
  if (!event.images.empty()) out += ']';
  separator = '[';
  if (!event.links.empty()) object.Name("links");
  for (const PagerdutyConfig::Link& link : event.links) {
    out += separator;
    separator = ',';
    JsonObject entry(&out);
    entry.Text("href", link.href);
    entry.Text("text", link.text);
    entry.Close();
  }
  if (!event.links.empty()) out += ']';
  object.Close();
  return out + "\n";
}

class PagerdutyIntegration final : public Integration {
 public:
  PagerdutyIntegration(PagerdutyConfig config, const templates::TemplateSet* templates)
      : config_(std::move(config)), templates_(templates) {}

  std::string_view kind() const override { return "pagerduty"; }
  bool send_resolved() const override { return config_.send_resolved; }

  Delivery Notify(const Notification& notification, const CancelToken& cancel) override {
    MessageTemplates templates(templates_, notification);
    Event event = Templated(&templates);
    event.action = notification.AnyFiring() ? "trigger" : "resolve";
    event.dedup_key = Sha256Hex(GroupIdentity(notification));
    return Post(std::move(event), templates.status(), cancel);
  }

  Delivery Send(const Message& message, const CancelToken& cancel) override {
    MessageTemplates templates(templates_, EmptyNotification());
    Event event;
    event.client = templates.Text(config_.client);
    event.source = templates.Text(config_.source);
    event.action = "trigger";
    event.dedup_key = Sha256Hex(message.id.empty() ? message.title : message.id);
    event.summary = TruncatedInRunes(message.title, kSummaryRunesMax);
    event.severity = message.severity.empty() ? "info" : message.severity;
    if (!message.text.empty()) event.details["text"] = message.text;
    return Post(std::move(event), templates.status(), cancel);
  }

 private:
  Event Templated(MessageTemplates* t) const {
    Event event;
    event.summary = TruncatedInRunes(t->Text(config_.description), kSummaryRunesMax);
    event.source = t->Text(config_.source);
    event.severity = t->Text(config_.severity);
    event.component_class = t->Text(config_.component_class);
    event.component = t->Text(config_.component);
    event.group = t->Text(config_.group);
    event.client = t->Text(config_.client);
    event.client_url = t->Text(config_.client_url);
    for (const auto& [name, value] : config_.details) event.details[name] = t->Text(value);
    for (const PagerdutyConfig::Image& image : config_.images) {
      PagerdutyConfig::Image made{t->Text(image.src), t->Text(image.alt), t->Text(image.href)};
      if (!made.src.empty()) event.images.push_back(std::move(made));
    }
    for (const PagerdutyConfig::Link& link : config_.links) {
      PagerdutyConfig::Link made{t->Text(link.href), t->Text(link.text)};
      if (!made.href.empty()) event.links.push_back(std::move(made));
    }
    return event;
  }

  Delivery Post(Event event, const Status& templated, const CancelToken& cancel) const {
    if (!templated.ok()) return Failed(templated.Clone(), false);
    auto key = config_.routing_key.Read();
    if (!key.ok()) return Failed(std::move(key).status(), false);
    if (key->empty()) return Failed(InvalidArgument("routing key cannot be empty"), false);
    event.routing_key = std::move(*key);
    std::string body = EventJson(event);
    if (body.size() > kEventBytesMax) {
      event.details = {{"error", std::string(kTooLarge)}};
      body = EventJson(event);
    }
    return PostJson(config_.url, std::move(body), config_.timeout_ms, config_.http, cancel, nullptr);
  }

  const PagerdutyConfig config_;
  const templates::TemplateSet* templates_;
};

}  // namespace

std::unique_ptr<Integration> MakePagerdutyIntegration(PagerdutyConfig config, const templates::TemplateSet* templates) {
  return std::make_unique<PagerdutyIntegration>(std::move(config), templates);
}

}  // namespace varve
