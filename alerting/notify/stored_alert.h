// An alert as the notifier keeps it, and what a post of the same labels makes of it.
//
// Threads: values.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "alerting/notify/alert_sink.h"
#include "engine/base/status.h"

namespace varve {

// Labels, annotations and the generator's URL of an alert, together; a larger one is refused.
inline constexpr size_t kAlertBytesMax = 64 << 10;

struct AggregationGroup;

// Which silences take an alert, as of a version of the silences.
struct SilenceMatch {
  uint64_t version = 0;
  std::vector<std::string> ids;  // not expired when looked at
};

struct StoredAlert {
  std::shared_ptr<const PostedAlert> posted;  // starts and ends are set
  uint64_t fingerprint = 0;
  int64_t updated_at_ms = 0;
  bool timeout = false;  // nobody said when it ends; ends_at is resolve_timeout after the last post
  bool ended = false;    // has been seen resolved, so that a restart does not take it for firing
  // Not durable.
  std::vector<AggregationGroup*> groups;
  SilenceMatch silences;

  bool ResolvedAt(int64_t now_ms) const { return posted->ResolvedAt(now_ms); }
};

// Takes empty labels out and checks the rest. kInvalidArgument in Alertmanager's words.
Status CheckAlert(PostedAlert* alert);

// What arrives at `now_ms`: times that are not said get their defaults; `old` (may be null), of the same labels, is
// merged where the two overlap. Not set: nothing changes (a resolved alert that is not known, or is resolved already).
std::shared_ptr<StoredAlert> ReceiveAlert(PostedAlert posted, const StoredAlert* old, int64_t now_ms,
                                          int64_t resolve_timeout_ms);

}  // namespace varve
