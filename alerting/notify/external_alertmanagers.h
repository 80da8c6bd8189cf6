// Sends alerts to Alertmanagers elsewhere, as Prometheus does: POST <url>/api/v2/alerts, each gets everything.
//
// A queue and a thread each, so that one that hangs holds up no other. Nothing is durable here: the ruler sends active
// alerts again every resend_delay, and after a start.
// Threads: thread-safe.
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

// `alerting:` of a prometheus.yml: alertmanagers (static_configs, scheme, path_prefix, timeout, http settings),
// alert_relabel_configs.
struct AlertmanagerTarget {
  std::string url;  // scheme://host:port/prefix, without a slash at the end
  int64_t timeout_ms = 10'000;
  HttpClientConfig http;
};
struct ExternalAlertmanagersOptions {
  uint32_t queue_max = 10'000;  // alerting.queue_capacity: alerts a target; the oldest give way
  uint32_t batch_max = 256;
};

// `yaml`: what stands below `alerting:`. `alert_relabel_configs` and service discovery other than static_configs are refused by
// name. Also Loki's ruler.alertmanager_url: comma-separated URLs.
Result<std::vector<AlertmanagerTarget>> ParseAlertmanagers(std::string_view yaml, std::string_view name);

struct AlertmanagerStats {
  std::string url;
  uint64_t sent = 0, errors = 0, dropped = 0, queued = 0;
};

class ExternalAlertmanagers final : public AlertSink {
 public:
  explicit ExternalAlertmanagers(ExternalAlertmanagersOptions options);
  ~ExternalAlertmanagers() override;
  void Configure(std::vector<AlertmanagerTarget> targets);
  Status Post(std::string_view tenant, const std::vector<PostedAlert>& alerts) override;
  // Sends what is queued for at most `wait_ms`.
  void Stop(int64_t wait_ms = 5'000);
  std::vector<AlertmanagerStats> Stats() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace varve
