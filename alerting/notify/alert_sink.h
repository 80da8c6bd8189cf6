// Where rules hand their alerts to: the built-in notifier, Alertmanagers elsewhere, or a test.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/label_map.h"
#include "engine/base/status.h"

namespace varve {

// An alert as Alertmanager's API takes it. Its labels (alertname among them) are its identity within a tenant.
struct PostedAlert {
  LabelMap labels;
  LabelMap annotations;
  int64_t starts_at_ms = 0;  // 0: not said, which means when it arrives
  int64_t ends_at_ms = 0;    // in the past: resolved; in the future: it holds until then; 0: not said
  std::string generator_url;

  bool ResolvedAt(int64_t now_ms) const { return ends_at_ms != 0 && ends_at_ms <= now_ms; }
};

class AlertSink {
 public:
  virtual ~AlertSink() = default;
  // Takes the alerts over; returns soon: nothing is delivered before it does. An alert sent again refreshes the one
  // of the same labels. After an error nothing is taken over; the caller sends them again later.
  // Threads: thread-safe.
  virtual Status Post(std::string_view tenant, const std::vector<PostedAlert>& alerts) = 0;
};

}  // namespace varve
