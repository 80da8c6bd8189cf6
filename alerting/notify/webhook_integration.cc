#include "alerting/notify/integrations.h"
#include "alerting/notify/json_object.h"
#include "alerting/notify/notification_data.h"

namespace varve {
namespace {

class WebhookIntegration final : public Integration {
 public:
  WebhookIntegration(WebhookConfig config, const templates::TemplateSet* templates)
      : config_(std::move(config)), templates_(templates) {}

  std::string_view kind() const override { return "webhook"; }
  bool send_resolved() const override { return config_.send_resolved; }

  Delivery Notify(const Notification& notification, const CancelToken& cancel) override {
    return Post(notification, WebhookJson(notification, config_.max_alerts), cancel);
  }

  Delivery Send(const Message& message, const CancelToken& cancel) override {
    std::string body = message.json;
    if (body.empty()) {
      JsonObject object(&body);
      object.Text("title", message.title);
      object.Text("text", message.text);
      object.Text("severity", message.severity);
      object.Text("id", message.id);
      object.Close();
    }
    return Post(EmptyNotification(), std::move(body), cancel);
  }

 private:
  Delivery Post(const Notification& notification, std::string body, const CancelToken& cancel) const {
    auto url = config_.url.Read();
    if (!url.ok()) return Failed(std::move(url).status(), false);
    MessageTemplates templates(templates_, notification);
    const std::string target = templates.Text(*url);
    if (!templates.status().ok()) return Failed(templates.status().Clone().WithContext("url"), false);
    if (target.empty()) return Failed(InvalidArgument("the webhook's URL is empty"), false);
    return PostJson(target, std::move(body), config_.timeout_ms, config_.http, cancel, nullptr);
  }

  const WebhookConfig config_;
  const templates::TemplateSet* templates_;
};

}  // namespace

std::unique_ptr<Integration> MakeWebhookIntegration(WebhookConfig config, const templates::TemplateSet* templates) {
  return std::make_unique<WebhookIntegration>(std::move(config), templates);
}

}  // namespace varve
