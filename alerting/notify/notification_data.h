// What templates and webhooks see of a notification: Alertmanager's Data, as a Datum and as JSON.
//
// Threads: values, pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "alerting/notify/receiver.h"
#include "query/templates/template_set.h"

namespace varve {

// Labels and annotations that all alerts of a notification have alike.
struct CommonParts {
  LabelMap labels, annotations;
};
CommonParts CommonPartsOf(const std::vector<PostedAlert>& alerts);

// What receivers know the group by: its key, which begins with the tenant where there are several. Groups of two tenants
// have the same labels easily, and one's end must not resolve the other's incident.
std::string GroupIdentity(const Notification& notification);

templates::Datum NotificationDatum(const Notification& notification);

// Alertmanager's webhook message, version 4, of the first `alerts_max` alerts (0: all), with its line feed.
std::string WebhookJson(const Notification& notification, uint64_t alerts_max);

// "2026-11-20T19:08:57.25Z", as Go writes times in JSON.
std::string JsonTime(int64_t ms);

// `text` with RE2's special characters escaped, as Go's regexp.QuoteMeta.
std::string QuotedMeta(std::string_view text);

// At most `runes` characters; the last is … where some were cut.
std::string TruncatedInRunes(std::string_view text, size_t runes);

// Executes the templates of one message: the first error stays, and what follows is empty.
class MessageTemplates {
 public:
  MessageTemplates(const templates::TemplateSet* set, const Notification& notification);

  std::string Text(std::string_view text) { return Execute(text, templates::Escape::kText); }
  std::string Html(std::string_view text) { return Execute(text, templates::Escape::kHtml); }
  const Status& status() const { return status_; }

 private:
  std::string Execute(std::string_view text, templates::Escape escape);

  const templates::TemplateSet* set_;
  templates::Datum data_;
  templates::TemplateMeans means_;
  Status status_;
};

}  // namespace varve
