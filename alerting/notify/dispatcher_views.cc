// What the dispatcher shows: alerts and groups as the API lists them, and counts.
#include <algorithm>
#include <utility>

#include "alerting/notify/alert_labels.h"
#include "alerting/notify/dispatcher.h"
#include "engine/model/regex.h"

namespace varve {
namespace {

// One that does not compile takes nothing: the API has checked it.
class ReceiverFilter {
 public:
  explicit ReceiverFilter(const std::string& pattern) : all_(pattern.empty()) {
    if (all_) return;
    RegexOptions options;
    options.anchored = true;
    auto regex = CompileRegex(pattern, options);
    if (regex.ok()) regex_ = std::move(regex).value();
  }
  bool Takes(const std::string& receiver) const {
    return all_ || (regex_ != nullptr && RegexMatches(*regex_, receiver));
  }

 private:
  bool all_;
  Regex regex_;
};

}  // namespace

bool Dispatcher::FillView(std::string_view tenant, const std::shared_ptr<StoredAlert>& alert,
                          const AlertFilter& filter, int64_t now_ms, AlertView* view) const {
  if (alert->posted->ends_at_ms < now_ms || !MatchesAll(filter.matchers, alert->posted->labels)) return false;
  view->silenced_by = silences_->Silencing(tenant, alert->posted->labels, now_ms, &alert->silences);
  if (inhibition_ != nullptr) {
    const auto inhibiting = inhibition_->Inhibiting(tenant, alert->posted->labels, now_ms);
    if (inhibiting.has_value()) view->inhibited_by.push_back(FingerprintText(*inhibiting));
  }
  if (generation_ == nullptr) {
    view->status = AlertStatus::kUnprocessed;
  } else {
    const bool muted = !view->silenced_by.empty() || !view->inhibited_by.empty();
    view->status = muted ? AlertStatus::kSuppressed : AlertStatus::kActive;
  }
  if (!filter.active && view->status == AlertStatus::kActive) return false;
  if (!filter.unprocessed && view->status == AlertStatus::kUnprocessed) return false;
  if (!filter.silenced && !view->silenced_by.empty()) return false;
  if (!filter.inhibited && !view->inhibited_by.empty()) return false;
  view->alert = *alert->posted;
  view->fingerprint = FingerprintText(alert->fingerprint);
  view->updated_at_ms = alert->updated_at_ms;
  return true;
}

std::vector<AlertView> Dispatcher::Alerts(std::string_view tenant, const AlertFilter& filter, int64_t now_ms) const {
  std::vector<AlertView> views;
  const ReceiverFilter receivers(filter.receiver);
  const auto of_tenant = alerts_.find(tenant);
  if (of_tenant == alerts_.end()) return views;
  for (const auto& [fingerprint, alert] : of_tenant->second) {
    AlertView view;
    if (generation_ != nullptr) {
      const auto routes = generation_->routes.Match(alert->posted->labels);
      for (const AlertRoute* route : routes) view.receivers.push_back(route->receiver);
    }
    const auto takes = [&receivers](const std::string& name) { return receivers.Takes(name); };
    if (!filter.receiver.empty() && std::none_of(view.receivers.begin(), view.receivers.end(), takes)) continue;
    if (FillView(tenant, alert, filter, now_ms, &view)) views.push_back(std::move(view));
  }
  std::sort(views.begin(), views.end(),
            [](const AlertView& a, const AlertView& b) { return a.fingerprint < b.fingerprint; });
  return views;
}

std::vector<AlertGroupView> Dispatcher::Groups(std::string_view tenant, const AlertFilter& filter,
                                               int64_t now_ms) const {
  std::vector<AlertGroupView> views;
  if (generation_ == nullptr) return views;
  const ReceiverFilter receivers(filter.receiver);
  for (const auto& [map_key, group] : groups_) {
    if (group->record.tenant != tenant || !receivers.Takes(group->record.receiver)) continue;
    const std::vector<std::string> muted_by = generation_->intervals.Muting(
        group->route->mute_time_intervals, group->route->active_time_intervals, now_ms);
    if (!filter.muted && !muted_by.empty()) continue;
    AlertGroupView view;
    for (const auto& [fingerprint, alert] : group->alerts) {
      AlertView one;
      if (!FillView(tenant, alert, filter, now_ms, &one)) continue;
      one.muted_by = muted_by;
      for (const AggregationGroup* other : alert->groups) one.receivers.push_back(other->record.receiver);
      std::sort(one.receivers.begin(), one.receivers.end());
      view.alerts.push_back(std::move(one));
    }
    if (view.alerts.empty()) continue;
    std::sort(view.alerts.begin(), view.alerts.end(), [](const AlertView& a, const AlertView& b) {
      return AlertBefore(a.alert.labels, b.alert.labels);
    });
    view.labels = group->labels;
    view.receiver = group->record.receiver;
    views.push_back(std::move(view));
  }
  std::stable_sort(views.begin(), views.end(), [](const AlertGroupView& a, const AlertGroupView& b) {
    return a.labels == b.labels ? a.receiver < b.receiver : LabelSetBefore(a.labels, b.labels);
  });
  return views;
}

void Dispatcher::FillStats(NotifierStats* stats, int64_t now_ms) const {
  stats->alerts_received = received_;
  stats->alerts_refused = refused_;
  stats->record_failures = record_failures_;
  stats->groups = groups_.size();
  stats->deliveries_pending = queue_.size() + queue_.in_flight();
  for (const auto& [which, integration] : integration_stats_) stats->integrations[which] = integration;
  for (const auto& [tenant, alerts] : alerts_) {
    for (const auto& [fingerprint, alert] : alerts) {
      if (alert->ResolvedAt(now_ms)) continue;
      const bool muted = inhibition_ != nullptr && Muted(tenant, alert.get(), now_ms);
      ++(muted ? stats->alerts_suppressed : stats->alerts_active);
    }
  }
}

}  // namespace varve
