// The built-in Alertmanager: routes, groups, inhibits, silences and delivers alerts.
//
//   Notifier notifier(records, clock, options);
//   notifier.Load();            // alerts, silences and what has been sent, from before the last stop
//   notifier.Configure(config); // again at every reload
//   notifier.Start();  … Post(tenant, alerts) …  notifier.Stop();
//
// Durable: posted alerts, silences, and for every group and integration which alerts it was last told of and when. So
// after a kill -9 what was pending is sent, and what was sent is not sent again before its repeat_interval (a kill between
// the delivery and its record sends once more: at least once).
// A receiver that hangs or fails holds up no other: every integration of every group retries by itself, with backoff.
// Without a configuration (Configure never called) alerts are kept and shown, and nobody is told.
// Threads: thread-safe, except that Load, Start and Stop are the owner's.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/notify/alert_sink.h"
#include "alerting/notify/integration_factory.h"
#include "alerting/notify/notify_config.h"
#include "alerting/notify/receiver.h"
#include "alerting/notify/silence.h"
#include "engine/base/clock.h"
#include "engine/record_store.h"

namespace varve {

struct NotifierOptions {
  std::string external_url;
  uint32_t delivery_threads = 8;          // alertmanager.delivery_threads
  uint32_t alerts_max = 100'000;          // alertmanager.alerts_max; more are refused
  uint32_t silences_max = 10'000;         // alertmanager.silences_max, of a tenant
  int64_t retention_ms = 120 * 3'600'000;  // alertmanager.retention: of expired silences and of what was sent
  int64_t backoff_max_ms = 60'000;
  // Makes the integrations of a configuration; null: MakeIntegrationSet, those of receiver.h.
  IntegrationFactory integrations;
  // What happened to deliveries, as lines of the log stream {job="varve-alerts"}; may be null. Quick, any thread.
  std::function<void(std::string_view tenant, int64_t ts_ms, std::string json_line)> log;
};

enum class AlertStatus : uint8_t { kUnprocessed, kActive, kSuppressed };

struct AlertView {
  PostedAlert alert;
  std::string fingerprint;  // 16 hex digits
  int64_t updated_at_ms = 0;
  AlertStatus status = AlertStatus::kUnprocessed;
  std::vector<std::string> silenced_by, inhibited_by, muted_by, receivers;
};
struct AlertGroupView {
  LabelMap labels;
  std::string receiver;
  std::vector<AlertView> alerts;
};

// What GET /api/v2/alerts and /alerts/groups may ask for.
struct AlertFilter {
  bool active = true, silenced = true, inhibited = true, unprocessed = true, muted = true;
  std::vector<Matcher> matchers;
  std::string receiver;  // a regular expression, anchored; empty: all
};

struct IntegrationStats {
  uint64_t attempts = 0, notifications = 0, failures = 0;  // failures: of attempts
  double seconds = 0;
};
struct NotifierStats {
  uint64_t alerts_active = 0, alerts_suppressed = 0, alerts_received = 0, alerts_refused = 0;
  uint64_t groups = 0, silences_active = 0, silences_pending = 0, silences_expired = 0;
  uint64_t deliveries_pending = 0;
  uint64_t record_failures = 0;  // writes of records that failed; they are repeated
  std::map<std::pair<std::string, std::string>, IntegrationStats> integrations;  // by receiver, kind
};

class Notifier final : public AlertSink {
 public:
  Notifier(RecordStore* records, const Clock* clock, NotifierOptions options);
  ~Notifier() override;  // stops

  Status Load();
  // kInvalidArgument: a template; the configuration before stays.
  Status Configure(const NotifyConfig& config);
  // Before Start: NotifierOptions::external_url, where it is only known once the server listens.
  void SetExternalUrl(std::string url);
  void Start();
  // Waits for deliveries under way for at most `wait_ms`, then cancels them.
  void Stop(int64_t wait_ms = 5'000);

  // As AlertSink says, except that what can be taken is taken: kInvalidArgument names the first alert that is wrong,
  // kResourceExhausted the limit that others exceed. After any other error nothing is.
  Status Post(std::string_view tenant, const std::vector<PostedAlert>& alerts) override;

  // By fingerprint.
  std::vector<AlertView> Alerts(std::string_view tenant, const AlertFilter& filter) const;
  // In Alertmanager's order: by labels (fewer first) and receiver.
  std::vector<AlertGroupView> Groups(std::string_view tenant, const AlertFilter& filter) const;
  std::vector<std::string> Receivers() const;
  std::optional<NotifyConfig> config() const;

  // The id. As Alertmanager: changing what an active one matches expires it and makes another. kNotFound, kInvalidArgument.
  Result<std::string> SetSilence(std::string_view tenant, Silence silence);
  Status ExpireSilence(std::string_view tenant, std::string_view id);
  Result<Silence> FindSilence(std::string_view tenant, std::string_view id) const;
  std::vector<Silence> Silences(std::string_view tenant) const;

  // One attempt at a message to every integration of a receiver; the first error. kNotFound: no such receiver.
  // Sent again after an error, with the same id, it goes to those that have not taken it.
  Delivery Send(std::string_view receiver, const Message& message, const CancelToken& cancel);

  NotifierStats Stats() const;

  // Does on the caller's thread what is due at or before `now_ms`, deliveries included: for tests, instead of Start.
  void RunDue(int64_t now_ms);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace varve
