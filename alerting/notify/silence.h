// A silence: alerts that its matchers take are not notified of while it is active.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "alerting/label_map.h"
#include "engine/model/matcher.h"

namespace varve {

enum class SilenceState : uint8_t { kPending, kActive, kExpired };

struct Silence {
  std::string id;  // a UUID; empty in one that is new
  std::vector<Matcher> matchers;
  int64_t starts_at_ms = 0;
  int64_t ends_at_ms = 0;
  int64_t updated_at_ms = 0;
  std::string created_by, comment;
  LabelMap annotations;

  SilenceState StateAt(int64_t now_ms) const {
    if (now_ms >= ends_at_ms) return SilenceState::kExpired;
    return now_ms < starts_at_ms ? SilenceState::kPending : SilenceState::kActive;
  }
};

}  // namespace varve
