#include "alerting/notify/dispatcher.h"

#include <algorithm>
#include <utility>

#include "alerting/notify/alert_labels.h"
#include "engine/base/bytes.h"

namespace varve {
namespace {

constexpr int64_t kEvictionPauseMs = 10'000;

std::string KeyOfParts(std::initializer_list<std::string_view> parts) {
  std::string key;
  for (const std::string_view part : parts) PutLengthPrefixed(&key, part);
  return key;
}

}  // namespace

Dispatcher::Dispatcher(RecordStore* records, SilenceStore* silences, DispatcherLimits limits)
    : records_(records), silences_(silences), limits_(limits), queue_(limits.delivery_threads) {}

Dispatcher::~Dispatcher() = default;

Status Dispatcher::Load(int64_t now_ms) {
  VARVE_RETURN_IF_ERROR(records_->ForEachRecord(kAlertRecords, [&](std::string_view key, std::string_view value) {
    std::string tenant;
    VARVE_ASSIGN_OR_RETURN(StoredAlert alert, DecodeAlert(key, value, &tenant));
    if (!alert.ended && alert.ResolvedAt(now_ms)) {
      PostedAlert posted = *alert.posted;
      const int64_t promised_ms = posted.ends_at_ms - alert.updated_at_ms;
      posted.ends_at_ms = now_ms + std::clamp<int64_t>(promised_ms, 1, kRestartGraceMaxMs);
      alert.posted = std::make_shared<const PostedAlert>(std::move(posted));
    }
    alerts_[tenant][alert.fingerprint] = std::make_shared<StoredAlert>(std::move(alert));
    ++alert_count_;
    return Status::Ok();
  }));
  VARVE_RETURN_IF_ERROR(records_->ForEachRecord(kGroupRecords, [&](std::string_view key, std::string_view value) {
    VARVE_ASSIGN_OR_RETURN(GroupRecord group, DecodeGroup(key, value));
    next_id_ = std::max(next_id_, group.id + 1);
    std::string known = KeyOfParts({group.tenant, group.group_key, group.receiver});
    loaded_groups_.emplace(std::move(known), std::move(group));
    return Status::Ok();
  }));
  return records_->ForEachRecord(kSentRecords, [&](std::string_view key, std::string_view value) {
    VARVE_ASSIGN_OR_RETURN(SentRecord sent, DecodeSent(key, value));
    next_id_ = std::max(next_id_, sent.id + 1);
    auto log = std::make_shared<SentLog>();
    log->told = true;
    std::string log_key = KeyOfParts(
        {sent.tenant, sent.group_key, sent.receiver, sent.kind, std::to_string(sent.index)});
    log->record = std::move(sent);
    logs_.insert_or_assign(std::move(log_key), std::move(log));
    return Status::Ok();
  });
}

void Dispatcher::Configure(const NotifyConfig& config, std::shared_ptr<const IntegrationSet> integrations,
                           int64_t now_ms) {
  const bool reload = generation_ != nullptr;
  KnownGroups known = std::exchange(loaded_groups_, {});
  for (auto& [map_key, group] : groups_) {
    // Receivers may have got integrations that have not been told yet.
    group->record.unfinished = group->record.last_flush_ms != 0;
    const GroupRecord& record = group->record;
    known.emplace(KeyOfParts({record.tenant, record.group_key, record.receiver}), record);
    for (const auto& lane : group->lanes) queue_.Remove(lane.get());
  }
  due_.clear();
  // Metrics of what has not been tried yet are there, at 0.
  for (const auto& [receiver, of_receiver] : integrations->by_receiver) {
    for (const auto& integration : of_receiver) integration_stats_[{receiver, std::string(integration->kind())}];
  }
  generation_ = std::make_shared<const Generation>(config, std::move(integrations));
  inhibition_ = std::make_unique<Inhibition>(config.inhibit_rules);
  const auto old_groups = std::exchange(groups_, {});
  for (const auto& [tenant, alerts] : alerts_) {
    for (const auto& [fingerprint, alert] : alerts) {
      alert->groups.clear();
      inhibition_->Add(tenant, alert);
    }
  }
  for (const auto& [tenant, alerts] : alerts_) {
    for (const auto& [fingerprint, alert] : alerts) Insert(tenant, alert, now_ms, &known);
  }
  for (const auto& [key, record] : known) batch_.Remove(GroupRecordKey(record.id));
  if (reload) Sweep(now_ms);
  Commit();
}

Status Dispatcher::Post(std::string_view tenant, const std::vector<PostedAlert>& alerts, int64_t now_ms) {
  Status refused;
  const std::vector<Change> changes = Receive(tenant, alerts, now_ms, &refused);
  std::vector<RecordStore::Record> put;
  for (const Change& change : changes) {
    put.push_back({AlertRecordKey(tenant, change.fresh->fingerprint), EncodeAlert(*change.fresh)});
  }
  if (!put.empty()) VARVE_RETURN_IF_ERROR(records_->WriteRecords(put, {}));
  for (const auto& record : put) batch_.Forget(record.key);
  for (const Change& change : changes) Apply(tenant, change, now_ms);
  received_ += alerts.size();
  Commit();
  return refused;
}

std::vector<Dispatcher::Change> Dispatcher::Receive(std::string_view tenant, const std::vector<PostedAlert>& alerts,
                                                    int64_t now_ms, Status* refused) {
  if (alert_count_ + alerts.size() > limits_.alerts_max) EvictResolved(alert_count_ + alerts.size(), now_ms);
  const auto of_tenant = alerts_.find(tenant);
  const int64_t resolve_timeout_ms =
      generation_ != nullptr ? generation_->resolve_timeout_ms : NotifyConfig().resolve_timeout_ms;
  std::vector<Change> changes;
  std::unordered_map<uint64_t, size_t> places;  // in changes
  size_t added = 0;
  const auto refuse = [&](Status status) {
    ++refused_;
    if (refused->ok()) *refused = std::move(status);
  };
  for (const PostedAlert& original : alerts) {
    PostedAlert posted = original;
    if (Status status = CheckAlert(&posted); !status.ok()) {
      refuse(std::move(status));
      continue;
    }
    const uint64_t fingerprint = AlertFingerprint(posted.labels);
    std::shared_ptr<StoredAlert> existing;
    if (of_tenant != alerts_.end()) {
      const auto at = of_tenant->second.find(fingerprint);
      if (at != of_tenant->second.end()) existing = at->second;
    }
    const auto place = places.find(fingerprint);
    const StoredAlert* old = place != places.end() ? changes[place->second].fresh.get() : existing.get();
    std::shared_ptr<StoredAlert> fresh = ReceiveAlert(std::move(posted), old, now_ms, resolve_timeout_ms);
    if (fresh == nullptr) continue;
    if (place != places.end()) {
      changes[place->second].fresh = std::move(fresh);
      continue;
    }
    if (existing == nullptr) {
      if (alert_count_ + added >= limits_.alerts_max) {
        refuse(ResourceExhausted("the limit of " + std::to_string(limits_.alerts_max) +
                                 " alerts (alertmanager.alerts_max) is reached"));
        continue;
      }
      ++added;
    }
    places.emplace(fingerprint, changes.size());
    changes.push_back({std::move(fresh), std::move(existing)});
  }
  return changes;
}

void Dispatcher::Apply(std::string_view tenant, const Change& change, int64_t now_ms) {
  std::shared_ptr<StoredAlert> alert = change.existing;
  // An alert keeps its object, which groups share.
  bool insert = true;
  if (alert == nullptr) {
    alert = change.fresh;
    alerts_[std::string(tenant)][alert->fingerprint] = alert;
    ++alert_count_;
    if (inhibition_ != nullptr) inhibition_->Add(tenant, alert);
  } else {
    insert = alert->ended || alert->groups.empty();
    alert->posted = change.fresh->posted;
    alert->updated_at_ms = change.fresh->updated_at_ms;
    alert->timeout = change.fresh->timeout;
    alert->ended = change.fresh->ended;
  }
  if (insert && generation_ != nullptr) Insert(tenant, alert, now_ms, nullptr);
}

void Dispatcher::Insert(std::string_view tenant, const std::shared_ptr<StoredAlert>& alert, int64_t now_ms,
                        KnownGroups* known) {
  const LabelMap& labels = alert->posted->labels;
  for (const AlertRoute* route : generation_->routes.Match(labels)) {
    LabelMap group_labels = route->GroupLabels(labels);
    std::string map_key = KeyOfParts({tenant, route->id, LabelSetText(group_labels)});
    const auto at = groups_.find(map_key);
    AggregationGroup* group = at == groups_.end() ? nullptr : at->second.get();
    if (known != nullptr && alert->ended) {
      // Built anew: an end that a group has flushed and that nobody waits for is not put back.
      const std::string key = KeyOfParts({tenant, route->key + ":" + LabelSetText(group_labels), route->receiver});
      const auto record = known->find(key);
      const GroupRecord* before =
          group != nullptr ? &group->record : record != known->end() ? &record->second : nullptr;
      if (before == nullptr) continue;
      AggregationGroup probe;
      probe.record = *before;
      probe.route = route;
      if (before->last_flush_ms > alert->updated_at_ms && !KnownAsFiring(probe, alert->fingerprint)) continue;
    }
    if (group == nullptr) {
      group = NewGroup(tenant, *route, std::move(group_labels), std::move(map_key), *alert, now_ms, known);
    }
    group->alerts[alert->fingerprint] = alert;
    if (std::find(alert->groups.begin(), alert->groups.end(), group) == alert->groups.end()) {
      alert->groups.push_back(group);
    }
  }
}

AggregationGroup* Dispatcher::NewGroup(std::string_view tenant, const AlertRoute& route, LabelMap labels,
                                       std::string map_key, const StoredAlert& first, int64_t now_ms,
                                       KnownGroups* known) {
  auto owned = std::make_unique<AggregationGroup>();
  AggregationGroup* group = owned.get();
  group->route = &route;
  group->map_key = map_key;
  GroupRecord& record = group->record;
  record.tenant = tenant;
  record.group_key = route.key + ":" + LabelSetText(labels);
  record.receiver = route.receiver;
  group->labels = std::move(labels);
  const auto before =
      known == nullptr ? KnownGroups::iterator() : known->find(KeyOfParts({tenant, record.group_key, record.receiver}));
  if (known != nullptr && before != known->end()) {
    record = before->second;
    known->erase(before);
    group->redo = record.unfinished;
    const int64_t longest_ms = record.last_flush_ms == 0 ? route.group_wait_ms : route.group_interval_ms;
    record.next_flush_ms = std::min(record.next_flush_ms, now_ms + longest_ms);
  } else {
    record.id = next_id_++;
    // As Alertmanager: what has been firing for longer than group_wait has waited enough.
    const bool old = first.posted->starts_at_ms + route.group_wait_ms < now_ms;
    record.next_flush_ms = old ? now_ms : now_ms + route.group_wait_ms;
  }
  AddLanes(group);
  batch_.Put(GroupRecordKey(record.id), EncodeGroup(record));
  due_.emplace(group->DueMs(), record.id, group);
  groups_.emplace(std::move(map_key), std::move(owned));
  return group;
}

std::shared_ptr<SentLog> Dispatcher::FindLog(const AggregationGroup& group, std::string_view kind, size_t index) {
  const GroupRecord& record = group.record;
  std::string key = KeyOfParts({record.tenant, record.group_key, record.receiver, kind, std::to_string(index)});
  std::shared_ptr<SentLog>& log = logs_[std::move(key)];
  if (log == nullptr) {
    log = std::make_shared<SentLog>();
    log->record.id = next_id_++;
    log->record.tenant = record.tenant;
    log->record.group_key = record.group_key;
    log->record.receiver = record.receiver;
    log->record.kind = kind;
    log->record.index = static_cast<uint32_t>(index);
  }
  return log;
}

void Dispatcher::AddLanes(AggregationGroup* group) {
  const auto receiver = generation_->integrations->by_receiver.find(group->record.receiver);
  if (receiver == generation_->integrations->by_receiver.end()) return;
  std::map<std::string_view, size_t> of_kind;
  for (size_t i = 0; i < receiver->second.size(); ++i) {
    const Integration& integration = *receiver->second[i];
    DeliveryLane::Means means;
    means.log = FindLog(*group, integration.kind(), of_kind[integration.kind()]++);
    means.integration = i;
    means.receiver = group->record.receiver;
    means.kind = integration.kind();
    means.channel = KeyOfParts({means.receiver, means.kind, std::to_string(means.log->record.index)});
    means.group = group->map_key;
    means.send_resolved = integration.send_resolved();
    means.repeat_interval_ms = group->route->repeat_interval_ms;
    means.retries = limits_.retries;
    group->lanes.push_back(std::make_shared<DeliveryLane>(std::move(means)));
  }
}

bool Dispatcher::KnownAsFiring(const AggregationGroup& group, uint64_t fingerprint) const {
  const auto receiver = generation_->integrations->by_receiver.find(group.record.receiver);
  if (receiver == generation_->integrations->by_receiver.end()) return false;
  const GroupRecord& record = group.record;
  std::map<std::string_view, size_t> of_kind;
  for (const auto& integration : receiver->second) {
    const std::string index = std::to_string(of_kind[integration->kind()]++);
    const auto at =
        logs_.find(KeyOfParts({record.tenant, record.group_key, record.receiver, integration->kind(), index}));
    if (at == logs_.end() || !at->second->told) continue;
    const auto& firing = at->second->record.state.firing;
    if (std::binary_search(firing.begin(), firing.end(), fingerprint)) return true;
  }
  return false;
}

void Dispatcher::Commit() {
  if (!batch_.WriteTo(records_).ok()) ++record_failures_;
}

void Dispatcher::EraseAlert(std::string_view tenant, uint64_t fingerprint) {
  const auto of_tenant = alerts_.find(tenant);
  const auto at = of_tenant->second.find(fingerprint);
  if (inhibition_ != nullptr) inhibition_->Remove(tenant, *at->second);
  batch_.Remove(AlertRecordKey(tenant, fingerprint));
  of_tenant->second.erase(at);
  --alert_count_;
  if (of_tenant->second.empty()) alerts_.erase(of_tenant);
}

void Dispatcher::EvictResolved(size_t needed, int64_t now_ms) {
  if (now_ms - evicted_at_ms_ < kEvictionPauseMs) return;
  evicted_at_ms_ = now_ms;
  std::vector<std::tuple<int64_t, std::string, std::shared_ptr<StoredAlert>>> ended;
  for (const auto& [tenant, alerts] : alerts_) {
    for (const auto& [fingerprint, alert] : alerts) {
      if (alert->ended) ended.emplace_back(alert->updated_at_ms, tenant, alert);
    }
  }
  std::sort(ended.begin(), ended.end());
  const size_t excess = needed > limits_.alerts_max ? needed - limits_.alerts_max : 0;
  // A tenth at once, so that this is not done for every alert.
  const size_t count = std::min(ended.size(), std::max<size_t>(excess, limits_.alerts_max / 10));
  for (size_t i = 0; i < count; ++i) {
    const auto& [updated_at_ms, tenant, alert] = ended[i];
    const std::vector<AggregationGroup*> groups = alert->groups;
    for (AggregationGroup* group : groups) Drop(group, alert->fingerprint);
    if (groups.empty()) EraseAlert(tenant, alert->fingerprint);
  }
}

void Dispatcher::Sweep(int64_t now_ms) {
  std::vector<std::pair<std::string, std::shared_ptr<StoredAlert>>> over;
  for (const auto& [tenant, alerts] : alerts_) {
    for (const auto& [fingerprint, alert] : alerts) {
      // In no group: nobody waits for its end. Ended long ago: nobody could be told of it for all the retention.
      const bool alone = alert->groups.empty() && alert->ResolvedAt(now_ms);
      const bool untold = alert->ended && alert->updated_at_ms + limits_.retention_ms < now_ms;
      if (alone || untold) over.emplace_back(tenant, alert);
    }
  }
  for (const auto& [tenant, alert] : over) {
    const std::vector<AggregationGroup*> groups = alert->groups;
    for (AggregationGroup* group : groups) Drop(group, alert->fingerprint);
    if (groups.empty()) EraseAlert(tenant, alert->fingerprint);
  }
  for (auto at = logs_.begin(); at != logs_.end();) {
    const SentLog& log = *at->second;
    const bool used = at->second.use_count() > 1 || log.busy;
    const bool over_now = !log.told || log.record.state.firing.empty() || log.record.expires_at_ms <= now_ms;
    if (used || !over_now) {
      ++at;
      continue;
    }
    if (log.told) batch_.Remove(SentRecordKey(log.record.id));
    at = logs_.erase(at);
  }
  Commit();
  silences_->Sweep(now_ms).IgnoreError("done again in a minute");
}

}  // namespace varve
