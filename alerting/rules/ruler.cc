#include "alerting/rules/ruler.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "alerting/rules/api_groups.h"
#include "alerting/rules/ruler_impl.h"

namespace varve {
namespace {

ActiveAlert Shown(const TrackedAlert& alert) {
  ActiveAlert shown;
  shown.labels = alert.labels;
  shown.annotations = alert.annotations;
  shown.state = alert.state;
  shown.active_at_ms = alert.active_at_ms;
  shown.fired_at_ms = alert.fired_at_ms.value_or(0);
  shown.keep_firing_since_ms = alert.keep_firing_since_ms.value_or(0);
  shown.value = alert.value;
  return shown;
}

GroupStatus StatusOf(const GroupState& state) {
  GroupStatus status;
  status.group = state.group;
  status.interval_ms = state.interval_ms;
  const MutexLock lock(state.mu);
  status.last_evaluation_ms = state.last_evaluation_ms;
  status.evaluation_seconds = state.evaluation_seconds;
  for (const RuleState& rule : state.rules) {
    RuleStatus& shown = status.rules.emplace_back();
    shown.rule = rule.rule;
    shown.health = rule.health;
    shown.last_error = rule.last_error;
    shown.state = rule.alerts.state();
    shown.last_evaluation_ms = rule.last_evaluation_ms;
    shown.evaluation_seconds = rule.evaluation_seconds;
    for (const auto& [key, alert] : rule.alerts.alerts()) {
      if (alert.active()) shown.alerts.push_back(Shown(alert));
    }
  }
  return status;
}

}  // namespace

std::string_view AlertStateName(AlertState state) {
  switch (state) {
    case AlertState::kInactive: return "inactive";
    case AlertState::kPending: return "pending";
    case AlertState::kFiring: return "firing";
  }
  return "";
}

std::string_view AlarmStateName(AlarmState state) {
  switch (state) {
    case AlarmState::kInsufficientData: return "INSUFFICIENT_DATA";
    case AlarmState::kOk: return "OK";
    case AlarmState::kAlarm: return "ALARM";
  }
  return "";
}

Ruler::Ruler(RulerMeans means, RulerOptions options)
    : impl_(std::make_unique<Impl>(std::move(means), std::move(options))) {}

void Ruler::SetExternalUrl(std::string url) { impl_->options.external_url = std::move(url); }

Ruler::~Ruler() { Stop(); }

Status Ruler::Load() {
  const RecordStore& records = impl_->means.engine->records();
  VARVE_ASSIGN_OR_RETURN(StoredGroups stored, ReadStoredGroups(records));
  VARVE_ASSIGN_OR_RETURN(std::vector<ApiGroup> by_api, ReadApiGroups(records));
  VARVE_ASSIGN_OR_RETURN(const std::optional<int64_t> seen_waiting_ms, ReadWaitingRecord(records));
  const MutexLock reload_lock(impl_->reload_mu);
  {
    const MutexLock lock(impl_->mu);
    impl_->stored = std::move(stored);
    impl_->seen_waiting_ms = seen_waiting_ms;
  }
  for (ApiGroup& item : by_api) impl_->Put(impl_->MakeState(item.tenant, true, std::move(item.group)), 0);
  return Status::Ok();
}

void Ruler::Start() {
  if (impl_->pool != nullptr) return;
  impl_->Begin(impl_->NowMs(), impl_->options.catch_up_delay_ms);
  const uint32_t cores = std::max(std::thread::hardware_concurrency(), 1U);
  const uint32_t threads = impl_->options.evaluation_threads != 0 ? impl_->options.evaluation_threads : cores;
  impl_->pool = std::make_unique<ThreadPool>("rules", threads);
  for (uint32_t i = 0; i < threads; ++i) {
    VARVE_CHECK(impl_->pool->TrySubmit([this] { impl_->Work(); }));
  }
}

void Ruler::Stop() {
  {
    const MutexLock lock(impl_->mu);
    impl_->stopping = true;
    for (auto& [key, running] : impl_->groups) {
      if (running.cancel != nullptr) running.cancel->Cancel();
    }
    impl_->changed.NotifyAll();
  }
  if (impl_->pool == nullptr) return;
  impl_->pool.reset();
  impl_->RecordWaiting(impl_->NowMs());
}

std::vector<std::shared_ptr<GroupState>> Ruler::Impl::StatesOf(std::string_view tenant) const {
  std::vector<std::pair<std::pair<std::string, uint32_t>, std::shared_ptr<GroupState>>> found;
  {
    const MutexLock lock(mu);
    for (const auto& [key, running] : groups) {
      if (key.tenant == tenant) found.push_back({{key.file, running.order}, running.state});
    }
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::shared_ptr<GroupState>> out;
  out.reserve(found.size());
  for (auto& [order, state] : found) out.push_back(std::move(state));
  return out;
}

std::vector<GroupStatus> Ruler::Groups(std::string_view tenant) const {
  std::vector<GroupStatus> out;
  for (const std::shared_ptr<GroupState>& state : impl_->StatesOf(tenant)) out.push_back(StatusOf(*state));
  return out;
}

std::vector<AlarmStatus> Ruler::Alarms(std::string_view tenant) const {
  std::vector<AlarmStatus> out;
  for (const std::shared_ptr<GroupState>& state : impl_->StatesOf(tenant)) {
    const MutexLock lock(state->mu);
    for (const RuleState& rule : state->rules) {
      for (const auto& [key, alarm] : rule.alarms.alarms()) {
        out.push_back({.group = state->key.name,
                       .file = state->key.file,
                       .rule = rule.rule.alert,
                       .labels = alarm.labels,
                       .state = alarm.state,
                       .reason = alarm.reason,
                       .since_ms = alarm.since_ms,
                       .spec = *rule.rule.alarm});
      }
    }
  }
  return out;
}

std::vector<GroupSummary> Ruler::Summaries() const {
  std::vector<std::shared_ptr<GroupState>> groups;
  {
    const MutexLock lock(impl_->mu);
    for (const auto& [key, running] : impl_->groups) groups.push_back(running.state);
  }
  std::vector<GroupSummary> out;
  out.reserve(groups.size());
  for (const std::shared_ptr<GroupState>& group : groups) {
    GroupSummary& summary = out.emplace_back();
    summary.tenant = group->key.tenant;
    summary.file = group->key.file;
    summary.name = group->key.name;
    summary.interval_ms = group->interval_ms;
    const MutexLock lock(group->mu);
    summary.rules = group->rules.size();
    summary.last_evaluation_ms = group->last_evaluation_ms;
    summary.evaluation_seconds = group->evaluation_seconds;
    for (const RuleState& rule : group->rules) {
      if (rule.health != RuleHealth::kError) continue;
      if (++summary.failing_rules > 1) continue;
      summary.failing_rule = rule.rule.name();
      summary.error = rule.last_error;
    }
  }
  return out;
}

RulerStats Ruler::Stats() const {
  const auto read = [](const std::atomic<uint64_t>& counter) { return counter.load(std::memory_order_relaxed); };
  const EvaluationCounters& counters = impl_->counters;
  RulerStats stats;
  stats.evaluations = read(counters.evaluations);
  stats.evaluation_failures = read(counters.evaluation_failures);
  stats.iterations = read(counters.iterations);
  stats.iterations_missed = read(impl_->iterations_missed);
  stats.iterations_caught_up = read(impl_->iterations_caught_up);
  stats.samples_written = read(counters.samples_written);
  stats.write_failures = read(counters.write_failures);
  stats.state_write_failures = read(counters.state_write_failures);
  stats.send_failures = read(counters.send_failures);
  stats.lines_dropped = read(counters.lines_dropped);
  stats.evaluation_seconds = static_cast<double>(read(counters.evaluation_micros)) / 1e6;
  std::vector<std::shared_ptr<GroupState>> groups;
  {
    const MutexLock lock(impl_->mu);
    for (const auto& [key, running] : impl_->groups) groups.push_back(running.state);
  }
  stats.groups = groups.size();
  for (const std::shared_ptr<GroupState>& group : groups) {
    const MutexLock lock(group->mu);
    stats.rules += group->rules.size();
    stats.slowest_group_seconds = std::max(stats.slowest_group_seconds, group->evaluation_seconds);
    for (const RuleState& rule : group->rules) {
      for (const auto& [key, alert] : rule.alerts.alerts()) {
        if (alert.state == AlertState::kPending) ++stats.alerts_pending;
        if (alert.state == AlertState::kFiring) ++stats.alerts_firing;
      }
    }
  }
  return stats;
}

}  // namespace varve
