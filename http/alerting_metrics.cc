#include "http/alerting_metrics.h"

#include <string>
#include <utility>
#include <vector>

#include "alerting/notify/external_alertmanagers.h"
#include "alerting/notify/notifier.h"
#include "alerting/reports/reporter.h"
#include "alerting/rules/ruler.h"
#include "http/http_server.h"
#include "http/metric_families.h"
#include "http/tenant.h"

namespace varve {
namespace {

void AddRuler(const RulerStats& s, FamilyList* out) {
  out->Counter("prometheus_rule_evaluations_total", "Evaluations of rules (Prometheus's name).", s.evaluations);
  out->Counter("prometheus_rule_evaluation_failures_total", "Those that failed (Prometheus's name).",
               s.evaluation_failures);
  out->Counter("prometheus_rule_group_iterations_total", "Evaluations of whole groups (Prometheus's name).",
               s.iterations);
  out->Counter("prometheus_rule_group_iterations_missed_total",
               "Evaluations of groups that were left out: too late, or missed for longer than ruler.catch_up_max.",
               s.iterations_missed);
  out->Counter("varve_rule_group_iterations_caught_up_total", "Evaluations of groups made up for after a start.",
               s.iterations_caught_up);
  out->Gauge("varve_rule_groups", "Groups of rules, of all tenants.", s.groups);
  out->Gauge("varve_rules", "Rules, of all tenants.", s.rules);
  out->Counter("varve_rule_evaluation_seconds_total", "Time that evaluations took.", s.evaluation_seconds);
  out->Gauge("varve_rule_group_slowest_seconds", "Time that the slowest group's latest evaluation took.",
             s.slowest_group_seconds);
  out->Gauge("varve_rule_alerts", "Active alerts of rules.", s.alerts_pending, {{"state", "pending"}});
  out->Gauge("varve_rule_alerts", "Active alerts of rules.", s.alerts_firing, {{"state", "firing"}});
  out->Counter("varve_rule_samples_written_total", "Samples that rules wrote, ALERTS among them.", s.samples_written);
  out->Counter("varve_rule_write_failures_total", "Writes of rules' results that failed.", s.write_failures);
  out->Counter("varve_rule_lines_dropped_total",
               "Lines of {job=\"varve-alerts\"} that were given up: more than 10,000 of a group could not be written.",
               s.lines_dropped);
  out->Counter("varve_rule_state_write_failures_total", "Writes of the state of alerts that failed.",
               s.state_write_failures);
  out->Counter("varve_rule_alerts_not_sent_total", "Alerts that no notifier took; they are sent again.",
               s.send_failures);
}

void AddGroups(const std::vector<GroupSummary>& groups, FamilyList* out) {
  const auto each = [&](const char* name, const char* help, auto&& value) {
    for (const GroupSummary& group : groups) {
      LabelList labels = {{"rule_group", group.file + ";" + group.name}};
      if (group.tenant != kSingleTenant) labels.emplace_back("tenant", group.tenant);
      out->Gauge(name, help, static_cast<double>(value(group)), std::move(labels));
    }
  };
  each("prometheus_rule_group_last_duration_seconds", "Time that a group's latest evaluation took (Prometheus's name).",
       [](const GroupSummary& group) { return group.evaluation_seconds; });
  each("prometheus_rule_group_last_evaluation_timestamp_seconds", "When it was (Prometheus's name).",
       [](const GroupSummary& group) { return static_cast<double>(group.last_evaluation_ms) / 1e3; });
  each("prometheus_rule_group_interval_seconds", "A group's interval (Prometheus's name).",
       [](const GroupSummary& group) { return static_cast<double>(group.interval_ms) / 1e3; });
  each("prometheus_rule_group_rules", "Its rules (Prometheus's name).",
       [](const GroupSummary& group) { return group.rules; });
  each("varve_rule_group_failing_rules", "Those whose latest evaluation failed.",
       [](const GroupSummary& group) { return group.failing_rules; });
}

void AddExternal(const std::vector<AlertmanagerStats>& targets, FamilyList* out) {
  const auto each = [&](const char* name, const char* help, uint64_t AlertmanagerStats::*field) {
    for (const AlertmanagerStats& s : targets) out->Counter(name, help, s.*field, {{"alertmanager", s.url}});
  };
  each("prometheus_notifications_sent_total", "Alerts sent to an Alertmanager elsewhere (Prometheus's name).",
       &AlertmanagerStats::sent);
  each("prometheus_notifications_errors_total", "Alerts that it did not take (Prometheus's name).",
       &AlertmanagerStats::errors);
  each("prometheus_notifications_dropped_total", "Alerts that were not sent, the queue being full (Prometheus's name).",
       &AlertmanagerStats::dropped);
  for (const AlertmanagerStats& s : targets) {
    out->Gauge("prometheus_notifications_queue_length", "Alerts that wait to be sent (Prometheus's name).", s.queued,
               {{"alertmanager", s.url}});
  }
  for (const AlertmanagerStats& s : targets) {
    out->Counter("varve_notifications_seconds_total", "Time that sending to an Alertmanager elsewhere took.", s.seconds,
                 {{"alertmanager", s.url}});
  }
  out->Gauge("prometheus_notifications_alertmanagers_discovered", "Alertmanagers elsewhere (Prometheus's name).",
             static_cast<double>(targets.size()));
}

void AddIntegrations(const NotifierStats& s, FamilyList* out) {
  const auto each = [&](const char* name, const char* help, uint64_t IntegrationStats::*field) {
    for (const auto& [which, stats] : s.integrations) {
      out->Counter(name, help, stats.*field, {{"integration", which.second}, {"receiver", which.first}});
    }
  };
  each("alertmanager_notification_requests_total", "Attempts at notifications (Alertmanager's name).",
       &IntegrationStats::attempts);
  each("alertmanager_notifications_total", "Notifications delivered (Alertmanager's name; there it counts failures too).",
       &IntegrationStats::notifications);
  each("alertmanager_notifications_failed_total", "Attempts that failed (Alertmanager's name).",
       &IntegrationStats::failures);
  for (const auto& [which, stats] : s.integrations) {
    out->Counter("varve_notification_seconds_total", "Time that attempts took.", stats.seconds,
                 {{"integration", which.second}, {"receiver", which.first}});
  }
}

void AddNotifier(const NotifierStats& s, FamilyList* out) {
  out->Gauge("alertmanager_alerts", "Alerts kept, by state (Alertmanager's name).", s.alerts_active,
             {{"state", "active"}});
  out->Gauge("alertmanager_alerts", "Alerts kept, by state (Alertmanager's name).", s.alerts_suppressed,
             {{"state", "suppressed"}});
  out->Counter("alertmanager_alerts_received_total", "Alerts taken (Alertmanager's name).", s.alerts_received);
  out->Counter("varve_alerts_refused_total", "Alerts refused: more than alertmanager.alerts_max.", s.alerts_refused);
  out->Gauge("varve_alert_groups", "Groups of alerts that notifications are made of.", s.groups);
  out->Gauge("alertmanager_silences", "Silences, by state (Alertmanager's name).", s.silences_active,
             {{"state", "active"}});
  out->Gauge("alertmanager_silences", "Silences, by state (Alertmanager's name).", s.silences_pending,
             {{"state", "pending"}});
  out->Gauge("alertmanager_silences", "Silences, by state (Alertmanager's name).", s.silences_expired,
             {{"state", "expired"}});
  out->Counter("varve_notification_record_failures_total",
               "Writes of what notifications stand at that failed; they are repeated.", s.record_failures);
  out->Gauge("varve_notifications_pending", "Notifications under way or waiting for another attempt.",
             s.deliveries_pending);
  AddIntegrations(s, out);
}

void AddReporter(const ReporterStats& s, FamilyList* out) {
  out->Counter("varve_report_runs_total", "Runs of reports that succeeded.", s.runs);
  out->Counter("varve_report_failures_total", "Attempts at reports that failed.", s.failures);
  out->Counter("varve_report_retries_total", "Attempts after the first.", s.retries);
  out->Counter("varve_report_runs_given_up_total", "Runs whose attempts were used up.", s.given_up);
  out->Counter("varve_report_messages_sent_total", "Messages of reports that receivers took.", s.sent);
  out->Counter("varve_report_message_failures_total", "Messages of reports that failed.", s.send_failures);
  out->Counter("varve_report_runs_made_up_total", "Runs missed while the server was down, made up for.", s.made_up);
  out->Counter("varve_report_runs_missed_total", "Runs missed that were not made up for: too many.", s.not_made_up);
  out->Counter("varve_report_record_failures_total", "Writes of the state of reports that failed.", s.record_failures);
}

}  // namespace

void AddAlerting(const AlertingParts& alerting, FamilyList* out) {
  if (alerting.ruler != nullptr) {
    AddRuler(alerting.ruler->Stats(), out);
    AddGroups(alerting.ruler->Summaries(), out);
  }
  if (alerting.external != nullptr) AddExternal(alerting.external->Stats(), out);
  if (alerting.notifier != nullptr) AddNotifier(alerting.notifier->Stats(), out);
  if (alerting.lines_dropped != nullptr) {
    out->Counter("varve_alert_lines_dropped_total",
                 "Lines of the stream job=varve-alerts about notifications that were not stored: too many at once, or refused "
                 "by limits.",
                 alerting.lines_dropped());
  }
  if (alerting.reporter != nullptr) AddReporter(alerting.reporter->Stats(), out);
}

}  // namespace varve
