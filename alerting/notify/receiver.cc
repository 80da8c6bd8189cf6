#include "alerting/notify/receiver.h"

#include "alerting/notify/integrations.h"

namespace varve {
namespace {

constexpr int64_t kAttemptTimeoutMs = 30'000;  // of an attempt whose configuration names none
constexpr size_t kAnswerShownMax = 300;

// What a server answered, as much of it as a log line should hold.
std::string Shown(std::string_view body) {
  std::string out(body.substr(0, kAnswerShownMax));
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

}  // namespace

Delivery Failed(Status status, bool retry) {
  Delivery delivery;
  delivery.status = std::move(status);
  delivery.retry = retry;
  return delivery;
}

Delivery Delivered() { return Delivery(); }

Notification EmptyNotification() { return Notification(); }

Delivery PostJson(const std::string& url, std::string body, int64_t timeout_ms, const HttpClientConfig& http,
                  const CancelToken& cancel, HttpReply* reply) {
  OutgoingRequest request;
  request.url = url;
  request.body = std::move(body);
  request.timeout_ms = timeout_ms > 0 ? timeout_ms : kAttemptTimeoutMs;
  auto answer = SendHttp(request, http, cancel);
  if (!answer.ok()) {
    const Code code = answer.status().code();
    const bool retry = code != Code::kIoError && code != Code::kInvalidArgument;
    return Failed(std::move(answer).status(), retry);
  }
  if (answer->status / 100 != 2) {
    std::string message = "unexpected status code " + std::to_string(answer->status);
    if (const std::string shown = Shown(answer->body); !shown.empty()) message += ": " + shown;
    Delivery refused = Failed(Unavailable(std::move(message)), answer->status / 100 == 5 || answer->status == 429);
    refused.retry_after_ms = answer->retry_after_ms;
    return refused;
  }
  if (reply != nullptr) *reply = std::move(*answer);
  return Delivered();
}

std::vector<std::unique_ptr<Integration>> MakeIntegrations(const ReceiverConfig& config,
                                                           const templates::TemplateSet* templates) {
  std::vector<std::unique_ptr<Integration>> out;
  for (const EmailConfig& email : config.emails) out.push_back(MakeEmailIntegration(email, templates));
  for (const SlackConfig& slack : config.slacks) out.push_back(MakeSlackIntegration(slack, templates));
  for (const WebhookConfig& webhook : config.webhooks) out.push_back(MakeWebhookIntegration(webhook, templates));
  for (const PagerdutyConfig& pager : config.pagerduties) out.push_back(MakePagerdutyIntegration(pager, templates));
  return out;
}

}  // namespace varve
