// The rule engine: evaluates groups of rules on time, writes what they record, and keeps the state of alerts.
//
//   Ruler ruler(means, options);
//   ruler.Load();              // durable state and the groups that came by the API
//   ruler.SetFileGroups(tenant, groups);   // what the rule files say; again at every reload
//   ruler.Start();             // missed evaluations first, in order, then on time
//   … ruler.Stop();
//
// A group's evaluations lie at k × interval + hash(tenant, file, name) mod interval; its rules run in order, each
// sees what the ones before it wrote. After each evaluation its results, the series ALERTS and ALERTS_FOR_STATE, a
// line in {job="varve-alerts"} for every change of state, and the changed state itself are stored; state goes last,
// so that an evaluation that was cut short is done again, with the same results at the same times.
// docs/rules.md has the semantics, docs/format.md the records.
// Threads: thread-safe, except that Load, Start and Stop are the owner's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/label_map.h"
#include "alerting/notify/alert_sink.h"
#include "alerting/rules/rule_group.h"
#include "alerting/rules/rule_status.h"
#include "engine/base/clock.h"
#include "engine/base/per_tenant.h"
#include "engine/engine.h"
#include "ingest/write_path.h"
#include "query/exec/query.h"
#include "query/promql/eval/query.h"

namespace varve {

// Each is a limit or setting with a key (docs/operations.md).
struct RulerOptions {
  int64_t evaluation_interval_ms = 60'000;  // global.evaluation_interval
  int64_t query_offset_ms = 0;              // global.rule_query_offset
  LabelMap external_labels;                 // global.external_labels
  std::string external_url;                 // ruler.external_url, without a slash at the end
  int64_t resend_delay_ms = 60'000;         // ruler.resend_delay
  uint32_t evaluation_threads = 0;          // ruler.evaluation_threads; 0: one a core
  // ruler.catch_up_max: how far back missed evaluations are made up; older ones are counted as missed.
  int64_t catch_up_max_ms = 3'600'000;
  // ruler.catch_up_delay: after a stop of D the first evaluation waits min(D, this) for agents to deliver what they kept.
  int64_t catch_up_delay_ms = 30'000;
  uint32_t rules_per_group_max = 0;  // ruler.max_rules_per_rule_group, of groups by the API; 0: none
  uint32_t groups_max = 0;           // ruler.max_rule_groups_per_tenant, likewise
  uint32_t alerts_per_rule_max = 100'000;  // ruler.max_alerts_per_rule: then the rule fails
};

struct RulerMeans {
  Engine* engine = nullptr;
  WritePath* writes = nullptr;
  const promql::PromqlEngine* promql = nullptr;
  const PerTenant<QueryLimits>* query_limits = nullptr;
  std::vector<AlertSink*> sinks;
  const Clock* clock = &Clock::System();
};

struct RulerStats {
  uint64_t groups = 0, rules = 0;
  uint64_t evaluations = 0;           // of rules
  uint64_t evaluation_failures = 0;   // of rules
  uint64_t iterations = 0;            // of groups
  uint64_t iterations_missed = 0;     // skipped: older than catch_up_max
  uint64_t iterations_caught_up = 0;  // done late
  uint64_t alerts_pending = 0, alerts_firing = 0;
  uint64_t samples_written = 0, write_failures = 0, state_write_failures = 0;
  uint64_t send_failures = 0;  // alerts that no sink took
  uint64_t lines_dropped = 0;  // of {job="varve-alerts"}: more than 10,000 of a group waited for a push to take them
  double evaluation_seconds = 0;
  double slowest_group_seconds = 0;  // of the last iteration of each
};

class Ruler {
 public:
  Ruler(RulerMeans means, RulerOptions options);
  ~Ruler();  // stops

  Status Load();
  // Before Load: RulerOptions::external_url, where it is only known once the server listens.
  void SetExternalUrl(std::string url);
  void Start();
  // After it nothing is evaluated; no stale markers are written.
  void Stop();

  // Replaces the tenant's groups that came from files. A group that is there as before (file and name) keeps the state of
  // its unchanged rules, moved ones too; series of rules that are gone end with a stale marker after two intervals.
  void SetFileGroups(std::string_view tenant, std::vector<RuleGroup> groups);

  // Groups by the API, durable. kResourceExhausted: limits, in Loki's words.
  Status PutGroup(std::string_view tenant, RuleGroup group);
  // kNotFound: "group does not exist" / "group namespace does not exist".
  Status DeleteGroup(std::string_view tenant, std::string_view rule_namespace, std::string_view name);
  Status DeleteNamespace(std::string_view tenant, std::string_view rule_namespace);
  // As given to PutGroup; ascending by namespace and name.
  std::vector<RuleGroup> ApiGroups(std::string_view tenant) const;

  // Those of files and of the API; ascending by file, then in the file's order.
  std::vector<GroupStatus> Groups(std::string_view tenant) const;
  std::vector<AlarmStatus> Alarms(std::string_view tenant) const;
  RulerStats Stats() const;
  // Of all tenants.
  std::vector<GroupSummary> Summaries() const;

  // Evaluates, on the caller's threads, everything due at or before `now_ms`. Start calls it from its own thread; tests
  // and `varve rules test` call it instead of Start.
  void EvaluateDue(int64_t now_ms);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace varve
