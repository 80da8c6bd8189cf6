// One way to reach people: an entry of a receiver's *_configs (an address to mail to, a Slack channel, a URL…).
//
// An integration does one attempt at a time and keeps no state: the dispatcher decides what to send, retries and remembers.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/label_map.h"
#include "alerting/notify/alert_sink.h"
#include "alerting/notify/notify_config.h"
#include "engine/base/cancel.h"
#include "engine/base/status.h"
#include "query/templates/template_set.h"

namespace varve {

// A group of alerts to be told of together, as of `now_ms`.
struct Notification {
  std::string tenant;
  std::string receiver;
  std::string group_key;  // `{}/{severity="page"}:{alertname="A"}`, as Alertmanager writes it
  LabelMap group_labels;
  // In Alertmanager's order: by job, instance, then labels. Those that fire have no end (0).
  std::vector<PostedAlert> alerts;
  std::vector<std::string> fingerprints;  // of the alerts, 16 hex digits, as Alertmanager's
  std::string external_url;
  int64_t now_ms = 0;
  bool AnyFiring() const;
};

// What is not about alerts: a report, or the notice that one failed.
struct Message {
  std::string title;
  std::string text;  // plain
  std::string html;  // empty: text alone
  std::string json;  // what a webhook gets
  std::string severity;  // for PagerDuty: "info", "error"
  std::string id;        // the same for the same message, however often it is sent
};

struct Delivery {
  Status status;
  bool retry = false;  // a later attempt may succeed
  int64_t retry_after_ms = -1;  // what the receiver asked for (Retry-After); -1: nothing
};

class Integration {
 public:
  virtual ~Integration() = default;
  // "email", "slack", "webhook", "pagerduty": the label `integration` of metrics.
  virtual std::string_view kind() const = 0;
  virtual bool send_resolved() const = 0;
  // Blocks for one attempt, at most as long as the configuration's timeout; ends early when cancelled.
  // Threads: thread-safe.
  virtual Delivery Notify(const Notification& notification, const CancelToken& cancel) = 0;
  virtual Delivery Send(const Message& message, const CancelToken& cancel) = 0;
};

// In the order of the file: emails, slacks, webhooks, pagerduties. `templates` (with the default ones, notify/default_templates.h)
// outlives them.
std::vector<std::unique_ptr<Integration>> MakeIntegrations(const ReceiverConfig& config,
                                                           const templates::TemplateSet* templates);

}  // namespace varve
