// Sends alerts to Alertmanagers elsewhere, as Prometheus does: POST <url>/api/v2/alerts, each gets everything.
//
// A queue and a thread each, so that one that hangs holds up no other. What an Alertmanager does not take because it is
// not there or fails (5xx, 429) stays at the head of its queue and is tried again, after a second, then twice as long
// each time up to half a minute; what it refuses (4xx) is dropped. Nothing is durable here: the ruler sends active alerts
// again every resend_delay, and after a start.
// Threads: thread-safe; Post never waits for a request.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/notify/alert_sink.h"
#include "alerting/outgoing/http_client.h"
#include "engine/base/status.h"

namespace varve {

// One of `alerting.alertmanagers`.
struct AlertmanagerTarget {
  std::string url;  // scheme://host:port/prefix, without a slash at the end and without a password
  int64_t timeout_ms = 10'000;
  HttpClientConfig http;
};
struct ExternalAlertmanagersOptions {
  uint32_t queue_max = 10'000;  // ruler.notification_queue_capacity: alerts a target; the oldest give way
  uint32_t batch_max = 256;
};

// `yaml`: what stands below `alerting:`, from line `first_line` of the file `name`. `alert_relabel_configs` and service
// discovery other than static_configs are refused by name. Files are relative to where `name` is.
// kInvalidArgument: a line each, "varve.yaml:14: alertmanagers[0]: unknown key …".
Result<std::vector<AlertmanagerTarget>> ParseAlertmanagers(std::string_view yaml, std::string_view name,
                                                           uint32_t first_line = 1);
// Loki's ruler.alertmanager_url: URLs separated by commas, each maybe with user:password@. kInvalidArgument shows none.
Result<std::vector<AlertmanagerTarget>> ParseAlertmanagerUrls(std::string_view urls);

struct AlertmanagerStats {
  std::string url;
  uint64_t sent = 0;     // alerts taken
  uint64_t errors = 0;   // alerts in attempts that failed
  uint64_t dropped = 0;  // alerts that gave way to newer ones or were refused
  uint64_t queued = 0;
  double seconds = 0;      // of all attempts
  std::string last_error;  // empty: the last attempt was well
};

class ExternalAlertmanagers final : public AlertSink {
 public:
  explicit ExternalAlertmanagers(ExternalAlertmanagersOptions options);
  ~ExternalAlertmanagers() override;  // stops, without waiting
  // Replaces the targets; what waits for one that stays (by its URL) is kept.
  void Configure(std::vector<AlertmanagerTarget> targets);
  // kUnavailable after Stop. The tenant goes along as X-Scope-OrgID, except "fake", the one of a server without tenants.
  Status Post(std::string_view tenant, const std::vector<PostedAlert>& alerts) override;
  // Sends what is queued for at most `wait_ms`.
  void Stop(int64_t wait_ms = 5'000);
  std::vector<AlertmanagerStats> Stats() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace varve
