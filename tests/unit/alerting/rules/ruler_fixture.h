// A ruler over an engine in memory, a clock that stands still, and a sink that keeps what it is given.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "alerting/rules/alert_state.h"
#include "alerting/rules/ruler.h"
#include "engine/base/time.h"
#include "ingest/write_path.h"
#include "query/logql/parser.h"
#include "tests/support/memory_engine.h"

namespace varve::testing {

class ManualClock final : public Clock {
 public:
  int64_t NowNs() const override { return now_ms.load() * kNsPerMs; }
  std::atomic<int64_t> now_ms{0};
};

class KeepingSink final : public AlertSink {
 public:
  Status Post(std::string_view tenant, const std::vector<PostedAlert>& alerts) override {
    const MutexLock lock(mu);
    if (!failure.ok()) return failure.Clone();
    for (const PostedAlert& alert : alerts) posted.push_back({std::string(tenant), alert});
    return Status::Ok();
  }
  std::vector<std::pair<std::string, PostedAlert>> Take() {
    const MutexLock lock(mu);
    return std::exchange(posted, {});
  }
  Mutex mu;
  Status failure;
  std::vector<std::pair<std::string, PostedAlert>> posted;
};

// Times are whole intervals of a minute behind kEpochMs.
inline constexpr int64_t kEpochMs = 1'790'000'000'000 / 60'000 * 60'000;

class RulerFixture {
 public:
  explicit RulerFixture(RulerOptions options_in = {}) : options(std::move(options_in)) {
    writes = std::make_unique<WritePath>(&engine, IngestLimits{});
    SetMinute(0);
    Restart();
  }

  // A new ruler over the same store, as after a kill: nothing of the old one but what is stored.
  void Restart() {
    ruler.reset();
    RulerMeans means;
    means.engine = &engine;
    means.writes = writes.get();
    means.promql = &promql;
    means.query_limits = &limits;
    means.sinks = {&sink};
    means.clock = &clock;
    ruler = std::make_unique<Ruler>(means, options);
    const Status loaded = ruler->Load();
    VARVE_CHECK(loaded.ok());
    ruler->SetFileGroups("fake", groups);
  }
  void SetGroups(std::vector<RuleGroup> wanted) {
    groups = std::move(wanted);
    ruler->SetFileGroups("fake", groups);
  }

  // Each group has one slot in (60 (n - 1), 60 n] seconds: its minute n. The first call only begins.
  void SetMinute(int64_t minute) { clock.now_ms = kEpochMs + minute * 60'000; }
  void Evaluate(int64_t minute) {
    SetMinute(minute);
    ruler->EvaluateDue(clock.now_ms);
  }
  void EvaluateFromTo(int64_t first, int64_t last) {
    for (int64_t minute = first; minute <= last; ++minute) Evaluate(minute);
  }
  static int64_t MinuteOf(int64_t ms) { return (ms - kEpochMs + 59'999) / 60'000; }

  // `value` from the beginning of minute `minute` on, as remote write brings it, lasting for 5 minutes.
  void Write(const std::vector<std::pair<std::string, std::string>>& labels, int64_t minute, double value);
  void WriteStale(const std::vector<std::pair<std::string, std::string>>& labels, int64_t minute);
  void Push(const std::string& app, int64_t minute, const std::string& line);
  // All samples of a selector, `name{…} value@minute …; …`, stale markers as "stale".
  std::string Samples(const std::string& metric);
  // The lines of {job="varve-alerts"} as `minute: from>to value labels`.
  std::vector<std::string> Changes();
  std::vector<std::pair<int64_t, std::string>> Lines();  // by minute
  // What the sink got since the last call: `labels firing|resolved from-until`.
  std::vector<std::string> Posted();
  // `labels state value since minute; …` of all alerts.
  std::string Alerts();

  ManualClock clock;
  MemoryEngine engine;
  promql::PromqlEngine promql{promql::PromqlOptions{}};
  PerTenant<QueryLimits> limits;
  std::unique_ptr<WritePath> writes;
  KeepingSink sink;
  RulerOptions options;
  std::vector<RuleGroup> groups;
  std::unique_ptr<Ruler> ruler;
};

inline Rule Recording(std::string record, std::string expr, LabelMap labels = {}) {
  Rule rule;
  rule.record = std::move(record);
  rule.expr = std::move(expr);
  rule.labels = std::move(labels);
  return rule;
}
inline Rule Alerting(std::string alert, std::string expr, int64_t for_seconds = 0, LabelMap labels = {}) {
  Rule rule;
  rule.alert = std::move(alert);
  rule.expr = std::move(expr);
  rule.for_ms = for_seconds * 1000;
  rule.labels = std::move(labels);
  return rule;
}
inline RuleGroup Group(std::string name, std::vector<Rule> rules) {
  RuleGroup group;
  group.name = std::move(name);
  group.file = "rules.yml";
  group.interval_ms = 60'000;
  group.rules = std::move(rules);
  return group;
}

}  // namespace varve::testing
