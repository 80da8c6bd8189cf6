// One iteration of one group: its rules in order at one time, what they write, and what comes of their alerts.
//
//   rules → samples (before any rule that may read them) → state and lines, in one step → lines → alerts to the sinks
//
// What was stored is never taken back: an iteration that is cut short (by a stop, a kill, or a reload) is done again
// at the same time, and what it writes twice is kept once. The lines of state changes are stored with the state that
// they tell of, and written from there until a push took them.
// Threads: one iteration of a group at a time.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "alerting/notify/alert_sink.h"
#include "alerting/rules/group_state.h"
#include "alerting/rules/ruler.h"
#include "engine/base/cancel.h"

namespace varve {

// Of all groups; written by iterations, read by Ruler::Stats. Relaxed: they are counts.
struct EvaluationCounters {
  std::atomic<uint64_t> evaluations{0};
  std::atomic<uint64_t> evaluation_failures{0};
  std::atomic<uint64_t> iterations{0};
  std::atomic<uint64_t> samples_written{0};
  std::atomic<uint64_t> write_failures{0};
  std::atomic<uint64_t> state_write_failures{0};
  std::atomic<uint64_t> send_failures{0};
  std::atomic<uint64_t> lines_dropped{0};
  std::atomic<uint64_t> evaluation_micros{0};
};

class GroupEvaluation {
 public:
  struct When {
    int64_t ts_ms = 0;   // the iteration's own time
    bool send = true;    // alerts to the sinks: it is not one of the past
    bool again = false;  // it may have been begun before: what it writes may be there
  };

  // All outlive it.
  GroupEvaluation(const RulerMeans& means, const RulerOptions& options, EvaluationCounters* counters,
                  GroupState* group, When when, const CancelToken* cancel);

  // False: it was cancelled, and is to be done again.
  bool Run();

 private:
  using Steady = std::chrono::steady_clock;

  bool EvaluateRule(RuleState* rule);
  Status Record(RuleState* rule);
  Status Alert(RuleState* rule);
  Status Watch(RuleState* rule);  // an alarm
  Status TakeAlerts(RuleState* rule, std::map<PackedLabels, SeenAlert> seen) VARVE_REQUIRES(group_->mu);
  Status CheckCount(size_t count) const;
  void EndSeries(RuleState* rule, const std::vector<AlertChange>& changes);
  void AddAlertSamples(RuleState* rule);
  Status AskRecorded(RuleState* rule);
  bool RecordedByOther(const RuleState& rule, const PackedLabels& series) const;

  bool MayReadPending(const RuleState& rule) const;
  void WritePending();
  void WriteStale(bool all_evaluated);
  void Commit();
  void DropOldLines();
  void WriteAlertLines();
  // What ended without having been sent as firing is sent as firing, so that someone hears of it.
  void SendUnheard();
  void Send();
  void Post(const std::vector<PostedAlert>& alerts);
  PostedAlert Posted(const RuleState& rule, const TrackedAlert& alert) const;
  int64_t sample_ms() const { return when_.ts_ms - group_->query_offset_ms; }
  int64_t NowMs() const;

  // A rule whose samples wait to be written.
  struct Pending {
    RuleState* rule = nullptr;
    SeriesSet recorded;  // of a recording rule
  };

  const RulerMeans& means_;
  const RulerOptions& options_;
  EvaluationCounters* const counters_;
  GroupState* const group_;
  const When when_;
  const CancelToken* const cancel_;
  TenantId tenant_ = 0;
  std::unique_ptr<TenantQueries> queries_;
  SampleBatch batch_;
  SampleBatch stale_;
  std::vector<Pending> pending_;
  size_t evaluated_count_ = 0;         // rules, failed ones too
  std::vector<RuleState*> evaluated_;  // alerting rules that did not fail
};

}  // namespace varve
