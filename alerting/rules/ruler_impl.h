// The inside of the ruler: its groups, who evaluates them when, and how they come and go.
//
// Lock order: reload_mu, mu, a group's mutex. No query and no write runs under mu.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "alerting/rules/alert_records.h"
#include "alerting/rules/group_evaluation.h"
#include "alerting/rules/group_schedule.h"
#include "alerting/rules/group_state.h"
#include "alerting/rules/ruler.h"
#include "engine/base/cancel.h"
#include "engine/base/mutex.h"
#include "engine/base/thread_pool.h"

namespace varve {

struct Ruler::Impl {
  // A group among the others. Under mu, but for what its GroupState guards itself.
  struct Running {
    std::shared_ptr<GroupState> state;  // never null
    GroupSchedule schedule;
    uint32_t order = 0;    // in its file
    bool busy = false;     // an iteration is under way
    bool held = false;     // it is about to be replaced: nobody begins an iteration
    bool again = true;     // its next iteration may have been begun before
    CancelToken* cancel = nullptr;  // of the iteration that is under way
  };
  // Series of a group that is gone, to be ended when others have had the time to take them up.
  struct Retired {
    std::string tenant;
    std::vector<PackedLabels> series;
    int64_t sample_ms = 0;
    int64_t due_ms = 0;
  };
  using Groups = std::map<GroupKey, Running>;
  // By next_ms; the keys are those in `groups`, and so are all that Hold, Release, Enqueue and Dequeue are given.
  using Queue = std::set<std::pair<int64_t, const GroupKey*>>;

  Impl(RulerMeans means_in, RulerOptions options_in)
      : means(std::move(means_in)), options(std::move(options_in)) {}

  int64_t NowMs() const;
  // The tenant's groups, ascending by file, then in the file's order.
  std::vector<std::shared_ptr<GroupState>> StatesOf(std::string_view tenant) const VARVE_EXCLUDES(mu);

  // ---- Groups in and out (ruler_reload.cc) ----
  std::shared_ptr<GroupState> MakeState(const std::string& tenant, bool by_api, RuleGroup group) const;
  GroupSchedule MakeSchedule(const GroupState& state) const;
  void Put(std::shared_ptr<GroupState> fresh, uint32_t order) VARVE_REQUIRES(reload_mu) VARVE_EXCLUDES(mu);
  void Remove(const GroupKey& key) VARVE_REQUIRES(reload_mu) VARVE_EXCLUDES(mu);
  // Until nobody evaluates the group, and nobody begins to.
  void Hold(const GroupKey& key, Running* running) VARVE_REQUIRES(mu);
  void Release(const GroupKey& key, Running* running) VARVE_REQUIRES(mu);
  void Retire(std::string tenant, std::vector<PackedLabels> series, int64_t sample_ms, int64_t interval_ms)
      VARVE_REQUIRES(mu);
  // Gives every group its first time, once; what was stored of groups that are no more ends.
  void Begin(int64_t now_ms, int64_t wait_max_ms) VARVE_EXCLUDES(mu);
  // How long nobody was there, as far as the records tell.
  int64_t Downtime(int64_t now_ms) const VARVE_REQUIRES(mu);

  // ---- Evaluation (ruler_threads.cc) ----
  void Enqueue(const GroupKey& key, Running* running) VARVE_REQUIRES(mu);
  void Dequeue(const GroupKey& key, Running* running) VARVE_REQUIRES(mu);
  // The next group to evaluate; null: nothing is due. Those on time go before those that catch up, unless
  // `strict_order`; each of them by time.
  Groups::value_type* FirstDue(const Queue& queue, int64_t now_ms) VARVE_REQUIRES(mu);
  Groups::value_type* TakeDue(int64_t now_ms, bool strict_order) VARVE_REQUIRES(mu);
  std::optional<Retired> TakeRetired(int64_t now_ms) VARVE_REQUIRES(mu);
  // When something is due next; INT64_MAX: nothing is planned.
  int64_t NextDue() const VARVE_REQUIRES(mu);
  // Evaluates what TakeDue gave, at `now_ms`; `end_ms` says what time it is then.
  void Evaluate(Groups::value_type* item, int64_t now_ms, const std::function<int64_t()>& end_ms) VARVE_EXCLUDES(mu);
  void EndSeries(const Retired& retired) VARVE_EXCLUDES(mu);
  // While the first evaluations wait, and at the end: records now and then that the ruler is there.
  bool IsTimeToRecordWaiting(int64_t now_ms) VARVE_REQUIRES(mu);
  void RecordWaiting(int64_t now_ms);
  void Work() VARVE_EXCLUDES(mu);

  const RulerMeans means;
  const RulerOptions options;
  EvaluationCounters counters;
  std::atomic<uint64_t> iterations_missed{0};
  std::atomic<uint64_t> iterations_caught_up{0};

  Mutex reload_mu;  // one change of groups at a time
  mutable Mutex mu;
  CondVar changed;  // a queue, an iteration's end, or stopping
  Groups groups VARVE_GUARDED_BY(mu);
  Queue on_time VARVE_GUARDED_BY(mu);
  Queue late VARVE_GUARDED_BY(mu);
  std::vector<Retired> retired VARVE_GUARDED_BY(mu);
  StoredGroups stored VARVE_GUARDED_BY(mu);  // until Begin: what no group has taken
  std::optional<int64_t> seen_waiting_ms VARVE_GUARDED_BY(mu);  // of the record
  int64_t waiting_until_ms VARVE_GUARDED_BY(mu) = INT64_MIN;
  bool begun VARVE_GUARDED_BY(mu) = false;
  bool stopping VARVE_GUARDED_BY(mu) = false;
  std::unique_ptr<ThreadPool> pool;  // the owner's: Start and Stop
};

}  // namespace varve
