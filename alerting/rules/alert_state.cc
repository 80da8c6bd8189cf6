#include "alerting/rules/alert_state.h"

#include <algorithm>
#include <bit>
#include <tuple>
#include <utility>

namespace varve {
namespace {

auto TimesOf(const TrackedAlert& alert) {
  return std::make_tuple(alert.state, alert.active_at_ms, alert.fired_at_ms, alert.resolved_at_ms,
                         alert.keep_firing_since_ms);
}

}  // namespace

PackedLabels PackLabels(const LabelMap& labels) {
  std::vector<LabelView> views;
  views.reserve(labels.size());
  for (const auto& [name, value] : labels) views.push_back({name, value});
  return PackedLabels::FromUnsorted(std::move(views));
}

// False: it is over, or was before. `erase`: it is to be forgotten.
bool AlertTable::StepUnseen(int64_t ts_ms, int64_t keep_firing_for_ms, TrackedAlert* alert, bool* erase) {
  bool keeps_firing = false;
  if (alert->state == AlertState::kFiring && keep_firing_for_ms > 0) {
    if (!alert->keep_firing_since_ms.has_value()) alert->keep_firing_since_ms = ts_ms;
    keeps_firing = ts_ms - *alert->keep_firing_since_ms < keep_firing_for_ms;
  }
  if (keeps_firing) return true;
  *erase = alert->state == AlertState::kPending ||
           (alert->resolved_at_ms.has_value() && ts_ms - *alert->resolved_at_ms > kResolvedKeptMs);
  if (alert->state != AlertState::kInactive) {
    alert->state = AlertState::kInactive;
    alert->resolved_at_ms = ts_ms;
  }
  return false;
}

void AlertTable::Step(int64_t ts_ms, int64_t for_ms, int64_t keep_firing_for_ms,
                      std::map<PackedLabels, SeenAlert> seen, std::vector<AlertChange>* changes) {
  // New ones, and new values of old ones. What is left in `seen` of an alert tells that it was seen.
  for (auto& [key, element] : seen) {
    TrackedAlert fresh;
    fresh.labels = std::move(element.labels);
    fresh.annotations = std::move(element.annotations);
    fresh.value = element.value;
    fresh.active_at_ms = ts_ms;
    const auto [at, added] = alerts_.try_emplace(key);
    TrackedAlert& alert = at->second;
    if (!added && alert.active()) {
      const bool same = std::bit_cast<uint64_t>(alert.value) == std::bit_cast<uint64_t>(fresh.value) &&
                        alert.annotations == fresh.annotations;
      if (!same) dirty_.insert(key);
      alert.value = fresh.value;
      alert.annotations = std::move(fresh.annotations);
      continue;
    }
    alert = std::move(fresh);
    alert.state = AlertState::kInactive;  // until below, so that the change is seen
    dirty_.insert(key);
  }
  for (auto at = alerts_.begin(); at != alerts_.end();) {
    const PackedLabels& key = at->first;
    TrackedAlert& alert = at->second;
    const AlertState from = alert.state;
    const auto before = TimesOf(alert);
    bool erase = false;
    bool active = true;
    if (!seen.contains(key)) {
      active = StepUnseen(ts_ms, keep_firing_for_ms, &alert, &erase);
    } else {
      alert.keep_firing_since_ms.reset();
      if (!alert.active()) alert.state = AlertState::kPending;
    }
    if (active && alert.state == AlertState::kPending && ts_ms - alert.active_at_ms >= for_ms) {
      alert.state = AlertState::kFiring;
      alert.fired_at_ms = ts_ms;
    }
    if (active && alert.state == AlertState::kFiring && ts_ms - alert.active_at_ms < for_ms) {
      alert.state = AlertState::kPending;
      alert.fired_at_ms.reset();
      alert.last_sent_ms.reset();
      alert.keep_firing_since_ms.reset();
    }
    if (erase || before != TimesOf(alert)) dirty_.insert(key);
    if (alert.state != from) changes->push_back({key, from, alert.state, alert});
    at = erase ? alerts_.erase(at) : std::next(at);
  }
}

void AlertTable::Clear(std::vector<AlertChange>* changes) {
  for (auto& [key, alert] : alerts_) {
    dirty_.insert(key);
    if (!alert.active()) continue;
    const AlertState from = std::exchange(alert.state, AlertState::kInactive);
    changes->push_back({key, from, AlertState::kInactive, alert});
  }
  alerts_.clear();
}

void AlertTable::ForgetEnded(size_t kept_max) {
  const size_t ended_count = alerts_.size() - active_count();
  if (ended_count <= kept_max) return;
  std::vector<std::pair<int64_t, Alerts::iterator>> ended;
  for (auto at = alerts_.begin(); at != alerts_.end(); ++at) {
    if (!at->second.active()) ended.emplace_back(at->second.resolved_at_ms.value_or(0), at);
  }
  std::stable_sort(ended.begin(), ended.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (size_t i = 0; i < ended_count - kept_max; ++i) {
    dirty_.insert(ended[i].second->first);
    alerts_.erase(ended[i].second);
  }
}

size_t AlertTable::active_count() const {
  return static_cast<size_t>(
      std::count_if(alerts_.begin(), alerts_.end(), [](const auto& item) { return item.second.active(); }));
}

AlertState AlertTable::state() const {
  AlertState highest = AlertState::kInactive;
  for (const auto& [key, alert] : alerts_) highest = std::max(highest, alert.state);
  return highest;
}

void AlertTable::Restore(TrackedAlert alert) {
  PackedLabels key = PackLabels(alert.labels);
  alerts_.insert_or_assign(std::move(key), std::move(alert));
}

std::vector<const TrackedAlert*> AlertTable::TakeUnsent(int64_t ts_ms, int64_t resend_delay_ms) {
  std::vector<const TrackedAlert*> unsent;
  for (auto& [key, alert] : alerts_) {
    if (alert.state == AlertState::kPending) continue;
    const bool sent = alert.last_sent_ms.has_value();
    const bool resolved_since =
        sent && alert.resolved_at_ms.has_value() && *alert.resolved_at_ms > *alert.last_sent_ms;
    if (sent && !resolved_since && *alert.last_sent_ms + resend_delay_ms >= ts_ms) continue;
    alert.last_sent_ms = ts_ms;
    unsent.push_back(&alert);
  }
  return unsent;
}

std::vector<const TrackedAlert*> AlertTable::TakeUnheard(int64_t ts_ms) {
  std::vector<const TrackedAlert*> unheard;
  for (auto& [key, alert] : alerts_) {
    const bool ended_now = alert.resolved_at_ms == ts_ms && alert.fired_at_ms.has_value();
    if (!ended_now || alert.last_sent_ms.has_value()) continue;
    alert.last_sent_ms = ts_ms;
    unheard.push_back(&alert);
  }
  return unheard;
}

void AlertTable::MarkUnsent(int64_t ts_ms) {
  for (auto& [key, alert] : alerts_) {
    if (alert.last_sent_ms == ts_ms) alert.last_sent_ms.reset();
  }
}

}  // namespace varve
