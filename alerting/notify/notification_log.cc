#include "alerting/notify/notification_log.h"

#include <algorithm>

namespace varve {

NotifyReason ReasonToNotify(const SentState* sent, const std::vector<uint64_t>& firing,
                            const std::vector<uint64_t>& resolved, bool send_resolved, int64_t repeat_interval_ms,
                            int64_t now_ms) {
  if (sent == nullptr) return firing.empty() ? NotifyReason::kNone : NotifyReason::kFirst;
  const auto told = [](const std::vector<uint64_t>& of, const std::vector<uint64_t>& part) {
    return std::includes(of.begin(), of.end(), part.begin(), part.end());
  };
  if (!told(sent->firing, firing)) return sent->firing.empty() ? NotifyReason::kFirst : NotifyReason::kNewAlerts;
  // Whatever send_resolved says: what is remembered as firing must be forgotten.
  if (firing.empty()) return sent->firing.empty() ? NotifyReason::kNone : NotifyReason::kAllResolved;
  if (send_resolved && !told(sent->resolved, resolved)) return NotifyReason::kNewResolved;
  return sent->sent_at_ms < now_ms - repeat_interval_ms ? NotifyReason::kRepeat : NotifyReason::kNone;
}

}  // namespace varve
