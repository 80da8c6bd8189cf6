// The alerts of one rule, and how an evaluation changes them: Prometheus's state machine (prom_surface 6.3).
//
//   seen            none, inactive → pending (ActiveAt = ts); pending → firing once ts - ActiveAt >= for
//                   firing → pending when `for` has grown beyond ts - ActiveAt (a reload)
//   not seen        pending → gone; firing → inactive, unless it keeps firing for keep_firing_for
//   inactive        kept for kResolvedKeptMs, so that its end is told again and again
//
// Evaluating twice at one time changes nothing the second time.
// Threads: thread-compatible.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "alerting/label_map.h"
#include "alerting/rules/rule_status.h"
#include "engine/model/packed_labels.h"

namespace varve {

inline constexpr int64_t kResolvedKeptMs = 15 * 60 * 1000;

struct TrackedAlert {
  LabelMap labels;
  LabelMap annotations;
  AlertState state = AlertState::kPending;
  double value = 0;
  int64_t active_at_ms = 0;
  std::optional<int64_t> fired_at_ms;
  std::optional<int64_t> resolved_at_ms;
  std::optional<int64_t> keep_firing_since_ms;  // the first evaluation that did not see it
  std::optional<int64_t> last_sent_ms;          // not kept over a restart: then it is sent again

  bool active() const { return state != AlertState::kInactive; }
  bool operator==(const TrackedAlert&) const = default;
};

// One element of the rule's result, its labels and annotations expanded.
struct SeenAlert {
  LabelMap labels;
  LabelMap annotations;
  double value = 0;
};

struct AlertChange {
  PackedLabels key;
  AlertState from = AlertState::kInactive;
  AlertState to = AlertState::kInactive;
  TrackedAlert alert;  // as it is after the change
};

// The labels as a key. Empty values are no labels.
PackedLabels PackLabels(const LabelMap& labels);

class AlertTable {
 public:
  using Alerts = std::map<PackedLabels, TrackedAlert>;

  // Takes one evaluation. `seen`: by PackLabels(labels). Changes of state are added to `changes`, in order of labels.
  void Step(int64_t ts_ms, int64_t for_ms, int64_t keep_firing_for_ms, std::map<PackedLabels, SeenAlert> seen,
            std::vector<AlertChange>* changes);
  // Forgets all (the rule exceeded its limit).
  void Clear(std::vector<AlertChange>* changes);

  const Alerts& alerts() const { return alerts_; }
  // Of alerts that have ended keeps the latest so many: labels that are others each time would fill the memory.
  void ForgetEnded(size_t kept_max);

  size_t active_count() const;  // pending or firing
  AlertState state() const;     // the highest

  // As read back from the records.
  void Restore(TrackedAlert alert);
  // Alerts that changed in anything that is kept over a restart, or that went, since ClearDirty.
  const std::set<PackedLabels>& dirty() const { return dirty_; }
  void ClearDirty() { dirty_.clear(); }

  // Those to be sent at `ts_ms`: not pending, and resolved since they were sent, or sent longer ago than
  // `resend_delay_ms`. They count as sent from then on.
  std::vector<const TrackedAlert*> TakeUnsent(int64_t ts_ms, int64_t resend_delay_ms);
  // Those that ended at `ts_ms` and were not sent as firing, because the evaluations that saw them fire were made up or
  // nobody took them. They count as sent from then on, their end too.
  std::vector<const TrackedAlert*> TakeUnheard(int64_t ts_ms);
  // Nobody took what was given at `ts_ms`: it is given again by TakeUnsent.
  void MarkUnsent(int64_t ts_ms);

 private:
  bool StepUnseen(int64_t ts_ms, int64_t keep_firing_for_ms, TrackedAlert* alert, bool* erase);

  Alerts alerts_;
  std::set<PackedLabels> dirty_;
};

}  // namespace varve
