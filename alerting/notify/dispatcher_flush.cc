// The dispatcher's flushes and deliveries.
#include <algorithm>
#include <utility>

#include "alerting/notify/alert_labels.h"
#include "alerting/notify/dispatcher.h"

namespace varve {

void Dispatcher::FlushDue(int64_t now_ms) {
  for (size_t i = 0; i < kFlushesAtOnce && !due_.empty() && std::get<0>(*due_.begin()) <= now_ms; ++i) {
    FlushGroup(std::get<2>(*due_.begin()), now_ms);
  }
  Commit();
}

int64_t Dispatcher::NextDueMs(int64_t now_ms) const {
  return std::min(NextFlushMs(), NextJobMs(now_ms));
}

void Dispatcher::Reschedule(AggregationGroup* group, int64_t was_due_ms) {
  due_.erase({was_due_ms, group->record.id, group});
  due_.emplace(group->DueMs(), group->record.id, group);
}

bool Dispatcher::Muted(std::string_view tenant, StoredAlert* alert, int64_t now_ms) const {
  const LabelMap& labels = alert->posted->labels;
  if (inhibition_->Inhibiting(tenant, labels, now_ms).has_value()) return true;
  return !silences_->Silencing(tenant, labels, now_ms, &alert->silences).empty();
}

std::shared_ptr<const Flush> Dispatcher::MakeFlush(const AggregationGroup& group, int64_t now_ms,
                                                   std::vector<uint64_t>* muted_ends) {
  auto flush = std::make_shared<Flush>();
  flush->now_ms = now_ms;
  const AlertRoute& route = *group.route;
  const bool all_muted =
      !generation_->intervals.Muting(route.mute_time_intervals, route.active_time_intervals, now_ms).empty();
  for (const auto& [fingerprint, alert] : group.alerts) {
    const bool resolved = alert->ResolvedAt(now_ms);
    if (resolved && !alert->ended) {
      alert->ended = true;
      batch_.Put(AlertRecordKey(group.record.tenant, fingerprint), EncodeAlert(*alert));
    }
    if (all_muted || Muted(group.record.tenant, alert.get(), now_ms)) {
      if (resolved) muted_ends->push_back(fingerprint);
      continue;
    }
    flush->alerts.push_back({alert->posted, fingerprint, alert->updated_at_ms, resolved});
  }
  std::sort(flush->alerts.begin(), flush->alerts.end(), [](const FlushedAlert& a, const FlushedAlert& b) {
    return AlertBefore(a.alert->labels, b.alert->labels);
  });
  return flush;
}

void Dispatcher::FlushGroup(AggregationGroup* group, int64_t now_ms) {
  const int64_t was_due_ms = group->DueMs();
  // Looking again at what was flushed before does not move the next flush.
  if (!group->redo || group->record.next_flush_ms <= now_ms) {
    group->record.next_flush_ms = now_ms + std::max<int64_t>(1, group->route->group_interval_ms);
  }
  group->redo = false;
  group->record.last_flush_ms = now_ms;
  Reschedule(group, was_due_ms);

  std::vector<uint64_t> muted_ends;
  group->last = MakeFlush(*group, now_ms, &muted_ends);
  for (const auto& lane : group->lanes) {
    lane->Offer(group->last);
    queue_.Update(lane);
  }
  batch_.Put(GroupRecordKey(group->record.id), EncodeGroup(group->record));
  for (const uint64_t fingerprint : muted_ends) {
    if (!Drop(group, fingerprint)) return;
  }
  Settle(group);
}

bool Dispatcher::Settle(AggregationGroup* group) {
  for (const auto& lane : group->lanes) {
    if (lane->TakeLogChanged()) StoreLog(*lane);
  }
  const std::shared_ptr<const Flush> flush = group->last;
  if (flush == nullptr) return true;
  for (const FlushedAlert& flushed : flush->alerts) {
    if (!flushed.resolved) continue;
    const auto at = group->alerts.find(flushed.fingerprint);
    // One that came again in the meantime stays.
    if (at == group->alerts.end() || at->second->updated_at_ms != flushed.updated_at_ms) continue;
    const auto settled = [&flushed](const auto& lane) { return lane->Settled(flushed); };
    if (!std::all_of(group->lanes.begin(), group->lanes.end(), settled)) continue;
    if (!Drop(group, flushed.fingerprint)) return false;
  }
  const bool unfinished = !group->Finished();
  if (unfinished != group->record.unfinished) {
    group->record.unfinished = unfinished;
    batch_.Put(GroupRecordKey(group->record.id), EncodeGroup(group->record));
  }
  return true;
}

bool Dispatcher::Drop(AggregationGroup* group, uint64_t fingerprint) {
  for (const auto& lane : group->lanes) {
    if (lane->Forget(fingerprint)) StoreLog(*lane);
  }
  const auto at = group->alerts.find(fingerprint);
  const std::shared_ptr<StoredAlert> alert = at->second;
  group->alerts.erase(at);
  std::erase(alert->groups, group);
  if (alert->groups.empty()) EraseAlert(group->record.tenant, fingerprint);
  if (!group->alerts.empty()) return true;
  Dissolve(group);
  return false;
}

void Dispatcher::Dissolve(AggregationGroup* group) {
  due_.erase({group->DueMs(), group->record.id, group});
  batch_.Remove(GroupRecordKey(group->record.id));
  for (const auto& lane : group->lanes) queue_.Remove(lane.get());
  const auto lanes = std::move(group->lanes);
  const std::string map_key = group->map_key;
  groups_.erase(map_key);
  for (const auto& lane : lanes) {
    const std::shared_ptr<SentLog>& log = lane->log();
    if (log->busy || (log->told && !log->record.state.firing.empty())) continue;
    // Another route's group may share it; then it only is stored again when something has been told.
    if (log->told) batch_.Remove(SentRecordKey(log->record.id));
    log->told = false;
  }
}

void Dispatcher::StoreLog(const DeliveryLane& lane) {
  SentRecord& record = lane.log()->record;
  const int64_t kept_ms = std::min(2 * lane.means().repeat_interval_ms, limits_.retention_ms);
  record.expires_at_ms = record.state.sent_at_ms + kept_ms;
  batch_.Put(SentRecordKey(record.id), EncodeSent(record));
}

AggregationGroup* Dispatcher::GroupOf(const DeliveryLane& lane) const {
  const auto at = groups_.find(lane.means().group);
  if (at == groups_.end()) return nullptr;
  const auto& lanes = at->second->lanes;
  const auto is_it = [&lane](const auto& other) { return other.get() == &lane; };
  return std::any_of(lanes.begin(), lanes.end(), is_it) ? at->second.get() : nullptr;
}

std::optional<DeliveryJob> Dispatcher::TakeJob(int64_t now_ms) {
  while (std::shared_ptr<DeliveryLane> lane = queue_.Take(now_ms)) {
    AggregationGroup* group = GroupOf(*lane);
    if (group == nullptr) continue;
    if (lane->log()->busy) {
      lane->log()->waiting.push_back(lane);
      continue;
    }
    DeliveryJob job;
    if (!lane->Begin(now_ms, &job.alerts)) {
      queue_.Update(lane);
      Settle(group);
      Commit();
      continue;
    }
    const auto& receivers = generation_->integrations->by_receiver;
    job.integration = receivers.find(lane->means().receiver)->second[lane->means().integration].get();
    job.integrations = generation_->integrations;
    job.tenant = group->record.tenant;
    job.group_key = group->record.group_key;
    job.group_labels = group->labels;
    job.attempt = lane->attempts() + 1;
    job.started_ms = now_ms;
    queue_.AttemptStarted(lane->channel(), now_ms);
    job.lane = std::move(lane);
    return job;
  }
  return std::nullopt;
}

void Dispatcher::ReleaseLog(SentLog* log) {
  for (const auto& waiting : std::exchange(log->waiting, {})) {
    if (GroupOf(*waiting) != nullptr) queue_.Update(waiting);
  }
}

bool Dispatcher::StandsIn(const DeliveryJob& job, uint64_t fingerprint) const {
  const auto of_tenant = alerts_.find(job.tenant);
  if (of_tenant == alerts_.end()) return false;
  const auto at = of_tenant->second.find(fingerprint);
  if (at == of_tenant->second.end()) return false;
  const auto& groups = at->second->groups;
  return std::any_of(groups.begin(), groups.end(), [&job](const AggregationGroup* group) {
    return group->record.group_key == job.group_key && group->record.receiver == job.lane->means().receiver;
  });
}

void Dispatcher::FinishJob(const DeliveryJob& job, const Delivery& delivery, int64_t now_ms) {
  DeliveryLane& lane = *job.lane;
  const bool cancelled = delivery.status.code() == Code::kCancelled;
  const bool failed = !delivery.status.ok();
  queue_.AttemptEnded(lane.channel(), job.started_ms, failed && !cancelled);
  IntegrationStats& stats = integration_stats_[{lane.means().receiver, lane.means().kind}];
  ++stats.attempts;
  stats.seconds += static_cast<double>(now_ms - job.started_ms) / 1000;
  ++(failed ? stats.failures : stats.notifications);
  AggregationGroup* group = GroupOf(lane);
  if (!failed) {
    lane.Succeed(now_ms);
    // What left the group meanwhile (muted, then over) is not remembered as firing.
    const SentState state = lane.log()->record.state;
    for (const uint64_t fingerprint : state.firing) {
      if (!StandsIn(job, fingerprint)) lane.Forget(fingerprint);
    }
    lane.TakeLogChanged();
    StoreLog(lane);
  } else if (cancelled) {
    lane.Abandon();
  } else {
    lane.Fail(now_ms, delivery.retry, delivery.retry_after_ms);
  }
  if (group != nullptr) {
    queue_.Update(job.lane);
    Settle(group);
  }
  ReleaseLog(lane.log().get());
  Commit();
}

}  // namespace varve
