// The kinds of integrations, for MakeIntegrations.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "alerting/notify/receiver.h"

namespace varve {

std::unique_ptr<Integration> MakeEmailIntegration(EmailConfig config, const templates::TemplateSet* templates);
std::unique_ptr<Integration> MakeSlackIntegration(SlackConfig config, const templates::TemplateSet* templates);
std::unique_ptr<Integration> MakeWebhookIntegration(WebhookConfig config, const templates::TemplateSet* templates);
std::unique_ptr<Integration> MakePagerdutyIntegration(PagerdutyConfig config, const templates::TemplateSet* templates);

// A POST of JSON to a receiver. `reply` may be null. 2xx is a delivery; 5xx and 429 may be tried again, other answers
// not; neither may what the configuration's files are the reason of.
Delivery PostJson(const std::string& url, std::string body, int64_t timeout_ms, const HttpClientConfig& http,
                  const CancelToken& cancel, HttpReply* reply);

Delivery Failed(Status status, bool retry);
Delivery Delivered();

// What templates see in a message that is not about alerts.
Notification EmptyNotification();

}  // namespace varve
