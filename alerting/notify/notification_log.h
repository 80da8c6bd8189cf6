// What an integration was last told of a group, and whether it has to be told again.
//
// Threads: values and pure functions.
#pragma once

#include <cstdint>
#include <vector>

namespace varve {

struct SentState {
  int64_t sent_at_ms = 0;
  std::vector<uint64_t> firing, resolved;  // fingerprints, ascending
};

enum class NotifyReason : uint8_t {
  kNone,
  kFirst,
  kNewAlerts,
  kNewResolved,
  kAllResolved,
  kRepeat,
};

// As Alertmanager's dedup stage. `sent`: null when it was never told. `firing`, `resolved`: ascending.
NotifyReason ReasonToNotify(const SentState* sent, const std::vector<uint64_t>& firing,
                            const std::vector<uint64_t>& resolved, bool send_resolved, int64_t repeat_interval_ms,
                            int64_t now_ms);

}  // namespace varve
