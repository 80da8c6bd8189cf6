#include "alerting/notify/delivery_lane.h"

#include <algorithm>
#include <utility>

namespace varve {

void DeliveryLane::Offer(std::shared_ptr<const Flush> flush) {
  if (in_flight_) {
    next_ = std::move(flush);
  } else {
    Look(std::move(flush));
  }
}

void DeliveryLane::Split(const Flush& flush) {
  firing_.clear();
  resolved_.clear();
  for (const FlushedAlert& alert : flush.alerts) {
    if (alert.resolved && !WantsEnd(alert)) continue;
    (alert.resolved ? resolved_ : firing_).push_back(alert.fingerprint);
  }
  std::sort(firing_.begin(), firing_.end());
  std::sort(resolved_.begin(), resolved_.end());
}

void DeliveryLane::Look(std::shared_ptr<const Flush> flush) {
  const bool waited = wanted_ != nullptr;
  wanted_ = nullptr;
  given_up_ = false;
  Split(*flush);
  // Nothing that concerns it, or all muted: then it is known neither that they fire nor that they do not.
  const bool tell = !(firing_.empty() && resolved_.empty()) &&
                    ReasonToNotify(means_.log->state(), firing_, resolved_, means_.send_resolved,
                                   means_.repeat_interval_ms, flush->now_ms) != NotifyReason::kNone;
  if (tell && (means_.send_resolved || !firing_.empty())) {
    wanted_ = std::move(flush);
    // What is being retried keeps its pace.
    if (!waited || attempts_ == 0) due_ms_ = wanted_->now_ms;
    return;
  }
  // An integration that is not told of ends: they only are forgotten.
  if (tell) Record(flush->now_ms);
  attempts_ = 0;
  Settle(*flush);
}

void DeliveryLane::Settle(const Flush& flush) {
  for (const FlushedAlert& alert : flush.alerts) {
    if (alert.resolved) settled_[alert.fingerprint] = alert.updated_at_ms;
  }
}

void DeliveryLane::Record(int64_t now_ms) {
  SentState& state = means_.log->record.state;
  state.sent_at_ms = now_ms;
  state.firing = firing_;
  state.resolved = resolved_;
  means_.log->told = true;
  log_changed_ = true;
}

std::optional<int64_t> DeliveryLane::due_ms() const {
  if (in_flight_ || wanted_ == nullptr) return std::nullopt;
  return due_ms_;
}

bool DeliveryLane::Begin(int64_t now_ms, std::vector<FlushedAlert>* alerts) {
  if (in_flight_ || wanted_ == nullptr || due_ms_ > now_ms) return false;
  Look(std::exchange(wanted_, nullptr));
  if (wanted_ == nullptr) return false;
  alerts->clear();
  for (const FlushedAlert& alert : wanted_->alerts) {
    if (alert.resolved && (!means_.send_resolved || !WantsEnd(alert))) continue;
    alerts->push_back(alert);
  }
  in_flight_ = true;
  means_.log->busy = true;
  return true;
}

void DeliveryLane::Succeed(int64_t now_ms) {
  in_flight_ = false;
  means_.log->busy = false;
  attempts_ = 0;
  Record(now_ms);
  Settle(*wanted_);
  wanted_ = nullptr;
  if (next_ != nullptr) Look(std::exchange(next_, nullptr));
}

void DeliveryLane::Fail(int64_t now_ms, bool retry, int64_t retry_after_ms) {
  in_flight_ = false;
  means_.log->busy = false;
  if (retry) {
    ++attempts_;
    due_ms_ = now_ms + std::max(Backoff(), std::min(retry_after_ms, means_.retries.retry_after_max_ms));
  } else {
    attempts_ = 0;
    wanted_ = nullptr;
    given_up_ = true;
  }
  if (next_ == nullptr) return;
  const int64_t due_ms = due_ms_;
  Look(std::exchange(next_, nullptr));
  if (attempts_ > 0) due_ms_ = due_ms;
}

void DeliveryLane::Abandon() {
  in_flight_ = false;
  means_.log->busy = false;
  if (next_ != nullptr) Look(std::exchange(next_, nullptr));
}

bool DeliveryLane::WantsEnd(const FlushedAlert& alert) const {
  const SentState* state = means_.log->state();
  return state != nullptr && !Settled(alert) &&
         std::binary_search(state->firing.begin(), state->firing.end(), alert.fingerprint);
}

bool DeliveryLane::Settled(const FlushedAlert& alert) const {
  const auto at = settled_.find(alert.fingerprint);
  return at != settled_.end() && at->second == alert.updated_at_ms;
}

bool DeliveryLane::Forget(uint64_t fingerprint) {
  settled_.erase(fingerprint);
  SentState& state = means_.log->record.state;
  if (!means_.log->told) return false;
  const auto at = std::lower_bound(state.firing.begin(), state.firing.end(), fingerprint);
  if (at == state.firing.end() || *at != fingerprint) return false;
  state.firing.erase(at);
  return true;
}

int64_t DeliveryLane::Backoff() const {
  const uint32_t doublings = std::min(attempts_ - 1, 20u);
  const int64_t full = std::min(means_.retries.backoff_min_ms << doublings, means_.retries.backoff_max_ms);
  // A quarter of it spreads by lane, so that many that failed together do not come back together.
  const uint64_t spread = (means_.log->record.id * 0x9E3779B97F4A7C15u + attempts_ * 0xD1B54A32D192ED03u) >> 32;
  return full - full / 4 + static_cast<int64_t>(spread % static_cast<uint64_t>(full / 4 + 1));
}

}  // namespace varve
