// How groups come, change and go while the ruler runs.
#include <xxhash.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "alerting/rules/api_groups.h"
#include "alerting/rules/ruler_impl.h"

namespace varve {
namespace {

bool SameRules(const RuleGroup& a, const RuleGroup& b) {
  const auto same = [](const Rule& x, const Rule& y) { return x.SameAs(y) && x.line == y.line; };
  return a.interval_ms == b.interval_ms && a.query_offset_ms == b.query_offset_ms && a.limit == b.limit &&
         a.labels == b.labels && std::equal(a.rules.begin(), a.rules.end(), b.rules.begin(), b.rules.end(), same);
}

}  // namespace

std::shared_ptr<GroupState> Ruler::Impl::MakeState(const std::string& tenant, bool by_api, RuleGroup group) const {
  auto state = std::make_shared<GroupState>();
  state->key = {.tenant = tenant, .by_api = by_api, .file = group.file, .name = group.name};
  state->id = GroupId(state->key);
  state->interval_ms = std::max<int64_t>(group.interval_ms.value_or(options.evaluation_interval_ms), 1);
  state->query_offset_ms = group.query_offset_ms.value_or(options.query_offset_ms);
  state->rules = MakeRuleStates(group);
  state->group = std::move(group);
  return state;
}

GroupSchedule Ruler::Impl::MakeSchedule(const GroupState& state) const {
  return {state.interval_ms, XXH3_64bits(state.id.data(), state.id.size())};
}

void Ruler::Impl::Hold(const GroupKey& key, Running* running) {
  running->held = true;
  Dequeue(key, running);
  if (running->busy && running->cancel != nullptr) running->cancel->Cancel();
  while (running->busy) changed.Wait(mu);
}

void Ruler::Impl::Release(const GroupKey& key, Running* running) {
  running->held = false;
  Enqueue(key, running);
}

void Ruler::Impl::Put(std::shared_ptr<GroupState> fresh, uint32_t order) {
  const MutexLock lock(mu);
  const auto [at, added] = groups.try_emplace(fresh->key);
  Running& running = at->second;
  running.order = order;
  if (added) {
    running.state = fresh;
    running.schedule = MakeSchedule(*fresh);
    if (const auto kept = stored.find(fresh->id); kept != stored.end()) {
      RestoreGroup(std::move(kept->second), fresh.get());
      stored.erase(kept);
    }
    if (!begun) return;
    running.again = false;
    running.schedule.Begin(std::nullopt, NowMs(), 0, 0);
    return Enqueue(at->first, &running);
  }
  Hold(at->first, &running);
  const std::shared_ptr<GroupState> old = running.state;
  {
    const MutexLock old_lock(old->mu);
    const MutexLock fresh_lock(fresh->mu);
    TakeOverState(old.get(), fresh.get());
  }
  running.state = fresh;
  if (fresh->interval_ms != old->interval_ms) {
    running.schedule = MakeSchedule(*fresh);
    if (begun) running.schedule.Begin(std::nullopt, NowMs(), 0, 0);
  }
  Release(at->first, &running);
}

void Ruler::Impl::Retire(std::string tenant, std::vector<PackedLabels> series, int64_t sample_ms,
                         int64_t interval_ms) {
  if (series.empty()) return;
  retired.push_back({.tenant = std::move(tenant),
                     .series = std::move(series),
                     .sample_ms = sample_ms,
                     .due_ms = sample_ms + 2 * interval_ms});
}

void Ruler::Impl::Remove(const GroupKey& key) {
  std::vector<std::string> records;
  {
    const MutexLock lock(mu);
    const auto at = groups.find(key);
    if (at == groups.end()) return;
    Hold(at->first, &at->second);
    const std::shared_ptr<GroupState> state = std::move(at->second.state);
    groups.erase(at);
    const MutexLock group_lock(state->mu);
    std::vector<PackedLabels> series = std::move(state->ended);
    for (RuleState& rule : state->rules) {
      std::move(rule.ended.begin(), rule.ended.end(), std::back_inserter(series));
      AddRecordKeys(state->id, rule, &records);
    }
    AddLiveSeries(*state, &series);
    std::move(state->records_to_remove.begin(), state->records_to_remove.end(), std::back_inserter(records));
    records.push_back(GroupRecordKey(state->id));
    Retire(key.tenant, std::move(series), NowMs() - state->query_offset_ms, state->interval_ms);
  }
  if (!means.engine->records().WriteRecords({}, records).ok()) {
    counters.state_write_failures.fetch_add(1, std::memory_order_relaxed);
  }
}

int64_t Ruler::Impl::Downtime(int64_t now_ms) const {
  std::optional<int64_t> seen_ms = seen_waiting_ms;
  for (const auto& [key, running] : groups) seen_ms = std::max(seen_ms, running.state->last_iteration_ms);
  return seen_ms.has_value() ? std::max<int64_t>(now_ms - *seen_ms, 0) : INT64_MAX;
}

void Ruler::Impl::Begin(int64_t now_ms, int64_t wait_max_ms) {
  const MutexLock lock(mu);
  if (begun) return;
  begun = true;
  const int64_t wait_ms = std::min(wait_max_ms, Downtime(now_ms));
  waiting_until_ms = now_ms + wait_ms;
  for (auto& [key, running] : groups) {
    const uint64_t given_up =
        running.schedule.Begin(running.state->last_iteration_ms, now_ms, options.catch_up_max_ms, wait_ms);
    iterations_missed.fetch_add(given_up, std::memory_order_relaxed);
    Enqueue(key, &running);
  }
  std::vector<std::string> records;
  for (auto& [id, group] : stored) {
    StoredRemains remains = RemainsOf(id, group);
    std::move(remains.keys.begin(), remains.keys.end(), std::back_inserter(records));
    records.push_back(GroupRecordKey(id));
    Retire(group.record.key.tenant, std::move(remains.series), now_ms, options.evaluation_interval_ms);
  }
  stored.clear();
  if (!records.empty() && !means.engine->records().WriteRecords({}, records).ok()) {
    counters.state_write_failures.fetch_add(1, std::memory_order_relaxed);
  }
}

void Ruler::SetFileGroups(std::string_view tenant_view, std::vector<RuleGroup> wanted) {
  const std::string tenant(tenant_view);
  const MutexLock reload_lock(impl_->reload_mu);
  std::map<GroupKey, RuleGroup> before;
  {
    const MutexLock lock(impl_->mu);
    for (auto& [key, running] : impl_->groups) {
      if (key.tenant == tenant && !key.by_api) before.emplace(key, running.state->group);
    }
  }
  std::set<GroupKey> kept;
  uint32_t order = 0;
  for (RuleGroup& group : wanted) {
    ++order;
    const GroupKey key = {.tenant = tenant, .by_api = false, .file = group.file, .name = group.name};
    kept.insert(key);
    const auto at = before.find(key);
    if (at != before.end() && SameRules(at->second, group)) {
      const MutexLock lock(impl_->mu);
      impl_->groups.at(key).order = order;
      continue;
    }
    impl_->Put(impl_->MakeState(tenant, false, std::move(group)), order);
  }
  for (const auto& [key, group] : before) {
    if (!kept.contains(key)) impl_->Remove(key);
  }
}

// ---- Groups by the API ----

Status Ruler::PutGroup(std::string_view tenant, RuleGroup group) {
  const RulerOptions& options = impl_->options;
  if (options.rules_per_group_max != 0 && group.rules.size() > options.rules_per_group_max) {
    return ResourceExhausted("per-user rules per rule group limit (limit: " +
                             std::to_string(options.rules_per_group_max) +
                             " actual: " + std::to_string(group.rules.size()) + ") exceeded");
  }
  const MutexLock reload_lock(impl_->reload_mu);
  if (options.groups_max != 0) {
    size_t others = 0;
    for (const RuleGroup& other : ApiGroups(tenant)) {
      if (other.file != group.file || other.name != group.name) ++others;
    }
    if (others + 1 > options.groups_max) {
      return ResourceExhausted("per-user rule groups limit (limit: " + std::to_string(options.groups_max) +
                               " actual: " + std::to_string(others + 1) + ") exceeded");
    }
  }
  VARVE_RETURN_IF_ERROR(impl_->means.engine->records().WriteRecords(
      {{ApiGroupKey(tenant, group.file, group.name), EncodeApiGroup(tenant, group)}}, {}));
  impl_->Put(impl_->MakeState(std::string(tenant), true, std::move(group)), 0);
  return Status::Ok();
}

Status Ruler::DeleteGroup(std::string_view tenant, std::string_view rule_namespace, std::string_view name) {
  const MutexLock reload_lock(impl_->reload_mu);
  const GroupKey key = {.tenant = std::string(tenant),
                        .by_api = true,
                        .file = std::string(rule_namespace),
                        .name = std::string(name)};
  {
    const MutexLock lock(impl_->mu);
    if (!impl_->groups.contains(key)) return NotFound("group does not exist");
  }
  VARVE_RETURN_IF_ERROR(
      impl_->means.engine->records().WriteRecords({}, {ApiGroupKey(tenant, rule_namespace, name)}));
  impl_->Remove(key);
  return Status::Ok();
}

Status Ruler::DeleteNamespace(std::string_view tenant, std::string_view rule_namespace) {
  const MutexLock reload_lock(impl_->reload_mu);
  std::vector<GroupKey> keys;
  std::vector<std::string> records;
  {
    const MutexLock lock(impl_->mu);
    for (const auto& [key, running] : impl_->groups) {
      if (key.tenant != tenant || !key.by_api || key.file != rule_namespace) continue;
      keys.push_back(key);
      records.push_back(ApiGroupKey(tenant, key.file, key.name));
    }
  }
  if (keys.empty()) return NotFound("group namespace does not exist");
  VARVE_RETURN_IF_ERROR(impl_->means.engine->records().WriteRecords({}, records));
  for (const GroupKey& key : keys) impl_->Remove(key);
  return Status::Ok();
}

std::vector<RuleGroup> Ruler::ApiGroups(std::string_view tenant) const {
  std::vector<RuleGroup> out;
  const MutexLock lock(impl_->mu);
  for (const auto& [key, running] : impl_->groups) {
    if (key.tenant == tenant && key.by_api) out.push_back(running.state->group);
  }
  return out;
}

}  // namespace varve
