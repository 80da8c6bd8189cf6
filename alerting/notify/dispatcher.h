// Alerts, the groups they stand in, and what each integration is to be told of each group.
//
// A post stores alerts and puts them into the groups of the routes that take them. A flush, when a group is due, takes
// what is not muted and offers it to the group's lanes; what they have to tell is handed out as jobs. A resolved alert
// leaves a group when every lane has told its end, or need not; an alert in no group that is resolved is gone.
// Nothing here blocks on others: jobs are run by the caller.
// Threads: thread-compatible; the notifier synchronises. Records are written under its lock, without sync.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "alerting/notify/aggregation_group.h"
#include "alerting/notify/alert_sink.h"
#include "alerting/notify/delivery_queue.h"
#include "alerting/notify/inhibition.h"
#include "alerting/notify/integration_factory.h"
#include "alerting/notify/notifier.h"
#include "alerting/notify/record_batch.h"
#include "alerting/notify/route_tree.h"
#include "alerting/notify/silence_store.h"
#include "alerting/notify/time_intervals.h"
#include "engine/record_store.h"

namespace varve {

struct DispatcherLimits {
  uint32_t delivery_threads = 8;
  uint32_t alerts_max = 100'000;
  int64_t retention_ms = 0;
  RetryLimits retries;
};

// A delivery to be made.
struct DeliveryJob {
  std::shared_ptr<DeliveryLane> lane;
  std::shared_ptr<const IntegrationSet> integrations;  // keeps `integration` alive
  Integration* integration = nullptr;
  std::string tenant, group_key;
  LabelMap group_labels;
  std::vector<FlushedAlert> alerts;
  uint32_t attempt = 1;
  int64_t started_ms = 0;
};

class Dispatcher {
 public:
  Dispatcher(RecordStore* records, SilenceStore* silences, DispatcherLimits limits);
  ~Dispatcher();

  // What was stored. An alert that fired when it was last heard of and whose end has passed since is held as long again
  // as it was promised then (kRestartGraceMaxMs at most): that nobody renewed it while this process was down says
  // nothing.
  static constexpr int64_t kRestartGraceMaxMs = 3'600'000;
  Status Load(int64_t now_ms);
  void Configure(const NotifyConfig& config, std::shared_ptr<const IntegrationSet> integrations, int64_t now_ms);

  Status Post(std::string_view tenant, const std::vector<PostedAlert>& alerts, int64_t now_ms);

  // Flushes groups that are due, at most kFlushesAtOnce. When the next flush or job is due: NextDueMs.
  static constexpr size_t kFlushesAtOnce = 256;
  void FlushDue(int64_t now_ms);
  int64_t NextDueMs(int64_t now_ms) const;
  int64_t NextFlushMs() const { return due_.empty() ? DeliveryQueue::kNever : std::get<0>(*due_.begin()); }
  int64_t NextJobMs(int64_t now_ms) const { return queue_.NextDueMs(now_ms); }

  std::optional<DeliveryJob> TakeJob(int64_t now_ms);
  void FinishJob(const DeliveryJob& job, const Delivery& delivery, int64_t now_ms);

  // Forgets what is over. Meant for once a minute.
  void Sweep(int64_t now_ms);

  std::vector<AlertView> Alerts(std::string_view tenant, const AlertFilter& filter, int64_t now_ms) const;
  std::vector<AlertGroupView> Groups(std::string_view tenant, const AlertFilter& filter, int64_t now_ms) const;
  void FillStats(NotifierStats* stats, int64_t now_ms) const;

 private:
  using AlertMap = std::unordered_map<uint64_t, std::shared_ptr<StoredAlert>>;
  struct Generation {
    Generation(const NotifyConfig& config, std::shared_ptr<const IntegrationSet> set)
        : routes(config.route), intervals(config.time_intervals), integrations(std::move(set)),
          resolve_timeout_ms(config.resolve_timeout_ms) {}
    RouteTree routes;
    TimeIntervals intervals;
    std::shared_ptr<const IntegrationSet> integrations;
    int64_t resolve_timeout_ms;
  };
  struct Change {
    std::shared_ptr<StoredAlert> fresh, existing;
  };
  // Groups by tenant, group key and receiver: what is known of their times from before.
  using KnownGroups = std::multimap<std::string, GroupRecord>;

  std::vector<Change> Receive(std::string_view tenant, const std::vector<PostedAlert>& alerts, int64_t now_ms,
                              Status* refused);
  void Apply(std::string_view tenant, const Change& change, int64_t now_ms);
  // Puts the alert into the groups of its routes. `known`: while groups are built anew.
  void Insert(std::string_view tenant, const std::shared_ptr<StoredAlert>& alert, int64_t now_ms, KnownGroups* known);
  AggregationGroup* NewGroup(std::string_view tenant, const AlertRoute& route, LabelMap labels, std::string map_key,
                             const StoredAlert& first, int64_t now_ms, KnownGroups* known);
  void AddLanes(AggregationGroup* group);
  std::shared_ptr<SentLog> FindLog(const AggregationGroup& group, std::string_view kind, size_t index);
  bool KnownAsFiring(const AggregationGroup& group, uint64_t fingerprint) const;
  void FlushGroup(AggregationGroup* group, int64_t now_ms);
  // What of the group is not muted; resolved alerts that are muted go to `muted_ends`.
  std::shared_ptr<const Flush> MakeFlush(const AggregationGroup& group, int64_t now_ms,
                                         std::vector<uint64_t>* muted_ends);
  bool Muted(std::string_view tenant, StoredAlert* alert, int64_t now_ms) const;
  // After lanes have changed: drops what is settled, stores what changed. False: the group is gone.
  bool Settle(AggregationGroup* group);
  bool Drop(AggregationGroup* group, uint64_t fingerprint);
  void Dissolve(AggregationGroup* group);
  void StoreLog(const DeliveryLane& lane);
  void ReleaseLog(SentLog* log);
  void EraseAlert(std::string_view tenant, uint64_t fingerprint);
  void Reschedule(AggregationGroup* group, int64_t was_due_ms);
  AggregationGroup* GroupOf(const DeliveryLane& lane) const;
  // Whether an alert is in a group of the job's key and receiver.
  bool StandsIn(const DeliveryJob& job, uint64_t fingerprint) const;
  void EvictResolved(size_t needed, int64_t now_ms);
  bool FillView(std::string_view tenant, const std::shared_ptr<StoredAlert>& alert, const AlertFilter& filter,
                int64_t now_ms, AlertView* view) const;
  void Commit();

  RecordStore* const records_;
  SilenceStore* const silences_;
  const DispatcherLimits limits_;
  std::shared_ptr<const Generation> generation_;  // null: not configured
  std::map<std::string, AlertMap, std::less<>> alerts_;  // by tenant and fingerprint
  size_t alert_count_ = 0;
  int64_t evicted_at_ms_ = 0;
  std::unique_ptr<Inhibition> inhibition_;
  std::map<std::string, std::unique_ptr<AggregationGroup>> groups_;
  std::set<std::tuple<int64_t, uint64_t, AggregationGroup*>> due_;  // of groups_, by DueMs and id
  KnownGroups loaded_groups_;  // until the first Configure
  std::map<std::string, std::shared_ptr<SentLog>> logs_;
  DeliveryQueue queue_;
  RecordBatch batch_;
  uint64_t next_id_ = 1;  // of groups' and logs' records
  uint64_t received_ = 0, refused_ = 0, record_failures_ = 0;
  std::map<std::pair<std::string, std::string>, IntegrationStats> integration_stats_;
};

}  // namespace varve
